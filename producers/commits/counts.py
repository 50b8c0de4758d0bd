"""How many defects of each category a Parquet file holds, and how many in its older and newer half: what ranks them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LABELS = ("fix_category", "category", "label")  # columns of commits, of diagnostics, of archives
TIMES = ("commit_time", "timestamp", "time")
MAX_ROWS = 50_000_000


class CountsError(ValueError):
    """A file without categories; the message says which columns would do."""


class Counts(NamedTuple):
    """Counts by label; ``older`` and ``newer`` are empty where the file tells no time."""

    all: dict[str, int]
    older: dict[str, int]
    newer: dict[str, int]


def count_categories(path: Path) -> Counts:
    """Return the counts of a file's first column of ``LABELS``; raises ``CountsError``."""
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        names = file.schema_arrow.names
        label = next((name for name in LABELS if name in names), None)
        if label is None:
            raise CountsError(f"{path}: has none of the columns {', '.join(LABELS)}")
        if file.metadata.num_rows > MAX_ROWS:
            raise CountsError(f"{path}: {file.metadata.num_rows:,} rows; at most {MAX_ROWS:,}")
        time = next((name for name in TIMES if name in names), None)
        table = file.read(columns=[label, *([time] if time else [])])
        table = table.filter(pc.is_valid(table.column(label)))
        if time is None or not table.num_rows:
            return Counts(_counted(table.column(label)), {}, {})
        order = pc.sort_indices(table.column(time))
        labels = table.column(label).take(order)
    except (OSError, pa.ArrowException) as error:
        raise CountsError(f"{path}: not readable as Parquet: {error}") from None
    half = len(labels) // 2
    return Counts(_counted(labels), _counted(labels.slice(0, half)), _counted(labels.slice(half)))


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    return dict(Counter(str(one) for one in column.to_pylist()))
