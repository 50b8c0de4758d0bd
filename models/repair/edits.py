"""Edits of a text: pieces replaced, applied together, and places mapped to where they are afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Edit:
    """Replace ``text[start:end]`` by ``replacement``; offsets count characters."""

    start: int
    end: int
    replacement: str


class OverlapError(ValueError):
    """Two edits that change the same place in different ways."""


def clash(edits: Sequence[Edit]) -> bool:
    """Return whether two of ``edits`` change one place; equal edits are one edit, whole lines stand in any order."""
    ordered = sorted(set(edits))
    return any(
        later.start < earlier.end
        or (later.start == earlier.start and later.end == earlier.end and not (_lines(earlier) and _lines(later)))
        for earlier, later in pairwise(ordered)
    )


def _lines(edit: Edit) -> bool:
    return edit.start == edit.end and edit.replacement.startswith("\n") and edit.replacement.endswith("\n")


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return ``text`` with all ``edits`` done; raises ``OverlapError`` where two of them clash."""
    ordered = sorted(set(edits))
    if clash(ordered):
        raise OverlapError(f"{len(ordered)} edits of which two change the same place")
    parts, at = [], 0
    for edit in ordered:
        if not at <= edit.start <= edit.end <= len(text):
            raise OverlapError(f"an edit of {edit.start}..{edit.end} in a text of {len(text)} characters")
        parts += [text[at : edit.start], edit.replacement]
        at = edit.end
    return "".join([*parts, text[at:]])
