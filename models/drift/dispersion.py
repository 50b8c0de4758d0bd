"""How many votes are worth one? Votes that come in bursts say less than as many independent ones.

The design effect (Kish, Survey Sampling, 1965) by batch means, which is what the variance of a block bootstrap comes to
(Künsch, Annals of Statistics 1989): how much more the shares of consecutive votes vary from batch to batch than those
of independent votes would. A detector multiplies its threshold by it. Batches are believed late, so that a change does
not excuse itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import isfinite, sqrt
from typing import Any

import numpy as np

from models.drift.shiryaev_roberts import Floats

BATCHES = (32, 128, 512)  # votes of a batch
DELAY = 1_500  # votes after which a batch is believed
SIGNIFICANT = 3.0  # standard errors above independence before votes are held for bursty
LEAST = 1.0  # expected votes of a column that is looked at
MAX_WAITING = 4 * DELAY // BATCHES[0]


class Dispersion:
    """The design effect, the largest over several sizes of batch: 1 for votes that are independent, as far as seen."""

    def __init__(self) -> None:
        self.seen = [0.0] * len(BATCHES)  # sums of Pearson's statistic
        self.expected = [0.0] * len(BATCHES)  # what they would be for independent votes
        self.last: list[Floats] = []  # votes when each size's batch began
        self.waiting: deque[tuple[float, int, float, float]] = deque(maxlen=MAX_WAITING)
        self.effect = 1.0

    def settle(self, totals: Floats) -> None:
        """Take in a baseline, believed at once: ``totals`` (rows, columns) are all votes after each vote in turn."""
        for level, size in enumerate(BATCHES):
            for end in range(size, len(totals), size):
                self._count(level, *_pearson(totals[end] - totals[end - size], totals[-1]))
        self.last = [totals[-1].copy() for _ in BATCHES]
        self.effect = self._effect()

    def update(self, totals: Floats) -> None:
        """Take in all votes so far; call it whenever some have come."""
        votes = float(totals.sum())
        for level, size in enumerate(BATCHES):
            batch = totals - self.last[level]
            if batch.sum() >= size:
                self.waiting.append((votes, level, *_pearson(batch, totals)))
                self.last[level] = totals.copy()
        if self.waiting and votes - self.waiting[0][0] >= DELAY:
            while self.waiting and votes - self.waiting[0][0] >= DELAY:
                self._count(*self.waiting.popleft()[1:])
            self.effect = self._effect()

    def _count(self, level: int, seen: float, expected: float) -> None:
        self.seen[level] += seen
        self.expected[level] += expected

    def _effect(self) -> float:
        ratios = [
            seen / expected
            for seen, expected in zip(self.seen, self.expected, strict=True)
            if expected and seen / expected > 1.0 + SIGNIFICANT * sqrt(2.0 / expected)
        ]
        return max(1.0, *ratios, 1.0)

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "seen": self.seen.copy(),
            "expected": self.expected.copy(),
            "last": [one.tolist() for one in self.last],
            "waiting": [list(one) for one in self.waiting],
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; raises ``ValueError`` for what it cannot have returned."""
        waiting = [(float(votes), int(level), float(a), float(b)) for votes, level, a, b in data["waiting"]]
        numbers = [*data["seen"], *data["expected"], *[one for row in waiting for one in row]]
        if not all(isfinite(one) and one >= 0.0 for one in numbers) or any(one[1] >= len(BATCHES) for one in waiting):
            raise ValueError("drift: a dispersion that no stream leads to")
        self.seen, self.expected = list(data["seen"]), list(data["expected"])
        self.last = [np.array(one, np.float64) for one in data["last"]]
        self.waiting = deque(waiting, maxlen=MAX_WAITING)
        self.effect = self._effect()


def _pearson(batch: Floats, totals: Floats) -> tuple[float, float]:
    """Return Pearson's statistic of a batch against all votes, it among them, and what is expected of it."""
    votes, size = float(totals.sum()), float(batch.sum())
    share = totals / votes
    looked = share * size >= LEAST
    share = share[looked]
    apart = batch[looked] - size * share
    kept = max(0.5, 1.0 - size / votes)
    return float((apart * apart / (size * share)).sum() / kept), float((1.0 - share).sum())
