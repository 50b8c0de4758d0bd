"""Which examples are trained on first: easy ones, then harder tiers as the accuracy passes each threshold.

Bengio, Louradour, Collobert and Weston, "Curriculum learning" (ICML 2009). How hard an example is, is what the stream's
own learner thought of it before it learned it: one prequential pass over the training part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.batch.dataset import Dataset
from models.classifiers import HashedLogistic, sigmoid

CHUNK = 32
MOST_EPOCHS = 3  # in one tier: a threshold that is never reached must not keep the rest away


def difficulty(dataset: Dataset, wanted: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return for each wanted example one minus the share that an online learner gave its label beforehand."""
    learner, found = HashedLogistic(), np.ones(len(wanted))
    order = np.random.default_rng(seed).permutation(len(wanted))
    for start in range(0, len(order), CHUNK):
        places = order[start : start + CHUNK]
        chosen = wanted[places]
        labels = [dataset.labels[column] for column in dataset.label[chosen]]
        batch = learner.batch(dataset.stream_hashes(chosen))
        activations = sigmoid(learner.scores(batch))
        shares = activations / np.maximum(activations.sum(axis=1, keepdims=True), 1e-9)
        for place, column, row in zip(places, learner.columns(labels), shares, strict=True):
            found[place] = 1.0 - float(row[column]) if 0 <= column < len(row) else 1.0
        learner.learn_batch(batch, labels, [1.0] * len(labels), activations)
    return found


class Curriculum:
    """Tiers of equal size by difficulty, one more than there are thresholds; without any, all is one tier."""

    def __init__(self, thresholds: Sequence[float], hardness: NDArray[np.float64]) -> None:
        self.thresholds = tuple(thresholds)
        self.tier, self.epochs = 1, 0
        ranks = np.argsort(np.argsort(hardness, kind="stable"), kind="stable")
        self._tier_of = ranks * self.tiers // max(len(hardness), 1) + 1

    @property
    def tiers(self) -> int:
        """Return how many tiers there are."""
        return len(self.thresholds) + 1

    def open(self) -> NDArray[np.int64]:
        """Return the places of the examples in the tiers that are open."""
        return np.flatnonzero(self._tier_of <= self.tier)

    def advance(self, accuracy: float) -> None:
        """Take the accuracy after an epoch: open further tiers as far as it reaches."""
        self.epochs += 1
        while self.tier < self.tiers and (accuracy >= self.thresholds[self.tier - 1] or self.epochs >= MOST_EPOCHS):
            self.tier, self.epochs = self.tier + 1, 0
