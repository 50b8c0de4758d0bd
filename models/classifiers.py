"""Online classifiers over named features, all behind river's ``Classifier`` interface.

``HashedLogistic`` serves the stream. River's own one-vs-rest logistic regression and naive Bayes are its rivals
in ``replay``: same features, same order, same labels.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import exp, isfinite, sqrt
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from river import base

from models.hashing import name_hash
from models.sparse import Batch, Floats, Hashed, Rows, joined, present

EPSILON = 1e-6
SLICE = 4  # examples whose gradients come from the same weights; larger slices lose accuracy on cascades
PRIOR = (
    3.0  # subtracted from every score: what nothing speaks for has a probability of 0.05 and a rare label stays rare
)
TOLERANCE = 0.005  # an example is learned unless every label's probability is nearer than this to what it should be
UNLEARNED = 1.0 / (1.0 + exp(PRIOR))  # what the activation of a label is whose weights are zero


class HashedLogistic(base.MiniBatchClassifier):
    """One-vs-rest logistic regression on hashed features, learning a few examples at a time.

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
        self._columns: dict[Any, int] = {}
        self.weights: Floats = np.zeros((1 << bits, 8), dtype=np.float32)
        self.squares: Floats = np.zeros(1 << bits, dtype=np.float32)
        self._sums: Floats = np.zeros(1 << bits, dtype=np.float32)  # of each row of weights

    @property
    def _multiclass(self) -> bool:
        return True

    def hash(self, x: Mapping[Any, Any]) -> Hashed:
        """Return ``x`` hashed: numbers keep their value, anything else counts as present under ``name=value``."""
        try:
            values = np.fromiter(x.values(), np.float32, len(x))
        except (TypeError, ValueError):
            return self.hash(dict(_numbered(x)))
        rows = np.frombuffer(b"".join(map(name_hash, x)), np.uint32) & np.uint32((1 << self.bits) - 1)
        order = np.lexsort((values, rows))  # sums are the same then in whatever order the features were given
        rows, values = rows[order], values[order]
        length = float(np.sqrt(values @ values))
        return Hashed(rows, values / np.float32(length) if length else values)

    def batch(self, hashes: Sequence[bytes]) -> Batch:
        """Return examples whose features are simply present, from the hashes of their names (``name_hash``)."""
        return present(hashes, self.bits)

    def activations(self, batch: Batch) -> Floats:
        """Return each label's own probability, shape (examples, labels); they do not sum to one."""
        return sigmoid(self.scores(batch))

    def scores(self, batch: Batch) -> Floats:
        """Return each label's log-odds, shape (examples, labels)."""
        return batch.scores(self.weights)[:, : len(self.labels)] - np.float32(PRIOR)

    def probabilities(self, hashed: Hashed) -> Floats:
        """Return one probability per label, in the order of ``labels``; they sum to one."""
        if not self.labels:
            return np.zeros(0, np.float32)
        shares = self.activations(joined([hashed], self.bits))[0]
        return np.asarray(shares / shares.sum(), np.float32)  # a sigmoid is never zero

    def learn(self, hashed: Hashed, label: bool | str | int, weight: float = 1.0) -> Rows:
        """Move the weights of ``hashed`` towards ``label``; return the rows that changed."""
        batch = joined([hashed], self.bits)
        return self.learn_batch(batch, [label], [weight], self.activations(batch))

    def learn_batch(self, batch: Batch, labels: Sequence[Any], weights: Sequence[float], activations: Floats) -> Rows:
        """Move the weights of each example towards its label; return the rows that changed.

        ``activations`` are those of the examples before any of them is learned. Examples that are near enough to
        their label (``TOLERANCE``) are counted and left alone; the others are learned in their order, ``SLICE`` at a
        time from the same weights. Examples of a slice with one label count 1/√n each: a cascade is not n opinions.
        """
        self.examples += len(labels)
        columns = [self._column(label) for label in labels]
        said = zip(activations.tolist(), columns, strict=True)
        left = [one for one, (row, column) in enumerate(said) if not _is_near(row, column)]
        changed = []
        for start in range(0, len(left), SLICE):
            wanted = left[start : start + SLICE]
            part, of_part = batch.take(wanted), [columns[one] for one in wanted]
            found = activations[wanted] if start == 0 else self.activations(part)
            counted = np.array([weights[one] / sqrt(of_part.count(columns[one])) for one in wanted], np.float32)
            self._step(part, of_part, found, counted)
            changed.append(part.rows.view(np.uint32))
        return np.concatenate(changed) if changed else np.zeros(0, np.uint32)

    def _step(self, batch: Batch, columns: list[int], activations: Floats, weights: Floats) -> None:
        gradients = np.zeros((len(columns), self.weights.shape[1]), np.float32)
        known = activations.shape[1]
        gradients[:, :known] = activations
        gradients[:, known : len(self.labels)] = UNLEARNED  # labels that came since then: their weights are zero
        gradients[np.arange(len(columns)), columns] -= 1.0
        gradients *= weights[:, None]
        # The squared steps of a row, summed over labels: (v_i g_j)^2 over j is v_i^2 times the gradient's square.
        norms = np.einsum("ij,ij->i", gradients, gradients).repeat(batch.counts)
        np.add.at(self.squares, batch.rows, batch.values * batch.values * norms)
        steps = batch.values * np.float32(-self.learning_rate) / np.sqrt(self.squares.take(batch.rows) + EPSILON)
        batch.add(steps, gradients, self.weights)
        self._sum_up(batch.rows)

    def columns(self, labels: Sequence[Any]) -> list[int]:
        """Return the column of each label, -1 of one that was never learned."""
        return [self._columns.get(label, -1) for label in labels]

    def contributions(self, batch: Batch, columns: Sequence[int]) -> list[Floats]:
        """Return for each example how much a unit of each feature speaks for its column against the mean label.

        Shapes (features,). A column of -1 stands for a label never learned: nothing speaks for it.
        """
        places = batch.rows * np.int32(self.weights.shape[1])
        places += np.array(columns, np.int32).repeat(batch.counts)
        mean = self._sums.take(batch.rows) / np.float32(max(len(self.labels), 1))
        found = self.weights.reshape(-1).take(places) - mean
        parts = zip(pairwise(batch.bounds), columns, strict=True)
        return [found[a:b] if column >= 0 else np.zeros(b - a, np.float32) for (a, b), column in parts]

    def _sum_up(self, rows: NDArray[Any]) -> None:
        """Note the sums of rows that changed; columns beyond the labels are zero."""
        self._sums[rows] = np.einsum("ij->i", self.weights.take(rows, axis=0))

    def mend(self, rows: Rows) -> bool:
        """Make zero what is no finite number in rows that were learned on; return whether there was any."""
        if isfinite(self._sums[rows].sum() + self.squares[rows].sum()):  # a row's sum is finite if its weights are
            return False
        for table in (self.weights, self.squares):
            table[rows] = np.nan_to_num(table[rows], nan=0.0, posinf=0.0, neginf=0.0)
        self._sum_up(rows)
        return True

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
        self._widen(len(labels))
        for label in labels[len(self.labels) :]:
            self._column(label)
        self.weights[rows, : len(labels)] = weights
        self.squares[rows] = squares
        self._sum_up(rows)
        self.examples = examples

    def learn_one(self, x: dict[Hashable, Any], y: bool | str | int, w: float = 1.0) -> None:
        """Learn one example (river's interface); ``w`` is its weight."""
        self.learn(self.hash(x), y, w)

    def learn_many(self, X: Any, y: Any, w: Sequence[float] | None = None) -> None:  # noqa: N803 - river says X
        """Learn several examples at once (river's interface): a data frame and a series, or sequences.

        ``X`` may be a sequence of mappings as well, ``y`` one of labels; ``w`` are the examples' weights.
        """
        examples, labels = _records(X), list(y)
        if examples:
            batch = joined([self.hash(one) for one in examples], self.bits)
            self.learn_batch(batch, labels, w or [1.0] * len(labels), self.activations(batch))

    def predict_proba_many(self, X: Any) -> Any:  # noqa: N803
        """Return label → probability of each example: a data frame for a data frame, else a list."""
        found = [self.predict_proba_one(one) for one in _records(X)]
        return type(X)(found, index=X.index) if hasattr(X, "to_dict") else found

    def _unit_test_skips(self) -> set[str]:
        return {"check_learn_many_matches_learn_one"}  # examples of a slice are learned from the same weights

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[bool | str | int, float]:
        """Return label → probability (river's interface); empty before the first example."""
        shares = self.probabilities(self.hash(x)).astype(np.float64)
        return dict(zip(self.labels, map(float, shares / shares.sum()), strict=True)) if len(shares) else {}

    def _column(self, label: bool | str | int) -> int:
        """Return the column of ``label``, a new one if it was never seen."""
        column = self._columns.get(label)
        if column is None:
            column = self._columns[label] = len(self.labels)
            self.labels.append(label)
            self._widen(len(self.labels))
        return column

    def _widen(self, labels: int) -> None:
        """Make room for so many labels, by doubling; a table that holds nothing yet is not copied, nor even touched."""
        width = self.weights.shape[1]
        while width < labels:
            width *= 2
        if width > self.weights.shape[1]:
            before, self.weights = self.weights, np.zeros((len(self.weights), width), np.float32)
            if self.squares.any():
                self.weights[:, : before.shape[1]] = before
                self._sums = np.einsum("ij->i", self.weights)  # rows of another width are summed in another order


