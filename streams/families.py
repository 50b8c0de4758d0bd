"""Families of metrics on one registry, and which of them speak of single partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


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


class Families:
    """Makes metrics on one registry.

    ``partitioned`` are those whose first label is the partition and that are set from its state. They are cleared
    before each scrape: a partition that has moved to another worker is that one's to report.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.partitioned: list[Gauge | Totals] = []

    def counter(self, name: str, documentation: str, *labels: str) -> Counter:
        """Return a new counter; its name lacks ``_total``."""
        return Counter(name, documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        """Return a new gauge of the worker."""
        return Gauge(name, documentation, labels, registry=self.registry)

    def histogram(self, name: str, documentation: str, buckets: Sequence[float], *labels: str) -> Histogram:
        """Return a new histogram."""
        return Histogram(name, documentation, labels, buckets=buckets, registry=self.registry)

    def of_partition(self, name: str, documentation: str, *labels: str) -> Gauge:
        """Return a new gauge with the label ``partition`` before the others."""
        made = self.gauge(name, documentation, "partition", *labels)
        self.partitioned.append(made)
        return made

    def totals_of_partition(self, name: str, documentation: str, *labels: str) -> Totals:
        """Return new totals with the label ``partition`` before the others; the name lacks ``_total``."""
        made = Totals(name, documentation, ("partition", *labels), self.registry)
        self.partitioned.append(made)
        return made
