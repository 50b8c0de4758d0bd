"""Hashed examples side by side: rows, values and offsets, as a compressed sparse row (CSR) matrix has them.

The two products that prediction and learning need are scipy's own loops over such a matrix, called directly: through
``csr_array`` each costs 15 µs before it begins, and the second has no public form that adds in place. They are private
to scipy (``tests/models/test_batch.py`` fails first should they change), check no bounds, and use no BLAS: sums have
one order whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools  # type: ignore[import-untyped]

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]


class Hashed(NamedTuple):
    """One example's features as rows of the weight table: ``rows`` and ``values``, both of shape (features,)."""

    rows: Rows
    values: Floats


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples: ``rows`` and ``values`` of shape (features of all,), ``offsets`` of shape (examples + 1,).

    Make one with ``present`` or ``joined``: they keep every row inside the table, which ``scores`` and ``add`` rely on.
    """

    rows: NDArray[np.int32]
    values: Floats
    offsets: NDArray[np.int32]
    bounds: list[int]  # the offsets again, as Python's integers
    counts: NDArray[np.intp]  # features of each example

    def examples(self) -> list[Hashed]:
        """Return the examples one by one, as views of this batch."""
        rows, values = self.rows.view(np.uint32), self.values
        return [Hashed(rows[a:b], values[a:b]) for a, b in pairwise(self.bounds)]

    def take(self, wanted: Sequence[int]) -> Batch:
        """Return the examples of these indices."""
        if len(wanted) == len(self.bounds) - 1:
            return self
        places = [slice(self.bounds[index], self.bounds[index + 1]) for index in wanted]
        rows = np.concatenate([self.rows[place] for place in places])
        values = np.concatenate([self.values[place] for place in places])
        counts = [place.stop - place.start for place in places]
        return _batch(rows, values, counts, np.array(counts, np.intp))

    def scores(self, table: Floats) -> Floats:
        """Return the products with ``table`` (rows, columns), summed over each example; shape (examples, columns)."""
        count, width = len(self.bounds) - 1, table.shape[1]
        found = np.zeros((count, width), np.float32)
        flat = (table.ravel(), found.ravel())
        _sparsetools.csr_matvecs(count, len(table), width, self.offsets, self.rows, self.values, *flat)
        return found

    def add(self, coefficients: Floats, gradients: Floats, table: Floats) -> None:
        """Add to each feature's row of ``table`` its coefficient times its example's gradient, in place.

        ``coefficients`` has shape (features of all,), ``gradients`` (examples, columns); ``table`` is C-contiguous.
        """
        count, width = gradients.shape
        flat = (gradients.ravel(), table.reshape(-1))
        _sparsetools.csc_matvecs(len(table), count, width, self.offsets, self.rows, coefficients, *flat)


def present(hashes: Sequence[bytes], bits: int) -> Batch:
    """Return examples whose features are simply present, scaled to unit length; 4 bytes of hash a feature."""
    counts = [len(one) >> 2 for one in hashes]
    rows = np.frombuffer(b"".join(hashes), np.int32) & np.int32((1 << bits) - 1)
    units = np.float32(1.0) / np.array([sqrt(count or 1) for count in counts], np.float32)
    of_each = np.array(counts, np.intp)
    return _batch(rows, units.repeat(of_each), counts, of_each)


def joined(examples: Sequence[Hashed], bits: int) -> Batch:
    """Return examples side by side."""
    rows = np.concatenate([one.rows for one in examples]) & np.uint32((1 << bits) - 1)
    values = np.concatenate([one.values for one in examples])
    counts = [len(one.rows) for one in examples]
    return _batch(rows.view(np.int32), values, counts, np.array(counts, np.intp))


def _batch(rows: NDArray[np.int32], values: Floats, counts: list[int], of_each: NDArray[np.intp]) -> Batch:
    bounds = list(accumulate(counts, initial=0))
    return Batch(rows, values, np.array(bounds, np.int32), bounds, of_each)
