"""Candidates from rustc's own suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject
from models.repair.edits import Edit

MAX_PLACEHOLDER = re.compile(r"/\*|\bREASON\b|\b_\b|\.\.\.|…")
NAMES = {"MachineApplicable": "rustc-machine-applicable", "MaybeIncorrect": "rustc-maybe-incorrect"}


def from_rustc(subject: Subject) -> Iterator[Candidate]:
    """Yield a candidate for each suggestion; those with placeholders are left out."""
    for error in subject.errors:
        for suggestion in error.suggestions:
            name = NAMES.get(suggestion.applicability)
            if name is None or any(MAX_PLACEHOLDER.search(edit.replacement) for edit in suggestion.edits):
                continue
            if any(edit.start == edit.end and not edit.replacement for edit in suggestion.edits):
                continue
            yield Candidate(
                name, suggestion.message, tuple(_spaced(subject.text, edit) for edit in suggestion.edits), (error,)
            )


def _spaced(text: str, edit: Edit) -> Edit:
    """Return the edit, kept apart from a word that it would run into."""
    before = text[edit.start - 1 : edit.start]
    joined = before.isalnum() and edit.replacement[:1].isalnum() and edit.start == edit.end
    return Edit(edit.start, edit.end, f" {edit.replacement}") if joined else edit
