"""rustc's errors as repair needs them: exact places in the text, labels, and suggestions as whole edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.masking import mask
from models.repair.edits import Edit
from models.taxonomy import PHASES, rule_for

MAX_TEMPLATE = 120


@dataclass(frozen=True)
class Mark:
    """A marked place and what rustc writes at it; offsets count characters of the program."""

    start: int
    end: int
    primary: bool
    label: str


@dataclass(frozen=True)
class Suggested:
    """One suggestion of rustc: all its edits together, and its applicability in rustc's words."""

    message: str
    edits: tuple[Edit, ...]
    applicability: str


@dataclass(frozen=True)
class RustError:
    """An error: its code (``""``: none), message, places, notes and suggestions."""

    code: str
    message: str
    marks: tuple[Mark, ...]
    notes: tuple[str, ...]
    suggestions: tuple[Suggested, ...]

    @property
    def place(self) -> tuple[int, int]:
        """Return where the error is: its first primary mark, or nowhere (0, 0)."""
        found = next((one for one in self.marks if one.primary), None)
        return (found.start, found.end) if found else (0, 0)

    @property
    def template(self) -> str:
        """Return the code and the message without its names: what errors of one kind share."""
        return f"{self.code} {mask(self.message)}"[:MAX_TEMPLATE].strip()

    @property
    def phase(self) -> int:
        """Return at which of the taxonomy's phases rustc found it; each waits for the ones before it."""
        rule = rule_for(self.code, self.message) if self.code else None
        return PHASES.index(rule.phase) if rule else 0


class Offsets:
    """Turns rustc's byte offsets into character offsets of one text."""

    def __init__(self, text: str) -> None:
        self._raw = None if text.isascii() else text.encode("utf-8", "replace")

    def __call__(self, place: int) -> int:
        """Return the character at which byte ``place`` begins."""
        return place if self._raw is None else len(self._raw[:place].decode("utf-8", "ignore"))


def read_errors(messages: Iterable[Mapping[str, Any]], text: str, file: str) -> tuple[RustError, ...]:
    """Return rustc's JSON ``messages`` about ``file``, whose content is ``text``; places elsewhere are left out."""
    offsets = Offsets(text)
    return tuple(_error(message, offsets, file) for message in messages)


def _error(message: Mapping[str, Any], offsets: Offsets, file: str) -> RustError:
    marks = (_mark(_own(span, file), offsets) for span in message.get("spans", []))
    children = message.get("children", [])
    return RustError(
        code=str((message.get("code") or {}).get("code", "")),
        message=str(message.get("message", "")),
        marks=tuple(one for one in marks if one is not None),
        notes=tuple(str(child.get("message", "")) for child in children),
        suggestions=tuple(found for child in children if (found := _suggested(child, offsets, file))),
    )


def _own(span: Mapping[str, Any], file: str) -> Mapping[str, Any] | None:
    """Return where in ``file`` a span is: itself, or the caller of the macro it stands in."""
    place: Mapping[str, Any] | None = span
    while place is not None and place.get("file_name") != file:
        place = (place.get("expansion") or {}).get("span")
    return None if place is None else {**place, "is_primary": span.get("is_primary"), "label": span.get("label")}


def _mark(span: Mapping[str, Any] | None, offsets: Offsets) -> Mark | None:
    if span is None:
        return None
    start, end = offsets(int(span["byte_start"])), offsets(int(span["byte_end"]))
    return Mark(start, end, bool(span.get("is_primary")), str(span.get("label") or ""))


def _suggested(child: Mapping[str, Any], offsets: Offsets, file: str) -> Suggested | None:
    spans = [span for span in child.get("spans", []) if span.get("suggested_replacement") is not None]
    if not spans or any(span.get("file_name") != file or span.get("expansion") for span in spans):
        return None
    edits = tuple(
        Edit(offsets(int(span["byte_start"])), offsets(int(span["byte_end"])), str(span["suggested_replacement"]))
        for span in spans
    )
    return Suggested(str(child.get("message", "")), edits, str(spans[0].get("suggestion_applicability") or ""))
