"""The constructs of a Python program in words that a person reads: ``list comprehension``, ``*args``, ``import re``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from models.programs.types import annotation

BIG = 2**31 - 1  # integers beyond it do not fit what a transpiler takes for an int

_ALWAYS: dict[type[ast.AST], str] = {
    ast.AsyncFunctionDef: "async def",
    ast.AsyncFor: "async for",
    ast.AsyncWith: "async with",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield from",
    ast.Lambda: "lambda",
    ast.ListComp: "list comprehension",
    ast.SetComp: "set comprehension",
    ast.DictComp: "dict comprehension",
    ast.GeneratorExp: "generator expression",
    ast.Set: "set literal",
    ast.Dict: "dict literal",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.NamedExpr: "walrus",
    ast.Match: "match",
    ast.Starred: "starred expression",
    ast.With: "with",
    ast.Assert: "assert",
    ast.Delete: "del",
    ast.Raise: "raise",
    ast.IfExp: "conditional expression",
    ast.JoinedStr: "f-string",
    ast.Pow: "power",
    ast.FloorDiv: "floor division",
    ast.MatMult: "matrix product",
    ast.Break: "break",
    ast.Continue: "continue",
}
_BITS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift, ast.Invert)


def of_node(node: ast.AST) -> Iterator[str]:
    """Yield the constructs that one node is or holds."""
    kind = type(node)
    if kind in _ALWAYS:
        yield _ALWAYS[kind]
    if kind in _READERS:
        yield from _READERS[kind](node)
    elif isinstance(node, _BITS):
        yield "bit operation"


def of_text(source: str) -> tuple[str, ...]:
    """Return the constructs of a program, sorted, each once; none where it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(sorted({name for node in ast.walk(tree) for name in of_node(node)}))


def _function(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))  # noqa: S101 - for the type checker
    if node.name.startswith("test_"):
        yield "test function"
    if node.name.startswith("__"):
        yield f"special method {node.name[:20]}"
    for one in node.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        yield f"decorator {annotation_word(called)}"
    if node.returns is None:
        yield "untyped return"


def annotation_word(node: ast.expr) -> str:
    """Return the last name of ``a.b.c``, cut where it is long."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name[:20]
    return "expression"


def _arguments(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.arguments)  # noqa: S101
    named = [*node.posonlyargs, *node.args, *node.kwonlyargs]
    if any(one.annotation is None and one.arg not in {"self", "cls"} for one in named):
        yield "untyped parameter"
    if any("Any" in annotation(one.annotation) for one in named):
        yield "Any parameter"
    flags = {
        "*args": node.vararg,
        "**kwargs": node.kwarg,
        "keyword-only parameter": node.kwonlyargs,
        "default argument": node.defaults,
        "mutable default": [one for one in node.defaults if isinstance(one, (ast.List, ast.Dict, ast.Set))],
    }
    yield from (name for name, there in flags.items() if there)


def _class(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.ClassDef)  # noqa: S101
    yield "class with bases" if node.bases else "class"
    for base in node.bases[:3]:
        yield f"class of {annotation(base)}"
    for one in node.decorator_list:
        yield f"decorator {annotation_word(one.func if isinstance(one, ast.Call) else one)}"


def _import(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"import {alias.name[:40]}" for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield f"import {(node.module or '.')[:40]}"


def _try(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.Try)  # noqa: S101
    flags = {"except": node.handlers, "finally": node.finalbody, "try else": node.orelse}
    yield from (name for name, there in flags.items() if there)
    if any(one.type is None for one in node.handlers):
        yield "bare except"


def _loop(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, (ast.For, ast.While))  # noqa: S101
    yield "for" if isinstance(node, ast.For) else "while"
    if node.orelse:
        yield "loop else"
    if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple):
        yield "for with unpacking"


def _subscript(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.Subscript)  # noqa: S101
    match node.slice:
        case ast.UnaryOp(op=ast.USub()):
            yield "negative index"
        case ast.Slice(lower=low, upper=high, step=step):
            negative = any(isinstance(one, ast.UnaryOp) for one in (low, high, step))
            yield "negative slice" if negative else "slice"
            if step is not None:
                yield "slice with step"


def _compare(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.Compare)  # noqa: S101
    if len(node.ops) > 1:
        yield "chained comparison"
    if any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
        yield "in"
    if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
        yield "is"


def _constant(node: ast.AST) -> Iterator[str]:
    value = getattr(node, "value", None)
    if isinstance(value, int) and abs(value) > BIG:
        yield "big integer"
    elif isinstance(value, (bytes, complex)):
        yield f"{type(value).__name__} literal"


def _assign(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.Assign)  # noqa: S101
    if len(node.targets) > 1:
        yield "chained assignment"
    if any(isinstance(one, (ast.Tuple, ast.List)) for one in node.targets):
        yield "unpacking"


def _formatted(node: ast.AST) -> Iterator[str]:
    assert isinstance(node, ast.FormattedValue)  # noqa: S101
    if node.format_spec is not None:
        yield "format specification"
    if node.conversion > 0:
        yield "format conversion"


_READERS: dict[type[ast.AST], Callable[[ast.AST], Iterator[str]]] = {
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.arguments: _arguments,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Try: _try,
    ast.For: _loop,
    ast.While: _loop,
    ast.Subscript: _subscript,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Assign: _assign,
    ast.FormattedValue: _formatted,
}
