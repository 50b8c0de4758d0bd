"""A body of compiler output to records, in a thread, bounded in time."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from models.diagnostics import Project, Short
from models.records import CompilerErrors
from producers.ci import Format, InputError, Report, read
from producers.ci.formats import HEAD_BYTES, detect
from producers.ci.lines import read_lines
from producers.http.problems import Refusal

FORMATS = tuple(kind for kind in Format if kind is not Format.PARQUET)  # a file of columns is pushed, not posted
PARAMETERS = ("project", "run", "commit", "format", "warnings")
SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
NO_PROJECT = "no project: add ?project=owner/name to the address, or put it in every record"
NAMELESS = "unnamed"  # never reaches a record: bodies whose records name no project are refused line by line

_PROJECT: TypeAdapter[str] = TypeAdapter(Project)
_SHORT: TypeAdapter[str] = TypeAdapter(Short)


@dataclass(frozen=True)
class Query:
    """The parameters of a request, validated."""

    project: str | None = None
    run: str | None = None
    commit: str | None = None
    format: Format | None = None
    warnings: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Query:
        """Return the parameters in ``given``; raises ``Refusal`` (400) that names the one at fault."""
        for name in given:
            if name not in PARAMETERS:
                raise Refusal(400, f"no parameter {name[:40]!r}; there are {', '.join(PARAMETERS)}")
        return cls(
            project=_checked(_PROJECT, "project", given, "a name such as owner/name: letters, digits and . _ - /"),
            run=_checked(_SHORT, "run", given, "at most 256 characters"),
            commit=_checked(_SHORT, "commit", given, "at most 256 characters"),
            format=_format(given.get("format", "auto")),
            warnings=_switch("warnings", given.get("warnings", "0")),
        )


def _checked(adapter: TypeAdapter[str], name: str, given: Mapping[str, str], allowed: str) -> str | None:
    if name not in given:
        return None
    try:
        return adapter.validate_python(given[name])
    except ValidationError:
        raise Refusal(400, f"{name} is not valid; allowed is {allowed}") from None


def _format(name: str) -> Format | None:
    if name == "auto":
        return None
    if name not in FORMATS:
        raise Refusal(400, f"no format {name[:40]!r}; there are auto, {', '.join(FORMATS)}")
    return Format(name)


def _switch(name: str, text: str) -> bool:
    if text.lower() not in SWITCH:
        raise Refusal(400, f"{name} {text[:40]!r}: allowed are {', '.join(SWITCH)}")
    return SWITCH[text.lower()]


class TimedBytes(io.BytesIO):
    """A body whose reading ends with an error when the time is up, or when ``stop`` was called from elsewhere."""

    def __init__(self, body: bytes, limit_s: float) -> None:
        super().__init__(body)
        self._limit_s, self._end = limit_s, time.monotonic() + limit_s

    def stop(self) -> None:
        """Let the next read fail: nobody waits for the result any more."""
        self._end = 0.0

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raises ``TimeoutError``, which readers report like a failing disk."""
        if time.monotonic() > self._end:
            raise TimeoutError(f"reading took longer than {self._limit_s:.0f} s; send the log in parts")
        return super().read1(size)


def failures(body: bytes, query: Query, now: datetime, limit_s: float, report: Report) -> FailureReader:
    """Return the reader of ``body``; raises ``Refusal``: 400 nothing there or no project, 415 not a log."""
    try:
        return _reader(body, query, now, limit_s, report)
    except InputError as error:
        raise Refusal(415, str(error)) from None


def _reader(body: bytes, query: Query, now: datetime, limit_s: float, report: Report) -> FailureReader:
    body = _as_lines(body)
    if not body.removeprefix(b"\xef\xbb\xbf").strip():
        raise Refusal(400, "the body is empty; did the compiler write to the other stream (2>&1)?")
    kind = query.format or detect(body[:HEAD_BYTES], "body")
    if kind is Format.PARQUET:
        raise Refusal(415, "Parquet is not taken here: use `jidoka push FILE.parquet`")
    if query.project is None and kind is not Format.JSONL:
        raise Refusal(400, "which project? Add ?project=owner/name to the address")
    source = TimedBytes(body if query.project else _named(body, report), limit_s)
    if not source.getvalue().strip():  # all were nameless
        return FailureReader(kind, iter(()), source)
    context: dict[str, Any] = {"project": query.project or NAMELESS, "run": query.run, "commit": query.commit}
    found = read(source, name="body", format=kind, time=now, warnings=query.warnings, report=report, **context)
    return FailureReader(kind, found, source)


@dataclass(frozen=True)
class FailureReader:
    """The records of one body, read as they are asked for."""

    format: Format
    records: Iterator[CompilerErrors]
    source: TimedBytes


def _as_lines(body: bytes) -> bytes:
    """Return a body that is one JSON document (a record over many lines, a list of records) as JSON lines."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith((b"[", b"{\n", b"{\r", b"{ ")):
        return body
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return body  # JSON lines, or rendered text that begins with a bracket
    try:
        return b"\n".join(map(orjson.dumps, document if isinstance(document, list) else [document]))
    except orjson.JSONEncodeError:
        raise Refusal(400, "JSON nested too deeply: a record has a depth of about five") from None


def _named(body: bytes, report: Report) -> bytes:
    """Return ``body`` without the records that name no project, each reported; the others keep their line numbers."""
    kept = []
    for line in read_lines(io.BytesIO(body)):
        problem = line.problem or (None if _names_project(line.data) else NO_PROJECT)
        if problem:
            report.reject(line.number, problem)
        kept.append(b"" if problem else line.data)
    return b"\n".join(kept)


def _names_project(line: bytes) -> bool:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return True  # not JSON: the reader says what is wrong with it
    return not isinstance(document, dict) or "project" in document
