"""Overview: whether the line keeps up, and whether it is better than a trivial guess."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.panels import LAMPS, PROJECT, WORKER, Panel, bars, dashboard, lines, number, rows

RATIO = "percentunit"
SECONDS = f"sum by (le) (rate(jidoka_end_to_end_seconds_bucket{{{WORKER}}}[$__rate_interval]))"


def build() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("overview", "overview", "Throughput, lag, latency, accuracy", ("worker", "project"))
    return rows(made, now=_now(), flow=_flow(), answers=_answers())


def _now() -> list[Panel]:
    return [
        number(
            "Lamp",
            "The worst of all partitions. Amber: a warning; red: learning has stopped, answers go on.",
            ("max(jidoka_andon_lamp)", "lamp"),
            names=LAMPS,
            alert="JidokaAndonRed",
        ),
        number("Workers", "Workers that answer.", ('sum(up{job="jidoka-worker"})', "workers"), alert="JidokaNoWorker"),
        number(
            "Builds per second",
            "Failed compilations answered, repeats too.",
            (f"sum(rate(jidoka_failures_total{{{WORKER}}}[$__rate_interval]))", "builds"),
            unit="reqps",
        ),
        number(
            "Waiting",
            "Records not yet answered.",
            (f"sum(jidoka_consumer_lag{{{WORKER}}})", "records"),
            steps=[(None, "green"), (100, "orange"), (1000, "red")],
            alert="JidokaLagGrowing",
        ),
        number(
            "Latency, 99 %",
            "From a build's arrival in Kafka to its committed prediction.",
            (f"histogram_quantile(0.99, {SECONDS})", "p99"),
            unit="s",
            steps=[(None, "green"), (1, "orange"), (10, "red")],
            alert="JidokaSlowAnswers",
        ),
        number(
            "Accuracy, last 500",
            "Of the model alone, the code hidden, predicted before learned; the mean of the partitions.",
            ("avg(partition:jidoka_rolling_accuracy_ratio:max)", "accuracy"),
            unit=RATIO,
            alert="JidokaBelowBaseline",
        ),
    ]


def _flow() -> list[Panel]:
    return [
        lines(
            "Builds",
            "Answered per second; repeats are answered again and not learned again.",
            (f'sum(rate(jidoka_failures_total{{{WORKER}, repeat="false"}}[$__rate_interval]))', "new"),
            (f'sum(rate(jidoka_failures_total{{{WORKER}, repeat="true"}}[$__rate_interval]))', "repeats"),
            unit="reqps",
        ),
        lines(
            "Lag",
            "Records that wait, by partition.",
            (f"sum by (topic, partition) (jidoka_consumer_lag{{{WORKER}}})", "{{topic}} {{partition}}"),
            alert="JidokaLagGrowing",
        ),
        lines(
            "Latency",
            "From a build's arrival in Kafka to its committed prediction.",
            (f"histogram_quantile(0.5, {SECONDS})", "median"),
            (f"histogram_quantile(0.99, {SECONDS})", "99 %"),
            unit="s",
            alert="JidokaSlowAnswers",
        ),
        lines(
            "Builds by project",
            "Builds per minute of the projects that send most; all others are “other” (streams/top_projects.py).",
            (f"sum by (project) (rate(jidoka_project_failures_total{{{WORKER}, {PROJECT}}}[5m])) * 60", "{{project}}"),
            stacked=True,
            wide=12,
        ),
        lines(
            "Who decided",
            "Diagnostics per second by the source of the answer: rule, model, a person's feedback.",
            (f"sum by (source) (rate(jidoka_classifications_total{{{WORKER}}}[$__rate_interval]))", "{{source}}"),
            stacked=True,
            wide=12,
        ),
    ]


def _answers() -> list[Panel]:
    return [
        lines(
            "Accuracy beside baselines",
            "Model alone, code hidden: the last 500 predictions of each partition, beside the most frequent label, the "
            "label before, and a table of codes (which sees what the model may not).",
            ("partition:jidoka_rolling_accuracy_ratio:max", "partition {{partition}}"),
            ("avg by (baseline) (jidoka_baseline_accuracy_ratio)", "{{baseline}}"),
            unit=RATIO,
            top=1,
            wide=12,
            alert="JidokaBelowBaseline",
        ),
        bars(
            "Categories",
            "Diagnostics of the last hour by the category answered.",
            (f"sum by (category) (increase(jidoka_classifications_total{{{WORKER}}}[1h])) > 0", "{{category}}"),
            wide=12,
        ),
    ]
