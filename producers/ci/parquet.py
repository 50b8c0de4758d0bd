"""Parquet with a diagnostic a row: the rows of one source file are one compilation."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa
import pyarrow.parquet as pq

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, content_id
from producers.ci.cargo import add_rustc, parse_object
from producers.ci.formats import InputError
from producers.ci.grouping import Grouper, Key
from producers.ci.report import Report
from producers.ci.surroundings import with_surroundings

COLUMNS = ("origin", "source_file", "diagnostic")
OPTIONAL = ("rust_code", "file_alias")  # the source that was compiled, and its name in the spans
BATCH_ROWS = 256
READ_BYTES = 1 << 20
MAX_SPOOLED_BYTES = 8 << 30  # of a pipe: the footer stands at the end, so the whole must be on disk
MAX_FILES = 4_000_000  # counted in memory, some 100 bytes each
MAX_OPEN = 50_000  # compilations whose rows lie apart
MAX_HELD_BYTES = 256 << 20

PROBLEMS = (pa.ArrowException, OSError, MemoryError, ValueError)


class _Row(NamedTuple):
    number: int
    origin: bytes | None
    source_file: bytes | None
    diagnostic: bytes | None
    code: bytes | None
    alias: bytes | None

    @property
    def key(self) -> bytes:
        """Return a digest of where the row comes from: equal for the rows of one compilation."""
        name = b"%r\0%r" % (self.origin, self.source_file)
        return hashlib.blake2b(name, digest_size=12).digest()


def read_parquet(source: BinaryIO, name: str | None, grouper: Grouper, report: Report) -> Iterator[CompilerErrors]:
    """Yield a record for each source file, as soon as its last row was read.

    The names are read twice: first to count the rows of each file, so that a file whose rows lie apart still makes
    one record. A span gets the lines around it where there is a column ``rust_code``. The file's name goes into the
    program's id as a hash only, because names tell the answer.
    Raises ``InputError`` if this is no Parquet, or if a column is missing.
    """
    table = _opened(source, name or "input")
    left = _rows_of_each(table, name or "input")
    number = 0
    try:
        for row in _rows(table, (*COLUMNS, *_optional(table))):
            number = row.number
            key = Key(program=content_id(_text(row.origin), _text(row.source_file)))
            yield from _add(row, key, grouper, report)
            left[row.key] -= 1
            if left[row.key] == 0:
                yield from grouper.finish(key)
    except PROBLEMS as error:
        report.reject(number + 1, f"reading stopped here: {error}")
    yield from grouper.flush()


def _add(row: _Row, key: Key, grouper: Grouper, report: Report) -> list[CompilerErrors]:
    if row.diagnostic is None or row.source_file is None:
        report.reject(row.number, "diagnostic and source_file must not be null")
        return []
    try:
        message = parse_object(row.diagnostic, complete=True)
        return add_rustc(message, key, grouper, row.number, partial(_surrounded, row))
    except ValueError as error:
        report.reject(row.number, str(error))
        return []


def _surrounded(row: _Row, diagnostic: Diagnostic) -> Diagnostic:
    source = _source_lines(row.code)
    return with_surroundings(diagnostic, _text(row.alias), source) if source else diagnostic


@lru_cache(maxsize=1)  # the rows of one file follow each other
def _source_lines(code: bytes | None) -> list[str]:
    return (_text(code) or "").split("\n")


def _opened(source: BinaryIO, name: str) -> Any:
    try:
        table = pq.ParquetFile(_seekable(source, name), buffer_size=READ_BYTES, pre_buffer=False)
        types = dict(zip(table.schema_arrow.names, table.schema_arrow.types, strict=True))
    except PROBLEMS as error:
        raise InputError(f"{name}: not readable as Parquet: {error}") from None
    wanted = f"needed are {', '.join(COLUMNS)} (text)"
    if missing := [column for column in COLUMNS if column not in types]:
        raise InputError(f"{name}: no column {', '.join(missing)}; {wanted}, there are {', '.join(types)}")
    if wrong := [f"{column} ({types[column]})" for column in COLUMNS if not _is_text(types[column])]:
        raise InputError(f"{name}: wrong type of {', '.join(wrong)}; {wanted}")
    return table


def _is_text(kind: Any) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(plain) for check in checks)


def _optional(table: Any) -> list[str]:
    types = dict(zip(table.schema_arrow.names, table.schema_arrow.types, strict=True))
    return [column for column in OPTIONAL if column in types and _is_text(types[column])]


def _seekable(source: BinaryIO, name: str) -> BinaryIO:
    if source.seekable():
        source.seek(0)
        return source
    spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed when the reader is dropped
    while piece := source.read(READ_BYTES):
        spool.write(piece)
        if spool.tell() > MAX_SPOOLED_BYTES:
            raise InputError(f"{name}: more than {MAX_SPOOLED_BYTES} bytes of Parquet on a pipe; give the file's path")
    spool.seek(0)
    return spool


def _rows_of_each(table: Any, name: str) -> Counter[bytes]:
    counts: Counter[bytes] = Counter()
    try:
        for row in _rows(table, COLUMNS[:2]):
            counts[row.key] += 1
            if len(counts) > MAX_FILES:
                break
    except PROBLEMS as error:
        raise InputError(f"{name}: not readable as Parquet: {error}") from None
    if len(counts) > MAX_FILES:
        raise InputError(f"{name}: more than {MAX_FILES} source files; split the Parquet file")
    return counts


def _rows(table: Any, columns: tuple[str, ...]) -> Iterator[_Row]:
    number = 0
    for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
        nothing = [None] * batch.num_rows
        values = [
            batch.column(name).cast(pa.binary()).to_pylist() if name in columns else nothing
            for name in (*COLUMNS, *OPTIONAL)
        ]
        for row in zip(*values, strict=True):
            number += 1
            yield _Row(number, *row)


def _text(name: bytes | None) -> str | None:
    return None if name is None else name.decode("utf-8", "backslashreplace")
