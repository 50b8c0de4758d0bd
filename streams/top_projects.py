"""Builds by project, for the few projects that send most of them; the rest are ``other``.

Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (ICDT 2005):
``COUNTERS`` counters, and a project without one takes over the smallest, with its count as the error. Counts are halved
every ``HALF_LIFE`` builds, so that the list follows the stream. A project gets a series of its own when its count less
the error is certainly ``ENTER`` of what is remembered, and loses it below ``LEAVE`` when another one wants its place:
ten thousand projects that send alike have no series, and do not take turns for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

NAMED, COUNTERS = 20, 100
HALF_LIFE = 10_000  # builds
ENTER, LEAVE = 0.02, 0.01
OTHER = "other"


class SpaceSaving:
    """Counts of the most frequent keys in bounded room; ``total`` is of all keys.

    Examples
    --------
    >>> counts = SpaceSaving(2)
    >>> for key in "aaabac":
    ...     counts.add(key)
    >>> counts.certain("a"), counts.certain("b"), counts.certain("c")
    (4.0, 0.0, 1.0)
    """

    def __init__(self, counters: int = COUNTERS) -> None:
        self.counters, self.total = counters, 0.0
        self._counts: dict[str, tuple[float, float]] = {}  # of each key: count, and how much of it may be another's
        self._least: list[str] = []  # keys that had the smallest count when it was last looked for
        self._floor = 0.0  # that count

    def add(self, key: str, number: float = 1.0) -> None:
        """Count a key."""
        self.total += number
        count, error = self._counts.get(key, (0.0, 0.0))
        if not count and len(self._counts) >= self.counters:
            count = error = self._counts.pop(self._smallest())[0]
        self._counts[key] = count + number, error

    def _smallest(self) -> str:
        """Return a key of the smallest count: those found by one look through all are used up before the next."""
        while self._least:
            key = self._least.pop()
            if self._counts.get(key, (-1.0, 0.0))[0] == self._floor:
                return key
        self._floor = min([count for count, _ in self._counts.values()])
        self._least = [key for key, (count, _) in self._counts.items() if count == self._floor]
        return self._least.pop()

    def certain(self, key: str) -> float:
        """Return how often the key was seen at least."""
        count, error = self._counts.get(key, (0.0, 0.0))
        return count - error

    def halve(self) -> None:
        """Let everything count half from now on."""
        self.total /= 2
        self._least = []
        self._counts = {key: (count / 2, error / 2) for key, (count, error) in self._counts.items()}


class ProjectFailures(Collector):
    """``jidoka_project_failures_total``: builds by project, at most ``NAMED`` of them and ``other``.

    What a project sent before it got a series counts as ``other``; a project that loses its series begins at 0 if it
    comes back, as every counter does that starts again.
    """

    def __init__(self, registry: CollectorRegistry, *, named: int = NAMED) -> None:
        self._named = named
        self._seen = SpaceSaving()
        self._since_halved = 0
        self._counts: dict[str, int] = {OTHER: 0}
        registry.register(self)

    def count(self, builds: Mapping[str, int]) -> None:
        """Count builds by project."""
        for project, number in builds.items():
            self._seen.add(project, number)
            self._since_halved += number
            self._counts[self._label(project)] += number
        if self._since_halved >= HALF_LIFE:
            self._since_halved = 0
            self._seen.halve()

    def _label(self, project: str) -> str:
        if project in self._counts:
            return project
        if self._seen.certain(project) < ENTER * max(self._seen.total, HALF_LIFE / 100):
            return OTHER
        if len(self._counts) > self._named:
            named = [one for one in self._counts if one != OTHER]
            least = min(named, key=self._seen.certain)
            if self._seen.certain(least) >= LEAVE * self._seen.total:
                return OTHER
            del self._counts[least]
        self._counts[project] = 0
        return project

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield what is exported."""
        family = CounterMetricFamily("jidoka_project_failures", "Failed compilations by project", labels=["project"])
        for project, number in self._counts.items():
            family.add_metric((project,), number)
        yield family
