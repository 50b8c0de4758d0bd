"""How good the model is, as counts: each category's precision and recall, and how right its confidence is.

Counts instead of ratios, so that a query chooses over which time: ``increase(…[1h])`` of them gives what was, the last
hour, precision (correct / predicted), recall (correct / labelled) and expected calibration error. Calibration counts by
confidence in ``BINS`` bins of equal width, as Guo, Pleiss, Sun and Weinberger do (ICML 2017).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from models.hybrid import Build
from models.state import LineState
from streams.families import Families

BINS = 10


class ScoreMetrics:
    """Scores of the model alone, the code hidden, as ``Prequential`` has them."""

    def __init__(self, families: Families) -> None:
        totals = families.totals_of_partition
        self.labelled = totals("jidoka_category_labelled", "Diagnostics whose label was this category", "category")
        self.predicted = totals(
            "jidoka_category_predicted", "Diagnostics the model, code hidden, thought to be of it", "category"
        )
        self.correct = totals(
            "jidoka_category_correct", "Diagnostics of it that the model thought to be of it", "category"
        )
        self.scored = families.counter("jidoka_scored", "Predictions that a label came for, by confidence", "bin")
        self.right = families.counter("jidoka_scored_right", "Predictions that were right, by confidence", "bin")
        self.confidence = families.counter("jidoka_scored_confidence", "Sum of the confidences, by confidence", "bin")
        for name in map(_name, range(BINS)):
            for counter in (self.scored, self.right, self.confidence):
                counter.labels(name)  # there from the start: a rate needs a value before the first count

    def observe_partition(self, number: str, state: LineState) -> None:
        """Set the totals of one partition from its confusion matrix."""
        labelled, predicted, correct = Counter[str](), Counter[str](), Counter[str]()
        for (truth, answer), count in state.scores.confusion.items():
            labelled[truth] += count
            predicted[answer] += count
            if truth == answer:
                correct[truth] += count
        for category in (labelled | predicted).keys() - {""}:
            self.labelled.set((number, category), labelled[category])
            self.predicted.set((number, category), predicted[category])
            self.correct.set((number, category), correct[category])


class Calibration:
    """Collects what a chunk's predictions promised and kept; ``count`` puts it on the metrics, all at once."""

    def __init__(self) -> None:
        self._bins = [[0, 0, 0.0] for _ in range(BINS)]  # scored, right, sum of confidences

    def watch(self, build: Build, labels: Sequence[str | None]) -> None:
        """Take in a build as it was predicted, and the labels it is learned as."""
        for one, label in zip(build.seen, labels, strict=True):
            if label is not None and one.best is not None:
                found = self._bins[min(int(one.confidence * BINS), BINS - 1)]
                found[0] += 1
                found[1] += one.best == label
                found[2] += one.confidence

    def count(self, metrics: ScoreMetrics) -> None:
        """Add what was collected."""
        for number, (scored, right, confidence) in enumerate(self._bins):
            if scored:
                metrics.scored.labels(_name(number)).inc(scored)
                metrics.right.labels(_name(number)).inc(right)
                metrics.confidence.labels(_name(number)).inc(confidence)


def _name(number: int) -> str:
    """Return the name of a bin: its lower edge."""
    return f"{number / BINS:.1f}"
