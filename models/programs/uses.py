"""Types that meet in a Python program: ``int / int``, ``str in dict[str,int]``, ``list[int] <- list[]``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from models.programs.types import BUILTINS, Scope, Types, annotation

MAX_ARGUMENTS = 4

Uses = Iterator[str]
_Reader = Callable[[ast.AST, Scope, Types], Uses]


def uses(node: ast.AST, scope: Scope, types: Types) -> Uses:
    """Yield the types that meet in one node, as far as they are known; each begins with what they meet in."""
    reader = _READERS.get(type(node))
    return reader(node, scope, types) if reader else iter(())


def called_name(node: ast.expr, types: Types) -> str:
    """Return what is called: a builtin, ``module.name``, ``.method``; ``f`` for the program's own functions."""
    match node:
        case ast.Name(id=name):
            known = name in BUILTINS or name in types.modules
            return name if known else "C" if name in types.classes else "f"
        case ast.Attribute(value=ast.Name(id=of), attr=name) if of in types.modules:
            return f"{of}.{name}"
        case ast.Attribute(attr=name):
            return f".{name}"
    return type(node).__name__


def _binary(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.BinOp)  # noqa: S101 - for the type checker, here and below
    op = type(node.op).__name__
    yield f"{op} {types.of(node.left, scope)} {types.of(node.right, scope)}"
    yield f"{op}"


def _compared(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Compare)  # noqa: S101
    for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
        yield f"{type(op).__name__} {types.of(left, scope)} {types.of(right, scope)}"


def _truth(node: ast.AST, scope: Scope, types: Types) -> Uses:
    if isinstance(node, ast.BoolOp):
        yield from (f"{type(node.op).__name__} {types.of(one, scope)}" for one in node.values)
    elif isinstance(node, ast.UnaryOp):
        yield f"{type(node.op).__name__} {types.of(node.operand, scope)}"
    elif isinstance(node, (ast.If, ast.While)):
        yield f"{type(node).__name__} {types.of(node.test, scope)} {type(node.test).__name__}"


def _indexed(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Subscript)  # noqa: S101
    of, how = types.of(node.value, scope), type(node.ctx).__name__
    if isinstance(node.slice, ast.Slice):
        low, high, step = (_bound(one) for one in (node.slice.lower, node.slice.upper, node.slice.step))
        yield f"slice {of}[{low}:{high}:{step}]"
    else:
        index = "negative" if isinstance(node.slice, ast.UnaryOp) else types.of(node.slice, scope)
        yield f"index {how} {of}[{index}]"


def _bound(node: ast.expr | None) -> str:
    if node is None:
        return ""
    return "negative" if isinstance(node, ast.UnaryOp) else "number" if isinstance(node, ast.Constant) else "e"


def _assigned(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Assign)  # noqa: S101
    value = types.of(node.value, scope)
    for target in node.targets[:MAX_ARGUMENTS]:
        before = scope.get(target.id, value) if isinstance(target, ast.Name) else value
        yield f"{type(target).__name__} <- {value}" + (f" was {before}" if before != value else "")
        if isinstance(target, ast.Subscript):
            yield f"{types.of(target.value, scope)}[{types.of(target.slice, scope)}] <- {value}"


def _declared(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.AnnAssign)  # noqa: S101
    said = annotation(node.annotation)
    yield f"{said} <- {types.of(node.value, scope)}"
    yield f"{said} <- {type(node.value).__name__}"
    if isinstance(node.target, ast.Name) and node.target.id in scope:
        yield f"{said} was {scope[node.target.id]}"


def _increased(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.AugAssign)  # noqa: S101
    yield f"{types.of(node.target, scope)} {type(node.op).__name__}= {types.of(node.value, scope)}"


def _returned(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Return)  # noqa: S101
    promised = scope.get("return", "")
    yield f"return {promised} <- {types.of(node.value, scope)}"
    yield f"return {promised} <- {type(node.value).__name__}"


def _iterated(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension))  # noqa: S101
    what = called_name(node.iter.func, types) if isinstance(node.iter, ast.Call) else types.of(node.iter, scope)
    yield f"{type(node).__name__} {type(node.target).__name__} in {what}"


def _call(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Call)  # noqa: S101
    name, args = called_name(node.func, types), node.args[:MAX_ARGUMENTS]
    yield f"call {name}({','.join(types.of(one, scope) for one in args)})"
    yield from (f"call {name} with {one.arg or '**'}" for one in node.keywords[:MAX_ARGUMENTS])
    if isinstance(node.func, ast.Attribute):
        yield f"method {types.of(node.func.value, scope)}.{node.func.attr}/{len(node.args)}"
    if isinstance(node.func, ast.Name) and node.func.id in types.parameters:
        for wanted, given in zip(types.parameters[node.func.id], args, strict=False):
            yield f"pass {wanted} <- {types.of(given, scope)}"
            yield f"pass {wanted} <- {type(given).__name__}"


def _shown(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.FormattedValue)  # noqa: S101
    spec = "formatted" if node.format_spec is not None else ""
    yield f"f-string {types.of(node.value, scope)} {spec}"


def _collected(node: ast.AST, scope: Scope, types: Types) -> Uses:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        inner = {types.of(one, scope): None for one in node.elts[:MAX_ARGUMENTS]}
        yield f"{type(node).__name__} of {','.join(inner)}"
    elif isinstance(node, ast.IfExp):
        yield f"either {types.of(node.body, scope)} {types.of(node.orelse, scope)}"
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        yield f"{type(node).__name__} of {types.of(node.elt, scope)}"


def _read(node: ast.AST, scope: Scope, types: Types) -> Uses:
    assert isinstance(node, ast.Name)  # noqa: S101
    if node.id not in scope and node.id in types.top:
        yield f"global {types.top[node.id]}"
    elif node.id in BUILTINS:
        yield f"name {node.id}"


_READERS: dict[type[ast.AST], _Reader] = {
    ast.BinOp: _binary,
    ast.Compare: _compared,
    **dict.fromkeys((ast.BoolOp, ast.UnaryOp, ast.If, ast.While), _truth),
    ast.Subscript: _indexed,
    ast.Assign: _assigned,
    ast.AnnAssign: _declared,
    ast.AugAssign: _increased,
    ast.Return: _returned,
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.comprehension), _iterated),
    ast.Call: _call,
    ast.FormattedValue: _shown,
    **dict.fromkeys((ast.List, ast.Tuple, ast.Set, ast.IfExp, ast.ListComp, ast.SetComp, ast.GeneratorExp), _collected),
    ast.Name: _read,
}
