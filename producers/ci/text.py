"""Rendered text: ``error[E0308]: mismatched types`` with its ``-->``, code lines, labels and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from models.diagnostics import Diagnostic
from models.records import CompilerErrors
from producers.ci.bounds import MAX_SHORT, MAX_TEXT, cut, without_paths
from producers.ci.grouping import SUMMARIES, Grouper, Key
from producers.ci.lines import Line, read_lines
from producers.ci.report import OTHER_LINES, Report
from producers.ci.rustc_json import MAX_PARTS
from producers.ci.snippet import PLACE, Snippet
from producers.ci.text_lines import plain

MAX_SNIPPETS = 8  # code blocks of one diagnostic, each in another file
MAX_LINE_CHARS = 1 << 16  # of rendered text that is looked at; the rest of a longer line is left out

_HEADER = re.compile(r"(error: internal compiler error|error|warning)(?:\[([\w:-]{1,128})\])?: (.*)$")
_CHILD = re.compile(r"(?: *= )?(note|help|warning|error): (.*)$")
_STATUS = re.compile(
    r" *(?:Adding|Blocking|Building|Checking|Compiling|Doc-tests|Documenting|Downloaded|Downloading|Finished|Fresh|"
    r"Installing|Locking|Removed|Running|Updating)\b"
)
_ADVICE = re.compile(r"For more information about |Some errors have detailed explanations")
# What cargo says of a target it is through with; a test build is the same target.
_TARGET = re.compile(r"""(?:could\ not\ compile\ )?`([^`]+)`(?:\ (\([^)"]+(?:"[^"]*")?)(?:\ test)?\))?""", re.VERBOSE)
_ORIGIN = re.compile(r"this error originates in the (?:derive |attribute )?macro ")  # drawn only: not in rustc's JSON
_LINT = re.compile(r"`(?:#\[(?:deny|forbid|warn)\(([\w:]+)\)\]|-[DFW] ([\w:-]+))`|rust-clippy/\S*#(\w+)$")
_ONE = Key(package="text")


class _Prose(NamedTuple):
    """A message being gathered over several lines; ``width`` is the indentation of those that follow."""

    level: str
    lines: list[str]
    width: int

    def text(self) -> str:
        return cut(without_paths("\n".join(self.lines)), MAX_TEXT)


class _Open:
    """The diagnostic that is being read."""

    def __init__(self, header: re.Match[str], number: int) -> None:
        level, self.code, message = header.groups()
        self.number = number
        self.head = _Prose(level, [message[:MAX_TEXT]], header.start(3))
        self.notes: list[_Prose] = []
        self.snippets: list[Snippet] = []
        self.in_child = False  # code lines below a note or help are the note's, and not kept
        self._prose: _Prose | None = self.head

    def take(self, row: str) -> bool:
        """Take ``row`` if it belongs to this diagnostic; return whether it does."""
        if place := PLACE.match(row):
            self._prose = None
            if not self.in_child and len(self.snippets) < MAX_SNIPPETS:
                self.snippets.append(Snippet(place[1], int(place[2] or 0), int(place[3] or 0)))
            return True
        if child := _CHILD.match(row):
            self._begin_note(child, own_code=not row.startswith(" "))
            return True
        if self._prose is not None and row.startswith(" ") and not row.lstrip().startswith("|"):
            return self._continue(self._prose, row)
        self._prose = None
        rows = self.snippets[-1] if self.snippets else Snippet("", 0, 0)
        return (Snippet("", 0, 0) if self.in_child else rows).take(row) or bool(re.match(r" *\d+ [~+-] |\.\.\.", row))

    def _begin_note(self, child: re.Match[str], *, own_code: bool) -> None:
        self.in_child |= own_code
        self._prose = _Prose(child[1], [child[2][:MAX_TEXT]], child.start(2))
        if len(self.notes) < MAX_PARTS:
            self.notes.append(self._prose)

    def _continue(self, prose: _Prose, row: str) -> bool:
        indented = not row[: prose.width].strip()
        if sum(map(len, prose.lines)) + len(prose.lines) < MAX_TEXT:
            prose.lines.append((row[prose.width :] if indented else row.strip())[:MAX_TEXT])
        return True

    def cause(self) -> None:
        """Begin what cargo says after ``Caused by:``."""
        self._prose = _Prose("note", [], 2)
        self.notes.append(self._prose)

    def diagnostic(self) -> Diagnostic:
        parsed = [snippet.spans() for snippet in self.snippets]
        spans = _main_first([found for found, _ in parsed])
        helps = [{"level": "help", "message": cut(text, MAX_TEXT)} for _, texts in parsed for text in texts]
        notes = [{"level": note.level, "message": note.text()} for note in self.notes if note.lines]
        notes = [note for note in notes if not _ORIGIN.match(note["message"])]
        document: dict[str, Any] = {
            "code": self.code or _lint(notes),
            "level": cut(self.head.level, MAX_SHORT),
            "message": self.head.text(),
            "file": spans[0]["file"] if spans else None,
            "spans": spans[:MAX_PARTS],
            "notes": (helps + notes)[:MAX_PARTS],
        }
        return Diagnostic.model_validate(document)


def _lint(notes: list[dict[str, str]]) -> str | None:
    """Return the lint that the notes name; a lint's code is not in the headline."""
    for match in filter(None, (_LINT.search(note["message"]) for note in notes)):
        name = match[1] or (match[2] or "").replace("-", "_") or f"clippy::{match[3]}"
        return cut(name, MAX_SHORT)
    return None


def _main_first(found: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join the spans of several files; only those at the first arrow, or marked so, are primary."""
    main, *others = found or [[]]
    return main + [span for spans in others for span in spans if span.get("text")]


class TextReader:
    """Takes rendered lines one by one and gives back the records that are complete.

    With ``located``, for text between lines of JSON, a diagnostic must have a code or a place: tests and build
    scripts print ``error: …`` too.
    """

    def __init__(self, grouper: Grouper, report: Report, *, located: bool = False) -> None:
        self._grouper, self._report, self._located = grouper, report, located
        self._current: _Open | None = None
        self._blank = False  # the current diagnostic was followed by an empty line
        self._ended = False  # rustc has said that it gives up; the next diagnostic is another compilation's

    def feed(self, line: Line) -> Iterator[CompilerErrors]:
        """Take a line; yield the records it completes."""
        row = plain(self._decoded(line))[:MAX_LINE_CHARS].rstrip()
        if not row:
            self._blank = True
            return
        if header := _HEADER.match(row):
            yield from self._emit()
            yield from self._begin(header, line.number)
        elif self._current and self._belongs(self._current, row):
            self._blank = False
        else:
            yield from self._emit()
            self._report.skip(_kind(row))

    def close(self) -> Iterator[CompilerErrors]:
        """Yield what is left at the end of the input."""
        yield from self._emit()
        yield from self._grouper.finish(_ONE)

    def _decoded(self, line: Line) -> str:
        try:
            return line.data.decode()
        except UnicodeDecodeError:
            self._report.repaired += 1
            return line.data.decode("utf-8", "replace")

    def _belongs(self, current: _Open, row: str) -> bool:
        if self._blank and row == "Caused by:":
            current.cause()
            return True
        return not self._blank and current.take(row)

    def _begin(self, header: re.Match[str], number: int) -> Iterator[CompilerErrors]:
        level, code, message = header.groups()
        if self._grouper.wanted(level, code, message):
            if self._ended:
                yield from self._grouper.finish(_ONE)
            self._ended = False
            self._current, self._blank = _Open(header, number), False
        elif target := _TARGET.match(message):
            name = target[1] + (f" {target[2]})" if target[2] else "")
            yield from self._grouper.finish(_ONE, target=cut(name, MAX_SHORT))
        elif message.startswith("aborting due to "):
            self._ended = True

    def _emit(self) -> Iterator[CompilerErrors]:
        current, self._current = self._current, None
        if current is None:
            return
        if self._located and current.code is None and not current.snippets:
            self._report.skip(OTHER_LINES)
            return
        yield from self._grouper.add(_ONE, current.diagnostic(), current.number)


def _kind(row: str) -> str:
    if _ADVICE.match(row):
        return SUMMARIES
    return "status lines" if _STATUS.match(row) else OTHER_LINES


def read_text(source: BinaryIO, grouper: Grouper, report: Report) -> Iterator[CompilerErrors]:
    """Yield a record for each compilation; ``could not compile`` and ``aborting due to`` tell where one ends."""
    reader = TextReader(grouper, report)
    for line in read_lines(source):
        if line.problem:
            report.reject(line.number, line.problem)
        else:
            yield from reader.feed(line)
    yield from reader.close()
    yield from grouper.flush()
