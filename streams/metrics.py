"""Every metric of the line, by name: base units, ``_total`` for counters, labels with few values.

What scores say is in ``streams/score_metrics.py``, what drift and andon say in ``streams/andon_metrics.py``. A
``project`` is a label only of ``jidoka_project_failures_total``, which names at most ``streams.top_projects.NAMED``.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector

from models.records import CompilerErrors, Feedback, ModelCommand
from streams.andon_metrics import AndonMetrics
from streams.families import Families, Totals
from streams.program_metrics import ProgramMetrics
from streams.score_metrics import ScoreMetrics
from streams.top_projects import ProjectFailures

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
HTTP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0)
STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)


class Metrics:
    """The metrics of one worker, on a registry of their own so that tests can read them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._families = families = Families(self.registry)
        self._counters(families)
        self._latency(families)
        self._liveness(families)
        self._model(families)
        self._learning(families)
        self._challenge(families)
        self.by_category = ScoreMetrics(families)
        self.andon = AndonMetrics(families)
        self.programs = ProgramMetrics(families)
        self._begin_at_zero()

    def _counters(self, make: Families) -> None:
        self.failures = make.counter("jidoka_failures_total", "Failed compilations answered", "repeat")
        self.projects = ProjectFailures(self.registry)
        self.classifications = make.counter(
            "jidoka_classifications_total", "Diagnostics classified", "category", "source"
        )
        self.feedback = make.counter(
            "jidoka_feedback_total", "Feedback records; expired: their failure is no longer held", "outcome"
        )
        self.dead_letters = make.counter("jidoka_dead_letters_total", "Records refused", "topic")
        self.commits = make.counter("jidoka_commits_total", "Committed transactions")
        self.checkpoint_bytes = make.counter("jidoka_checkpoint_bytes_total", "Checkpoints written, bytes")

    def _latency(self, make: Families) -> None:
        self.end_to_end = make.histogram(
            "jidoka_end_to_end_seconds",
            "From the failure's arrival in Kafka to its committed prediction",
            LATENCY_BUCKETS,
        )
        self.step = make.histogram("jidoka_step_seconds", "One step: predict, label, weigh, learn", STEP_BUCKETS)
        self.lag = Gauge(
            "jidoka_consumer_lag", "Records not yet answered", ["topic", "partition"], registry=self.registry
        )

    def _liveness(self, make: Families) -> None:
        self.stalled = make.gauge(
            "jidoka_worker_stalled", "1: work is due and has not moved for half of the stall limit"
        )
        self.idle = make.gauge("jidoka_worker_seconds_since_progress", "How long due work has not moved; else 0")
        self.broker_up = make.gauge("jidoka_broker_up", "1: the broker answers this worker")
        ProcessCollector(registry=self.registry)  # process_start_time_seconds tells restarts; memory, CPU, files

    def _model(self, make: Families) -> None:
        gauge = make.of_partition
        self.accuracy = gauge("jidoka_prequential_accuracy_ratio", "Model alone, code hidden")
        self.rolling = gauge("jidoka_rolling_accuracy_ratio", "The same, last 500")
        self.macro_f1 = gauge("jidoka_prequential_macro_f1_ratio", "Macro-averaged F1")
        self.baseline = gauge("jidoka_baseline_accuracy_ratio", "Trivial baselines", "baseline")
        self.examples = gauge("jidoka_model_examples", "Examples learned")
        self.origin = gauge("jidoka_model_origin_info", "What the model started from", "origin")
        self.model = Info("jidoka_model", "Version of code and learner", registry=self.registry)

    def _learning(self, make: Families) -> None:
        gauge = make.of_partition
        self.threshold = gauge("jidoka_model_threshold_ratio", "Confidence below which the model says Unknown")
        self.temperature = gauge("jidoka_model_temperature", "Divides logits; above 1 the model was too sure")
        self.weight = gauge(
            "jidoka_category_weight_ratio", "Weight that its frequency gives a category now", "category"
        )
        self.function_accuracy = gauge(
            "jidoka_label_function_accuracy_ratio",
            "Votes of a labelling function believed right, mean over categories",
            "function",
        )
        self.function_coverage = gauge(
            "jidoka_label_function_coverage_ratio", "Diagnostics that a labelling function votes on", "function"
        )
        self.templates = gauge("jidoka_templates", "Kinds of messages known")
        self.templates_created = make.totals_of_partition(
            "jidoka_templates_created", "Kinds of messages met for the first time"
        )
        self.new_templates = gauge("jidoka_new_template_share_ratio", "Builds with a new kind of message, last 500")

    def _challenge(self, make: Families) -> None:
        gauge = make.of_partition
        self.challenge_builds = gauge("jidoka_challenge_builds", "Builds scored in the running challenge")
        self.challenge_wins = gauge("jidoka_challenge_wins", "Votes for the challenger")
        self.challenge_losses = gauge("jidoka_challenge_losses", "Votes for the champion")
        self.challenge_evidence = gauge("jidoka_challenge_evidence", "E-value for the challenger; 20 promotes it")

    def _begin_at_zero(self) -> None:
        """Export counters before the first count: Prometheus sees no increase in a series that begins with it."""
        for repeat in ("true", "false"):
            self.failures.labels(repeat)
        for outcome in ("learned", "expired", "unknown"):
            self.feedback.labels(outcome)
        for kind in (CompilerErrors, Feedback, ModelCommand):
            self.dead_letters.labels(kind.topic)

    def by_partition(self) -> tuple[Gauge | Totals, ...]:
        """Return the metrics that speak of single partitions and are set."""
        return (*self._families.partitioned, self.lag)


class HttpMetrics:
    """The metrics of the HTTP interface, on a registry of their own; labels are templates of routes, not paths."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        make = Families(self.registry)
        self.requests = make.counter("jidoka_http_requests_total", "Requests answered", "route", "method", "status")
        self.seconds = make.histogram("jidoka_http_request_seconds", "Time to answer", HTTP_BUCKETS, "route")
        self.records = make.counter("jidoka_http_records_total", "Records taken in over HTTP", "outcome")
        self.held = make.gauge("jidoka_http_recent_predictions", "Predictions held for readers")
        self.malformed = make.gauge("jidoka_http_malformed_predictions", "Records passed over since the start")

    def count_records(self, outcome: str, number: int) -> None:
        """Count records by what became of them."""
        self.records.labels(outcome).inc(number)