def _records(examples: Any) -> list[dict[Hashable, Any]]:
    """Return the rows of a data frame, or of a sequence of mappings, as dictionaries; nothing here needs pandas."""
    found = examples.to_dict("records") if hasattr(examples, "to_dict") else examples
    return [dict(one) for one in found]


def _is_near(activations: list[float], column: int) -> bool:
    """Return whether every activation is within ``TOLERANCE`` of what it should be; one of a new label never is."""
    if column >= len(activations) or activations[column] < 1.0 - TOLERANCE:
        return False
    activations[column] = 0.0
    return max(activations) <= TOLERANCE


def sigmoid(scores: Floats) -> Floats:
    """Return each label's own probability from its log-odds."""
    found = np.minimum(scores, 30.0)
    np.maximum(found, -30.0, out=found)
    np.negative(found, out=found)
    np.exp(found, out=found)
    found += 1.0
    return np.divide(1.0, found, out=found)


def _numbered(x: Mapping[Any, Any]) -> Iterator[tuple[Any, float]]:
    for name, value in x.items():
        yield (name, float(value)) if isinstance(value, (int, float)) else (f"{name}={value}", 1.0)


def _river_logistic() -> base.Classifier:
    from river import linear_model, multiclass, optim  # noqa: PLC0415 - half a second and 56 MB that no worker needs

    return multiclass.OneVsRestClassifier(linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.1)))


def _river_naive_bayes() -> base.Classifier:
    from river import naive_bayes  # noqa: PLC0415

    return cast("base.Classifier", naive_bayes.MultinomialNB(alpha=0.1))  # type: ignore[no-untyped-call]


CLASSIFIERS: dict[str, Callable[[], base.Classifier]] = {
    "logistic": HashedLogistic,
    "river-logistic": _river_logistic,
    "river-naive-bayes": _river_naive_bayes,
}
