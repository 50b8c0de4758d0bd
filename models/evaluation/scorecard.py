"""The scores of a whole replay: every prediction kept until the end, because ranking and calibration need them all.

``models.evaluation.prequential.Prequential`` is what a worker keeps; this takes some 100 bytes a diagnostic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation import metrics
from models.evaluation.prequential import BASELINES, WINDOW, Guesses

POINTS = 200  # of the curve
BEFORE, AFTER = 1_000, 500  # examples whose accuracy is compared before and after a switch
NEAR = 0.02  # of the level before: a learner that is this near again has recovered


class Opinion(NamedTuple):
    """What a learner thought of one example before it learned it.

    ``shares`` has a number for each of the learner's labels at that time, in their order; they need not sum to one.
    ``code`` is for the baseline that may look at it.
    """

    truth: str
    predicted: str | None
    shares: Sequence[float]
    code: str | None = None


class Scorecard:
    """Predictions of one replay, in their order, with those of the baselines beside them."""

    def __init__(self, baselines: Sequence[str] = BASELINES) -> None:
        self.names = tuple(baselines)
        self._columns: dict[str, int] = {}
        self._opinions: list[Opinion] = []
        self._labels: list[tuple[str, ...]] = []  # of the learner, for each opinion; mostly one object
        self._guesses: list[Guesses] = []
        self._nanoseconds: list[float] = []
        self._inputs: list[int] = []

    def __len__(self) -> int:
        """Return how many predictions were scored."""
        return len(self._opinions)

    def add(
        self, opinions: Sequence[Opinion], labels: tuple[str, ...], guesses: Sequence[Guesses], taken: int, source: int
    ) -> None:
        """Take what a learner with these ``labels`` and the baselines thought of one build.

        ``taken`` is the time of the build in nanoseconds, ``source`` the number of the file it came from.
        """
        self._guesses += guesses
        self._opinions += opinions
        self._labels += [labels] * len(opinions)
        self._nanoseconds += [taken / len(opinions)] * len(opinions) if opinions else []
        self._inputs += [source] * len(opinions)

    def extend(self, other: Scorecard) -> None:
        """Take the predictions of another card after these."""
        self._guesses += other._guesses
        self._opinions += other._opinions
        self._labels += other._labels
        self._nanoseconds += other._nanoseconds
        self._inputs += other._inputs

    @property
    def accuracy(self) -> float:
        """Return the share of right predictions; 0 before the first."""
        return metrics.accuracy(self.confusion())

    @property
    def right(self) -> metrics.Flags:
        """Return which predictions were right."""
        return np.array([one.predicted == one.truth for one in self._opinions], np.bool_)

    def confusion(self) -> Counter[tuple[str, str]]:
        """Return (truth, predicted or "") → count."""
        return Counter((one.truth, one.predicted or "") for one in self._opinions)

    def document(self) -> dict[str, Any]:
        """Return everything as JSON-able data: ``summary``, and the parts that take more room than a line."""
        rivals = self.baselines()
        return self.summary() | {
            "baselines": {name: found["accuracy"] for name, found in rivals.items()},
            "baselines_macro_f1": {name: found["macro_f1"] for name, found in rivals.items()},
            "latency": self.latency(),
            "curve": self.curve(),
            "confusion": self.confusion_table(),
        }

    def summary(self) -> dict[str, Any]:
        """Return the scores that one line shows: ``n``, accuracy, macro-F1, areas, log loss, calibration error."""
        names, truth, shares = self._matrix()
        areas, precisions = metrics.by_label(truth, shares)
        confidence, confusion = shares.max(axis=1, initial=0.0), self.confusion()
        return {
            "n": len(self),
            "accuracy": self.accuracy,
            "macro_f1": metrics.macro_f1(confusion),
            "auc": metrics.mean(areas.values()),
            "auc_pr": metrics.mean(precisions.values()),
            "log_loss": metrics.log_loss(truth, shares),
            "ece": metrics.calibration_error(confidence, self.right),
            "reliability": [list(one) if one else None for one in metrics.reliability(confidence, self.right)],
            "per_category": {
                name: score._asdict() | {"auc": areas.get(place), "auc_pr": precisions.get(place)}
                for name, score in metrics.label_scores(confusion).items()
                for place in [names.index(name)]
            },
        }

    def _matrix(self) -> tuple[list[str], metrics.Places, metrics.Array]:
        """Return all labels, the column of each truth, and probabilities (examples, labels) that sum to one or zero."""
        known = dict.fromkeys(label for labels in dict.fromkeys(self._labels) for label in labels)
        names = list(dict.fromkeys([*known, *(name for pair in self.confusion() for name in pair if name)]))
        columns = {name: place for place, name in enumerate(names)}
        places = {labels: [columns[label] for label in labels] for labels in dict.fromkeys(self._labels)}
        shares = np.zeros((len(self), len(names)))
        for row, (one, labels) in enumerate(zip(self._opinions, self._labels, strict=True)):
            shares[row, places[labels][: len(one.shares)]] = one.shares
        total = shares.sum(axis=1, keepdims=True)
        truth = np.array([columns[one.truth] for one in self._opinions], np.intp)
        return names, truth, np.divide(shares, total, out=shares, where=total > 0)

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return accuracy and macro-F1 of each baseline."""
        found = {}
        for name, guesses in self._of_baselines().items():
            pairs = zip(self._opinions, guesses, strict=True)
            confusion = Counter((one.truth, guess or "") for one, guess in pairs)
            found[name] = {"accuracy": metrics.accuracy(confusion), "macro_f1": metrics.macro_f1(confusion)}
        return found

    def _of_baselines(self) -> dict[str, list[str | None]]:
        places = [(name, BASELINES.index(name)) for name in self.names]
        return {name: [guesses[place] for guesses in self._guesses] for name, place in places}

    def curve(self) -> list[dict[str, float]]:
        """Return the accuracy of the last ``WINDOW`` predictions at some ``POINTS`` places, beside the baselines'."""
        lines = {"accuracy": self.right}
        for name, guesses in self._of_baselines().items():
            pairs = zip(self._opinions, guesses, strict=True)
            lines[name] = np.array([one.truth == guess for one, guess in pairs], np.bool_)
        rolled = {name: metrics.rolling(flags, WINDOW) for name, flags in lines.items()}
        step = max(1, -(-len(self) // POINTS))
        ends = [*range(step, len(self), step), len(self)] if len(self) else []
        return [{"n": end} | {name: float(line[end - 1]) for name, line in rolled.items()} for end in ends]

    def confusion_table(self) -> dict[str, Any]:
        """Return ``labels``, ``counts`` by truth (row) and prediction (column), and ``unanswered`` by truth."""
        confusion = self.confusion()
        labels = list(metrics.label_scores(confusion))
        return {
            "labels": labels,
            "counts": [[confusion[truth, answer] for answer in labels] for truth in labels],
            "unanswered": [confusion[truth, ""] for truth in labels],
        }

    def latency(self) -> dict[str, float]:
        """Return microseconds per diagnostic: median, 99th percentile, mean. A build's time counts for each of its."""
        if not len(self):
            return {}
        taken: NDArray[np.float64] = np.array(self._nanoseconds) / 1_000
        middle, late = np.percentile(taken, [50, 99])
        return {"p50_us": float(middle), "p99_us": float(late), "mean_us": float(taken.mean())}

    def switches(self) -> list[dict[str, Any]]:
        """Return what each change from one input file to the next did; nothing where files are not in their order.

        ``before`` is the accuracy of the last ``BEFORE`` predictions, ``after`` that of the first ``AFTER``, and
        ``recovered_after`` how many came until the last ``AFTER``, all of them after the switch, were within ``NEAR``
        of ``before``; nothing if they never were.
        """
        right, edges = self.right, np.flatnonzero(np.diff(self._inputs)) + 1
        if len(edges) != len(set(self._inputs)) - 1:
            return []
        return [_switch(right, edge, end) for edge, end in pairwise([*edges.tolist(), len(right)])]


def _switch(right: metrics.Flags, edge: int, end: int) -> dict[str, Any]:
    before = float(right[max(edge - BEFORE, 0) : edge].mean())
    after = metrics.rolling(right[edge:end], AFTER)
    back = np.flatnonzero(after[AFTER - 1 :] >= before - NEAR)
    return {
        "at": edge,
        "before": before,
        "after": float(after[min(AFTER, len(after)) - 1]),
        "recovered_after": AFTER + int(back[0]) if len(back) else None,
    }
