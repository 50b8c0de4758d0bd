"""Programs to be transpiled: one file, all ``.py`` files of a folder, or the rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from producers.transpile.pipeline import MAX_SOURCE_BYTES, program_id

SOURCE_COLUMNS = ("source", "python_code")
NAME_COLUMNS = ("program_id", "id")
MARK_COLUMNS, MAX_MARK_CHARS = ("level", "strategy"), 100
BATCH_ROWS = 256
ALLOWED = "give a .py file, a folder of them, or Parquet with a column source or python_code"


class InputsError(ValueError):
    """An input that is none; the message says what and what is allowed."""


@dataclass(frozen=True)
class Source:
    """A program as it was found; ``name`` is its id, or its path in the folder.

    ``level`` and ``strategy`` are what a generated one was made by, where its corpus says so.
    """

    name: str
    text: str
    level: str | None = None
    strategy: str | None = None


@dataclass
class Inputs:
    """Programs, read one by one; ``refused`` names those that cannot be taken, and why."""

    path: Path
    count: int
    refused: list[tuple[str, str]]

    def __iter__(self) -> Iterator[Source]:
        """Yield the programs in a fixed order."""
        yield from _rows(self) if self.path.suffix == ".parquet" else _files(self)


def open_inputs(path: Path) -> Inputs:
    """Return the programs in ``path``; raises ``InputsError`` for what holds none."""
    if path.suffix == ".parquet" and path.is_file():
        return Inputs(path, _opened(path).metadata.num_rows, [])
    if path.is_file() and path.suffix != ".py":
        raise InputsError(f"{path}: neither Python nor Parquet; {ALLOWED}")
    if not path.exists():
        raise InputsError(f"{path}: not there; {ALLOWED}")
    count = len(_paths(path))
    if not count:
        raise InputsError(f"{path}: no .py file in it; {ALLOWED}")
    return Inputs(path, count, [])


def _paths(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(one for one in path.rglob("*.py") if one.is_file())


def _files(inputs: Inputs) -> Iterator[Source]:
    for path in _paths(inputs.path):
        name = path.name if inputs.path.is_file() else path.relative_to(inputs.path).as_posix()
        try:
            with path.open("rb") as file:
                content = file.read(MAX_SOURCE_BYTES + 1)
            yield from _taken(inputs, name, content.decode("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            inputs.refused.append((name, f"not readable as UTF-8: {error}"))


def _rows(inputs: Inputs) -> Iterator[Source]:
    table = _opened(inputs.path)
    names = table.schema_arrow.names
    source = next(name for name in SOURCE_COLUMNS if name in names)
    label = next((name for name in NAME_COLUMNS if name in names), None)
    marks = [name for name in MARK_COLUMNS if name in names]
    columns = [source, *([label] if label else []), *marks]
    try:
        for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            for row in batch.select(columns).to_pylist():
                if row[source] is not None:
                    name = str(row[label]) if label else program_id(row[source])
                    yield from _taken(inputs, name, row[source], *(_mark(row.get(mark)) for mark in MARK_COLUMNS))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputsError(f"{inputs.path}: reading stopped: {error}") from None


def _mark(value: object) -> str | None:
    return value[:MAX_MARK_CHARS] if isinstance(value, str) else None


def _taken(
    inputs: Inputs, name: str, text: str, level: str | None = None, strategy: str | None = None
) -> Iterator[Source]:
    if len(text) > MAX_SOURCE_BYTES:
        inputs.refused.append((name, f"more than {MAX_SOURCE_BYTES} bytes"))
    else:
        yield Source(name, text, level, strategy)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(path, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputsError(f"{path}: not readable as Parquet: {error}; {ALLOWED}") from None
    types = dict(zip(table.schema_arrow.names, table.schema_arrow.types, strict=True))
    found = next((name for name in SOURCE_COLUMNS if name in types), None)
    if found is None:
        raise InputsError(f"{path}: columns {', '.join(types)}; {ALLOWED}")
    if not (pa.types.is_string(types[found]) or pa.types.is_large_string(types[found])):
        raise InputsError(f"{path}: column {found} is {types[found]}, not text; {ALLOWED}")
    return table
