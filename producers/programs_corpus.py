"""A corpus of programs in Parquet: written as a stream, with schema version and provenance, validated on read."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA_VERSION: Final = 1
VERSION_KEY, PROVENANCE_KEY, STATISTICS_KEY = b"jidoka.programs.version", b"jidoka.provenance", b"jidoka.statistics"
MAX_SOURCE_CHARS: Final = 1 << 20
MAX_ENTRIES, MAX_NAME_CHARS = 64, 256
MAX_METADATA_BYTES: Final = 1 << 20
READ_ROWS: Final = 1_024

_PARAMETER: Final = pa.struct(
    [pa.field("name", pa.string(), nullable=False), pa.field("type", pa.string(), nullable=False)]
)
_ENTRY: Final = pa.struct(
    [
        pa.field("function", pa.string(), nullable=False),
        pa.field("parameters", pa.list_(_PARAMETER), nullable=False),
        pa.field("returns", pa.string(), nullable=False),
        pa.field("raises", pa.list_(pa.string()), nullable=False),
    ]
)
SCHEMA: Final = pa.schema(
    [
        pa.field("program_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("strategy", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("fingerprint", pa.int64(), nullable=False),
        pa.field("entry_points", pa.list_(_ENTRY), nullable=False),
    ]
)


class CorpusError(ValueError):
    """A file that is no corpus of programs as this reader knows them; the message says what is wrong and where."""


class Parameter(NamedTuple):
    """A parameter of an entry point and its annotation."""

    name: str
    type: str


class EntryPoint(NamedTuple):
    """A function that can be called from outside, with the exceptions that it may raise by its documentation."""

    function: str
    parameters: tuple[Parameter, ...]
    returns: str
    raises: tuple[str, ...] = ()


class ProgramRow(NamedTuple):
    """One program of a corpus; ``fingerprint`` is shared by near-duplicates."""

    program_id: str
    source: str
    strategy: str
    level: str
    seed: int
    fingerprint: int
    entry_points: tuple[EntryPoint, ...]


def program_id(source: str) -> str:
    """Return a program's id: a hash of its text, as everything on the line that has only the text computes it."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Writer:
    """Takes batches of programs; holds none of them."""

    def __init__(self, file: pq.ParquetWriter) -> None:
        self._file = file
        self.written = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch as a row group of its own."""
        if batch.num_rows:
            self._file.write_batch(batch, row_group_size=max(1, batch.num_rows))
            self.written += batch.num_rows

    def describe(self, statistics: Mapping[str, Any]) -> None:
        """Put what is known of the whole into the file."""
        self._file.add_key_value_metadata({STATISTICS_KEY: orjson.dumps(statistics, option=orjson.OPT_SORT_KEYS)})


@contextmanager
def writing(path: Path, provenance: Mapping[str, Any]) -> Iterator[Writer]:
    """Write a corpus: under another name beside ``path`` first, which it gets when all went well; else it is removed.

    Raises ``OSError`` where the folder cannot be written.
    """
    metadata = {VERSION_KEY: str(SCHEMA_VERSION).encode()}
    metadata[PROVENANCE_KEY] = orjson.dumps(provenance, option=orjson.OPT_SORT_KEYS)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        with pq.ParquetWriter(part, SCHEMA.with_metadata(metadata), compression="zstd") as file:
            yield Writer(file)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


class Corpus:
    """A corpus that was opened: its provenance and statistics, and the rows, read and checked one group at a time."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; raises ``CorpusError`` for anything but a corpus of a version that this reader knows."""
        self.path = path
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False)
        except (OSError, pa.ArrowException) as error:
            raise CorpusError(f"{path}: not readable as Parquet: {error}") from None
        schema = self._file.schema_arrow
        metadata = schema.metadata or {}
        self.provenance = _checked_schema(path, schema, metadata)
        self.statistics = _json(path, {**metadata, **(self._file.metadata.metadata or {})}, STATISTICS_KEY)
        self.rows: int = self._file.metadata.num_rows

    def __iter__(self) -> Iterator[ProgramRow]:
        """Yield the programs; raises ``CorpusError`` with the number of the row that breaks a rule."""
        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=READ_ROWS, columns=SCHEMA.names):
                for row in batch.to_pylist():
                    number += 1
                    yield _checked(row, f"{self.path}, row {number}")
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{self.path}, after row {number}: {error}") from None


def _checked_schema(path: Path, schema: pa.Schema, metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    version = metadata.get(VERSION_KEY, b"")
    if not version.isdigit() or not 1 <= int(version[:9]) <= SCHEMA_VERSION:
        shown = version[:20].decode("ascii", "replace") or "none"
        raise CorpusError(
            f"{path}: version {shown} of a corpus of programs; this reader knows 1 to {SCHEMA_VERSION}: make it anew "
            "with `jidoka generate`, or upgrade jidoka"
        )
    for field in SCHEMA:
        place = schema.get_field_index(field.name)
        if place < 0 or not schema.field(place).type.equals(field.type):
            there = "missing" if place < 0 else f"of type {schema.field(place).type}"
            raise CorpusError(f"{path}: column {field.name} is {there}; it has to be {field.type}")
    return _json(path, metadata, PROVENANCE_KEY)


def _json(path: Path, metadata: Mapping[bytes, bytes], key: bytes) -> dict[str, Any]:
    raw = metadata.get(key, b"{}")
    try:
        found = orjson.loads(raw) if len(raw) <= MAX_METADATA_BYTES else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise CorpusError(f"{path}: {key.decode()} in the file's metadata is no JSON object")
    return found


def _checked(row: dict[str, Any], place: str) -> ProgramRow:
    source = row["source"]
    if any(value is None for value in row.values()):
        raise CorpusError(f"{place}: {next(name for name, value in row.items() if value is None)} is null")
    if len(source) > MAX_SOURCE_CHARS:
        raise CorpusError(f"{place}: a source of {len(source)} characters; at most {MAX_SOURCE_CHARS}")
    if row["program_id"] != program_id(source):
        raise CorpusError(f"{place}: program_id {row['program_id'][:40]!r} is not that of its source")
    entries = tuple(_entry(one, place) for one in row["entry_points"])
    if len(entries) > MAX_ENTRIES:
        raise CorpusError(f"{place}: {len(entries)} entry points; at most {MAX_ENTRIES}")
    return ProgramRow(**(row | {"entry_points": entries}))


def _entry(one: Any, place: str) -> EntryPoint:
    try:
        parameters = tuple(Parameter(each["name"], each["type"]) for each in one["parameters"])
        found = EntryPoint(one["function"], parameters, one["returns"], tuple(one["raises"]))
        names = [found.function, *(each.name for each in parameters)]
        fits = all(name.isidentifier() and len(name) <= MAX_NAME_CHARS for name in names)
    except (TypeError, AttributeError, KeyError):
        fits = False
    if not fits:
        raise CorpusError(f"{place}: an entry point without names and types that are whole")
    return found
