"""Options where the value itself is needed, and values where an option is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError


@pattern("E0600")
def option_as_condition(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``!x`` of an option is ``x.is_none()``: Python takes a missing value for false."""
    start, end = error.place
    if "operator `!`" in error.message and "`Option<" in error.message and subject.text[start] == "!":
        yield one(
            "option-as-condition",
            "a missing value is false",
            error,
            Edit(start, start + 1, ""),
            Edit(end, end, ".is_none()"),
        )


@pattern("E0308")
def condition_of_option(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """An option as a condition is ``x.is_some()``."""
    label = next((each.label for each in error.marks if each.primary), "")
    if re.search(r"expected `bool`, found `Option<", label):
        end = error.place[1]
        yield one("condition-of-option", "a value that is there is true", error, Edit(end, end, ".is_some()"))
