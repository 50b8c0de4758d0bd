"""Every metric of the line, by name, in one place: base units, ``_total`` for counters, labels with few values.

``project`` is never a label: there may be ten thousand of them.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
HTTP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0)
STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)


class Metrics:
    """The metrics of one worker, on a registry of their own so that tests can read them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._counters()
        self._latency()
        self._liveness()
        self._model()

    def _counters(self) -> None:
        reg = self.registry
        self.failures = Counter("jidoka_failures_total", "Failed compilations answered", ["repeat"], registry=reg)
        self.classifications = Counter(
            "jidoka_classifications_total", "Diagnostics classified", ["category", "source"], registry=reg
        )
        self.feedback = Counter("jidoka_feedback_total", "Feedback records", ["matched"], registry=reg)
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
        self.weight = Gauge(
            "jidoka_category_weight_ratio", "Mean weight learned with", [*by_partition, "category"], registry=reg
        )
        self.origin = Gauge(
            "jidoka_model_origin_info", "What the model started from", [*by_partition, "origin"], registry=reg
        )
        self.model = Info("jidoka_model", "Version of code and learner", registry=reg)

    def by_partition(self) -> tuple[Gauge, ...]:
        """Return the gauges that speak of single partitions."""
        scores = (self.accuracy, self.rolling, self.macro_f1, self.baseline, self.divergence)
        return (*scores, self.lag, self.examples, self.weight, self.origin)


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
