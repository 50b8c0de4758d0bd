"""Tab-separated tables that ship with the package: read, checked, and blamed by file and line when they are wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources


class TableError(ValueError):
    """A table that breaks its rules; the message names file, line, column, what stands there and what is allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, and where it stands."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        return self.cells[column] or self._refuse(column, "not empty")

    def one_of(self, column: str, allowed: Collection[str]) -> str:
        """Return a cell that must be one of the allowed names."""
        value = self.cells[column]
        return value if value in allowed else self._refuse(column, f"one of {', '.join(allowed)}")

    def number(self, column: str, most: float) -> float:
        """Return a cell that must be a number above 0 and at most ``most``."""
        try:
            value = float(self.cells[column])
        except ValueError:
            value = 0.0
        if not 0.0 < value <= most:
            self._refuse(column, f"a number above 0 and at most {most:g}")
        return value

    def pattern(self, column: str) -> re.Pattern[str]:
        """Return a cell that must be a regular expression, compiled."""
        try:
            return re.compile(self.text(column))
        except re.error as error:
            raise self._error(column, f"a regular expression ({error})") from None

    def _refuse(self, column: str, allowed: str) -> str:
        raise self._error(column, allowed)

    def _error(self, column: str, allowed: str) -> TableError:
        value = self.cells.get(column, "")
        return TableError(f"{self.file}, line {self.line}: {column} is {value!r}; it must be {allowed}")


def read_table(name: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of ``models/data/<name>``; raises ``TableError`` at the first one that breaks the form."""
    text = resources.files("models").joinpath("data", name).read_text(encoding="utf-8")
    return parse_table(f"models/data/{name}", text.splitlines(), columns)


def parse_table(file: str, lines: Iterable[str], columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of a table whose first line names the columns.

    Empty lines and lines that begin with ``#`` are skipped. The first column is the key: it stands once.
    """
    rows = _split(file, lines, columns)
    header = next(rows, None)
    if header is None or tuple(header.cells.values()) != columns:
        raise TableError(f"{file}, line {header.line if header else 1}: must name the columns {', '.join(columns)}")
    seen: dict[str, int] = {}
    for row in rows:
        key = row.text(columns[0])
        if key in seen:
            raise TableError(f"{file}, line {row.line}: {key!r} stands in line {seen[key]} already; keep one of them")
        seen[key] = row.line
        yield row


def _split(file: str, lines: Iterable[str], columns: tuple[str, ...]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise TableError(
                f"{file}, line {number}: {len(cells)} cells; a row has {len(columns)}, "
                f"separated by tabs: {', '.join(columns)}"
            )
        yield Row(file, number, dict(zip(columns, cells, strict=True)))
