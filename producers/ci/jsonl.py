"""jidoka's own JSON lines: one ``CompilerErrors`` record a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from models.records import CompilerErrors, RecordError, parse
from producers.ci.cargo import parse_object
from producers.ci.grouping import Context, identified
from producers.ci.lines import Line, read_lines
from producers.ci.report import Report


def read_jsonl(source: BinaryIO, context: Context, report: Report) -> Iterator[CompilerErrors]:
    """Yield the records; what one says itself (id, time, project, run, commit) stands, ``context`` fills the rest.

    The context's change is that of the context's commit: a record of another commit or project does not get it.
    """
    for line in read_lines(source):
        if not line.data and not line.problem:
            continue
        try:
            record = _record(line, context)
        except (RecordError, ValueError, orjson.JSONEncodeError) as error:  # the last: nested deeper than it writes
            report.reject(line.number, str(error))
            continue
        report.accepted += 1
        report.diagnostics += len(record.diagnostics)
        yield record


def _record(line: Line, context: Context) -> CompilerErrors:
    if line.problem:
        raise RecordError(line.problem)
    document = parse_object(line.data, complete=line.complete)
    given: dict[str, Any] = context.model_dump(mode="json", exclude_none=True)
    if any(document.get(name, given.get(name)) != given.get(name) for name in ("project", "commit")):
        given.pop("change", None)
    record = parse(CompilerErrors, orjson.dumps({**given, "id": "-", **document}))
    return record if "id" in document else identified(record)
