"""``rustc --error-format=json``: one diagnostic a line; several runs in one file are told apart by their summaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from models.records import CompilerErrors
from producers.ci.cargo import add_rustc, json_of, parse_object
from producers.ci.grouping import Grouper, Key
from producers.ci.lines import Line, read_lines
from producers.ci.report import OTHER_JSON, Report
from producers.ci.text import TextReader

_ONE = Key()


def read_rustc(source: BinaryIO, grouper: Grouper, report: Report) -> Iterator[CompilerErrors]:
    """Yield a record for each failed run of rustc."""
    text = TextReader(grouper, report, located=True)
    for line in read_lines(source):
        if line.problem:
            report.reject(line.number, line.problem)
        elif line.data:
            yield from _line(line, grouper, report, text)
    yield from text.close()
    yield from grouper.flush()


def _line(line: Line, grouper: Grouper, report: Report, text: TextReader) -> Iterator[CompilerErrors]:
    data = json_of(line.data)
    if data is None:
        yield from text.feed(line)
        return
    try:
        message = parse_object(data, complete=line.complete)
        yield from _message(message, grouper, report, line.number)
    except ValueError as error:
        report.reject(line.number, str(error))


def _message(message: dict[str, Any], grouper: Grouper, report: Report, number: int) -> Iterator[CompilerErrors]:
    kind = message.get("$message_type")
    if kind == "artifact" or "artifact" in message:
        report.skip("artifacts")
    elif kind not in (None, "diagnostic") or ("level" not in message and "message" not in message):
        report.skip(OTHER_JSON)
    else:
        yield from add_rustc(message, _ONE, grouper, number)
        if str(message.get("message")).startswith("aborting due to "):
            yield from grouper.finish(_ONE)
