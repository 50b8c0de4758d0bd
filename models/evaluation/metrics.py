"""Scores of predictions that are all at hand: ranking, probability and calibration, as their definitions have them.

Shapes: ``truth`` (examples,) holds columns, ``shares`` (examples, labels) probabilities, ``positive`` and ``scores``
(examples,). A score that is not defined (a ranking with one class, the mean of nothing) is ``None``, never a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15  # of the calibration error, as in Guo et al. 2017
SMALLEST = 1e-15  # a probability of nothing counts as this much: the log loss of one example stays below 34.6

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Confusion = Mapping[tuple[str, str], int]  # (truth, predicted or "") -> count


class LabelScore(NamedTuple):
    """How one label fares; ``support`` is how often it was true, and what would divide by nothing is 0."""

    precision: float
    recall: float
    f1: float
    support: int


class Bin(NamedTuple):
    """Predictions of nearly one confidence: how many, how sure they were, how many were right."""

    size: int
    confidence: float
    accuracy: float


def label_scores(confusion: Confusion) -> dict[str, LabelScore]:
    """Return the scores of each label that was true or predicted at least once, sorted by name.

    >>> label_scores({("A", "A"): 1, ("A", "B"): 1, ("B", "B"): 2})["B"]
    LabelScore(precision=0.6666666666666666, recall=1.0, f1=0.8, support=2)
    """
    true, predicted = Counter[str](), Counter[str]()
    for (truth, answer), count in confusion.items():
        true[truth] += count
        predicted[answer] += count
    names = sorted((true.keys() | predicted.keys()) - {""})
    return {name: _label_score(confusion.get((name, name), 0), true[name], predicted[name]) for name in names}


def _label_score(right: int, true: int, predicted: int) -> LabelScore:
    precision, recall = right / predicted if predicted else 0.0, right / true if true else 0.0
    return LabelScore(precision, recall, 2 * right / (true + predicted), true)


def accuracy(confusion: Confusion) -> float:
    """Return the share of right predictions; 0 before the first."""
    total = sum(confusion.values())
    return sum(count for (truth, answer), count in confusion.items() if truth == answer) / total if total else 0.0


def macro_f1(confusion: Confusion) -> float:
    """Return the mean of the labels' F1 scores; 0 before the first prediction."""
    scores = label_scores(confusion).values()
    return sum(score.f1 for score in scores) / len(scores) if scores else 0.0


def auc(positive: Flags, scores: Array) -> float | None:
    """Return the area under the ROC curve: the chance that a positive example scores above a negative one.

    Ties count one half (Mann and Whitney 1947, here by mean ranks).

    >>> auc(np.array([True, False, True]), np.array([0.9, 0.1, 0.1]))
    0.75
    """
    count, positives = len(positive), int(positive.sum())
    if not 0 < positives < count:
        return None
    _, places, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[places]
    above = float(ranks[positive].sum()) - positives * (positives + 1) / 2
    return above / (positives * (count - positives))


def average_precision(positive: Flags, scores: Array) -> float | None:
    """Return the area under the precision-recall curve, as average precision: no interpolation between its points.

    Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006, on why not.
    """
    positives = int(positive.sum())
    if not positives:
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # the last of each run of equal scores
    found = np.cumsum(positive[order])[ends]
    precision, gained = found / (ends + 1), np.diff(found, prepend=0) / positives
    return float(precision @ gained)


def by_label(truth: Places, shares: Array) -> tuple[dict[int, float], dict[int, float]]:
    """Return AUC and average precision of each column against all others, where they are defined."""
    areas, precisions = {}, {}
    for column in range(shares.shape[1]):
        positive = truth == column
        area = auc(positive, shares[:, column])
        if area is not None:
            areas[column] = area
            precisions[column] = average_precision(positive, shares[:, column]) or 0.0
    return areas, precisions


def mean(values: Iterable[float]) -> float | None:
    """Return the mean; nothing of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else None


def log_loss(truth: Places, shares: Array) -> float | None:
    """Return the mean of -ln p(truth) in nats; what was given less than ``SMALLEST`` counts as given that much."""
    if not len(truth):
        return None
    given = shares[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, SMALLEST, 1.0)).mean())


def reliability(confidence: Array, right: Flags, bins: int = BINS) -> list[Bin | None]:
    """Return the bins of equal width over confidence from 0 to 1, each closed above; ``None`` where one is empty."""
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    sure = np.bincount(places, weights=confidence, minlength=bins)
    hits = np.bincount(places, weights=right.astype(float), minlength=bins)
    return [Bin(int(n), float(s / n), float(h / n)) if n else None for n, s, h in zip(counts, sure, hits, strict=True)]


def calibration_error(confidence: Array, right: Flags, bins: int = BINS) -> float | None:
    """Return the expected calibration error (ECE) over bins of equal width: mean |accuracy - confidence|.

    ``confidence`` is the probability of the predicted label. Naeini, Cooper and Hauskrecht, AAAI 2015; Guo, Pleiss,
    Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    if not len(confidence):
        return None
    found = [one for one in reliability(confidence, right, bins) if one is not None]
    return sum(one.size * abs(one.accuracy - one.confidence) for one in found) / len(confidence)


def rolling(right: Flags, window: int) -> Array:
    """Return after each example the share of right ones among the last ``window``, fewer at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(right)])
    ends = np.arange(1, len(right) + 1)
    starts = np.maximum(ends - window, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts), np.float64)
