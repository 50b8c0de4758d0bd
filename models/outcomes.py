"""Will it compile: from a Python program alone, whether it transpiles, whether that compiles, what fails first.

Everything is learned online, from the verdicts as they come; ``models.programs.features`` says what is looked at, and
``docs/decisions/0012-will-it-compile.md`` what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.calibration import Calibrator
from models.classifiers import HashedLogistic, sigmoid
from models.hashing import Named
from models.programs.dual import Arrays, DualLogistic
from models.sparse import Floats, Rows

BITS, CATEGORY_BITS = 18, 16  # base-2 logarithms of tables: some 35,000 features in 1,500 programs
MAX_LABELS = 64  # of first failures; later ones are not learned
VERDICTS = ("transpiles", "compiles")


class Outlook(NamedTuple):
    """Probabilities: that it transpiles; that it compiles, once it transpiled; of what fails first, if not.

    ``categories`` sums to one; it is empty before the first labelled failure.
    """

    transpiles: float
    compiles: float
    categories: dict[str, float]

    @property
    def fails(self) -> float:
        """Return the probability that no Rust program comes out that compiles."""
        return 1.0 - self.transpiles * self.compiles


class Case(NamedTuple):
    """A program and what became of it; ``origin``, ``project`` and ``file`` only part cases, and are no feature."""

    parts: Sequence[Named]
    compiles: bool | None
    first_label: str | None = None
    transpiled: bool | None = None
    origin: str | None = None
    project: str | None = None
    file: str | None = None


class Verdict:
    """One verdict: its learner, and the temperature that turns its log odds into probabilities that can be believed."""

    def __init__(self, bits: int) -> None:
        self.learner = DualLogistic(bits)
        self.calibrator = Calibrator()

    def probability(self, rows: Rows) -> float:
        """Return the probability of a yes; a half before the first verdict."""
        return float(self.calibrator.apply(_logits(self.learner.score(rows)))[0, 1])

    def learn(self, rows: Rows, *, verdict: bool) -> None:
        """Take in one verdict, of which ``probability`` did not know."""
        logits = _logits(self.learner.score(rows))
        self.calibrator.learn(logits, self.calibrator.apply(logits), [int(verdict)])
        self.learner.learn(rows, verdict)


def _logits(score: float) -> Floats:
    return np.array([[0.0, score]], np.float32)


class OutcomeModel:
    """What becomes of a program, learned online; bounded, and the same for the same cases in the same order.

    Examples
    --------
    >>> from models.programs.features import program_parts
    >>> model, plain, lazy = OutcomeModel(), "def f(a: int) -> int: return a", "def g(): yield 1"
    >>> for _ in range(20):
    ...     model.learn(program_parts(plain), transpiled=True, compiles=True, first_label=None)
    ...     model.learn(program_parts(lazy), transpiled=True, compiles=False, first_label="TraitBounds")
    >>> model.predict(program_parts(plain)).compiles > 0.8 > 0.2 > model.predict(program_parts(lazy)).compiles
    True
    """

    def __init__(self, bits: int = BITS) -> None:
        self.verdicts = {name: Verdict(bits) for name in VERDICTS}
        self.categories = HashedLogistic(CATEGORY_BITS)

    def predict(self, parts: Sequence[Named]) -> Outlook:
        """Return the outlook of a program, given ``program_parts``."""
        rows = rows_of(parts)
        transpiles, compiles = (self.verdicts[name].probability(rows) for name in VERDICTS)
        return Outlook(transpiles, compiles, self._categories(parts))

    def _categories(self, parts: Sequence[Named]) -> dict[str, float]:
        shares = self.categories.activations(self.categories.batch([_hashes(parts)]))[0].astype(np.float64)
        return dict(zip(map(str, self.categories.labels), (shares / shares.sum()).tolist(), strict=True))

    def learn(
        self, parts: Sequence[Named], transpiled: bool | None, compiles: bool | None, first_label: str | None
    ) -> None:
        """Take in what became of a program; ``None`` for what is not known.

        ``first_label`` is the category of the first failure. What did not transpile did not get as far as compiling:
        its ``compiles`` is ``None``.
        """
        rows = rows_of(parts)
        for name, verdict in zip(VERDICTS, (transpiled, compiles), strict=True):
            if verdict is not None:
                self.verdicts[name].learn(rows, verdict=verdict)
        known = len(self.categories.labels) < MAX_LABELS or first_label in self.categories.labels
        if first_label is not None and known:
            batch = self.categories.batch([_hashes(parts)])
            self.categories.learn_batch(batch, [first_label], [1.0], sigmoid(self.categories.scores(batch)))

    def reasons(self, parts: Sequence[Named], most: int = 5) -> list[tuple[str, float]]:
        """Return the features that say most about whether the program compiles, each with its log odds of a yes."""
        names = [name for part in parts for name in part.names]
        said = self.verdicts["compiles"].learner.contributions(rows_of(parts)).tolist()
        return sorted(zip(names, said, strict=True), key=lambda one: (-abs(one[1]), one[0]))[:most]

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Return the state: a header of JSON-able data, and arrays of plain numbers."""
        rows = np.flatnonzero(self.categories.squares).astype(np.uint32)
        labels = list(self.categories.labels)
        header: dict[str, Any] = {"labels": labels, "examples": self.categories.examples}
        arrays: Arrays = {
            "category_rows": rows,
            "category_weights": self.categories.weights[rows, : len(labels)],
            "category_squares": self.categories.squares[rows],
        }
        for name, verdict in self.verdicts.items():
            found, of_verdict = verdict.learner.dump()
            header[name] = {"learner": found, "calibrator": verdict.calibrator.dump()}
            arrays |= {f"{name}_{key}": array for key, array in of_verdict.items()}
        return header, arrays

    def load(self, header: dict[str, Any], arrays: Arrays) -> None:
        """Replace the state by what ``dump`` returned.

        Raises ``ValueError`` or ``KeyError`` when it is not whole; then nothing has changed.
        """
        verdicts = {name: _verdict(name, self.verdicts[name].learner.bits, header, arrays) for name in VERDICTS}
        categories = HashedLogistic(CATEGORY_BITS)
        labels = [str(label) for label in header["labels"]]
        rows, weights, squares = (arrays[f"category_{name}"] for name in ("rows", "weights", "squares"))
        if len(labels) > MAX_LABELS or not (np.isfinite(weights).all() and np.isfinite(squares).all()):
            raise ValueError(f"{len(labels)} labels, at most {MAX_LABELS}; and every weight is a finite number")
        categories.restore(labels, int(header["examples"]), rows, weights, squares)
        self.verdicts, self.categories = verdicts, categories


def _verdict(name: str, bits: int, header: dict[str, Any], arrays: Arrays) -> Verdict:
    found, prefix = Verdict(bits), f"{name}_"
    of_verdict = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
    found.learner.load(header[name]["learner"], of_verdict)
    found.calibrator.load(header[name]["calibrator"])
    return found


def rows_of(parts: Sequence[Named]) -> Rows:
    """Return the hashes of all features."""
    return np.frombuffer(_hashes(parts), np.uint32)


def _hashes(parts: Sequence[Named]) -> bytes:
    return b"".join([part.hashes for part in parts])


def prequential(
    cases: Iterable[Case], model: OutcomeModel, progress: Callable[[int], None]
) -> Iterator[tuple[Case, Outlook]]:
    """Yield each case with the outlook that it had before it was learned.

    ``case.compiles`` and ``outlook.compiles`` are what a score needs. ``model`` is changed.
    """
    for case in cases:
        outlook = model.predict(case.parts)
        model.learn(case.parts, case.transpiled, case.compiles, case.first_label)
        progress(1)
        yield case, outlook
