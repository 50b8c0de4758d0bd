"""Permutation importance: how much worse a model gets when a group of features tells it about another example.

Breiman, "Random Forests", Machine Learning 45 (2001), section 10; for any model, Fisher, Rudin and Dominici, "All
Models are Wrong, but Many are Useful", JMLR 20 (2019), as "model reliance". Trap: groups that say the same stand in for
each other, so each can look unimportant while both together are not (a note that repeats the message); a coarser
grouping shows that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import fmean, pstdev
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.hashing import Named
from models.sparse import Batch, Floats

CHUNK = 512  # examples that a model sees at a time
REPEATS = 5
HASH = 4  # bytes of a name's hash

# Place -> group; a place that is not here is a group of its own.
GROUPS: dict[str, str] = {
    place: group
    for group, places in {
        "message": ("message", "stem"),
        "mark": ("marked", "all marked", "piece", "starts", "ends"),
        "line": ("line", "line starts", "before", "after", "between", "piece before"),
        "token classes": ("classes", "around", "edges", "leads to", "follows"),
        "lines around": ("near", "line -1", "line -2", "line +1", "line +2", "window"),
        "counts": ("spans", "notes", "suggestions", "position", "errors in build", "message length"),
    }.items()
    for place in places
}

Example = Mapping[str, bytes]  # group -> hashes of its names


class Model(Protocol):
    """What is needed of a model; ``models.classifiers.HashedLogistic`` has it."""

    @property
    def labels(self) -> Sequence[Any]:
        """Return the labels in the order of the columns of ``activations``."""

    def batch(self, hashes: Sequence[bytes]) -> Batch:
        """Return examples from the hashes of their features."""

    def activations(self, batch: Batch) -> Floats:
        """Return how much speaks for each label, shape (examples, labels)."""


class Scores(NamedTuple):
    """Accuracy and macro F1, 0 to 1, or differences of them."""

    accuracy: float
    macro_f1: float


class Importance(NamedTuple):
    """What a group of features is worth to a model: what the scores lose by its permutation, and that loss's deviation.

    ``present`` is the share of examples that have any feature of the group.
    """

    group: str
    present: float
    drop: Scores
    deviation: Scores


def group_of(name: str) -> str:
    """Return the group of a feature's name.

    >>> group_of("message:mismatched types"), group_of("leads to 3:let name ="), group_of("note:found")
    ('message', 'token classes', 'note')
    """
    place = name.partition(":")[0]
    head, _, number = place.rpartition(" ")
    return GROUPS.get(place) or GROUPS.get(head if number.isdigit() else "") or place


def grouped(parts: Sequence[Named], group: Callable[[str], str] = group_of) -> Example:
    """Return an example's features (``models.features.parts``) by group."""
    found: dict[str, list[bytes]] = {}
    for part in parts:
        for place, name in enumerate(part.names):
            found.setdefault(group(name), []).append(part.hashes[HASH * place : HASH * (place + 1)])
    return {name: b"".join(hashes) for name, hashes in found.items()}


def permutation_importance(
    model: Model, examples: Sequence[Example], truths: Sequence[Any], source: Random, repeats: int = REPEATS
) -> tuple[Scores, list[Importance]]:
    """Return the scores of a model on examples it has not learned, and what each group is worth, the most first.

    In each of ``repeats`` rounds all examples exchange their features of one group at random, and keep the rest; one
    that has fewer features afterwards gives more weight to each, as everywhere. A truth that the model has no label for
    counts as wrong. The order of ``source``'s numbers is fixed: equal seeds, equal results. Raises ``ValueError``
    without examples, when there are not as many truths, or without repeats.
    """
    if not examples or len(examples) != len(truths) or repeats < 1:
        raise ValueError(
            f"{len(examples)} examples, {len(truths)} truths, {repeats} repeats: as many truths as examples"
        )
    whole = score(truths, _predictions(model, [b"".join(one.values()) for one in examples]))
    found = []
    for group in sorted({name for example in examples for name in example}):
        rounds = [_permuted(model, examples, truths, group, source) for _ in range(repeats)]
        drops = [
            [before - after for after in column]
            for before, column in zip(whole, zip(*rounds, strict=True), strict=True)
        ]
        present = fmean([group in example for example in examples])
        found.append(Importance(group, present, Scores(*map(fmean, drops)), Scores(*map(pstdev, drops))))
    return whole, sorted(found, key=lambda one: (-one.drop.macro_f1, -one.drop.accuracy, one.group))


def _permuted(model: Model, examples: Sequence[Example], truths: Sequence[Any], group: str, source: Random) -> Scores:
    others = [example.get(group, b"") for example in examples]
    source.shuffle(others)
    kept = [b"".join([hashes for name, hashes in one.items() if name != group]) for one in examples]
    mixed = [rest + other for rest, other in zip(kept, others, strict=True)]
    return score(truths, _predictions(model, mixed))


def _predictions(model: Model, hashes: Sequence[bytes]) -> list[Any]:
    """Return the best label of each example, ``None`` of a model that has none."""
    if not model.labels:
        return [None] * len(hashes)
    best: list[int] = []
    for start in range(0, len(hashes), CHUNK):
        best += model.activations(model.batch(hashes[start : start + CHUNK])).argmax(axis=1).tolist()
    return [model.labels[column] for column in best]


def score(truths: Sequence[Any], predictions: Sequence[Any]) -> Scores:
    """Return the share of right predictions, and the mean F1 over labels that are true or predicted at least once."""
    labels = {label: number for number, label in enumerate(dict.fromkeys([*truths, *predictions]))}
    true, predicted = (_numbers(some, labels) for some in (truths, predictions))
    right = np.bincount(true[true == predicted], minlength=len(labels))
    both = np.bincount(true, minlength=len(labels)) + np.bincount(predicted, minlength=len(labels))
    f1 = [2 * right[number] / both[number] for label, number in labels.items() if label is not None]
    return Scores(float((true == predicted).mean()), fmean(map(float, f1)))


def _numbers(labels: Sequence[Any], numbers: Mapping[Any, int]) -> NDArray[np.int64]:
    return np.array([numbers[label] for label in labels], np.int64)
