"""Mutation operators: one small change of what a program computes, as mutation testing knows them.

Names after Offutt et al., "An Experimental Determination of Sufficient Mutant Operators" (TOSEM 5, 1996): AOR replaces
an arithmetic operator, ROR a relational one, LOR (their LCR) a logical one, UOI inserts a unary one, CRP replaces a
constant. A mutant is a program of its own, not an equal of its original.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import libcst as cst

from producers.augment.edits import Edits, parse
from producers.augment.protocol import Scored

ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply)
DIVIDING = (cst.FloorDivide, cst.Modulo)  # both keep whole numbers whole, and raise alike
RELATIONAL = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual, cst.Equal, cst.NotEqual)
STEPS = (-1, 1, 2)


class _Mutation(Edits):
    """One operator; a place is chosen by number."""

    def other(self, node: Any, group: tuple[type[Any], ...]) -> Any:
        """Return another operator of the group that ``node`` is one of, if this place is the chosen one."""
        if not isinstance(node, group) or not self.act():
            return node
        return self.random.choice([kind for kind in group if not isinstance(node, kind)])()


class Arithmetic(_Mutation):
    """AOR: ``a + b`` becomes ``a - b``; ``//`` and ``%`` become each other. Numbers only: text knows no minus."""

    def leave_BinaryOperation(  # noqa: N802 - libcst's name
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        """Replace the operator."""
        if _of_texts(original_node):
            return updated_node
        operator = self.other(updated_node.operator, ARITHMETIC)
        return updated_node.with_changes(operator=self.other(operator, DIVIDING))


class Relational(_Mutation):
    """ROR: ``a < b`` becomes ``a >= b``."""

    def leave_ComparisonTarget(  # noqa: N802
        self, original_node: cst.ComparisonTarget, updated_node: cst.ComparisonTarget
    ) -> cst.ComparisonTarget:
        """Replace the operator."""
        return updated_node.with_changes(operator=self.other(original_node.operator, RELATIONAL))


class Logical(_Mutation):
    """LOR: ``and`` and ``or`` become each other."""

    def leave_BooleanOperation(  # noqa: N802
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BooleanOperation:
        """Replace the operator."""
        return updated_node.with_changes(operator=self.other(original_node.operator, (cst.And, cst.Or)))


class Unary(_Mutation):
    """UOI: the condition of an ``if`` is negated."""

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:  # noqa: N802, ARG002
        """Negate the condition."""
        if not self.act():
            return updated_node
        inner = updated_node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        space = cst.SimpleWhitespace(" ")
        negated = cst.UnaryOperation(cst.Not(), inner)
        return updated_node.with_changes(test=negated, whitespace_before_test=space)


class Constant(_Mutation):
    """CRP: a whole number becomes a neighbour."""

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.BaseExpression:  # noqa: N802
        """Replace the number."""
        if not self.act():
            return updated_node
        value = original_node.evaluated_value + self.random.choice(STEPS)
        number = cst.Integer(str(abs(value)))
        if value >= 0:
            return number
        return cst.UnaryOperation(cst.Minus(), number, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


class _Places(cst.CSTVisitor):
    """Counts the places of all operators in one pass: a pass of libcst takes longer than all else in a mutation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def leave_BinaryOperation(self, original_node: cst.BinaryOperation) -> None:  # noqa: N802
        """Count for AOR."""
        self.found["aor"] += not _of_texts(original_node) and isinstance(
            original_node.operator, (*ARITHMETIC, *DIVIDING)
        )

    def leave_ComparisonTarget(self, original_node: cst.ComparisonTarget) -> None:  # noqa: N802
        """Count for ROR."""
        self.found["ror"] += isinstance(original_node.operator, RELATIONAL)

    def leave_BooleanOperation(self, original_node: cst.BooleanOperation) -> None:  # noqa: N802, ARG002
        """Count for LOR."""
        self.found["lor"] += 1

    def leave_If(self, original_node: cst.If) -> None:  # noqa: N802, ARG002
        """Count for UOI."""
        self.found["uoi"] += 1

    def leave_Integer(self, original_node: cst.Integer) -> None:  # noqa: N802, ARG002
        """Count for CRP."""
        self.found["crp"] += 1


def _of_texts(node: cst.BinaryOperation) -> bool:
    texts = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.List, cst.ListComp)
    return isinstance(node.left, texts) or isinstance(node.right, texts)


@lru_cache(maxsize=4)
def _opened(source: str) -> tuple[cst.Module, Mapping[str, int]] | None:
    """Return a program's tree, and how many places each operator has in it; mutants of one come one after the other."""
    module = parse(source)
    if module is None:
        return None
    places = _Places()
    module.visit(places)
    return module, places.found


OPERATORS = {"aor": Arithmetic, "ror": Relational, "lor": Logical, "uoi": Unary, "crp": Constant}


@dataclass(frozen=True)
class Mutate(Scored):
    """One operator at one place, both drawn among those that the program has."""

    operators: tuple[str, ...] = tuple(OPERATORS)
    name: str = "mutate"
    keeps_behaviour: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.operators) - OPERATORS.keys()):
            raise ValueError(f"no operator {', '.join(unknown)}; there are {', '.join(OPERATORS)}")

    def generate(self, source: str, random: Random) -> str | None:
        """Return a mutant; ``Augmenter.generate`` says more."""
        opened = _opened(source)
        if opened is None:
            return None
        module, found = opened
        places = [(name, place) for name in self.operators for place in range(found[name])]
        if not places:
            return None
        name, place = random.choice(places)
        changed = module.visit(OPERATORS[name](0.0, random, set(), place)).code
        return changed if changed != source else None
