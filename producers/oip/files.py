"""Corpora for OIP as Parquet or JSON lines: written as a stream, checked row by row when they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from producers.oip.row import SCHEMA_VERSION, OipError, Row, Target, arrow_schema, from_document, to_document

FORMATS = ("parquet", "jsonl")
BATCH_ROWS = 4_096
MAX_LINE_BYTES = 1 << 20
MAX_COLUMNS = 200
MAX_ROW_GROUP_BYTES = 1 << 30  # uncompressed: a small file must not unpack to more than memory holds
MAGIC = b"PAR1"
_PROBLEMS = (pa.ArrowException, OSError, MemoryError, ValueError)

Refuse = Callable[[int, str], None]  # the number of a row, counted from 1, and why it was refused


def write_rows(path: Path, rows: Iterable[Row], target: Target, form: str) -> int:
    """Write the rows and return how many; the file appears when it is complete.

    ``form`` is one of ``FORMATS``. Raises ``OSError``, and ``OipError`` for a row that is none.
    """
    with _replacing(path) as partial:
        write = _write_parquet if form == "parquet" else _write_jsonl
        return write(partial, rows, target)


def read_rows(path: Path, refuse: Refuse) -> Iterator[Row]:
    """Yield the rows of a corpus, of either profile and form; ``refuse`` is told of each one that is none.

    Raises ``OipError`` for a file that is no corpus at all, or one of a newer version.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise OipError(f"{path}: {error.strerror or error}") from None
    number = 0
    documents: Iterator[dict[str, Any] | bytes] = _parquet(path) if parquet else _lines(path)
    for number, document in enumerate(documents, 1):
        try:
            yield from_document(orjson.loads(document) if isinstance(document, bytes) else document)
        except (OipError, TypeError, AttributeError, ValueError) as error:
            refuse(number, str(error)[:500])
    if number == 0:
        raise OipError(f"{path}: empty; a corpus has at least one row")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_parquet(path: Path, rows: Iterable[Row], target: Target) -> int:
    schema, count, left = arrow_schema(target), 0, iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := [to_document(row, target) for row in islice(left, BATCH_ROWS)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _write_jsonl(path: Path, rows: Iterable[Row], target: Target) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps({"schema_version": SCHEMA_VERSION} | to_document(row, target)) + b"\n")
            count += 1
    return count


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise OipError(f"{path}: a line of more than {MAX_LINE_BYTES} bytes: this is no corpus in JSON lines")
            if line.strip():
                yield line


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        table = pq.ParquetFile(path, pre_buffer=False)
        _check(path, table)
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            yield from batch.to_pylist()
    except OipError:
        raise
    except _PROBLEMS as error:
        raise OipError(f"{path}: not readable as Parquet: {error}") from None


def _check(path: Path, table: Any) -> None:
    """Raise ``OipError`` for what must not be unpacked: a newer version, too many columns, too large a row group."""
    metadata = table.schema_arrow.metadata or {}
    version = metadata.get(b"jidoka.schema_version", b"1")
    if not version.isdigit() or not 1 <= int(version) <= SCHEMA_VERSION:
        raise OipError(f"{path}: schema version {version!r}; this jidoka reads 1 to {SCHEMA_VERSION}, upgrade it")
    if table.metadata.num_columns > MAX_COLUMNS:
        raise OipError(f"{path}: {table.metadata.num_columns} columns; at most {MAX_COLUMNS}")
    for number in range(table.metadata.num_row_groups):
        size = table.metadata.row_group(number).total_byte_size
        if size > MAX_ROW_GROUP_BYTES:
            raise OipError(f"{path}: row group {number} unpacks to {size:,} bytes; at most {MAX_ROW_GROUP_BYTES:,}")
