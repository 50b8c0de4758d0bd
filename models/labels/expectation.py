"""The E-step of ``models.labels.agreement``: what votes say about each other, for all patterns at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Pin = tuple[int, float]  # a column, and the least probability that its label has
Weighted = Sequence[tuple[int, float]]  # slots with what their votes are worth


class Pattern(NamedTuple):
    """Votes that came together: slots with their weights, the pin if there is one, how many times they came."""

    votes: Weighted
    pin: Pin | None
    times: int


class Expectation:
    """The expectations of one step of EM, for all votes of all patterns at once.

    ``shares`` has shape (labels,), ``blocks`` is each function's block, ``temper`` as in ``agreement``. ``best``
    has shape (patterns, blocks, labels): what the best vote of the block adds to the label's log-odds.
    """

    def __init__(self, patterns: Sequence[Pattern], shares: Doubles, blocks: NDArray[np.intp], temper: float) -> None:
        self.temper, self.shares = temper, shares
        self.times = np.array([float(pattern.times) for pattern in patterns])
        self.pins = np.array([pattern.pin[0] if pattern.pin else -1 for pattern in patterns])
        self.floors = np.array([pattern.pin[1] if pattern.pin else 0.0 for pattern in patterns])
        votes = [vote for pattern in patterns for vote in pattern.votes]
        self.slots, self.weights = np.array([slot for slot, _ in votes]), np.array([weight for _, weight in votes])
        self.pattern = np.arange(len(patterns)).repeat([len(pattern.votes) for pattern in patterns])
        places, self.columns = np.divmod(self.slots, len(self.shares))
        self.blocks = blocks[places]
        self.best = np.zeros((len(patterns), int(blocks.max()) + 1, len(self.shares)))
        np.maximum.at(self.best, (self.pattern, self.blocks, self.columns), self.weights)

    def labels(self) -> Doubles:
        """Return the expected number of each label; what no vote speaks for is left out."""
        total, most = self.best.sum(axis=1), self.best.max(axis=1)
        posterior = self._posterior(self._together(total, most), np.arange(len(self.times)))
        found: Doubles = self.times @ np.where(total > 0.0, posterior, 0.0)
        return found

    def hits(self) -> list[tuple[int, float, float]]:
        """Return slot, expected hits and votes, of the votes that another block has an opinion on."""
        best, pattern, rows = self.best, self.pattern, np.arange(len(self.slots))
        own = best[pattern, self.blocks]  # (votes, labels): what the vote's own block says, to be left out
        first = best.max(axis=1)
        second = np.where(best == first[:, None], 0.0, best).max(axis=1)
        second = np.where((best == first[:, None]).sum(axis=1) > 1, first, second)
        most = np.where(own == first[pattern], second[pattern], first[pattern])
        total = np.maximum(best.sum(axis=1)[pattern] - own, most)  # never less, whatever is lost in rounding
        judged = np.flatnonzero(most.any(axis=1))
        total[rows, self.columns] += self.weights
        most[rows, self.columns] = np.maximum(most[rows, self.columns], self.weights)
        posterior = self._posterior(self._together(total[judged], most[judged]), self.pattern[judged])
        times = self.times[self.pattern[judged]]
        right = posterior[np.arange(len(judged)), self.columns[judged]] * times
        slots, where = np.unique(self.slots[judged], return_inverse=True)
        hits, votes = np.bincount(where, right, len(slots)), np.bincount(where, times, len(slots))
        return list(zip(slots.tolist(), hits.tolist(), votes.tolist(), strict=True))

    def _together(self, total: Doubles, most: Doubles) -> Doubles:
        return self.temper * total + (1.0 - self.temper) * most

    def _posterior(self, evidence: Doubles, pattern: NDArray[np.intp]) -> Doubles:
        mass = self.shares * np.exp(evidence - evidence.max(axis=1, keepdims=True))
        shares: Doubles = mass / mass.sum(axis=1, keepdims=True)
        pins, floors = self.pins[pattern], self.floors[pattern]
        rows = np.flatnonzero(pins >= 0)
        before = shares[rows, pins[rows]]
        raised = before < floors[rows]
        rows, before = rows[raised], before[raised]
        shares[rows] *= ((1.0 - floors[rows]) / (1.0 - before))[:, None]
        shares[rows, pins[rows]] = floors[rows]
        return shares
