"""Signatures of the standard library's functions, read from typeshed's stubs as ``typeshed-client`` carries them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import typeshed_client

from producers.generate.stdlib.chosen import CHOSEN, FORCED, LIMITS, RETURNED

PLATFORM: Final = "linux"  # whose stubs are read, wherever this runs: the same seed, the same programs
MAX_PARAMETERS: Final = 3

_NAMES: Final = {
    **dict.fromkeys(("float", "_SupportsFloatOrIndex", "SupportsFloat", "_NumberT", "_Number"), "f"),
    **dict.fromkeys(("int", "SupportsIndex", "Any", "_T", "_S", "_HashableT"), "i"),
    **dict.fromkeys(("SupportsRichComparisonT", "SupportsRichComparison", "object", "_SupportsCallable"), "i"),
    **dict.fromkeys(("str", "AnyStr", "LiteralString", "StrOrLiteralStr", "StrPath", "_EastAsianWidth"), "s"),
    **dict.fromkeys(("bool", "TypeIs"), "b"),
    "ReadableBuffer": "B",
}
_CONTAINERS: Final = frozenset(
    {"Iterable", "Sequence", "list", "_SizedIterable", "SupportsLenAndGetItem", "Collection", "Sized"}
)
_LISTS: Final = {"i": "I", "f": "F", "s": "S"}
_TUPLES: Final = {("i", "i"): "T", ("s", "i"): "P"}


class Signature(NamedTuple):
    """A function of the standard library: what it takes (names and codes of types) and gives; ``""`` is anything.

    A parameter of code ``B`` takes bytes: programs give it an encoded text.
    """

    module: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str

    @property
    def path(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"

    @property
    def called(self) -> str:
        """Return how a program names it."""
        return self.name if self.module == "builtins" else self.path

    def squeezed(self, arguments: list[str]) -> str:
        """Return the call as text."""
        limits = LIMITS.get(self.path, (0,) * len(arguments))
        given = [f"abs({one}) % {limit}" if limit else one for one, limit in zip(arguments, limits, strict=True)]
        codes = (code for _, code in self.parameters)
        given = [f'{one}.encode("utf-8")' if code == "B" else one for one, code in zip(given, codes, strict=True)]
        return f"{self.called}({', '.join(given)})"


@cache
def signatures() -> tuple[Signature, ...]:
    """Return all functions that programs may call, sorted by name."""
    context = typeshed_client.get_search_context(version=sys.version_info[:2], platform=PLATFORM)
    resolver = typeshed_client.Resolver(search_context=context)
    return tuple(sorted(one for module, names in CHOSEN.items() for one in _module(resolver, module, names.split())))


def _module(resolver: Any, module: str, names: list[str]) -> Iterator[Signature]:
    for name in names:
        definitions = _definitions(resolver, f"{module}.{name}")
        found = next((one for each in definitions if (one := _signature(module, name, each))), None)
        if found:
            yield found


def _definitions(resolver: Any, path: str) -> list[ast.FunctionDef]:
    found = resolver.get_fully_qualified_name(path)
    while isinstance(found, typeshed_client.ImportedInfo):
        found = found.info
    node = getattr(found, "ast", None)
    nodes = node.definitions if isinstance(node, typeshed_client.OverloadedName) else [node]
    return [one for one in nodes if isinstance(one, ast.FunctionDef)]


def _signature(module: str, name: str, definition: ast.FunctionDef) -> Signature | None:
    """Return a definition's required parameters and result; ``None`` for types that programs do not have."""
    path = f"{module}.{name}"
    parameters: list[tuple[str, str | None]] = list(FORCED.get(path, ()))
    if not parameters:
        arguments = definition.args
        positional = [*arguments.posonlyargs, *arguments.args]
        required = positional[: len(positional) - len(arguments.defaults)]
        parameters = [(one.arg.lstrip("_"), code_of(one.annotation)) for one in required]
        if arguments.vararg:
            parameters += [(f"{arguments.vararg.arg}{place}", code_of(arguments.vararg.annotation)) for place in (1, 2)]
        if any(default is None for default in arguments.kw_defaults):
            return None
    whole = [(one, code) for one, code in parameters if code]
    if len(whole) != len(parameters) or not 1 <= len(whole) <= MAX_PARAMETERS:
        return None
    return Signature(module, name, tuple(whole), RETURNED.get(path) or code_of(definition.returns) or "")


def code_of(node: ast.expr | None) -> str | None:
    """Return the code of the type that an annotation stands for, or would take; ``None`` where there is none.

    >>> [code_of(ast.parse(text, mode="eval").body) for text in ("Iterable[SupportsFloat]", "bytes", "str | None")]
    ['F', None, 's']
    """
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _NAMES.get(name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return code_of(left) or code_of(right)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[one, two])):
            return _TUPLES.get((code_of(one) or "", code_of(two) or ""))
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in _CONTAINERS:
            return _LISTS.get(code_of(inner) or "")
        case ast.Subscript(value=ast.Name(id="PathLike" | "SupportsAbs" as name)):
            return "s" if name == "PathLike" else "i"
    return None
