"""Methods under another name, and methods that the type does not need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, one, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.rust_text import closing

_RENAMED = {("contains", "HashMap"): "contains_key", ("contains", "BTreeMap"): "contains_key"}


@pattern("E0599")
def method_renamed(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``contains`` of a map is ``contains_key``."""
    start, end = error.place
    for (had, kind), has in _RENAMED.items():
        if subject.text[start:end] == had and re.search(
            rf"`[^`]*\b{kind}\b[^`]*`", error.message.partition("found for")[2]
        ):
            yield one("method-renamed", f"the method of a {kind}", error, Edit(start, end, has))


@pattern("E0599")
def flag_used_as_text(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``x.is_empty()`` and ``x.as_bool()`` of a ``bool``: it is its own truth."""
    start, end = error.place
    text, name = subject.text, subject.text[start:end]
    stop = closing(text, end) if text[end : end + 1] == "(" else None
    if "type `bool`" not in error.message or stop is None:
        return
    dot = text.rfind(".", 0, start)
    if name == "as_bool":
        more = re.compile(r"\s*\.\s*unwrap(_or_default)?\s*\(\s*\)").match(text, stop)
        yield one("flag-used-as-text", "a flag is its own truth", error, Edit(dot, more.end() if more else stop, ""))
    elif name == "is_empty":
        word = re.search(r"([\w.]+)\s*$", text[:dot])
        if word:
            yield one(
                "flag-used-as-text", "a flag is empty when unset", error, Edit(word.start(), stop, f"(!{word[1]})")
            )
