"""Results in Parquet: a program a row, written as a stream, with schema version and provenance in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from producers.transpile.pipeline import Result

SCHEMA_VERSION = "1"
VERSION_KEY, PROVENANCE_KEY = b"jidoka.transpile.schema_version", b"jidoka.provenance"
GROUP_ROWS = 500

TEXTS = (
    "program_id", "source", "outcome", "stage", "rust", "cargo_toml", "diagnostics", "message",
    "transpiler", "transpiler_version", "rustc_version",
)  # fmt: skip
FIELDS = (*((name, pa.string()) for name in TEXTS), ("transpile_ms", pa.float32()), ("compile_ms", pa.float32()))


class TableError(ValueError):
    """A file that is not what it should be; the message says what is wrong with it."""


class Writer:
    """Takes results; keeps at most a row group of them."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema
        self._rows: list[dict[str, Any]] = []

    def add(self, result: Result) -> None:
        """Add one result."""
        self._rows.append(_row(result))
        if len(self._rows) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


@contextmanager
def writing(path: Path, provenance: Mapping[str, Any]) -> Iterator[Writer]:
    """Open ``path`` for results; it appears when all are written, and not at all when that fails."""
    schema = pa.schema(
        FIELDS, metadata={VERSION_KEY: SCHEMA_VERSION.encode(), PROVENANCE_KEY: orjson.dumps(dict(provenance))}
    )
    partial = path.with_name(f".{path.name}.part")
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as file:
            writer = Writer(file, schema)
            yield writer
            writer.flush()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_results(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file that ``writing`` made; raises ``TableError`` for any other."""
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        version = (file.schema_arrow.metadata or {}).get(VERSION_KEY, b"none").decode()
        if version != SCHEMA_VERSION:
            raise TableError(f"{path}: schema version {version}; this reader knows {SCHEMA_VERSION}")
        if file.schema_arrow.remove_metadata() != pa.schema(FIELDS):
            raise TableError(f"{path}: columns {file.schema_arrow.names}; expected are {[name for name, _ in FIELDS]}")
        for batch in file.iter_batches(batch_size=GROUP_ROWS):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path}: not readable as Parquet: {error}") from None


def _row(result: Result) -> dict[str, Any]:
    row = {name: getattr(result, name) for name, _ in FIELDS}
    found = [one.model_dump(mode="json", exclude_none=True) for one in result.diagnostics]
    return row | {"diagnostics": orjson.dumps(found).decode()}
