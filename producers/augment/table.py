"""Augmented programs in Parquet: originals and variants, a program a row, with schema version and provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from producers.augment.run import Variant
from producers.transpile.pipeline import program_id

SCHEMA_VERSION = "1"
VERSION_KEY, PROVENANCE_KEY = b"jidoka.augment.schema_version", b"jidoka.provenance"
GROUP_ROWS = 4_096
ORIGINAL = "original"  # in place of an augmenter's name
SCHEMA = pa.schema(
    [
        pa.field("program_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("augmenter", pa.string(), nullable=False),
        pa.field("original_id", pa.string()),
        pa.field("quality", pa.float32()),
        pa.field("similarity", pa.float32()),
    ]
)


class Writer:
    """Takes programs; keeps at most a row group of them."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._rows: list[dict[str, Any]] = []

    def original(self, source: str) -> None:
        """Add a program as it was."""
        self._add({"program_id": program_id(source), "source": source, "augmenter": ORIGINAL})

    def variant(self, variant: Variant) -> None:
        """Add one made from another."""
        ids = {"program_id": program_id(variant.source), "original_id": program_id(variant.original)}
        scores = {"quality": variant.quality, "similarity": variant.similarity}
        self._add(ids | scores | {"source": variant.source, "augmenter": variant.augmenter})

    def _add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._file.schema))
            self._rows = []


class Withheld(Exception):  # noqa: N818 - not an error: what was made is not good enough
    """Raised inside ``writing`` so that nothing appears."""


@contextmanager
def writing(path: Path, provenance: Mapping[str, Any]) -> Iterator[Writer]:
    """Open ``path`` for programs; it appears when all are written, and not at all when that fails."""
    schema = SCHEMA.with_metadata(
        {VERSION_KEY: SCHEMA_VERSION.encode(), PROVENANCE_KEY: orjson.dumps(dict(provenance))}
    )
    partial = path.with_name(f".{path.name}.part")
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as file:
            writer = Writer(file)
            yield writer
            writer.flush()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
