"""Parquet files of commits: written whole or not at all, checked before a model sees a number of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.commits.evaluation import NEEDED, History
from models.commits.features import INPUTS, NUMBERS, TEXT

MAX_COMMITS = 2_000_000
OPTIONAL = ("days_to_first_fix", "bug_inducing_at_split")


class CommitsError(ValueError):
    """A file that holds no commits; the message says what is missing."""


def write_commits(table: pa.Table, path: Path) -> None:
    """Write commits; the file is there whole or not at all. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        pq.write_table(table, part, compression="zstd")
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def read_columns(path: Path, wanted: Iterable[str], optional: Iterable[str] = ()) -> pa.Table:
    """Return columns of a file of commits; raises ``CommitsError`` where one is missing or the file is none."""
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        there = set(file.schema_arrow.names)
        if missing := sorted(set(wanted) - there):
            raise CommitsError(f"{path}: lacks the columns {', '.join(missing)}; `jidoka commits analyze` writes them")
        if file.metadata.num_rows > MAX_COMMITS:
            raise CommitsError(f"{path}: {file.metadata.num_rows:,} rows; at most {MAX_COMMITS:,}")
        return file.read(columns=[*dict.fromkeys([*wanted, *(name for name in optional if name in there)])])
    except (OSError, pa.ArrowException) as error:
        raise CommitsError(f"{path}: not readable as Parquet: {error}") from None


def read_labelled(path: Path) -> History:
    """Return a history with labels from a file of the shape that ``commits analyze`` writes."""
    table = read_columns(path, dict.fromkeys((*INPUTS, *NEEDED)), OPTIONAL)
    if not table.num_rows:
        raise CommitsError(f"{path}: no commits")
    return History.of(columns(table, path))


def columns(table: pa.Table, where: object = "the table") -> dict[str, Any]:
    """Return a table's columns as arrays; missing numbers are NaN. Raises ``CommitsError`` for one of a wrong type."""
    found: dict[str, Any] = {}
    for name in table.column_names:
        values = table.column(name).combine_chunks()
        try:
            if name in {TEXT, "repo"}:
                found[name] = np.asarray([str(one) if one is not None else "" for one in values.to_pylist()], object)
            elif name in NUMBERS or name in {*NEEDED, *OPTIONAL}:
                found[name] = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise CommitsError(f"{where}: column {name} holds {table.schema.field(name).type}: {error}") from None
    for name in NEEDED[1:]:
        if name in found and np.isnan(found[name]).any():
            raise CommitsError(f"{where}: column {name} has empty cells; every commit needs one")
    return found
