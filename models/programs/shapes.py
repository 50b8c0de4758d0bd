"""Sketches of Python expressions: what an expression is made of, two levels deep, without the names of variables.

``if arr[j] > arr[j + 1]`` and ``if row[k] > row[k + 1]`` have one sketch, and one fate in a transpiler.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from models.programs.types import BUILTINS, annotation

DEPTH: Final = 1
MAX_PARTS = 3  # arguments and elements that are looked at


def sketch(node: ast.expr | None, depth: int = DEPTH) -> str:
    """Return the sketch of an expression, down to ``depth`` levels below its own node.

    >>> sketch(ast.parse("row[k + 1]", mode="eval").body), sketch(ast.parse("names.append('x')", mode="eval").body)
    ('v[(Add)]', '.append(str)')
    """
    if node is None:
        return "-"
    if isinstance(node, ast.Name):
        return node.id if node.id in BUILTINS else "v"
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if depth < 0:
        return type(node).__name__
    return _inner(node, depth)


def _inner(node: ast.expr, depth: int) -> str:
    match node:
        case ast.Subscript(value=of, slice=index):
            return f"{sketch(of, depth - 1)}[{sketch(index, depth - 1)}]"
        case ast.UnaryOp(op=op, operand=one):
            return f"{type(op).__name__}({sketch(one, depth - 1)})"
        case ast.BinOp(left=left, op=op, right=right):
            sides = (sketch(left, depth - 1), sketch(right, depth - 1)) if depth else ("", "")
            return f"({sides[0]}{type(op).__name__}{sides[1]})"
        case ast.Call(func=called, args=args):
            inner = ",".join(sketch(one, depth - 1) for one in args[:MAX_PARTS]) if depth else ""
            return f"{_called(called)}({inner})"
    return _flat(node)


def _flat(node: ast.expr) -> str:
    match node:
        case ast.Compare(ops=[op, *_]):
            return f"compare {type(op).__name__}"
        case ast.Attribute(value=ast.Name(id="self")):
            return "self.a"
        case ast.Attribute():
            return "v.a"
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return f"{type(node).__name__}{min(len(parts), MAX_PARTS)}"
    return type(node).__name__


def _constant(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, int) and 0 <= value <= 2 else type(value).__name__


def _called(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name if name in BUILTINS else "f"
        case ast.Attribute(attr=name):
            return f".{name[:30]}"
    return UNNAMED


UNNAMED: Final = "?"


def shapes(node: ast.AST, step: str) -> Iterator[str]:
    """Yield the sketches of one node, the ``step`` (``If.test``) by which its parent holds it with them."""
    if isinstance(node, ast.expr):
        yield f"{step} = {sketch(node)}"
    match node:
        case ast.Compare(left=left, ops=ops, comparators=rights):
            for before, op, after in zip([left, *rights], ops, rights, strict=False):
                yield f"{step} : {sketch(before)} {type(op).__name__} {sketch(after)}"
                yield f"{step} : {type(op).__name__} {sketch(after)}"
        case ast.BinOp(left=left, op=op, right=right):
            yield f"{sketch(left)} {type(op).__name__} {sketch(right)}"
        case ast.Assign(targets=targets, value=value):
            yield f"{','.join(sketch(one) for one in targets[:MAX_PARTS])} = {sketch(value)}"
        case ast.AugAssign(target=target, op=op, value=value):
            yield f"{sketch(target)} {type(op).__name__}= {sketch(value)}"
        case ast.AnnAssign(annotation=said, value=value):
            yield f"{annotation(said)} = {sketch(value)}"
