"""What a Python function does to its variables: which are changed in place, assigned again, or live in outer blocks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

CHANGING = {
    "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "add", "discard", "setdefault",
    "popitem", "appendleft", "popleft",
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def root(node: ast.expr) -> str:
    """Return the variable at the root of a place, ``""`` for none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def targets(node: ast.AST) -> list[ast.expr]:
    """Return what a statement assigns to."""
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
        return [node.target]
    return []


def flat(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    """Yield the single targets inside tuples."""
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List):
            yield from flat(list(node.elts))
        else:
            yield node


def changed_in_place(function: ast.AST, passing: dict[str, set[int]], changing: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
    """Return the variables whose objects a function changes.

    ``passing``: by function, the positions of parameters that it changes; ``changing``: methods of the program's
    classes that change their object.
    """
    found: set[str] = set()
    for node in ast.walk(function):
        found |= {root(one) for one in flat(targets(node)) if isinstance(one, ast.Attribute | ast.Subscript)}
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING | changing:
            found.add(root(node.func.value))
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        found |= {root(one) for at, one in enumerate(node.args) if at in passing.get(name, ())}
    return found - {""}


def assigned_counts(function: Function) -> Counter[str]:
    """Return how often each variable is assigned."""
    found: Counter[str] = Counter()
    for node in ast.walk(function):
        found.update(one.id for one in flat(targets(node)) if isinstance(one, ast.Name))
    return found


def outer_variables(function: Function) -> list[str]:
    """Return the variables that are used outside the block in which they are assigned first, in order."""
    places: dict[str, list[tuple[tuple[int, ...], bool]]] = {}
    _visit(function.body, (), places)
    parameters = {one.arg for one in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    found = []
    for name, uses in places.items():
        first, stored = next(((path, True) for path, store in uses if store), ((), False))
        if not stored or name in parameters:
            continue
        if not uses[0][1] or any(path[: len(first)] != first for path, _ in uses):
            found.append(name)
    return found


def _visit(body: list[ast.stmt], path: tuple[int, ...], places: dict[str, list[tuple[tuple[int, ...], bool]]]) -> None:
    for at, node in enumerate(body):
        inner = {"body", "orelse", "finalbody", "handlers"}
        for field, value in ast.iter_fields(node):
            if field not in inner and not (isinstance(node, ast.For) and field == "target"):
                for one in value if isinstance(value, list) else [value]:
                    _names(one, path, places, plain=isinstance(node, ast.Assign | ast.AnnAssign))
        if isinstance(node, ast.For):
            _names(node.target, (*path, at, 0), places, plain=True)
        for number, field in enumerate(("body", "orelse", "finalbody")):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                _visit(block, (*path, at, number), places)
        for number, handler in enumerate(getattr(node, "handlers", [])):
            _visit(handler.body, (*path, at, 10 + number), places)


def _names(
    node: object, path: tuple[int, ...], places: dict[str, list[tuple[tuple[int, ...], bool]]], *, plain: bool
) -> None:
    if not isinstance(node, ast.AST):
        return
    own = _bound_inside(node)
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id not in own:
            places.setdefault(one.id, []).append((path, isinstance(one.ctx, ast.Store) and plain))


def _bound_inside(node: ast.AST) -> set[str]:
    """Return the names that comprehensions and lambdas bind for themselves."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.comprehension):
            found |= {each.id for each in ast.walk(one.target) if isinstance(each, ast.Name)}
        if isinstance(one, ast.Lambda):
            found |= {each.arg for each in one.args.args}
    return found


def leaves(body: list[ast.stmt]) -> bool:
    """Return whether control never runs out of a block."""
    last = body[-1] if body else None
    if isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    if isinstance(last, ast.If):
        return leaves(last.body) and leaves(last.orelse)
    if isinstance(last, ast.While):
        endless = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return endless and not any(isinstance(one, ast.Break) for one in ast.walk(last))
    if isinstance(last, ast.Try):
        parts = [last.orelse or last.body, *(one.body for one in last.handlers)]
        return leaves(last.finalbody) or all(leaves(one) for one in parts)
    return isinstance(last, ast.With) and leaves(last.body)
