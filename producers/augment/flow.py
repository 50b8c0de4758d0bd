"""What a Python statement reads, writes and may do, told carefully enough that two may change places.

Whatever is not known to be harmless counts as an effect: two statements are called independent only if no run can tell
their order. Names stand for local variables; values behind names may be shared, so a statement that changes a value
commutes only with one that reads nothing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

# Calls that change nothing and, given what their names promise, do not raise.
HARMLESS = frozenset({"abs", "bool", "dict", "isinstance", "len", "list", "range", "repr", "set", "sorted", "str"})
CAREFUL = (ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift, ast.MatMult)  # operators that may raise
CONTROL = (
    *(ast.Return, ast.Break, ast.Continue, ast.Raise, ast.Assert, ast.Global, ast.Nonlocal),
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Yield, ast.YieldFrom),
    *(ast.Await, ast.With, ast.AsyncWith, ast.AsyncFor, ast.Try, ast.Match, ast.Delete),
)


@dataclass
class Effects:
    """Of one statement: names read and written, whether it changes a shared value, may raise, or steers the run."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: bool = False
    raises: bool = False
    steers: bool = False

    def seen_by_handlers(self, guarded: bool) -> bool:
        """Return whether it can be told if this ran before another statement raised."""
        return self.raises or self.changes or (guarded and bool(self.writes))


def effects(statement: ast.stmt) -> Effects:
    """Return the effects of a statement with all that is inside of it."""
    found = Effects()
    for node in ast.walk(statement):
        _look(node, found)
    return found


def independent(first: ast.stmt, second: ast.stmt, *, guarded: bool = False) -> bool:
    """Return whether two neighbours may change places without any run telling the difference.

    ``guarded``: they stand in a ``try`` or ``with``, so that what was written before an exception can be read after it.
    """
    one, two = effects(first), effects(second)
    if one.steers or two.steers or one.writes & (two.reads | two.writes) or two.writes & one.reads:
        return False
    if (one.raises and two.seen_by_handlers(guarded)) or (two.raises and one.seen_by_handlers(guarded)):
        return False
    return not ((one.changes and (two.changes or two.reads)) or (two.changes and one.reads))


def harmless(statement: ast.stmt) -> bool:
    """Return whether a statement does nothing but write local names."""
    found = effects(statement)
    return not (found.changes or found.raises or found.steers)


def _look(node: ast.AST, found: Effects) -> None:
    if isinstance(node, ast.Name):
        (found.reads if isinstance(node.ctx, ast.Load) else found.writes).add(node.id)
    elif isinstance(node, CONTROL):
        found.steers = True
    elif isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in HARMLESS
        found.changes |= not known
        found.raises |= not known
    elif isinstance(node, ast.Subscript | ast.Attribute):
        found.raises = True
        found.changes |= not isinstance(node.ctx, ast.Load)
    elif isinstance(node, ast.AugAssign):
        _look_at_update(node, found)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, CAREFUL):
        found.raises = True
    elif isinstance(node, ast.While | ast.For | ast.Starred | ast.Tuple) and not isinstance(
        getattr(node, "ctx", None), ast.Load
    ):
        # A loop may not end, a tuple on the left may not fit.
        found.raises = True
        found.steers |= isinstance(node, ast.While)


def _look_at_update(node: ast.AugAssign, found: Effects) -> None:
    """``a += b`` reads what it writes, and changes a list in place; what a number is added to is a number."""
    if isinstance(node.target, ast.Name):
        found.reads.add(node.target.id)
    number = isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float)
    found.changes |= not (number and isinstance(node.target, ast.Name))
    found.raises |= isinstance(node.op, CAREFUL)
