"""Candidates from the Python: functions and classes with errors, or that do something else, written anew from it."""

from __future__ import annotations

from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.translate.program import Translation, class_text, extra_items, function_code, group_of, read_program
from models.repair.translate.support import NEEDS, helpers
from models.repair.translate.types import Unsupported

PATTERN = "regenerate-functions"


def from_python(subject: Subject) -> Iterator[Candidate]:
    """Yield a candidate for each function or class with errors that can be translated."""
    if subject.module is None:
        return
    try:
        found = read_program(subject.module, subject.places)
    except (Unsupported, RecursionError):
        return
    broken: dict[str, list[RustError]] = {}
    for error in subject.errors:
        broken.setdefault(subject.places.path(error.place[0])[0], []).append(error)
    for name in subject.wrong:
        broken.setdefault(name, [])
    done: set[frozenset[str]] = set()
    for name, errors in broken.items():
        if name not in found.functions and name not in found.class_nodes:
            continue
        group = frozenset(group_of(found, [name]))
        if group in done:
            continue
        done.add(group)
        candidate = _candidate(found, group, {each: broken.get(each, []) for each in group}) or _alone(
            found, name, errors
        )
        if candidate is not None:
            yield candidate


def _alone(found: Translation, name: str, errors: list[RustError]) -> Candidate | None:
    """Return a candidate for one function as it is called now, where those that use it cannot be written anew."""
    emitted, wanted = found.emitted.get(name), found.program.functions.get(name)
    if emitted is None or wanted is emitted or wanted is None or len(emitted.parameters) != len(wanted.parameters):
        return None
    for one, other in zip(emitted.parameters, wanted.parameters, strict=True):
        one.name, one.default = other.name, other.default
    found.program.functions[name] = emitted
    try:
        return _candidate(found, frozenset([name]), {name: errors})
    finally:
        found.program.functions[name] = wanted


def _candidate(found: Translation, group: frozenset[str], broken: dict[str, list[RustError]]) -> Candidate | None:
    edits: list[Edit] = []
    needed: set[str] = set()
    text = found.places.text
    for name in sorted(group):
        try:
            code, called = function_code(found, name) if name in found.functions else class_text(found, name)
        except (Unsupported, RecursionError) as error:
            found.why_not[name] = str(error)
            return None
        needed |= called
        extra = extra_items(found, code)
        if extra and not any(one.replacement == extra for one in edits):
            edits.append(Edit(len(text), len(text), extra))
        edits += _replaced(found, name, code)
    for name in sorted({each for one in needed for each in (one, *NEEDS.get(one, ()))}):
        if f"fn {name}(" not in text and f"fn {name}<" not in text:
            edits.append(Edit(len(text), len(text), helpers()[name]))
    errors = tuple(error for each in broken.values() for error in each)
    names = ", ".join(sorted(group)[:4])
    return Candidate(PATTERN, f"{names} written from the Python", tuple(edits), errors)


def _replaced(found: Translation, name: str, code: str) -> list[Edit]:
    items = found.items(name)
    if not items:
        end = len(found.places.text)
        return [Edit(end, end, f"\n{code}\n")]
    edits = [Edit(items[0].start, items[0].end, code)]
    return edits + [
        Edit(one.start, one.end, "") for one in items[1:] if not (name in found.functions and one.what != "fn")
    ]
