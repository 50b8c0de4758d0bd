"""Online classifiers over named features, all behind river's ``Classifier`` interface.

``HashedLogistic`` serves the stream. River's own one-vs-rest logistic regression and naive Bayes are its rivals
in ``replay``: same features, same order, same labels.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from river import base, linear_model, multiclass, naive_bayes, optim

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]
EPSILON = 1e-6
MAX_KNOWN = 1 << 17  # names whose row is remembered, about 20 MB


@dataclass(frozen=True)
class Hashed:
    """Features as rows of the weight table: ``rows`` and ``values``, both of shape (features,)."""

    rows: Rows
    values: Floats


class HashedLogistic(base.Classifier):
    """One-vs-rest logistic regression on hashed features, learning one example at a time.

    The weights are a dense table of 2^``bits`` rows and one column per label, so memory is bounded whatever the
    stream brings; two names that fall on one row share it. An example is scaled to unit length; each row has its
    own step size, which shrinks with the squared gradients it has seen (AdaGrad, Duchi, Hazan and Singer 2011,
    here per row and summed over labels). Labels are columns in order of first appearance.

    Parameters
    ----------
    bits
        Base-2 logarithm of the number of rows, 8 to 22.
    learning_rate
        First step size of a row.

    Examples
    --------
    >>> model = HashedLogistic(bits=10)
    >>> for _ in range(20):
    ...     model.learn_one({"message:mismatched": 1.0}, "TypeErrors")
    ...     model.learn_one({"message:borrow": 1.0}, "OwnershipBorrow")
    >>> model.predict_one({"message:mismatched": 1.0})
    'TypeErrors'
    """

    def __init__(self, bits: int = 18, learning_rate: float = 2.0) -> None:
        if not 8 <= bits <= 22:
            raise ValueError(f"bits is {bits}: 8 to 22 are allowed (2^22 rows are 400 MB with 24 labels)")
        self.bits = bits
        self.learning_rate = learning_rate
        self.labels: list[Any] = []  # of the line: str; river's interface allows bool and int
        self.examples = 0
        self._known: dict[Any, int] = {}
        self.weights: Floats = np.zeros((1 << bits, 8), dtype=np.float32)
        self.squares: Floats = np.zeros(1 << bits, dtype=np.float32)

    @property
    def _multiclass(self) -> bool:
        return True

    def hash(self, x: Mapping[Any, Any]) -> Hashed:
        """Return ``x`` hashed: numbers keep their value, anything else counts as present under ``name=value``."""
        try:
            values = np.fromiter(x.values(), np.float32, len(x))
        except (TypeError, ValueError):
            return self.hash(dict(_numbered(x)))
        known = self._known
        rows = np.array([row if (row := known.get(name)) is not None else self._row(name) for name in x], np.uint32)
        length = float(np.sqrt(values @ values))
        return Hashed(rows, values / np.float32(length) if length else values)

    def _row(self, name: Any) -> int:
        """Return the row of a feature not met lately; looking names up is ten times faster than hashing them."""
        row = crc32(str(name).encode(errors="replace")) & ((1 << self.bits) - 1)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[name] = row
        return row

    def probabilities(self, hashed: Hashed) -> Floats:
        """Return one probability per label, in the order of ``labels``; they sum to one."""
        if not self.labels:
            return np.zeros(0, np.float32)
        scores = _sigmoid(hashed.values @ self.weights[hashed.rows])[: len(self.labels)]
        total = scores.sum()
        return scores / total if total > 0 else np.full_like(scores, 1 / len(scores))

    def learn(self, hashed: Hashed, label: bool | str | int, weight: float = 1.0) -> Rows:
        """Move the weights of ``hashed`` towards ``label``; return the rows that changed."""
        column, width = self._column(label), len(self.labels)
        table = self.weights[hashed.rows]  # whole rows, read once and written once: that is most of the cost
        gradient = np.zeros(table.shape[1], np.float32)
        gradient[:width] = _sigmoid(hashed.values @ table)[:width]
        gradient[column] -= 1.0
        gradient *= np.float32(weight)
        # The squared steps of a row, summed over labels: (v_i g_j)^2 over j is v_i^2 times the gradient's square.
        squares = self.squares[hashed.rows] + hashed.values**2 * (gradient @ gradient)
        self.squares[hashed.rows] = squares
        scaled = hashed.values * np.float32(self.learning_rate) / np.sqrt(squares + EPSILON)
        self.weights[hashed.rows] = table - scaled[:, None] * gradient
        self.examples += 1
        return hashed.rows

    def contributions(self, hashed: Hashed, label: bool | str | int) -> Floats:
        """Return how much each feature speaks for ``label`` against the mean label; shape (features,)."""
        if label not in self.labels:
            return np.zeros(len(hashed.rows), np.float32)
        weights = self.weights[hashed.rows]
        mean = weights.sum(axis=1) / len(self.labels)  # columns beyond are zero
        return np.asarray((weights[:, self.labels.index(label)] - mean) * hashed.values, np.float32)

    def restore(self, labels: list[Any], examples: int, rows: Rows, weights: Floats, squares: Floats) -> None:
        """Put saved rows back: ``weights`` of shape (rows, labels), ``squares`` of shape (rows,).

        Labels this model has already must come in the same order. Raises ``ValueError`` when shapes do not fit,
        and then nothing has changed.
        """
        fit = weights.shape == (len(rows), len(labels)) and squares.shape == rows.shape
        if not fit or labels[: len(self.labels)] != self.labels or len(set(labels)) < len(labels):
            raise ValueError(
                f"{weights.shape} weights, {squares.shape} squares for {len(rows)} rows and labels {labels}; "
                f"here are {self.labels}"
            )
        if len(rows) and int(rows.max()) >= 1 << self.bits:
            raise ValueError(f"row {rows.max()} of a table with 2^{self.bits} rows")
        for label in labels[len(self.labels) :]:
            self._column(label)
        self.weights[rows, : len(labels)] = weights
        self.squares[rows] = squares
        self.examples = examples

    def learn_one(self, x: dict[Hashable, Any], y: bool | str | int, w: float = 1.0) -> None:
        """Learn one example (river's interface); ``w`` is its weight."""
        self.learn(self.hash(x), y, w)

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[bool | str | int, float]:
        """Return label → probability (river's interface); empty before the first example."""
        shares = self.probabilities(self.hash(x)).astype(np.float64)
        return dict(zip(self.labels, map(float, shares / shares.sum()), strict=True)) if len(shares) else {}

    def _column(self, label: bool | str | int) -> int:
        """Return the column of ``label``, a new one if it was never seen; the table grows by doubling."""
        if label in self.labels:
            return self.labels.index(label)
        self.labels.append(label)
        if len(self.labels) > self.weights.shape[1]:
            self.weights = np.concatenate([self.weights, np.zeros_like(self.weights)], axis=1)
        return len(self.labels) - 1


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.minimum(np.maximum(scores, -30), 30))), np.float32)


def _numbered(x: Mapping[Any, Any]) -> Iterator[tuple[Any, float]]:
    for name, value in x.items():
        yield (name, float(value)) if isinstance(value, (int, float)) else (f"{name}={value}", 1.0)


def _river_logistic() -> base.Classifier:
    return multiclass.OneVsRestClassifier(linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.1)))


def _river_naive_bayes() -> base.Classifier:
    return cast("base.Classifier", naive_bayes.MultinomialNB(alpha=0.1))  # type: ignore[no-untyped-call]


CLASSIFIERS: dict[str, Callable[[], base.Classifier]] = {
    "logistic": HashedLogistic,
    "river-logistic": _river_logistic,
    "river-naive-bayes": _river_naive_bayes,
}
