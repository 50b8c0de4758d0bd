"""Paths: ``Path(x)`` called like a function, and methods that need the path behind a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError

_CALLED = re.compile(r"(?:std\s*::\s*path\s*::\s*)?PathBuf\s*$")


@pattern("E0423")
def path_call_to_from(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``PathBuf(x)`` is ``PathBuf::from(x)``; never ``PathBuf::new()``, which drops the argument."""
    start, end = error.place
    name = re.match(r"[\w:\s]*?PathBuf", subject.text[start:end])
    at = start + name.end() if name else end
    if name and re.match(r"\s*\(", subject.text[at:]) and _CALLED.search(subject.text[:at]):
        yield one("path-call-to-from", "a path is made from its argument", error, Edit(at, at, "::from"))


@pattern("E0599", "E0277")
def path_displayed(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """A path becomes text by ``.display()``."""
    start, end = error.place
    text = subject.text
    if "PathBuf" not in error.message and "Path`" not in error.message:
        return
    if text[start:end].strip() in ("to_string", "to_string()"):
        dot = text.rfind(".", 0, start)
        yield one("path-displayed", "a path is shown by `.display()`", error, Edit(dot, dot, ".display()"))
    elif "Display" in error.message and re.fullmatch(r"\w+", text[start:end]):
        yield one("path-displayed", "a path is shown by `.display()`", error, Edit(end, end, ".display()"))
