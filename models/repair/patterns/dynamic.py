"""depyler's dynamic value where the program knows the type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.rust_text import closing

_WRAPPED = re.compile(r"DepylerValue\s*::\s*(Int|Float|Str|Bool)\s*(?=\()")
_FITS = {"Int": "iu", "Float": "f", "Bool": "b", "Str": "S"}


@pattern("E0308")
def dynamic_unwrapped(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``DepylerValue::Int(x)`` where an integer is expected is ``x``."""
    text, (start, end) = subject.text, error.place
    wrapped = _WRAPPED.match(text, start)
    label = next((each.label for each in error.marks if each.primary), "")
    expected = re.match(r"expected `(&?)(\w+)`", label)
    if wrapped is None or expected is None or closing(text, wrapped.end()) != end:
        return
    inner = text[wrapped.end() + 1 : end - 1].strip()
    inner = re.sub(r"\s+as i64$", "", inner) if wrapped[1] == "Int" else inner
    if expected[2][:1] in _FITS[wrapped[1]] and not expected[1]:
        literal = re.fullmatch(r"-?\s*[\d_]+", inner)
        code = inner if literal or wrapped[1] != "Int" else f"(({inner}) as {expected[2]})"
        yield one("dynamic-unwrapped", "the value is not dynamic here", error, Edit(start, end, code))
