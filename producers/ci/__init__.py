"""Compiler output of every kind in, ``CompilerErrors`` records out.

``read`` streams: what it holds is bounded, however long the input is. What cannot be read is told in a ``Report``;
only an input that is nothing at all raises ``InputError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from pydantic import ValidationError

from models.change import Change
from models.records import CompilerErrors
from producers.ci import parquet
from producers.ci.cargo import read_cargo
from producers.ci.change import change_of, commit_of
from producers.ci.formats import Format, InputError, detect
from producers.ci.git import ChangeError
from producers.ci.grouping import Context, Grouper
from producers.ci.jsonl import read_jsonl
from producers.ci.project import guess_project
from producers.ci.report import Report
from producers.ci.rustc import read_rustc
from producers.ci.rustc_json import diagnostic_from_rustc
from producers.ci.source import look_ahead, open_input
from producers.ci.text import read_text
from producers.ci.tree import SourceTree

__all__ = [
    "ChangeError",
    "Format",
    "InputError",
    "Report",
    "SourceTree",
    "change_of",
    "commit_of",
    "detect",
    "diagnostic_from_rustc",
    "guess_project",
    "open_input",
    "read",
]

_READERS = {Format.CARGO: read_cargo, Format.RUSTC: read_rustc, Format.TEXT: read_text}


def read(
    source: BinaryIO,
    *,
    name: str | None = None,
    format: Format | None = None,  # noqa: A002 - the word the command line uses
    project: str,
    time: datetime,
    run: str | None = None,
    commit: str | None = None,
    change: Change | None = None,
    warnings: bool = False,
    report: Report,
) -> Iterator[CompilerErrors]:
    """Return the failed compilations in ``source``, one by one, and fill ``report`` on the way.

    ``name`` is shown in messages; ``format`` is told from the first bytes if it is not given. ``time`` (with a time
    zone), ``run`` and ``change`` go into the records but not into their ids: equal content, equal id. With
    ``warnings``, warnings are kept too and a clippy warning makes a failure.

    Raises ``InputError``, before the first record, for an input that cannot be read at all or a project's name that
    no record takes. ``report`` is complete when the iterator is exhausted.
    """
    context = _context(project, time, run, commit, change)
    head, stream = look_ahead(source, name)
    kind = detect(head, name) if format is None or not head.strip() else Format(format)
    if kind is Format.PARQUET:
        held = {"max_open": parquet.MAX_OPEN, "max_held": parquet.MAX_HELD_BYTES}
        grouper = Grouper(context, report, warnings=warnings, **held)
        return parquet.read_parquet(source if source.seekable() else stream, name, grouper, report)
    if kind is Format.JSONL:
        return read_jsonl(stream, context, report)
    return _READERS[kind](stream, Grouper(context, report, warnings=warnings), report)


def _context(project: str, time: datetime, run: str | None, commit: str | None, change: Change | None) -> Context:
    try:
        return Context(project=project, time=time, run=run, commit=commit, change=change)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where} {first['input']!r}: {first['msg']}; a project is a name such as owner/name of letters, digits "
            "and . _ - / (128 at most), run and commit have 256 characters at most"
        ) from None
