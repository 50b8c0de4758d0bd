"""Every metric of the line, by name, in one place: base units, ``_total`` for counters, labels with few values.

``project`` is never a label: there may be ten thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
HTTP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0)
STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)


class Totals(Collector):
    """A counter that is set, not counted up: of what a checkpointed state has counted, whichever worker holds it."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._values: dict[tuple[str, ...], float] = {}
        registry.register(self)

    def set(self, labels: tuple[str, ...], value: float) -> None:
        """Set the count for these values of the labels."""
        self._values[labels] = value

    def clear(self) -> None:
        """Forget all counts."""
        self._values = {}

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield what is exported."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family


class Metrics:
    """The metrics of one worker, on a registry of their own so that tests can read them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._counters()
        self._latency()
        self._liveness()
        self._model()
        self._learning()
        self._challenge()

    def _counters(self) -> None:
        reg = self.registry
        self.failures = Counter("jidoka_failures_total", "Failed compilations answered", ["repeat"], registry=reg)
        self.classifications = Counter(
            "jidoka_classifications_total", "Diagnostics classified", ["category", "source"], registry=reg
        )
        self.feedback = Counter(
            "jidoka_feedback_total",
            "Feedback records; unmatched: on a failure not held (any more)",
            ["matched"],
            registry=reg,
        )
        self.dead_letters = Counter("jidoka_dead_letters_total", "Records refused", ["topic"], registry=reg)
        self.commits = Counter("jidoka_commits_total", "Committed transactions", registry=reg)
        self.checkpoint_bytes = Counter("jidoka_checkpoint_bytes_total", "Checkpoints written, bytes", registry=reg)

    def _latency(self) -> None:
        self.end_to_end = Histogram(
            "jidoka_end_to_end_seconds",
            "From the failure's arrival in Kafka to its committed prediction",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.step = Histogram(
            "jidoka_step_seconds",
            "One step: predict, label, weigh, learn",
            buckets=STEP_BUCKETS,
            registry=self.registry,
        )
        self.lag = Gauge(
            "jidoka_consumer_lag", "Records not yet answered", ["topic", "partition"], registry=self.registry
        )

    def _liveness(self) -> None:
        reg = self.registry
        self.stalled = Gauge(
            "jidoka_worker_stalled", "1: work is due and has not moved for half of the stall limit", registry=reg
        )
        self.idle = Gauge(
            "jidoka_worker_seconds_since_progress", "How long work that is due has not moved; else 0", registry=reg
        )
        self.broker_up = Gauge("jidoka_broker_up", "1: the broker answers this worker", registry=reg)
        ProcessCollector(registry=reg)  # process_start_time_seconds tells restarts; memory, CPU, files

    def _model(self) -> None:
        reg, by_partition = self.registry, ["partition"]
        self.accuracy = Gauge(
            "jidoka_prequential_accuracy_ratio", "Model alone, code hidden", by_partition, registry=reg
        )
        self.rolling = Gauge("jidoka_rolling_accuracy_ratio", "The same, last 500", by_partition, registry=reg)
        self.macro_f1 = Gauge("jidoka_prequential_macro_f1_ratio", "Macro-averaged F1", by_partition, registry=reg)
        self.baseline = Gauge(
            "jidoka_baseline_accuracy_ratio", "Trivial baselines", [*by_partition, "baseline"], registry=reg
        )
        self.divergence = Gauge("jidoka_drift_divergence_nats", "KL(window || baseline)", by_partition, registry=reg)
        self.examples = Gauge("jidoka_model_examples", "Examples learned", by_partition, registry=reg)
        self.origin = Gauge(
            "jidoka_model_origin_info", "What the model started from", [*by_partition, "origin"], registry=reg
        )
        self.model = Info("jidoka_model", "Version of code and learner", registry=reg)

    def _learning(self) -> None:
        reg, by_partition = self.registry, ["partition"]
        self.threshold = Gauge(
            "jidoka_model_threshold_ratio", "Confidence below which the model says Unknown", by_partition, registry=reg
        )
        self.temperature = Gauge(
            "jidoka_model_temperature", "Divides logits; above 1 the model was too sure", by_partition, registry=reg
        )
        self.weight = Gauge(
            "jidoka_category_weight_ratio",
            "Weight that its frequency gives a category now",
            [*by_partition, "category"],
            registry=reg,
        )
        self.function_accuracy = Gauge(
            "jidoka_label_function_accuracy_ratio",
            "Votes of a labelling function believed right, mean over categories",
            [*by_partition, "function"],
            registry=reg,
        )
        self.templates = Gauge("jidoka_templates", "Kinds of messages known", by_partition, registry=reg)
        self.templates_created = Totals(
            "jidoka_templates_created", "Kinds of messages met for the first time", by_partition, reg
        )
        self.new_templates = Gauge(
            "jidoka_new_template_share_ratio", "Builds with a new kind of message, last 500", by_partition, registry=reg
        )

    def _challenge(self) -> None:
        reg, by_partition = self.registry, ["partition"]
        self.challenge_builds = Gauge(
            "jidoka_challenge_builds", "Builds scored in the running challenge", by_partition, registry=reg
        )
        self.challenge_wins = Gauge("jidoka_challenge_wins", "Votes for the challenger", by_partition, registry=reg)
        self.challenge_losses = Gauge("jidoka_challenge_losses", "Votes for the champion", by_partition, registry=reg)
        self.challenge_evidence = Gauge(
            "jidoka_challenge_evidence", "E-value for the challenger; 20 promotes it", by_partition, registry=reg
        )

    def by_partition(self) -> tuple[Gauge | Totals, ...]:
        """Return the metrics that speak of single partitions and are set."""
        scores = (self.accuracy, self.rolling, self.macro_f1, self.baseline, self.divergence)
        learned = (self.threshold, self.temperature, self.weight, self.function_accuracy, self.examples, self.origin)
        novelty = (self.templates, self.templates_created, self.new_templates)
        challenge = (self.challenge_builds, self.challenge_wins, self.challenge_losses, self.challenge_evidence)
        return (*scores, *learned, *novelty, *challenge, self.lag)


class HttpMetrics:
    """The metrics of the HTTP interface, on a registry of their own; labels are templates of routes, not paths."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = reg = registry or CollectorRegistry()
        labels = ["route", "method", "status"]
        self.requests = Counter("jidoka_http_requests_total", "Requests answered", labels, registry=reg)
        self.seconds = Histogram(
            "jidoka_http_request_seconds", "Time to answer", ["route"], buckets=HTTP_BUCKETS, registry=reg
        )
        self.records = Counter("jidoka_http_records_total", "Records taken in over HTTP", ["outcome"], registry=reg)
        self.held = Gauge("jidoka_http_recent_predictions", "Predictions held for readers", registry=reg)
        self.malformed = Gauge("jidoka_http_malformed_predictions", "Records passed over since the start", registry=reg)

    def count_records(self, outcome: str, number: int) -> None:
        """Count records by what became of them."""
        self.records.labels(outcome).inc(number)
