"""Values that a function's documentation speaks of: arguments of its examples, and constants in its text."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from producers.generate.stdlib.observed import function
from producers.generate.stdlib.stubs import Signature
from producers.generate.stdlib.values import Value

_KINDS: Final[dict[str, type]] = {"i": int, "f": float, "s": str, "b": bool, "B": str}
_ELEMENTS: Final = {"I": "i", "F": "f", "S": "s"}
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_QUOTED: Final = re.compile(r"(['\"])([^'\"\n\\]{1,24})\1")
MOST: Final = 8  # values of a type from one text
MOST_NUMBER: Final = 10_000
MOST_CHARS: Final = 2_000  # of a text from an example


@cache
def examples(signature: Signature) -> tuple[tuple[Value, ...], ...]:
    """Return the arguments of the calls in a docstring's examples that fit the signature's types."""
    text = inspect.getdoc(function(signature)) or ""
    try:
        found = doctest.DocTestParser().get_examples(text)
    except ValueError:  # indented in a way that doctest refuses
        return ()
    calls = (call for example in found for call in _calls(example.source, signature.name))
    return tuple(one for call in calls if (one := _arguments(call, signature)) is not None)


def _calls(source: str, name: str) -> Iterator[ast.Call]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), keywords=[]) if called == name:
                yield node


def _arguments(call: ast.Call, signature: Signature) -> tuple[Value, ...] | None:
    if len(call.args) != len(signature.parameters):
        return None
    try:
        values = tuple(ast.literal_eval(one) for one in call.args)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    fitted = tuple(fit(value, code) for value, (_, code) in zip(values, signature.parameters, strict=True))
    return None if None in fitted else fitted


def fit(value: Value, code: str) -> Value | None:
    """Return a value as one of a type, ``None`` where it is none: an integer is a float, too."""
    if code in _ELEMENTS and isinstance(value, list | tuple):
        fitted = [fit(one, _ELEMENTS[code]) for one in value]
        return None if None in fitted else fitted
    kind = _KINDS.get(code)
    if kind is float and type(value) is int:
        return float(value)
    if kind is None or type(value) is not kind or (isinstance(value, str) and len(value) > MOST_CHARS):
        return None
    return value


@cache
def constants(signature: Signature) -> dict[str, tuple[Value, ...]]:
    """Return the numbers and the quoted texts in a docstring, by the codes of their types."""
    text = inspect.getdoc(function(signature)) or ""
    numbers = [one for one in _NUMBER.findall(text) if abs(float(one)) <= MOST_NUMBER]
    found: dict[str, list[Value]] = {
        "i": [int(one) for one in numbers if "." not in one],
        "f": [float(one) for one in numbers],
        "s": [quoted for _, quoted in _QUOTED.findall(text)],
    }
    return {code: tuple(dict.fromkeys(values))[:MOST] for code, values in found.items() if values}
