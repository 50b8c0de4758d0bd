"""Many fixes in one run of the compiler: which go together, and afterwards which of them did what they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from models.repair.candidates import Candidate, Subject
from models.repair.edits import Edit, clash
from models.repair.errors import RustError
from models.repair.items import Places
from models.repair.judge import gone

REGENERATED = ("regenerate-functions", "regenerate-program")


def compatible(ranked: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates that go together: for each error its first one, none that clashes with one before it."""
    taken: list[Candidate] = []
    edits: list[Edit] = []
    answered: set[RustError] = set()
    for candidate in ranked:
        if candidate.errors and all(error in answered for error in candidate.errors):
            continue
        mine = [edit for edit in candidate.edits if edit not in edits]
        if mine and clash([*edits, *mine]):
            continue
        taken.append(candidate)
        edits += mine
        answered.update(candidate.errors)
    return taken


def key(subject: Subject, candidate: Candidate) -> tuple[object, ...]:
    """Return what a candidate is, whatever its place: an equal one need not be tried again."""
    if candidate.pattern in REGENERATED:
        return candidate.pattern, *(edit.replacement for edit in candidate.edits)
    pieces = tuple((subject.text[edit.start : edit.end], edit.replacement) for edit in candidate.edits)
    first = candidate.edits[0].start if candidate.edits else 0
    line = subject.text[subject.text.rfind("\n", 0, first) + 1 :].partition("\n")[0]
    return candidate.pattern, pieces, line if len(line) < 2_000 else first


def worked(
    before: Subject, after: Sequence[RustError], text: str, batch: Sequence[Candidate]
) -> tuple[list[Candidate], list[Candidate]]:
    """Return which of a batch removed their errors, and which did not.

    A function written anew has to be free of errors: other messages in it are no progress.
    """
    places = Places(text)
    left = Counter(places.path(error.place[0]) for error in after)
    good: list[Candidate] = []
    bad: list[Candidate] = []
    for candidate in batch:
        if candidate.pattern in REGENERATED:
            paths = {before.places.path(edit.start) for edit in candidate.edits if edit.start < len(before.text)}
            fine = not any(left[path] for path in paths)
        else:
            fine = bool(gone(before.errors, after, candidate.errors))
        (good if fine else bad).append(candidate)
    return good, bad
