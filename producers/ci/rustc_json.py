"""One message of rustc's JSON (``--error-format=json``, or ``message`` of a cargo line) as a ``Diagnostic``.

``rendered`` and ``code.explanation`` are never kept: they name the answer a model is to learn. Format: the rustc
book, chapter "JSON Output".
"""

from __future__ import annotations

from typing import Any

from models.diagnostics import Diagnostic
from producers.ci.bounds import (
    ELLIPSIS,
    MAX_LINE_BYTES,
    MAX_SHORT,
    MAX_TEXT,
    FieldError,
    cut,
    kind_of,
    number_of,
    objects_of,
    shorten,
    text_of,
    well_formed,
    without_paths,
)

MAX_LINE_CHARS = 400  # of a source line; generated code has lines of megabytes
CONTEXT_CHARS = 100  # kept before the marked text when the front is cut
MAX_LINES = 20  # of one span
MAX_PARTS = 32  # spans, notes, suggestions
MAX_EXPANSIONS = 256  # twice rustc's default recursion limit
APPLICABILITIES = ("MachineApplicable", "MaybeIncorrect", "HasPlaceholders", "Unspecified")
FOREIGN = ("/rustc/", "/.rustup/", "/.cargo/registry/", "/.cargo/git/", "/rustlib/src/")

Json = dict[str, Any]


def diagnostic_from_rustc(message: Json) -> Diagnostic:
    """Return rustc's ``message`` as a diagnostic within the limits of a record.

    A span inside a macro of another crate is replaced by the place in the user's own code that led there. Columns
    of a source line that was cut in front are moved, so that they still mark the same text.
    Raises ``FieldError`` (a ``ValueError``) with a reason for a field that is missing or of the wrong type.
    """
    spans = [_span(_in_own_code(span)) for span in _primary_first(objects_of(message, "spans"))]
    notes: list[Json] = []
    suggestions: list[Json] = []
    for child in objects_of(message, "children"):
        edits = _suggestions(child)
        suggestions += edits
        if not edits:
            notes.append({"level": text_of(child, "level", MAX_SHORT), "message": _prose(child)})
    return Diagnostic.model_validate(
        {
            "code": _code(message),
            "level": text_of(message, "level", MAX_SHORT),
            "message": _prose(message),
            "file": next((span["file"] for span in spans if span["is_primary"]), spans[0]["file"] if spans else None),
            "spans": spans,
            "notes": notes[:MAX_PARTS],
            "suggestions": suggestions[:MAX_PARTS],
        }
    )


def _code(message: Json) -> str | None:
    code = message.get("code")
    if code is None:
        return None
    if not isinstance(code, dict):
        raise FieldError(f"code is {kind_of(code)}, expected an object")
    return text_of(code, "code", MAX_SHORT)


def _prose(source: Json) -> str:
    return cut(without_paths(text_of(source, "message", MAX_TEXT)), MAX_TEXT)


def _primary_first(spans: list[Json]) -> list[Json]:
    if len(spans) <= MAX_PARTS:
        return spans
    return sorted(spans, key=lambda span: span.get("is_primary") is not True)[:MAX_PARTS]


def _suggestions(child: Json) -> list[Json]:
    return [
        {
            "message": _prose(child),
            "replacement": text_of(span, "suggested_replacement", MAX_TEXT),
            "applicability": _applicability(span),
            "span": _span(span),
        }
        for span in objects_of(child, "spans")
        if span.get("suggested_replacement") is not None
    ]


def _applicability(span: Json) -> str:
    value = span.get("suggestion_applicability")
    return value if value in APPLICABILITIES else "Unspecified"


def _in_own_code(span: Json) -> Json:
    """Return where the user's code led to ``span``: itself, or a caller of the macro it stands in."""
    place = span
    for _ in range(MAX_EXPANSIONS):
        outer = place.get("expansion")
        if not _is_foreign(place) or not isinstance(outer, dict) or not isinstance(outer.get("span"), dict):
            break
        place = outer["span"]
    return place if place is span else {**place, "label": span.get("label"), "is_primary": span.get("is_primary")}


def _is_foreign(span: Json) -> bool:
    name = span.get("file_name")
    if not isinstance(name, str):
        return False
    plain = name.replace("\\", "/")
    return plain.startswith("<") or any(part in plain for part in FOREIGN)


def _span(span: Json) -> Json:
    label = span.get("label")
    lines, start, end = _marked(span)
    return {
        "file": shorten(well_formed(text_of(span, "file_name", MAX_TEXT))),
        "line_start": number_of(span, "line_start"),
        "line_end": number_of(span, "line_end"),
        "column_start": start,
        "column_end": end,
        "is_primary": span.get("is_primary") is True,
        "label": None if not label else cut(without_paths(text_of(span, "label", MAX_TEXT)), MAX_TEXT),
        "text": lines,
    }


def _marked(span: Json) -> tuple[list[str], int, int]:
    """Return the span's source lines, cut around the marked text, and its columns in the cut lines."""
    lines = [text_of(line, "text", MAX_LINE_BYTES) for line in objects_of(span, "text")[:MAX_LINES]]
    return mark(lines, number_of(span, "column_start"), number_of(span, "column_end"))


def mark(lines: list[str], start: int, end: int) -> tuple[list[str], int, int]:
    """Return ``lines``, each cut to ``MAX_LINE_CHARS`` around what is marked, and the columns that mark it still.

    ``start`` is a column of the first line, ``end`` (exclusive) one of the last, both counting from 1.
    """
    if all(len(line) <= MAX_LINE_CHARS for line in lines):
        return lines, start, end
    if len(lines) == 1:
        line, dropped = _window(lines[0], start, end)
        return [line], start - dropped, min(end - dropped, len(line) + 1)
    first, before = _window(lines[0], start, start + 1)
    last, dropped = _window(lines[-1], end - 1, end)
    return [first, *(cut(line, MAX_LINE_CHARS) for line in lines[1:-1]), last], start - before, end - dropped


def _window(line: str, start: int, end: int) -> tuple[str, int]:
    """Return a part of ``line`` with columns ``start`` to ``end`` in view, and how many characters went before it."""
    if len(line) <= MAX_LINE_CHARS or end <= MAX_LINE_CHARS:
        return cut(line, MAX_LINE_CHARS), 0
    dropped = max(0, min(start - 1 - CONTEXT_CHARS, len(line) - MAX_LINE_CHARS))
    return cut(ELLIPSIS * (dropped > 0) + line[dropped + (dropped > 0) :], MAX_LINE_CHARS), dropped
