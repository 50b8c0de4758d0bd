"""Did both sides do the same? What counts as equal stands in ``docs/verify.md``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from producers.verify.driver import Instance, Opaque, decode
from producers.verify.python_source import PythonType

RELATIVE, ABSOLUTE = 1e-9, 1e-12  # tolerance of floats: other orders of summation, another libm
UNTYPED_ERRORS = ("TypeError", "AttributeError")  # what an input of the wrong type raises


class Did(NamedTuple):
    """What one side did on one input.

    ``status``: ``ok``, ``raise``, ``panic``, ``err``, ``crash``, ``hang``, ``exit``; or ``slow``, ``resource`` and
    ``unfit`` (the Rust type does not hold the input), which compare with nothing. ``value`` and ``after`` (the
    arguments afterwards) are in canonical form.
    """

    status: str
    value: str
    after: str
    stdout: str


class Skipped(NamedTuple):
    """An input that says nothing, and why."""

    why: str


_LARGE = re.compile(r"i-?\d{6,};")  # without such numbers, what went below zero was a length or an index
SILENT = ("slow", "resource", "unfit")


def parted(python: Did, rust: Did, answer: PythonType | None, *, typed: bool) -> str | Skipped | None:
    """Return how the sides part (a key of ``FAILURES``), nothing where they agree, or that it says nothing.

    ``answer`` is the annotation of the function; ``typed`` tells whether its parameters are annotated.
    """
    if python.status in SILENT:
        return Skipped("Python took too long" if python.status == "slow" else "Python ran out of memory or stack")
    if rust.status in SILENT:
        return Skipped(f"the Rust type does not hold it ({decode(rust.value)})")
    if python.status == "ok":
        return _failure(python, rust) if rust.status != "ok" else _answers(python, rust, answer)
    if rust.status != "ok":
        return "hang" if rust.status == "hang" else None  # both fail
    if not typed and decode(python.value).startswith(UNTYPED_ERRORS):
        return Skipped("Python does not take such a type")
    return "no exception"


def _failure(python: Did, rust: Did) -> str:
    if rust.status == "panic" and "overflow" in rust.value:
        below_zero = "subtract with overflow" in rust.value and not _LARGE.search(python.value + python.after)
        return "panic" if below_zero else "overflow"
    return {"panic": "panic", "err": "error", "hang": "hang"}.get(rust.status, "crash")


def _answers(python: Did, rust: Did, answer: PythonType | None) -> str | Skipped | None:
    if python.value != rust.value:
        expected, got = decode(python.value), decode(rust.value)
        if _opaque(expected) or _opaque(got):
            unknown = _opaque(expected) or _opaque(got)
            return Skipped(f"{unknown} has no form that both sides share")
        if not same(expected, got, answer, strict=False):
            return "value"
        if not same(expected, got, answer, strict=True):
            return "type"
    if python.stdout != rust.stdout:
        return "stdout"
    if python.after != rust.after and not same(decode(python.after), decode(rust.after), None, strict=False):
        return "mutation"
    return None


def same(expected: Any, got: Any, kind: PythonType | None, *, strict: bool) -> bool:
    """Return whether Rust's ``got`` is Python's ``expected``.

    ``strict``: an integer and a float of the same value are told apart, unless ``kind`` (the annotation) asks for
    what Rust gave.
    """
    if isinstance(expected, bool | int | float) and isinstance(got, bool | int | float):
        return _numbers(expected, got, kind, strict=strict)
    for kinds, compare in _PAIRS:
        if isinstance(expected, kinds) and isinstance(got, kinds):
            return compare(expected, got, kind, strict)
    return type(expected) is type(got) and bool(expected == got)


def _numbers(expected: Any, got: Any, kind: PythonType | None, *, strict: bool) -> bool:
    if strict and type(expected) is not type(got) and (kind is None or kind.name != type(got).__name__):
        return False
    if isinstance(expected, float) or isinstance(got, float):
        try:
            nothing = math.isnan(expected) and math.isnan(got)
            return nothing or math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        except OverflowError:  # an integer beyond every float
            return False
    return bool(expected == got)


def _sequences(expected: Any, got: Any, kind: PythonType | None, strict: bool) -> bool:
    expected, got = list(expected), list(got)
    return len(expected) == len(got) and all(
        same(one, other, _inner(kind, at), strict=strict)
        for at, (one, other) in enumerate(zip(expected, got, strict=True))
    )


def _sets(expected: Any, got: Any, _kind: PythonType | None, _strict: bool) -> bool:
    return set(expected) == set(got)


def _dicts(expected: Any, got: Any, kind: PythonType | None, strict: bool) -> bool:
    """Compare by key: a translation to a hash map has no order to compare."""
    return expected.keys() == got.keys() and all(
        same(value, got[key], _inner(kind, 1), strict=strict) for key, value in expected.items()
    )


def _objects(expected: Any, got: Any, _kind: PythonType | None, strict: bool) -> bool:
    return expected.name == got.name and _dicts(expected.fields, got.fields, None, strict)


def _inner(kind: PythonType | None, at: int) -> PythonType | None:
    if kind is None or not kind.args:
        return None
    if kind.name == "union":
        return next((_inner(one, at) for one in kind.args if one.args), None)
    several = kind.name in ("dict", "Dict", "Mapping") or (
        kind.name in ("tuple", "Tuple") and kind.args[-1].name != "..."
    )
    return kind.args[at] if several and at < len(kind.args) else kind.args[0]


def _opaque(value: Any) -> str:
    """Return the name of the first part of a value that has no canonical form, or nothing."""
    if isinstance(value, Opaque):
        return value.type
    inner: list[Any] = []
    if isinstance(value, list | tuple | set):
        inner = list(value)
    elif isinstance(value, dict | Instance):
        fields = value if isinstance(value, dict) else value.fields
        inner = [*fields.keys(), *fields.values()]
    return next((name for item in inner if (name := _opaque(item))), "")


_PAIRS: tuple[tuple[Any, Callable[[Any, Any, PythonType | None, bool], bool]], ...] = (
    (set, _sets),
    (dict, _dicts),
    (Instance, _objects),
    (list | tuple | bytes, _sequences),  # a tuple[int, ...] becomes a vector, bytes one of numbers
    (list | tuple | set, lambda one, other, *_: sorted(map(repr, one)) == sorted(map(repr, other))),
)
