"""``rustc --error-format=json``: one diagnostic a line; several runs in one file are told apart by their summaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from models.records import CompilerErrors
from producers.ci.cargo import add_rustc, read_messages
from producers.ci.grouping import Grouper, Key
from producers.ci.report import OTHER_JSON, Report

_ONE = Key()


def read_rustc(source: BinaryIO, grouper: Grouper, report: Report) -> Iterator[CompilerErrors]:
    """Yield a record for each failed run of rustc."""
    yield from read_messages(source, grouper, report, _message)


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
