"""Conversions between numbers, and between kinds of text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError

_NUMBER = re.compile(r"expected `([iu](?:8|16|32|64|size)|f64)`, found `([iu](?:8|16|32|64|size)|f64)`")
_STRINGS = re.compile(r"expected `String`, found `&+(?:'\w+ )?(?:mut )?(?:str|String)`")
_BORROWED = re.compile(r"expected `&str`, found `String`")


def _label(error: RustError) -> str:
    return next((each.label for each in error.marks if each.primary), "")


@pattern("E0308")
def number_cast(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """A number of another type is cast; a float is never cut to an integer but where it was rounded."""
    found, (start, end) = _NUMBER.search(_label(error)), error.place
    if not found:
        return
    whole = re.search(r"\.\s*(floor|ceil|round|trunc)\s*\(\s*\)\s*$", subject.text[start:end])
    if found[2] == "f64" and found[1] != "f64" and not whole:
        return
    edits = (Edit(start, start, "(("), Edit(end, end, f") as {found[1]})"))
    yield one("number-cast", f"a number as {found[1]}", error, *edits)


@pattern("E0308")
def text_borrowed(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``&`` before a ``String`` where ``&str`` is expected."""
    start, _ = error.place
    if _BORROWED.search(_label(error)):
        yield one("text-borrowed", "text is lent", error, Edit(start, start, "&"))


@pattern("E0277")
def number_compared(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """Operators between an integer and a float, in floats."""
    found = re.search(r"`([iu]\d+|[iu]size|\{integer\})` (?:and|with|by|to|from) `(f64|\{float\})`", error.message)
    sign = subject.marked(error)
    if found and sign in ("+", "-", "*", "/", "<", ">", "<=", ">=", "==", "!="):
        before = re.search(r"(\w+)\s*$", subject.text[: error.place[0]])
        if before and not before[1][0].isdigit():
            edit = Edit(before.start(1), before.end(1), f"({before[1]} as f64)")
            yield one("number-compared", "both sides as floats", error, edit)
