"""Every smaller program that is one edit away, the largest cut first; all of them parse and name only what is there."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator

BODIES = ("body", "orelse", "finalbody", "handlers")
CONSTANTS = (0, 1, "", True)
MAX_CANDIDATES = 250  # of one program

Edit = Callable[[ast.AST], None]


def size(source: str) -> tuple[int, int]:
    """Return what an edit must lower: nodes of the syntax tree, and characters."""
    return sum(1 for _ in ast.walk(ast.parse(source))), len(source)


def candidates(source: str) -> Iterator[str]:
    """Yield smaller programs, the smallest first, each once."""
    tree = ast.parse(source)
    whole = size(source)
    found: dict[str, tuple[int, int]] = {}
    for at, edit in _edits(tree):
        changed = copy.deepcopy(tree)
        edit(list(ast.walk(changed))[at])
        try:
            text = ast.unparse(ast.fix_missing_locations(changed))
        except ValueError:  # a part of an f-string that stands for itself no more
            continue
        if text not in found and not _unknown_names(text):
            found[text] = size(text)
        if len(found) >= MAX_CANDIDATES:
            break
    yield from sorted((text for text, weight in found.items() if weight < whole), key=lambda text: found[text])


def _edits(tree: ast.Module) -> Iterator[tuple[int, Edit]]:
    nodes = list(ast.walk(tree))
    for at, node in enumerate(nodes):
        for name in BODIES:
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                yield from ((at, edit) for edit in _cuts(node, name, len(body)))
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            yield at, _clear("decorator_list")
    for at, node in enumerate(nodes):
        if not isinstance(node, ast.arguments | ast.arg | ast.FunctionDef):
            yield from ((at, edit) for edit in _replacements(node))


def _cuts(node: ast.AST, name: str, count: int) -> Iterator[Edit]:
    """Yield edits that drop parts of a body, in halves, quarters and so on, or put what is inside in its place."""
    length = count
    while length:
        yield from (_drop(name, begin, begin + length) for begin in range(0, count, length))
        length //= 2
    body = getattr(node, name)
    yield from (
        _hoist(name, at, inner) for at in range(count) for inner in BODIES[:2] if getattr(body[at], inner, None)
    )


def _drop(name: str, begin: int, end: int) -> Edit:
    def edit(node: ast.AST) -> None:
        body = getattr(node, name)
        kept = body[:begin] + body[end:]
        needed = name == "body" and not isinstance(node, ast.Module)
        setattr(node, name, kept or ([ast.Pass()] if needed else []))

    return edit


def _hoist(name: str, at: int, inner: str) -> Edit:
    def edit(node: ast.AST) -> None:
        body = getattr(node, name)
        if not isinstance(body[at], ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            body[at : at + 1] = getattr(body[at], inner)

    return edit


def _clear(name: str) -> Edit:
    return lambda node: setattr(node, name, [])


def _replacements(node: ast.AST) -> Iterator[Edit]:
    """Yield edits that replace an expression below ``node`` by a part of it, or by a constant."""
    for name, value in ast.iter_fields(node):
        slots: list[tuple[str, int | None, ast.expr]] = [(name, None, value)] if isinstance(value, ast.expr) else []
        if isinstance(value, list):
            slots = [(name, index, item) for index, item in enumerate(value) if isinstance(item, ast.expr)]
        for slot, index, expression in slots:
            if name in ("annotation", "returns", "target", "targets", "bases", "func", "decorator_list"):
                continue
            inner = [child for child in ast.iter_child_nodes(expression) if isinstance(child, ast.expr)]
            yield from (_put(slot, index, child) for child in inner)
            if index is not None:
                yield _remove(slot, index)
            if not isinstance(expression, ast.Constant | ast.Name):
                yield from (_put(slot, index, ast.Constant(constant)) for constant in CONSTANTS)


def _put(name: str, index: int | None, new: ast.expr) -> Edit:
    def edit(node: ast.AST) -> None:
        if index is None:
            setattr(node, name, copy.deepcopy(new))
        else:
            getattr(node, name)[index] = copy.deepcopy(new)

    return edit


def _remove(name: str, index: int) -> Edit:
    def edit(node: ast.AST) -> None:
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Call | ast.BoolOp) and len(getattr(node, name)) > 1:
            del getattr(node, name)[index]

    return edit


def _unknown_names(text: str) -> set[str]:
    """Return the names that a program uses and nothing in it binds; an edit that makes one is not worth a run."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return {"syntax"}
    bound = set(dir(builtins)) | {"__name__", "__file__"}
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)} - bound
