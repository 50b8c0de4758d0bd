"""Easy data augmentation for programs: rename, insert, swap and delete, in ways that no run can tell.

Wei and Zou, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks" (EMNLP
2019) do it to sentences, where a changed meaning costs little. Here each operation keeps what the program does: local
names are renamed throughout, statements that nothing reads are inserted, neighbours change places only where the flow
of data allows it (``producers.augment.flow``), and only dead code is deleted.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from random import Random
from typing import Any

import libcst as cst

from producers.augment.edits import BlockEdits, Operation, apply, as_ast, parse
from producers.augment.flow import harmless, independent
from producers.augment.protocol import Scored
from producers.augment.rename import Rename

PROBABILITY = 0.1
ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
SPARE = ("0", "1", '""', "True", "[]")  # values of inserted names


class Swap(BlockEdits):
    """Neighbours that are independent change places."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._guards = 0  # handlers around

    def visit_Try(self, node: cst.Try) -> None:  # noqa: N802, ARG002
        """Enter what an exception may leave."""
        self._guards += 1

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.Try:  # noqa: N802, ARG002
        """Leave it."""
        self._guards -= 1
        return updated_node

    def visit_With(self, node: cst.With) -> None:  # noqa: N802, ARG002
        """Enter what may keep an exception to itself."""
        self._guards += 1

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With:  # noqa: N802, ARG002
        """Leave it."""
        self._guards -= 1
        return updated_node

    def leave_IndentedBlock(  # noqa: N802 - libcst's name
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        """Swap in a block, no statement twice."""
        body, swapped = list(updated_node.body), -1
        before = [as_ast(one) for one in original_node.body]
        for place in range(len(before) - 1):
            free = place > swapped and not _docstring(before, place)
            pair = before[place], before[place + 1]
            if free and independent(*pair, guarded=self._guards > 0) and self.act():
                body[place], body[place + 1] = body[place + 1], body[place]
                swapped = place + 1
        return updated_node.with_changes(body=body)


class Insert(BlockEdits):
    """A local name that nothing reads is bound to a constant."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._scopes: list[bool] = []

    def leave_IndentedBlock(  # noqa: N802
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        """Insert before a statement of a function; a class's body is left alone, where names are attributes."""
        body: list[cst.BaseStatement] = []
        before = [as_ast(one) for one in original_node.body]
        for place, statement in enumerate(updated_node.body):
            if not _docstring(before, place) and self._in_function and self.act():
                body.append(cst.parse_statement(f"{self.fresh('_spare')} = {self.random.choice(SPARE)}\n"))
            body.append(statement)
        return updated_node.with_changes(body=body)

    @property
    def _in_function(self) -> bool:
        return bool(self._scopes) and self._scopes[-1]

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802, ARG002
        """Enter a function."""
        self._scopes.append(True)

    def leave_FunctionDef(  # noqa: N802
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef:
        """Leave it."""
        self._scopes.pop()
        return updated_node

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802, ARG002
        """Enter a class."""
        self._scopes.append(False)

    def leave_ClassDef(  # noqa: N802
        self,
        original_node: cst.ClassDef,  # noqa: ARG002
        updated_node: cst.ClassDef,
    ) -> cst.ClassDef:
        """Leave it."""
        self._scopes.pop()
        return updated_node


class Delete(BlockEdits):
    """What cannot run, or binds a name that its function never reads, is deleted."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._read: list[frozenset[str]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802
        """Enter a function: what it reads, or shares with others, is not dead."""
        self._read.append(_needed(as_ast(node)))

    def leave_FunctionDef(  # noqa: N802
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef:
        """Leave it."""
        self._read.pop()
        return updated_node

    def leave_IndentedBlock(  # noqa: N802
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        """Delete from a block, which keeps one statement at least."""
        if not self._read:
            return updated_node
        before, kept = [as_ast(one) for one in original_node.body], list[cst.BaseStatement]()
        for place, statement in enumerate(updated_node.body):
            dead = _unreachable(before, place) or self._unread(before[place])
            if not (dead and len(before) > 1 and not _docstring(before, place) and self.act()):
                kept.append(statement)
        return updated_node.with_changes(body=kept or updated_node.body[:1])

    def _unread(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Pass):
            return True
        if not (isinstance(statement, ast.Assign | ast.AnnAssign) and harmless(statement)):
            return False
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return all(isinstance(one, ast.Name) and one.id not in self._read[-1] for one in targets)


def _needed(function: ast.stmt) -> frozenset[str]:
    """Return the names that a function reads anywhere, deletes, or declares global or nonlocal."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found |= set(node.names)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def _unreachable(body: list[ast.stmt], place: int) -> bool:
    return any(isinstance(one, ENDS) for one in body[:place])


def _docstring(body: list[ast.stmt], place: int) -> bool:
    """Return whether a statement is, or stands before, a text that documents its function."""
    first = body[0]
    return place == 0 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


OPERATIONS: dict[str, Operation] = {"rename": Rename, "insert": Insert, "swap": Swap, "delete": Delete}


def _default() -> dict[str, float]:
    return dict.fromkeys(OPERATIONS, PROBABILITY)


@dataclass(frozen=True)
class Eda(Scored):
    """The four operations one after the other, each at a place with its probability.

    An operation whose probability is 0 is left out. Where a program has places for none of them there is no variant.
    """

    probabilities: dict[str, float] = field(default_factory=_default)
    name: str = "eda"
    keeps_behaviour: bool = True

    def __post_init__(self) -> None:
        if unknown := sorted(self.probabilities.keys() - OPERATIONS.keys()):
            raise ValueError(f"no operation {', '.join(unknown)}; there are {', '.join(OPERATIONS)}")
        if wrong := [value for value in self.probabilities.values() if not 0.0 <= value <= 1.0]:
            raise ValueError(f"{wrong[0]}: a probability is 0 to 1")

    def generate(self, source: str, random: Random) -> str | None:
        """Return a variant; ``Augmenter.generate`` says more."""
        module = parse(source)
        if module is None:
            return None
        changed = apply(OPERATIONS, self.probabilities, module, random)
        return changed.code if changed.code != source else None


__all__ = ["OPERATIONS", "PROBABILITY", "Eda"]
