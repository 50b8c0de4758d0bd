"""The code block under a rendered diagnostic: source lines, underlines and labels, back to spans.

Columns count characters of the rendered line, in which rustc has put four spaces for a tab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from producers.ci.bounds import MAX_NUMBER, MAX_TEXT, cut, shorten, without_paths
from producers.ci.rustc_json import MAX_LINES, MAX_PARTS, mark

MAX_ROWS = 500  # of one code block; rustc elides long ones
MAX_ROW_CHARS = 2_000  # rustc cuts lines to the terminal's width, 140 without one
MAX_FOUND = 4 * MAX_PARTS  # spans looked at, before the first ones are kept

PLACE = re.compile(r" *(?:-->|:::) (.+?)(?::(\d{1,9}):(\d{1,9}))?$")
_CODE = re.compile(r" *(\d{1,9}) \|(?: (.*))?$")
_GUTTER = re.compile(r" +\|(?: (.*))?$")
_MULTILINE = re.compile(r"[ |]*?[ |](_[_\^-]*)([\^-])(?: (.*))?$")  # marks may stand between the underscores
_EXPANSION = re.compile(r"in this (?:macro invocation|(?:derive|attribute) macro expansion)$")  # drawn, but no span
_NEXT_MARK = re.compile(r"(?<! ) {2,}(?=[\^-]+(?: |$))")
MARKS = "^-~+"


@dataclass
class _Run:
    """Marks under one piece of a line, ``start`` to ``end`` from 0."""

    start: int
    end: int
    sign: str
    label: str = ""


@dataclass
class _Row:
    number: int
    code: str
    below: list[str] = field(default_factory=list)


class Snippet:
    """Rows of a code block in one file, gathered one by one."""

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = shorten(file), min(line, MAX_NUMBER), min(column, MAX_NUMBER)
        self._rows: list[_Row] = []
        self._count = 0

    def take(self, row: str) -> bool:
        """Take ``row`` if it belongs to a code block; return whether it does."""
        self._count += 1
        row = row[:MAX_ROW_CHARS]
        if match := _CODE.match(row):
            if self._count <= MAX_ROWS:
                self._rows.append(_Row(int(match[1]), match[2] or ""))
        elif match := _GUTTER.match(row):
            if self._rows and self._count <= MAX_ROWS and (match[1] or "").strip():
                self._rows[-1].below.append(match[1])
        else:
            return row.startswith("...")
        return True

    def spans(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the spans, the one at the arrow first, and the compiler's help that stood where a label stands."""
        margin = self._margin()
        found = self._multiline(margin)
        helps: list[str] = []
        for row in self._rows:
            for run in _labelled([_without_bracket(text)[margin:] for text in row.below]):
                if _EXPANSION.match(run.label):
                    continue
                if run.label.startswith("help: "):
                    helps.append(run.label.removeprefix("help: "))
                    run.label = ""
                if len(found) == MAX_FOUND:
                    break
                ends = (row.number, run.start + 1), (row.number, run.end + 1)
                found.append(self._span(*ends, run.sign == "^", run.label, margin))
        return self._with_arrow(found), helps

    def _margin(self) -> int:
        """Return how many columns the drawings of spans over several lines take, left of the code."""
        matches = (_MULTILINE.match(text) for row in self._rows for text in row.below)
        depth = max((match.start(1) for match in matches if match), default=0)
        return depth + 1 if depth else 0

    def _multiline(self, margin: int) -> list[dict[str, Any]]:
        """Return the spans drawn as a bracket: opened by ``/`` or ``_____^``, closed by ``|_____^ label``."""
        found: list[dict[str, Any]] = []
        opened: dict[int, tuple[int, int]] = {}
        for row in self._rows if margin else ():
            code = row.code[margin:]
            for level in range(min(margin - 1, len(row.code))):
                if row.code[level] == "/":
                    opened[level] = (row.number, len(code) - len(code.lstrip()) + 1)
            for match in filter(None, map(_MULTILINE.match, row.below)):
                level, column = match.start(1) - 1, match.start(2) - margin + 1
                if match.string[level] == "|" and level in opened:
                    end = (row.number, column + 1)
                    found.append(self._span(opened.pop(level), end, match[2] == "^", match[3] or "", margin))
                else:
                    opened[level] = (row.number, column)
        return found

    def _span(
        self, start: tuple[int, int], end: tuple[int, int], primary: bool, label: str, margin: int
    ) -> dict[str, Any]:
        lines = [row.code[margin:] for row in self._rows if start[0] <= row.number <= end[0]][:MAX_LINES]
        text, column_start, column_end = mark(lines, start[1], end[1])
        return {
            "file": self.file,
            "line_start": start[0],
            "line_end": end[0],
            "column_start": max(column_start, 0),
            "column_end": max(column_end, 0),
            "is_primary": primary,
            "label": cut(without_paths(label), MAX_TEXT) or None,
            "text": text,
        }

    def _with_arrow(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put the primary span that the arrow points at first; the arrow's column is the compiler's own."""
        here = [span for span in found if span["is_primary"] and span["line_start"] == self.line]
        if not here:
            bare = {"line_start": self.line, "line_end": self.line, "column_start": self.column}
            primary = {"file": self.file, **bare, "column_end": self.column, "is_primary": True}
            return [primary, *found][:MAX_PARTS] if not any(span["is_primary"] for span in found) else found[:MAX_PARTS]
        first = min(here, key=lambda span: abs(span["column_start"] - self.column))
        if not any(line.startswith(("…", "...")) for line in first["text"][:1]):  # cut: its columns are its own
            first["column_start"] = self.column
        return [first, *(span for span in found if span is not first)][:MAX_PARTS]


def _without_bracket(row: str) -> str:
    """Return ``row`` with only the marks under the line itself, not the opening or closing of a larger span."""
    match = _MULTILINE.match(row)
    if match is None:
        return row
    return " " * match.start(1) + match[1].replace("_", " ")


def _labelled(below: list[str]) -> list[_Run]:
    """Return the marks in the first of the rows below a source line, with the labels beside and under them."""
    rows = [row for row in below if row.strip()]
    if not rows or rows[0].lstrip()[0] not in MARKS:
        return []
    runs = _runs(rows[0])
    for row in rows[1:]:
        start = len(row) - len(row.lstrip(" |"))
        if start < len(row):
            _hang(runs, start, row[start:].strip())
    return _merged(runs)


def _hang(runs: list[_Run], start: int, label: str) -> None:
    """Give the label that begins below column ``start`` to the marks there."""
    for run in runs:
        if run.start == start and not run.label:
            run.label = label
            return
    over = next((run for run in runs if run.start <= start < run.end), None)
    if over is not None:  # another span at the same place, or one that was drawn over
        runs.append(replace(over, start=start, end=over.end if start == over.start else start + 1, label=label))


def _runs(row: str) -> list[_Run]:
    runs: list[_Run] = []
    at = 0
    while at < len(row):
        if row[at] == " ":
            at += 1
        elif row[at] in MARKS:
            end = len(row) - len(row[at:].lstrip(row[at]))
            runs.append(_Run(at, end, row[at]))
            at = end
        else:
            beyond = _NEXT_MARK.search(row, at)
            end = beyond.start() if beyond else len(row)
            if runs:
                runs[-1].label = row[at:end].strip()
            at = end
    return runs


def _merged(runs: list[_Run]) -> list[_Run]:
    """Join the two ends of marks that others were drawn over: ``--^^--`` is one ``-`` span and one ``^``."""
    merged: list[_Run] = []
    for run in runs:
        outer = merged[-2] if len(merged) > 1 else None
        if outer and outer.sign == run.sign and outer.end == merged[-1].start and merged[-1].end == run.start:
            outer.end, outer.label = run.end, outer.label or run.label
        else:
            merged.append(run)
    return merged
