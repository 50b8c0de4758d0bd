"""Prequential evaluation: every prediction is scored before its label is learned, beside trivial baselines.

Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", Machine Learning 90 (2013).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from models.evaluation.metrics import accuracy, label_scores, macro_f1

WINDOW = 500  # predictions in the rolling accuracy
MAX_CODES = 2_000  # in the lookup baseline: compilers know fewer, a hostile stream could name more
BASELINES = ("majority", "last_label", "lookup")

Guesses = tuple[str | None, str | None, str | None]  # of the baselines, in the order of ``BASELINES``


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


class Baselines:
    """Three rivals that learn next to nothing: what does not beat them has learned nothing.

    ``majority`` is the most frequent label so far, ``last_label`` the label before, ``lookup`` the most frequent label
    so far of the same compiler code: it may look at the code, which the classifier may not.
    """

    def __init__(self) -> None:
        self.labels = _Tally()
        self.last: str | None = None
        self.by_code: dict[str, _Tally] = {}

    def guess(self, code: str | None) -> Guesses:
        """Return what each of ``BASELINES`` says; nothing where it has seen nothing."""
        lookup = self.by_code.get(code or "") or self.labels
        return self.labels.best, self.last, lookup.best

    def learn(self, truth: str, code: str | None) -> None:
        """Count a label; beyond ``MAX_CODES`` codes the new ones are counted together."""
        self.labels.count(truth)
        self.last = truth
        known = (code if code in self.by_code or len(self.by_code) < MAX_CODES else None) or ""
        tally = self.by_code.get(known)
        if tally is None:
            tally = self.by_code[known] = _Tally()
        tally.count(truth)

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {
            "labels": list(self.labels.counts.items()),
            "last": self.last,
            "by_code": {code: list(tally.counts.items()) for code, tally in self.by_code.items()},
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned."""
        self.labels = _Tally(data["labels"])
        self.last = data["last"]
        self.by_code = {code: _Tally(counts) for code, counts in data["by_code"].items()}


class Prequential:
    """Scores of a classifier and of ``Baselines`` on the same stream, in little memory and for ever."""

    def __init__(self) -> None:
        self.n = 0
        self.confusion: Counter[tuple[str, str]] = Counter()  # (truth, predicted) -> count
        self.correct: Counter[str] = Counter()  # of each baseline
        self.window: deque[bool] = deque(maxlen=WINDOW)
        self._rivals = Baselines()

    def update(self, truth: str, predicted: str | None, code: str | None) -> None:
        """Score one prediction (``None``: the classifier knew nothing yet), then let the baselines learn."""
        self.n += 1
        self.confusion[truth, predicted or ""] += 1
        self.window.append(predicted == truth)
        majority, last, lookup = self._rivals.guess(code)
        self.correct["majority"] += majority == truth
        self.correct["last_label"] += last == truth
        self.correct["lookup"] += lookup == truth
        self._rivals.learn(truth, code)

    @property
    def accuracy(self) -> float:
        """Return the share of right predictions; 0 before the first."""
        return accuracy(self.confusion)

    @property
    def rolling_accuracy(self) -> float:
        """Return the share of right ones among the last ``WINDOW`` predictions."""
        return sum(self.window) / len(self.window) if self.window else 0.0

    @property
    def baselines(self) -> dict[str, float]:
        """Return the accuracy of each baseline."""
        return {name: self.correct[name] / max(self.n, 1) for name in BASELINES}

    def f1(self) -> dict[str, float]:
        """Return the F1 score of each label that was true or predicted at least once."""
        return {label: score.f1 for label, score in label_scores(self.confusion).items()}

    @property
    def macro_f1(self) -> float:
        """Return the mean of the labels' F1 scores."""
        return macro_f1(self.confusion)

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {
            "n": self.n,
            "confusion": [[truth, answer, count] for (truth, answer), count in self.confusion.items()],
            "correct": dict(self.correct),
            "window": [int(right) for right in self.window],
            **self._rivals.dump(),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned."""
        self.n = data["n"]
        self.confusion = Counter({(truth, answer): count for truth, answer, count in data["confusion"]})
        self.correct = Counter(data["correct"])
        self.window = deque((bool(right) for right in data["window"]), maxlen=WINDOW)
        self._rivals.load(data)
