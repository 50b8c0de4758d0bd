"""Has the whole mix moved? Shiryaev-Roberts with a Dirichlet-multinomial alternative, from a ladder of starts.

Every start bets that the mix changed there: its evidence is the likelihood of the votes since, predicted by a Dirichlet
posterior around the baseline of its moment, over their likelihood under all votes so far. Under no change the summed
evidence grows by one per vote in expectation (Pollak, Annals of Statistics 1985; as an e-detector, Shin, Ramdas and
Rinaldo, NEJSDS 2024), so that a threshold of ln n is reached about once in n votes. Starts are kept on dyadic levels,
two per level, instead of one per vote (window-limited, Lai, IEEE Trans. Inf. Theory 1998).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CONCENTRATIONS = (40.0, 200.0, 1_000.0)  # votes that a start's first guess weighs: from large changes to small
LEVELS = 10  # a level's starts are 1, 2, 4, … buckets apart: with 8 votes in each, back to 8,000 votes
STARTS = 2 * LEVELS
PRIOR = 0.5  # votes added to a column that can have votes (Krichevsky and Trofimov 1981)
BLOCK = 64  # buckets whose evidence may come from one burst
_NEVER = -1e9  # evidence of a start that is not yet there
_WEIGHTS = np.array(CONCENTRATIONS)[:, None]


class DirichletShiryaevRoberts:
    """Log evidence (nats), of shape (concentrations, starts), that the mix of ``columns`` columns has changed.

    ``before`` has the votes that every start begins after, ``totals`` all votes. While ``robust``, the evidence of the
    two blocks that brought most of it is left out: a single burst, however long, is no change.
    """

    def __init__(self, totals: Floats) -> None:
        self.totals = totals.copy()
        self.before = np.tile(totals, (STARTS, 1))
        self._prepare()
        self.evidence = np.full((len(CONCENTRATIONS), STARTS), _NEVER)
        self.blocks = np.zeros((3, *self.evidence.shape))  # gains: of the block that runs, of the best two before
        self.builds = [""] * STARTS  # that each start begins with
        self.bucket = 0
        self.robust = False

    def _prepare(self) -> None:
        """Derive what is not saved. A column that no label has gets no prior: to see it empty would be evidence."""
        self.prior = PRIOR * (self.totals > 0.0)
        self.prior[-1] = PRIOR  # of all labels without a column
        mixed = self.before + self.prior
        self.sizes = self.before.sum(1)
        self.mixes = mixed / mixed.sum(1, keepdims=True)

    def _restart(self, votes: int, build: str) -> None:
        """Let the starts whose turn it is begin here; they stand for all moments until the level's next start."""
        size = self.totals.sum()
        mix = (self.totals + self.prior) / (size + self.prior.sum())
        for level in range(LEVELS):
            if self.bucket % (1 << level):
                break
            row = 2 * level + (self.bucket >> level) % 2
            self.before[row] = self.totals
            self.sizes[row] = size
            self.mixes[row] = mix
            self.blocks[:, :, row] = 0.0
            self.evidence[:, row] = log(votes * (1 << level) / len(CONCENTRATIONS))
            self.builds[row] = build

    def update(self, columns: list[int], build: str) -> float:
        """Take in a bucket, the columns of its votes, and return the largest evidence; ``build`` is where it begins."""
        votes = len(columns)
        self._restart(votes, build)
        totals, size = self.totals, self.totals.sum()
        seen = totals[columns]
        believed = _WEIGHTS[:, :, None] * self.mixes[:, columns] + (seen - self.before[:, columns])
        gain = np.log(believed).sum(2)
        gain -= votes * np.log(_WEIGHTS + (size - self.sizes))
        gain -= np.log((seen + self.prior[columns]) / (size + self.prior.sum())).sum()
        self.evidence += gain
        totals += np.bincount(columns, minlength=len(totals))
        self.bucket += 1
        return float((self._robust(gain) if self.robust else self.evidence).max())

    def _robust(self, gain: Floats) -> Floats:
        running, best, second = self.blocks
        running += gain
        low = np.minimum(running, best)
        left: Floats = self.evidence - np.maximum(running, best) - np.maximum(second, low)
        if self.bucket % BLOCK == 0:
            np.maximum(second, low, out=second)
            np.maximum(running, best, out=best)
            running[:] = 0.0
        return left

    def likeliest(self) -> int:
        """Return the start with the most evidence."""
        return int(self.evidence.max(0).argmax())

    def nearest(self, votes: float) -> int:
        """Return the start after which there were about this many votes."""
        return int(np.abs(self.totals.sum() - self.sizes - votes).argmin())

    def latest_before(self, votes: float) -> int:
        """Return the latest start before this vote; the earliest of all where none is."""
        earlier = np.where(self.sizes < votes, self.sizes, -1.0)
        return int(earlier.argmax() if earlier.max() >= 0.0 else self.sizes.argmin())

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "totals": self.totals.tolist(),
            "before": self.before.tolist(),
            "evidence": self.evidence.tolist(),
            "blocks": self.blocks.tolist() if self.robust else [],
            "builds": self.builds.copy(),
            "bucket": self.bucket,
            "robust": self.robust,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; raises ``ValueError`` for arrays of another shape or sign."""
        shapes = {name: getattr(self, name).shape for name in ("totals", "before", "evidence")}
        arrays = {name: np.array(data[name], np.float64) for name in shapes}
        blocks = np.array(data["blocks"], np.float64) if data["blocks"] else np.zeros_like(self.blocks)
        if any(arrays[name].shape != shape for name, shape in shapes.items()) or blocks.shape != self.blocks.shape:
            raise ValueError("drift: votes or evidence in another shape than a detector's")
        counted = np.concatenate([arrays["before"], arrays["totals"] - arrays["before"]])
        if not all(np.isfinite(one).all() for one in [*arrays.values(), blocks]) or counted.min() < 0.0:
            raise ValueError("drift: numbers of votes that no stream leads to")
        self.totals, self.before, self.evidence = arrays["totals"], arrays["before"], arrays["evidence"]
        self.blocks, self.builds = blocks, list(data["builds"])
        self.bucket, self.robust = data["bucket"], data["robust"]
        self._prepare()
