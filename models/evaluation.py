"""Prequential evaluation: every prediction is scored before its label is learned, beside trivial baselines.

Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", Machine Learning 90 (2013).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

WINDOW = 500  # predictions in the rolling accuracy
MAX_CODES = 2_000  # in the lookup baseline: compilers know fewer, a hostile stream could name more


class _Tally:
    """Counts of labels, and the label counted most; of equals the one seen first, so that a run can be repeated."""

    def __init__(self, counts: Iterable[tuple[str, int]] = ()) -> None:
        self.counts: dict[str, int] = dict(counts)
        self._order = {label: place for place, label in enumerate(self.counts)}
        self.best: str | None = max(self.counts, key=lambda label: self.counts[label]) if self.counts else None
        self._most = self.counts[self.best] if self.best is not None else 0

    def count(self, label: str) -> None:
        """Count one more; of two labels with as many the one seen first stays best."""
        count = self.counts[label] = self.counts.get(label, 0) + 1
        if count == 1:
            self._order[label] = len(self._order)
        earlier = count == self._most and self.best is not None and self._order[label] < self._order[self.best]
        if count > self._most or earlier:
            self.best, self._most = label, count


class Prequential:
    """Scores of a classifier and of three baselines on the same stream.

    Baselines, each also scored before it learns: ``majority`` (the most frequent label so far), ``last_label``
    (the label before), ``lookup`` (the most frequent label so far of the same compiler code: it may look at the
    code, which the classifier may not).
    """

    def __init__(self) -> None:
        self.n = 0
        self.confusion: Counter[tuple[str, str]] = Counter()  # (truth, predicted) -> count
        self.correct: Counter[str] = Counter()  # of each baseline
        self.window: deque[bool] = deque(maxlen=WINDOW)
        self._labels = _Tally()
        self._last: str | None = None
        self._by_code: dict[str, _Tally] = {}

    def update(self, truth: str, predicted: str | None, code: str | None) -> None:
        """Score one prediction (``None``: the classifier knew nothing yet), then let the baselines learn."""
        self.n += 1
        self.confusion[truth, predicted or ""] += 1
        self.window.append(predicted == truth)
        lookup = self._by_code.get(code or "") or self._labels
        self.correct["majority"] += self._labels.best == truth
        self.correct["last_label"] += self._last == truth
        self.correct["lookup"] += lookup.best == truth
        self._labels.count(truth)
        self._last = truth
        known = (code if code in self._by_code or len(self._by_code) < MAX_CODES else None) or ""
        tally = self._by_code.get(known)
        if tally is None:
            tally = self._by_code[known] = _Tally()
        tally.count(truth)

    @property
    def accuracy(self) -> float:
        """Return the share of right predictions; 0 before the first."""
        right = sum(count for (truth, predicted), count in self.confusion.items() if truth == predicted)
        return right / self.n if self.n else 0.0

    @property
    def rolling_accuracy(self) -> float:
        """Return the share of right ones among the last ``WINDOW`` predictions."""
        return sum(self.window) / len(self.window) if self.window else 0.0

    @property
    def baselines(self) -> dict[str, float]:
        """Return the accuracy of each baseline."""
        return {name: self.correct[name] / max(self.n, 1) for name in ("majority", "last_label", "lookup")}

    def f1(self) -> dict[str, float]:
        """Return the F1 score of each label that was true or predicted at least once."""
        true, predicted = Counter[str](), Counter[str]()
        for (truth, answer), count in self.confusion.items():
            true[truth] += count
            predicted[answer] += count
        labels = sorted((true.keys() | predicted.keys()) - {""})
        return {label: 2 * self.confusion[label, label] / (true[label] + predicted[label]) for label in labels}

    @property
    def macro_f1(self) -> float:
        """Return the mean of the labels' F1 scores."""
        scores = self.f1()
        return sum(scores.values()) / len(scores) if scores else 0.0

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {
            "n": self.n,
            "confusion": [[truth, answer, count] for (truth, answer), count in self.confusion.items()],
            "correct": dict(self.correct),
            "window": [int(right) for right in self.window],
            "labels": list(self._labels.counts.items()),
            "last": self._last,
            "by_code": {code: list(tally.counts.items()) for code, tally in self._by_code.items()},
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned."""
        self.n = data["n"]
        self.confusion = Counter({(truth, answer): count for truth, answer, count in data["confusion"]})
        self.correct = Counter(data["correct"])
        self.window = deque((bool(right) for right in data["window"]), maxlen=WINDOW)
        self._labels = _Tally(data["labels"])
        self._last = data["last"]
        self._by_code = {code: _Tally(counts) for code, counts in data["by_code"].items()}
