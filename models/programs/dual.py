"""Logistic regression over the last programs, solved in its dual, one example after the other and again and again.

Features that are present are weighted by how much their log odds differ between the two verdicts (Wang and Manning,
"Baselines and Bigrams", ACL 2012); the weights follow the counts as they grow. The dual's coordinate steps (Yu, Huang
and Lin, "Dual coordinate descent methods for logistic regression and maximum entropy models", Machine Learning 85,
2011) have no step size; revisiting held examples after each new one is the process-and-reprocess of Bordes, Ertekin,
Weston and Bottou, "Fast Kernel Classifiers with Online and Active Learning", JMLR 6 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.sparse import Rows

Arrays = dict[str, NDArray[Any]]

COST = 20.0  # most that one example may weigh; 10 and 40 score within 0.001
SMOOTHING = 1.0  # added to every count before odds are taken
REVISITS = 32  # held examples that are visited again after each new one; twice as many gained nothing
CAPACITY = 4_000  # examples held
MAX_FEATURES = 3_000_000  # of all held examples: 12 MB
FINE = 2.0**-32  # dual variables are multiples of it, so that sums over examples have no order and no rounding
EDGE = 1e-4  # share of ``COST`` that a dual variable keeps from its bounds before a step
SHORTEST = 0.01  # length that an example counts at least as
MAX_OF_ONE = 20_000  # features of one example
STEPS = 8  # of Newton's method for one coordinate


@dataclass(slots=True)
class _Held:
    """An example, and its signed dual variable over the length that its features had, in units of ``FINE``."""

    rows: NDArray[np.intp]
    verdict: bool
    share: int = 0


class DualLogistic:
    """Probability of a yes, from features that are present, learned from the last ``capacity`` examples alone.

    What falls out of the window is unlearned exactly: sums are kept as integers. So the state follows from the held
    examples, whose rows and dual variables are nearly all that ``dump`` returns. One example costs a millisecond.

    Examples
    --------
    >>> model = DualLogistic(bits=8)
    >>> for _ in range(9):
    ...     model.learn(np.array([1, 2], np.uint32), True)
    ...     model.learn(np.array([2, 3], np.uint32), False)
    >>> model.score(np.array([1, 4], np.uint32)) > 0 > model.score(np.array([3, 4], np.uint32))
    True
    """

    def __init__(self, bits: int = 18, capacity: int = CAPACITY, revisits: int = REVISITS) -> None:
        if not 8 <= bits <= 22 or capacity < 1 or revisits < 0:
            raise ValueError(f"bits {bits}, capacity {capacity}, revisits {revisits}: 8 to 22, at least 1, at least 0")
        self.bits, self.capacity, self.revisits = bits, capacity, revisits
        self._clear()

    def _clear(self) -> None:
        self._sums = np.zeros(1 << self.bits, np.int64)  # of the held examples' shares
        self._counts = np.zeros((2, 1 << self.bits), np.int32)  # of held examples with a feature, by verdict
        self._totals = [0, 0]  # of held examples, by verdict
        self._held: list[_Held] = []
        self._cursor = 0  # which held example is visited next
        self._features = 0

    def __len__(self) -> int:
        return len(self._held)

    def score(self, rows: Rows) -> float:
        """Return the log odds of a yes, not calibrated; 0 before the first example."""
        places = self._places(rows)
        if not len(places) or not self._held:
            return 0.0
        weights = self._weights(places)
        return _margin(weights, self._sums[places], _length(weights))

    def contributions(self, rows: Rows) -> NDArray[np.float64]:
        """Return how much each of ``rows`` adds to the score, in their order; shape (features,)."""
        places = (rows & np.uint32((1 << self.bits) - 1)).astype(np.intp)
        length = _length(self._weights(self._places(rows)))
        return self._weights(places) * self._sums[places] * (FINE / length)

    def learn(self, rows: Rows, verdict: bool) -> None:
        """Hold one example, let the oldest go where there are too many, and visit some of the others again."""
        places = self._places(rows)
        if not len(places):
            return
        self._hold(_Held(places, bool(verdict)))
        self._visit(self._held[-1])
        for _ in range(min(self.revisits, len(self._held) - 1)):
            self._cursor = (self._cursor + 1) % len(self._held)
            self._visit(self._held[self._cursor])

    def _places(self, rows: Rows) -> NDArray[np.intp]:
        return np.unique(rows & np.uint32((1 << self.bits) - 1)).astype(np.intp)[:MAX_OF_ONE]

    def _hold(self, one: _Held) -> None:
        self._count(one, 1)
        self._held.append(one)
        while len(self._held) > self.capacity or self._features > MAX_FEATURES:
            self._drop()

    def _drop(self) -> None:
        oldest = self._held.pop(0)
        self._cursor = max(self._cursor - 1, 0)
        self._count(oldest, -1)

    def _count(self, one: _Held, by: int) -> None:
        self._counts[int(one.verdict), one.rows] += by
        self._totals[one.verdict] += by
        self._features += by * len(one.rows)
        self._sums[one.rows] += by * one.share

    def _weights(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what each feature counts: how far its log odds are apart between the verdicts.

        Wang and Manning scale by that, so that their features count its square; that trusted small corpora too much.
        """
        counts = np.log(self._counts[:, places] + SMOOTHING)
        odds = counts[1] - counts[0] + log((self._totals[0] + 2 * SMOOTHING) / (self._totals[1] + 2 * SMOOTHING))
        return np.asarray(np.abs(odds), np.float64)

    def _visit(self, one: _Held) -> None:
        """Set the dual variable of one held example to what is best while all others stay."""
        weights = self._weights(one.rows)
        length, sign = _length(weights), 1 if one.verdict else -1
        before = min(max(sign * one.share * FINE * length, 0.0), COST)
        best = best_coordinate(before, sign * _margin(weights, self._sums[one.rows], length), _spread(weights, length))
        share = sign * round(best / length / FINE)
        self._sums[one.rows] += share - one.share
        one.share = share

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Return the settings and counters as JSON-able data, and the held examples as arrays, oldest first.

        Arrays: ``rows`` of all examples (uint32), their ``sizes`` (uint32), ``verdicts`` (uint8), ``shares`` (int64).
        """
        held = self._held
        rows = np.concatenate([one.rows for one in held]) if held else np.zeros(0)
        arrays: Arrays = {
            "rows": rows.astype(np.uint32),
            "sizes": np.array([len(one.rows) for one in held], np.uint32),
            "verdicts": np.array([one.verdict for one in held], np.uint8),
            "shares": np.array([one.share for one in held], np.int64),
        }
        return {"bits": self.bits, "cursor": self._cursor}, arrays

    def load(self, header: dict[str, Any], arrays: Arrays) -> None:
        """Replace the examples by what ``dump`` returned; raises ``ValueError`` before anything has changed."""
        held = _examples(arrays, self.bits)
        cursor = header["cursor"]
        if header["bits"] != self.bits or not isinstance(cursor, int) or not 0 <= cursor <= max(len(held) - 1, 0):
            raise ValueError(f"{header}: here are 2^{self.bits} rows, and {len(held)} examples")
        if len(held) > self.capacity or sum(len(one.rows) for one in held) > MAX_FEATURES:
            raise ValueError(f"{len(held)} examples: at most {self.capacity} are held, and {MAX_FEATURES} features")
        self._clear()
        for one in held:
            self._hold(one)
        self._cursor = cursor


def best_coordinate(before: float, margin: float, spread: float) -> float:
    """Return the dual variable, between 0 and ``COST``, that is best for one example while the others stay.

    ``before`` is its value so far, ``margin`` the example's log odds for its own verdict, ``spread`` its squared length
    in the model's weights. Newton's method, kept inside: the gradient goes to infinity at both ends.
    """
    now = min(max(before, EDGE * COST), COST * (1 - EDGE))
    for _ in range(STEPS):
        gradient = spread * (now - before) + margin + log(now / (COST - now))
        step = gradient / (spread + COST / (now * (COST - now)))
        moved = now - step
        now = now / 10 if moved <= 0 else COST - (COST - now) / 10 if moved >= COST else moved
        if abs(step) < EDGE * COST:
            break
    return now


def _length(weights: NDArray[np.float64]) -> float:
    return max(sqrt(float(np.add.reduce(weights))), SHORTEST)


def _spread(weights: NDArray[np.float64], length: float) -> float:
    """Return the squared length of an example scaled by its length: 1, less for one that says nothing."""
    return float(np.add.reduce(weights)) / (length * length)


def _margin(weights: NDArray[np.float64], sums: NDArray[np.int64], length: float) -> float:
    return float(np.add.reduce(weights * sums)) * FINE / length  # not ``@``: its sums depend on the number of threads


def _examples(arrays: Arrays, bits: int) -> list[_Held]:
    rows, sizes, verdicts, shares = (arrays[name] for name in ("rows", "sizes", "verdicts", "shares"))
    kinds = [array.dtype for array in (rows, sizes, verdicts, shares)]
    if kinds != [np.uint32, np.uint32, np.uint8, np.int64] or not len(sizes) == len(verdicts) == len(shares):
        raise ValueError(f"arrays of {kinds}, for {len(sizes)}, {len(verdicts)} and {len(shares)} examples")
    if int(sizes.sum(dtype=np.uint64)) != len(rows) or (len(sizes) and not 0 < int(sizes.min()) <= MAX_OF_ONE):
        raise ValueError(f"examples of {sizes.sum(dtype=np.uint64)} features, but {len(rows)} rows")
    signs = np.where(verdicts == 1, shares, -shares)
    if (verdicts > 1).any() or (signs < 0).any() or (signs > COST / SHORTEST / FINE).any():
        raise ValueError("dual variables beyond their bounds")
    ends = np.cumsum(sizes.astype(np.intp))
    parts = np.split(rows.astype(np.intp), ends[:-1]) if len(sizes) else []
    if any(int(part[-1]) >= 1 << bits or (np.diff(part) <= 0).any() for part in parts):
        raise ValueError(f"rows that do not ascend, or beyond 2^{bits}")
    return [_Held(part, bool(said), int(share)) for part, said, share in zip(parts, verdicts, shares, strict=True)]
