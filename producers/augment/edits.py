"""Edits at places: an operation says where in a program it could act, and acts where it is told to.

Layout and comments stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from itertools import count
from random import Random

import libcst as cst

Operation = Callable[..., "Edits"]


class Edits(cst.CSTTransformer):
    """A pass over a program; ``act`` says at each place whether to change it, and counts the places.

    ``names`` are all that the program uses. With ``only``, that place alone is changed.
    """

    def __init__(self, probability: float, random: Random, names: set[str], only: int | None = None) -> None:
        super().__init__()
        self.places = self.acted = 0
        self.random, self.names = random, names
        self._probability, self._only = probability, only

    def act(self) -> bool:
        """Count a place; return whether to change it."""
        place, self.places = self.places, self.places + 1
        chosen = place == self._only if self._only is not None else self.random.random() < self._probability
        self.acted += chosen
        return chosen

    def fresh(self, stem: str) -> str:
        """Return a name that the program does not use yet."""
        number = next(number for number in count(1) if f"{stem}_{number}" not in self.names)
        name = f"{stem}_{number}"
        self.names.add(name)
        return name


class BlockEdits(Edits):
    """A pass that looks at blocks of statements only."""

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:  # noqa: N802, ARG002 - libcst's name
        """Stay outside: there are no blocks in it."""
        return False


def apply(
    operations: Mapping[str, Operation], probabilities: Mapping[str, float], module: cst.Module, random: Random
) -> cst.Module:
    """Return ``module`` after all operations, each changing its places with its probability.

    Where chance changed nothing, one place of one operation is drawn and changed; without a place nothing is.
    """
    names, changed, places = names_of(module), module, []
    for name, operation in operations.items():
        if probability := probabilities.get(name, 0.0):
            edits = operation(probability, random, names)
            edited = changed.visit(edits)
            changed = edited if edits.acted else changed
            places += [(operation, place) for place in range(edits.places)]
    if changed is module and places:
        operation, place = random.choice(places)
        return module.visit(operation(0.0, random, names, place))
    return changed


def parse(source: str) -> cst.Module | None:
    """Return the program's concrete syntax tree; nothing if it does not parse."""
    try:
        return cst.parse_module(source)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def names_of(module: cst.Module) -> set[str]:
    """Return every name in a program, of whatever."""
    tree = ast.parse(module.code)
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def as_ast(node: cst.CSTNode) -> ast.stmt:
    """Return a statement as ``ast`` has it."""
    statement: ast.stmt = ast.parse(cst.Module([]).code_for_node(node).strip("\n")).body[0]
    return statement
