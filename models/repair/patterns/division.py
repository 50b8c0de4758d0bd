"""Division written as joining paths: depyler takes Python's ``/`` for ``Path``'s where it does not know the type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.rust_text import arguments, closing, receiver

_JOIN = re.compile(r"\s*join\s*(?=\()")


@pattern("E0599", "E0689")
def path_join_to_division(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``a.join(b)`` between numbers is ``a / b``, in floats: Python's true division."""
    text, (start, _) = subject.text, error.place
    found = _JOIN.match(text, start)
    dot = len(text[:start].rstrip()) - 1
    if found is None or text[dot] != "." or "`join`" not in error.message:
        return
    end, begin, given = closing(text, found.end()), receiver(text, dot), arguments(text, found.end())
    if end is None or begin is None or given is None or len(given) != 1:
        return
    right = text[given[0][0] : given[0][1]].strip()
    whole = re.search(r"type `(?:&)?(?:[iu]\d+|[iu]size|\{integer\})`|numeric type `\{integer", error.message)
    left = Edit(begin, begin, "((")
    middle = Edit(
        len(text[:dot].rstrip()), end, f") as f64 / (({right}) as f64))" if whole else f") / (({right}) as f64))"
    )
    yield one("path-join-to-division", "`/` between numbers divides them", error, left, middle)
