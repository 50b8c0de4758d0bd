"""Candidates from the Python: functions and classes with errors, or that do something else, written anew from it."""

from __future__ import annotations

from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.translate.as_emitted import as_emitted, pieces
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
    for name in broken:
        if name not in found.functions and name not in found.class_nodes:
            continue
        group = frozenset(group_of(found, [name]))
        if group in done:
            continue
        done.add(group)
        candidate = _candidate(found, group, {each: broken.get(each, []) for each in group})
        if candidate is not None:
            yield candidate
    kept = as_emitted(found)
    for name, errors in broken.items():
        if name in found.functions or name in found.class_nodes:
            yield from _alone(kept, name, errors)


def _alone(kept: Translation, name: str, errors: list[RustError]) -> Iterator[Candidate]:
    """Yield a candidate for the function, or for each method, as it is called now: nothing around it changes."""
    by_method: dict[str, list[RustError]] = {}
    for error in errors:
        by_method.setdefault(kept.places.path(error.place[0])[1], []).append(error)
    for label, item, code, needed in pieces(kept, name, set(by_method)):
        mine = by_method.get(item.name, []) if "." in label else errors
        edits = [Edit(item.start, item.end, code), *_additions(kept, code, needed)]
        yield Candidate(PATTERN, f"{label} written from the Python", tuple(edits), tuple(mine))


def _candidate(found: Translation, group: frozenset[str], broken: dict[str, list[RustError]]) -> Candidate | None:
    edits: list[Edit] = []
    needed: set[str] = set()
    for name in sorted(group):
        try:
            code, called = function_code(found, name) if name in found.functions else class_text(found, name)
        except (Unsupported, RecursionError) as error:
            found.why_not[name] = str(error)
            return None
        needed |= called
        edits += [one for one in _additions(found, code, set()) if one not in edits]
        edits += _replaced(found, name, code)
    edits += _additions(found, "", needed)
    errors = tuple(error for each in broken.values() for error in each)
    names = ", ".join(sorted(group)[:4])
    return Candidate(PATTERN, f"{names} written from the Python", tuple(edits), errors)


def _additions(found: Translation, code: str, needed: set[str]) -> list[Edit]:
    """Return what has to stand behind the program for ``code``: items of the command line, and helpers."""
    text = found.places.text
    extra = extra_items(found, code)
    edits = [Edit(len(text), len(text), extra)] if extra else []
    wanted = sorted({each for one in needed for each in (one, *NEEDS.get(one, ()))})
    missing = [one for one in wanted if f"fn {one}(" not in text and f"fn {one}<" not in text]
    return edits + [Edit(len(text), len(text), helpers()[one]) for one in missing]


def _replaced(found: Translation, name: str, code: str) -> list[Edit]:
    items = found.items(name)
    if not items:
        end = len(found.places.text)
        return [Edit(end, end, f"\n{code}\n")]
    edits = [Edit(items[0].start, items[0].end, code)]
    return edits + [
        Edit(one.start, one.end, "") for one in items[1:] if not (name in found.functions and one.what != "fn")
    ]
