"""The weighted mean of several models' probabilities, its weights learned on the validation part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

WEIGHTS = (0.3, 0.3, 0.4)  # of tiers 1 to 3 before any are learned, as specified
SMALLEST = 1e-9  # that a probability counts as
PULL = 0.01  # how much the weights are held to the ones they start from: a few hundred examples say little

Shares = NDArray[np.float32]


def mixed(shares: Sequence[Shares], weights: Sequence[float]) -> Shares:
    """Return the weighted mean, shape (examples, labels)."""
    total = sum(weights)
    return np.asarray(sum(one * (weight / total) for one, weight in zip(shares, weights, strict=True)), np.float32)


def learned_weights(
    shares: Sequence[Shares], truth: NDArray[np.int64], initial: Sequence[float] | None = None
) -> list[float]:
    """Return weights that sum to one and minimise the log loss of the mean; near ``initial`` where that is all one.

    Each of ``shares`` has shape (examples, labels). Without ``initial`` they start alike.
    """
    start = np.asarray(initial or [1.0] * len(shares), np.float64)
    logits = np.log(start / start.sum())
    given = np.stack([one[np.arange(len(truth)), truth] for one in shares], axis=1).astype(np.float64)

    def loss(x: NDArray[np.float64]) -> float:
        return float(-np.log(np.maximum(given @ _softmax(x), SMALLEST)).mean() + PULL * ((x - logits) ** 2).sum())

    return [float(one) for one in _softmax(minimize(loss, logits, method="Nelder-Mead").x)]


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(x - x.max())
    return np.asarray(raised / raised.sum())
