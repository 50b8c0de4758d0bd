"""Operations: processes, commits, what is refused, what the broker and HTTP say."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.panels import WORKER, Panel, dashboard, lines, rows, states

STEP = f"sum by (le) (rate(jidoka_step_seconds_bucket{{{WORKER}}}[$__rate_interval]))"


def build() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("operations", "operations", "Processes, commits, refusals, HTTP", ("worker",))
    return rows(made, workers=_workers(), processes=_processes(), transactions=_transactions(), http=_http())


def _workers() -> list[Panel]:
    return [
        states(
            "Up",
            "Workers that answer Prometheus.",
            (f'up{{job="jidoka-worker", {WORKER}}}', "{{instance}}"),
            names={"0": ("down", "red"), "1": ("up", "green")},
            wide=8,
            alert="JidokaWorkerDown",
        ),
        states(
            "Stalled",
            "Work is due and has not moved for half of the stall limit: the worker is about to end itself.",
            (f"jidoka_worker_stalled{{{WORKER}}}", "{{instance}}"),
            names={"0": ("works", "green"), "1": ("stalled", "red")},
            wide=8,
            alert="JidokaWorkerStalled",
        ),
        states(
            "Broker",
            "Whether the broker answers each worker.",
            (f"jidoka_broker_up{{{WORKER}}}", "{{instance}}"),
            names={"0": ("away", "red"), "1": ("answers", "green")},
            wide=8,
            alert="JidokaBrokerAway",
        ),
    ]


def _processes() -> list[Panel]:
    return [
        lines(
            "Memory",
            "Resident; flat after the warm-up (benchmarks/memory.py).",
            (f'process_resident_memory_bytes{{job="jidoka-worker", {WORKER}}}', "{{instance}}"),
            unit="bytes",
            wide=6,
        ),
        lines(
            "Processor",
            "Cores used; a worker uses one at most, nearly all of it for features and learning.",
            (f'rate(process_cpu_seconds_total{{job="jidoka-worker", {WORKER}}}[$__rate_interval])', "{{instance}}"),
            wide=6,
        ),
        lines(
            "Starts",
            "How often each worker was started again within a quarter of an hour.",
            (f'changes(process_start_time_seconds{{job="jidoka-worker", {WORKER}}}[15m])', "{{instance}}"),
            wide=6,
            alert="JidokaWorkerRestarts",
        ),
        lines(
            "Without progress",
            "How long work that is due has not moved; 0 when nothing is due.",
            (f"jidoka_worker_seconds_since_progress{{{WORKER}}}", "{{instance}}"),
            unit="s",
            wide=6,
            alert="JidokaWorkerStalled",
        ),
    ]


def _transactions() -> list[Panel]:
    return [
        lines(
            "Commits",
            "Transactions per second: predictions, checkpoint and offsets together.",
            (f"rate(jidoka_commits_total{{{WORKER}}}[$__rate_interval])", "{{instance}}"),
            alert="JidokaNoCommits",
        ),
        lines(
            "Checkpoints",
            "Bytes of checkpoints written per second.",
            (f"rate(jidoka_checkpoint_bytes_total{{{WORKER}}}[$__rate_interval])", "{{instance}}"),
            unit="Bps",
        ),
        lines(
            "One step",
            "Predict, label, weigh, learn one build.",
            (f"histogram_quantile(0.5, {STEP})", "median"),
            (f"histogram_quantile(0.99, {STEP})", "99 %"),
            unit="s",
        ),
        lines(
            "Dead letters",
            "Records refused within ten minutes, by the topic they were on.",
            (f"sum by (topic) (increase(jidoka_dead_letters_total{{{WORKER}}}[10m]))", "{{topic}}"),
            wide=12,
            alert="JidokaDeadLetters",
        ),
        lines(
            "Feedback",
            "Words of people within the hour: learned, too late (expired), or on a failure that never was (unknown).",
            (f"sum by (outcome) (increase(jidoka_feedback_total{{{WORKER}}}[1h]))", "{{outcome}}"),
            wide=12,
            alert="JidokaFeedbackExpired",
        ),
    ]


def _http() -> list[Panel]:
    return [
        lines(
            "Requests",
            "Answered per second, by status.",
            ("sum by (status) (rate(jidoka_http_requests_total[$__rate_interval]))", "{{status}}"),
            unit="reqps",
            stacked=True,
        ),
        lines(
            "Time to answer",
            "99 of 100 requests take less, by route.",
            (
                "histogram_quantile(0.99, sum by (le, route) (rate(jidoka_http_request_seconds_bucket[5m])))",
                "{{route}}",
            ),
            unit="s",
        ),
        lines(
            "Records over HTTP",
            "Per second, by what became of them.",
            ("sum by (outcome) (rate(jidoka_http_records_total[$__rate_interval]))", "{{outcome}}"),
            stacked=True,
        ),
    ]
