"""Permutation importance for encoded examples; for the stream's classifier it is ``models.evaluation.importance``."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, pstdev

import numpy as np
from numpy.typing import NDArray

from models.batch.batches import Encoded, Indices
from models.evaluation.importance import Importance, Scores, score

Predict = Callable[[Encoded, Indices], NDArray[np.float32]]


def importance_of(
    predict: Predict, encoded: Encoded, wanted: Indices, truth: NDArray[np.int64], *, seed: int, repeats: int
) -> list[Importance]:
    """Return what each group of features (text, code, tabular) is worth on the wanted examples, the most first.

    In each of ``repeats`` rounds the examples exchange their features of one group at random and keep the rest.
    """
    part = Encoded(encoded.text.take(wanted), encoded.code.take(wanted), encoded.tabular[wanted])
    here, source = np.arange(len(wanted)), np.random.default_rng(seed)
    whole = _scores(predict(part, here), truth)
    found = []
    for group in Encoded._fields:
        rounds = []
        for _ in range(repeats):
            order = source.permutation(len(wanted))
            values = getattr(part, group)
            mixed = values[order] if group == "tabular" else values.take(order)
            rounds.append(_scores(predict(part._replace(**{group: mixed}), here), truth))
        drops = [
            [before - after for after in column]
            for before, column in zip(whole, zip(*rounds, strict=True), strict=True)
        ]
        values = getattr(part, group)
        present = float((np.abs(values).sum(axis=1) > 0).mean() if group == "tabular" else (values.counts() > 0).mean())
        found.append(Importance(group, present, Scores(*map(fmean, drops)), Scores(*map(pstdev, drops))))
    return sorted(found, key=lambda one: (-one.drop.macro_f1, -one.drop.accuracy, one.group))


def _scores(shares: NDArray[np.float32], truth: NDArray[np.int64]) -> Scores:
    return score(truth.tolist(), shares.argmax(axis=1).tolist())
