"""Other ways to see that a mix has changed, behind one interface: update, statistic, threshold, alarm.

River's detectors watch one number each: they get one 0/1 stream per label, with the budget divided among them. All take
one vote per build and label, as ours does, so that what differs is the test. They judge labels that were frequent in a
baseline of the same length; ADWIN and Page-Hinkley need none, and get it all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from models.drift.mix import BASELINE, MixDetector
from models.drift.vocabulary import Vocabulary
from models.drift.windowed import WindowedDivergence

WATCHED, FEWER = 8, 3  # labels with a detector of river's each; of KSWIN, which costs 300 µs a vote


class Detector(Protocol):
    """What every contender is."""

    statistic: Any
    threshold: Any
    alarm: bool

    def update(self, votes: Iterable[str], build: str = "") -> None:
        """Take in the labels of one build."""


class PerLabel:
    """One of river's detectors for each of the most frequent labels; an alarm of any is an alarm."""

    def __init__(self, make: Callable[[], Any], watched: int = WATCHED) -> None:
        self._make, self._watched = make, watched
        self._order: list[str] = []
        self._vocabulary = Vocabulary()
        self._detectors: list[Any] = []
        self.statistic, self.threshold, self.alarm = 0.0, 1.0, False

    def update(self, votes: Iterable[str], build: str = "") -> None:  # noqa: ARG002 - the same for all
        """Take in the labels of one build, one by one: each is a 1 for its own detector and a 0 for the others."""
        for label in sorted(set(votes)):
            if len(self._order) < BASELINE:
                self._order.append(label)
                if len(self._order) == BASELINE:
                    self._vocabulary.settle(Counter(self._order))
                    self._detectors = [self._make() for _ in range(self._watched)]
                    for before in self._order:
                        self._feed(before)
                continue
            self._feed(label)
            self.alarm = self.alarm or any(one.drift_detected for one in self._detectors)

    def _feed(self, label: str) -> None:
        column = self._vocabulary.column(label)
        for place, one in enumerate(self._detectors):
            one.update(float(place == column))


def contenders() -> dict[str, tuple[Callable[[], Detector], int]]:
    """Return every contender by name: how to make one, and how many times fewer streams it gets for its price."""
    from river import drift

    def adwin() -> Any:
        return PerLabel(lambda: drift.ADWIN(delta=0.002 / WATCHED))

    def page_hinkley() -> Any:
        return PerLabel(lambda: drift.PageHinkley(min_instances=200, delta=0.005, threshold=50))

    def kswin() -> Any:
        return PerLabel(lambda: drift.KSWIN(alpha=1e-6 / FEWER, window_size=300, stat_size=100, seed=1), FEWER)

    return {
        "jidoka": (MixDetector, 1),
        "KL > 0.5, window 1000": (lambda: WindowedDivergence((1_000,), kl_threshold=0.5), 1),
        "KL, window 1000, bootstrap": (lambda: WindowedDivergence((1_000,)), 1),
        "KL, four windows, bootstrap": (WindowedDivergence, 1),
        "ADWIN per label": (adwin, 2),
        "Page-Hinkley per label": (page_hinkley, 2),
        "KSWIN per label": (kswin, 20),
    }
