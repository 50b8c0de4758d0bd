"""What functions and classes of a Python program declare: their signatures, and the names known inside of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from models.programs.types import UNKNOWN, Scope, annotation, item


def bind(target: ast.expr, type_: str, scope: Scope) -> None:
    """Give a target its type: a name, an attribute of ``self``, or the parts of a tuple."""
    match target:
        case ast.Name(id=name):
            scope[name] = type_ if type_ != UNKNOWN else scope.get(name, UNKNOWN)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            scope[f"self.{name}"] = type_
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for place, part in enumerate(parts):
                if isinstance(part, ast.Name):
                    bind(part, item(type_, place), scope)


def signature(node: ast.AST) -> Iterator[str]:
    """Yield what a function or class promises: types of parameters, of the result, of fields."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        wanted = [annotation(one.annotation) for one in node.args.args if one.arg not in {"self", "cls"}]
        returned = annotation(node.returns)
        yield from (f"parameter {one}" for one in wanted)
        yield f"returns {returned}"
        yield f"({','.join(wanted)}) -> {returned}"
        yield f"parameters {min(len(wanted), 8)}"
        if node.name == "main":
            yield f"main -> {returned}"
    elif isinstance(node, ast.ClassDef):
        for one in node.body:
            yield f"class has {type(one).__name__}"
            if isinstance(one, ast.AnnAssign):
                yield f"field {annotation(one.annotation)}"


def scope_of(node: ast.AST, outer: Scope) -> Scope:
    """Return the names known inside of a node: a function has its own, and those of its class's ``self``."""
    match node:
        case ast.ClassDef():
            return {
                f"self.{one.target.id}": annotation(one.annotation)
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            inner = {name: type_ for name, type_ in outer.items() if name.startswith("self.")}
            for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                inner[one.arg] = annotation(one.annotation) if one.annotation else UNKNOWN
            inner["return"] = annotation(node.returns)
            return inner
    return outer
