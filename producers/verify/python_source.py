"""What a Python program offers: its functions with the types they are written with."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

ENTRY = "main"


class ProgramError(ValueError):
    """A text that is no Python program; the message says where."""


@dataclass(frozen=True)
class PythonType:
    """A type as it is annotated: its last name, its arguments; ``union`` has the members as arguments."""

    name: str
    args: tuple[PythonType, ...] = ()


@dataclass(frozen=True)
class PythonFunction:
    """A function at the top level: parameters and answer as annotated, or why nothing can call it."""

    name: str
    parameters: tuple[tuple[str, PythonType | None], ...]
    answer: PythonType | None
    problem: str = ""


@dataclass(frozen=True)
class PythonProgram:
    """The functions of a program by name, the fields that its classes are made with, and whether it runs by itself."""

    functions: dict[str, PythonFunction]
    classes: dict[str, tuple[tuple[str, PythonType | None], ...]] = field(default_factory=dict)
    runs: bool = False


def read_python(source: str) -> PythonProgram:
    """Return what ``source`` offers; raises ``ProgramError`` where it does not parse."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ProgramError(f"the Python does not parse: {error}") from None
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return PythonProgram(
        {node.name: _function(node) for node in functions},
        {node.name: _made_with(node) for node in classes},
        any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in module.body),
    )


def read_annotation(node: ast.expr | None) -> PythonType | None:
    """Return an annotation as a type, or nothing for what is none that is known here."""
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return PythonType(_last(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if isinstance(node, ast.Subscript):
        inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = _last(node.value)
        if name in ("Optional", "Union"):
            return _union([*inner, *([ast.Constant(None)] if name == "Optional" else [])])
        args = [read_annotation(one) for one in inner]
        return PythonType(name, tuple(one or PythonType("Any") for one in args))
    return None


def _constant(value: object) -> PythonType | None:
    if isinstance(value, str):
        try:
            return read_annotation(ast.parse(value, mode="eval").body)
        except (SyntaxError, ValueError):
            return None
    return {None: PythonType("None"), ...: PythonType("...")}.get(value) if value is None or value is ... else None


def _union(parts: list[ast.expr]) -> PythonType:
    members: list[PythonType] = []
    for part in parts:
        kind = read_annotation(part) or PythonType("Any")
        members += kind.args if kind.name == "union" else [kind]
    return PythonType("union", tuple(members))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> PythonFunction:
    given = node.args
    parameters = tuple((one.arg, read_annotation(one.annotation)) for one in (*given.posonlyargs, *given.args))
    answer = read_annotation(node.returns)
    problem = ""
    if isinstance(node, ast.AsyncFunctionDef):
        problem = "it is async"
    elif given.vararg or given.kwarg or given.kwonlyargs:
        problem = "it takes *args, **kwargs or keywords alone"
    elif node.decorator_list:
        problem = f"it is decorated with {_last(node.decorator_list[0]) or 'an expression'}"
    return PythonFunction(node.name, parameters, answer, problem)


def _made_with(node: ast.ClassDef) -> tuple[tuple[str, PythonType | None], ...]:
    """Return what the class is called with: the parameters of ``__init__``, or a dataclass's fields."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return _function(one).parameters[1:]
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    return tuple((_last(one.target), read_annotation(one.annotation)) for one in fields)


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
