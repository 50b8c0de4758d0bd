"""Train, validation and test, each with the same share of every label, and near-duplicates always on one side."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

TRAIN, VALIDATION, TEST = 0, 1, 2


def grouped_split(
    labels: Sequence[object], groups: Sequence[object], shares: tuple[float, float], seed: int
) -> list[int]:
    """Return the side of each example; ``shares`` are those of train and validation, the rest is test.

    Whole groups are dealt out, the largest first, each to the side that lacks most of its labels; equal ones in an
    order drawn from ``seed``.
    """
    members: dict[object, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    order = list(members.values())
    Random(seed).shuffle(order)  # noqa: S311 - nothing secret
    order.sort(key=lambda places: -len(places))
    wanted = (shares[0], shares[1], 1.0 - shares[0] - shares[1])
    totals: dict[object, int] = {}
    for label in labels:
        totals[label] = totals.get(label, 0) + 1
    missing = [{label: share * count for label, count in totals.items()} for share in wanted]
    sides = [TRAIN] * len(labels)
    for places in order:
        side = max((TRAIN, TEST, VALIDATION), key=lambda one: sum(missing[one][labels[place]] for place in places))
        for place in places:
            sides[place] = side
            missing[side][labels[place]] -= 1.0
    return sides
