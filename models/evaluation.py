"""Prequential evaluation: every prediction is scored before its label is learned, beside trivial baselines.

Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", Machine Learning 90 (2013).
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

WINDOW = 500  # predictions in the rolling accuracy
MAX_CODES = 2_000  # in the lookup baseline: compilers know fewer, a hostile stream could name more


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
        self._labels: Counter[str] = Counter()
        self._last: str | None = None
        self._by_code: dict[str, Counter[str]] = {}

    def update(self, truth: str, predicted: str | None, code: str | None) -> None:
        """Score one prediction (``None``: the classifier knew nothing yet), then let the baselines learn."""
        self.n += 1
        self.confusion[truth, predicted or ""] += 1
        self.window.append(predicted == truth)
        for name, answer in self._baseline_answers(code).items():
            self.correct[name] += answer == truth
        self._labels[truth] += 1
        self._last = truth
        known = code if code in self._by_code or len(self._by_code) < MAX_CODES else None
        self._by_code.setdefault(known or "", Counter())[truth] += 1

    def _baseline_answers(self, code: str | None) -> dict[str, str | None]:
        return {
            "majority": _most_frequent(self._labels),
            "last_label": self._last,
            "lookup": _most_frequent(self._by_code.get(code or "") or self._labels),
        }

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
            "labels": list(self._labels.items()),
            "last": self._last,
            "by_code": {code: list(counts.items()) for code, counts in self._by_code.items()},
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned."""
        self.n = data["n"]
        self.confusion = Counter({(truth, answer): count for truth, answer, count in data["confusion"]})
        self.correct = Counter(data["correct"])
        self.window = deque((bool(right) for right in data["window"]), maxlen=WINDOW)
        self._labels = Counter(dict(data["labels"]))
        self._last = data["last"]
        self._by_code = {code: Counter(dict(counts)) for code, counts in data["by_code"].items()}


def _most_frequent(counts: Counter[str]) -> str | None:
    """Return the label with the highest count; of equals the one seen first, so that a run can be repeated."""
    return max(counts, key=lambda label: counts[label]) if counts else None
