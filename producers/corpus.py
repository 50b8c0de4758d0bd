"""Corpora for replays: recorded failures and programs, with where each comes from kept beside them, never in them.

A group's names (files, directories, origins) tell the answer: they part examples into learned and scored, and that is
all. They come from the columns ``origin``, ``sub_origin``, ``project`` and ``source_file`` (or ``pair_origin`` and
``file``) of Parquet; other inputs have no groups but the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from models.evaluation.splits import Entry, Group
from models.records import CompilerErrors, content_id
from producers.ci import InputError, Report, open_input, read
from producers.ci.formats import PARQUET_MAGIC
from producers.ci.parquet import PROBLEMS

PLACES = ("origin", "source_file", "sub_origin", "project")  # the last two where there are such columns
PROGRAMS = ("python_code", "compiles", "first_error_code", "pair_origin", "project", "file")
BATCH_ROWS = 256


class Program(NamedTuple):
    """A row of a file of programs: the source, and what became of it."""

    source: str
    compiles: bool
    first_error_code: str | None


def read_failures(path: Path, source: int, time: datetime, report: Report) -> Iterator[Entry[CompilerErrors]]:
    """Yield the failed builds of a file, whatever its format, each with its group; ``source`` is the file's number.

    Raises ``InputError`` as ``producers.ci.read`` does.
    """
    groups = _groups(path, source) if _is_parquet(path) else {}
    with open_input(path) as opened:
        for record in read(opened, name=str(path), project="replay", time=time, report=report):
            alone = Group(source=source, file=record.program_id or record.id)
            group = groups.get(record.program_id or "", alone)
            yield Entry(record, len(record.diagnostics), group)


def read_programs(path: Path, source: int) -> Iterator[Entry[Program]]:
    """Yield the programs of a Parquet file whose source and verdict are known, each with its group.

    Raises ``InputError`` that names the missing columns.
    """
    rows = list(_columns(path, PROGRAMS, PROGRAMS))
    folders = _folders(row["file"] for row in rows)
    for row in rows:
        if row["python_code"] is None or row["compiles"] is None:
            continue
        program = Program(row["python_code"], bool(row["compiles"]), row["first_error_code"])
        place = _place(row["file"], folders)
        group = Group(source, row["pair_origin"], None, row["project"], *place)
        yield Entry(program, 1, group)


def _groups(path: Path, source: int) -> dict[str, Group]:
    """Return the group of each compilation in a Parquet file of diagnostics, by the id that its record gets."""
    rows = {tuple(row.values()): row for row in _columns(path, PLACES, PLACES[:2]) if row["source_file"] is not None}
    inner = {key: _without(row["sub_origin"], row["source_file"]) for key, row in rows.items()}
    folders = _folders(inner.values())
    return {
        content_id(row["origin"], row["source_file"]): Group(
            source, row["origin"], row["sub_origin"], row["project"], *_place(inner[key], folders)
        )
        for key, row in rows.items()
    }


def _without(part: str | None, name: str) -> str:
    return name.removeprefix(f"{part}/") if part else name


def _folders(names: Iterable[str]) -> dict[str, str]:
    """Return the folder of each file that has one of its own, by the file's stem.

    The same program may lie in a folder of its own, and flat under the same name where another tool's output was kept.
    """
    deep = [PurePosixPath(name) for name in sorted(names) if name.count("/") >= 2]
    return {path.stem: str(path.parent) for path in reversed(deep)}


def _place(name: str, folders: Mapping[str, str]) -> tuple[str, str]:
    """Return directory and file: up to three folders, as in ``tests/ui/borrowck``, and the path without suffix.

    A file that has no folder of its own is a directory of its own, or belongs where a file of its stem has one.
    """
    path = PurePosixPath(name)
    folder = str(path.parent) if name.count("/") >= 2 else folders.get(path.stem, "")
    if not folder:
        return path.stem, path.stem
    return "/".join(PurePosixPath(folder).parts[:3]), f"{folder}/{path.stem}"


def _is_parquet(path: Path) -> bool:
    """Return whether this is a file of Parquet; a pipe is not looked into, because what was read would be lost."""
    if not path.is_file():
        return False
    with open_input(path) as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _columns(path: Path, wanted: tuple[str, ...], needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file with the wanted columns, nothing where one is missing that is not needed."""
    with open_input(path) as file:
        try:
            yield from _rows(pq.ParquetFile(file, pre_buffer=False), wanted, needed)
        except _MissingError as error:
            raise InputError(f"{path}: {error}") from None
        except PROBLEMS as error:
            raise InputError(f"{path}: not readable as Parquet: {error}") from None


class _MissingError(Exception):
    """A column that is needed is not there."""


def _rows(table: Any, wanted: tuple[str, ...], needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    names = table.schema_arrow.names
    if missing := [name for name in needed if name not in names]:
        raise _MissingError(f"no column {', '.join(missing)}; needed are {', '.join(needed)}, there are {names}")
    there = [name for name in wanted if name in names]
    for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=there):
        columns = {name: _values(batch.column(name)) for name in there}
        for row in zip(*columns.values(), strict=True):
            yield dict.fromkeys(wanted) | dict(zip(there, row, strict=True))


def _values(column: Any) -> list[Any]:
    """Return text as ``producers.ci.parquet`` reads it, whatever its bytes, and truth values as they are."""
    if pa.types.is_boolean(column.type):
        return list(column.to_pylist())
    raw = column.cast(pa.binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "backslashreplace") for value in raw]
