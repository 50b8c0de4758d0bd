"""Files of the archive: written so that each is whole or not there, checked before their rows are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.archive.pieces import Chain, Link, Piece, chain
from models.archive.tables import SCHEMA_VERSION, Row, Table

BATCH_ROWS = 4_096
MAX_FILE_BYTES = 4 << 30  # uncompressed: a small file must not unpack to more than disk and memory hold
MAX_ROW_GROUP_BYTES = 1 << 30
_PROBLEMS = (pa.ArrowException, OSError, MemoryError, ValueError)


class ArchiveError(ValueError):
    """A file or folder that is no archive, or of a newer version; the text says which and what to do."""


def partition_folder(archive: Path, table: Table[Any], partition: int) -> Path:
    """Return the folder of one partition of a table: ``failures/partition=3`` as readers of Parquet know it."""
    return archive / table.name / f"partition={partition}"


def partitions(archive: Path, table: Table[Any]) -> list[int]:
    """Return the partitions of which there is anything."""
    numbers = (path.name.removeprefix("partition=") for path in (archive / table.name).glob("partition=*"))
    return sorted(int(one) for one in numbers if one.isdecimal() and len(one) < 10)


def chain_of(folder: Path) -> Chain:
    """Return the chain of a partition's files; an empty one where there is no folder."""
    return chain(path.name for path in folder.iterdir()) if folder.is_dir() else chain([])


def write_piece(folder: Path, table: Table[Any], piece: Piece, rows: Sequence[Row], metadata: dict[str, str]) -> Path:
    """Write the rows of a range of offsets; the file is there whole, on the disk, or not at all. Raises ``OSError``.

    A file of that range that is there already is replaced by one of the same rows.
    """
    schema = table.schema(metadata | {"jidoka.start": str(piece.start), "jidoka.end": str(piece.end)})
    return _put(folder, piece, pa.Table.from_pylist(list(rows), schema=schema))


def compact(folder: Path, table: Table[Any]) -> tuple[int, int]:
    """Put a partition's files together, up to gaps, and remove what was replaced; return files before and after.

    Killed at any point it has lost and doubled nothing: what it replaced is left over until the next time.
    """
    found = chain_of(folder)
    before = len(found.links) + len(found.left_over)
    kept: list[Piece] = []
    for run in _runs(found.links):
        piece = Piece(run[0].piece.start, run[-1].piece.end)
        if len(run) > 1:
            parts = [_rows_from(folder / one.piece.name, table, one) for one in run]
            schema = table.schema({"jidoka.start": str(piece.start), "jidoka.end": str(piece.end)})
            _put(folder, piece, pa.concat_tables([one.cast(schema) for one in parts]))
        kept.append(piece)
    for name in {one.name for one in found.left_over} | {one.piece.name for one in found.links}:
        if name not in {one.name for one in kept}:
            (folder / name).unlink(missing_ok=True)
    return before, len(kept)


def read_rows(archive: Path, table: Table[Any], partition: int) -> Iterator[Row]:
    """Yield the rows of one partition in the order of offsets, each offset once; raises ``ArchiveError``."""
    folder = partition_folder(archive, table, partition)
    for link in chain_of(folder).links:
        file = folder / link.piece.name
        try:
            parquet = open_checked(file, table)
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                yield from (row for row in batch.to_pylist() if row["offset"] >= link.begin)
        except ArchiveError:
            raise
        except _PROBLEMS as error:
            raise ArchiveError(f"{file}: not readable as Parquet: {error}") from None


def open_checked(file: Path, table: Table[Any]) -> Any:
    """Return an open Parquet file of the table after a look at its schema and sizes; raises ``ArchiveError``."""
    try:
        parquet = pq.ParquetFile(file, pre_buffer=False)
    except _PROBLEMS as error:
        raise ArchiveError(f"{file}: not readable as Parquet: {error}") from None
    version = (parquet.schema_arrow.metadata or {}).get(b"jidoka.schema_version", b"")
    if not version.isdigit() or not 1 <= int(version) <= SCHEMA_VERSION:
        said = version[:20].decode("utf-8", "replace") or "none"
        raise ArchiveError(f"{file}: schema version {said}; this jidoka reads 1 to {SCHEMA_VERSION}: upgrade it")
    there = {one.name: one.type for one in parquet.schema_arrow}
    if wrong := [one.name for one in table.schema() if there.get(one.name) != one.type]:
        raise ArchiveError(f"{file}: no table {table.name}: columns {', '.join(wrong)} are missing or of another type")
    sizes = [parquet.metadata.row_group(number).total_byte_size for number in range(parquet.num_row_groups)]
    if max(sizes, default=0) > MAX_ROW_GROUP_BYTES or sum(sizes) > MAX_FILE_BYTES:
        raise ArchiveError(f"{file}: unpacks to {sum(sizes):,} bytes; at most {MAX_FILE_BYTES:,} are read")
    return parquet


def _rows_from(file: Path, table: Table[Any], link: Link) -> Any:
    found = open_checked(file, table).read([one.name for one in table.schema()])
    return found.filter(pa.compute.greater_equal(found["offset"], link.begin))


def _runs(links: Sequence[Link]) -> Iterator[list[Link]]:
    run: list[Link] = []
    for link in links:
        if run and link.begin > run[-1].piece.end:
            yield run
            run = []
        run.append(link)
    if run:
        yield run


def _put(folder: Path, piece: Piece, table: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / piece.name
    partial = folder / f".{piece.name}.{os.getpid()}"
    try:
        with partial.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)  # the name, too: the offset that is committed next says that the file is there
    finally:
        os.close(opened)
    return target
