"""The task "will it compile": a program's verdict, asked before the compiler is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models.evaluation.scorecard import Opinion
from models.outcomes import OutcomeModel
from models.programs.features import program_parts
from models.taxonomy import rule_for

FAILS, COMPILES = "fails", "compiles"


class Tried(Protocol):
    """A program and what became of it; ``first_error_code`` is nothing where it compiles, or where none was given."""

    @property
    def source(self) -> str:
        """Return the Python program."""

    @property
    def compiles(self) -> bool:
        """Return the compiler's verdict on what the transpiler made of it."""

    @property
    def first_error_code(self) -> str | None:
        """Return the code of the compiler's first error."""


class OutcomeLearner:
    """Will it compile, from the Python program alone; the truth is the compiler's verdict."""

    def __init__(self) -> None:
        self.model = OutcomeModel()

    @property
    def labels(self) -> Sequence[str]:
        """Return the two verdicts."""
        return (FAILS, COMPILES)

    def take(self, item: Tried, *, learn: bool) -> list[Opinion]:
        """Predict the verdict on one program, then learn it if asked to."""
        parts = program_parts(item.source)
        share = self.model.predict(parts).compiles
        truth, predicted = (COMPILES if one else FAILS for one in (item.compiles, share >= 0.5))
        if learn:
            rule = rule_for(item.first_error_code, "") if item.first_error_code else None
            self.model.learn(parts, None, item.compiles, rule.label if rule else None)
        return [Opinion(truth, predicted, [1.0 - share, share])]
