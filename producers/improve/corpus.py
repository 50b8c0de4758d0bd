"""The corpus that grows with a run: an error a row, with the fix that made it go away, as JSON lines and as Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from models.diagnostics import Diagnostic
from models.records import Prediction
from producers.fix.loop import Applied
from producers.oip.sanitise import clean, relative

SCHEMA_VERSION = 1
COLUMNS = (
    *((name, pa.string()) for name in ("file", "rust_file", "error", "error_code")),
    ("line", pa.int64()),
    *((name, pa.string()) for name in ("suggestion", "source", "pattern", "category", "category_source")),
    ("confidence", pa.float64()),
    ("fixed", pa.bool_()),
    *((name, pa.string()) for name in ("transpiler", "rustc", "timestamp")),
)
MAX_SUGGESTION = 4_000  # characters
Row = dict[str, Any]


def rows_of(
    name: str, diagnostics: Sequence[Diagnostic], said: Prediction | None, about: Mapping[str, str]
) -> list[Row]:
    """Return a row for each error of a program as it was transpiled; ``about`` says by what, and when.

    A suggestion is the compiler's own at first, from a ``source`` that says so; ``with_fixes`` puts what worked there.
    """
    answers = {one.index: one for one in said.classifications} if said is not None else {}
    rows = []
    for index, one in enumerate(diagnostics):
        if one.level != "error":
            continue
        answer, own = answers.get(index), next(iter(one.suggestions), None)
        rows.append(
            {
                "file": relative(name),
                "rust_file": relative(str(Path(name).with_suffix(".rs"))),
                "error": clean(one.message),
                "error_code": one.code,
                "line": one.primary.line_start if one.primary else 0,
                "suggestion": clean(own.replacement)[:MAX_SUGGESTION] if own else None,
                "source": f"rustc, {own.applicability}" if own else None,
                "pattern": None,
                "category": answer and (answer.subcategory or answer.category),
                "category_source": answer and answer.source,
                "confidence": answer and answer.confidence,
                "fixed": False,
                **about,
            }
        )
    return rows


def with_fixes(rows: Sequence[Row], name: str, applied: Sequence[Applied]) -> None:
    """Put what was verified into the rows of a program: of each error that a kept fix was for, its edits."""
    mine = [row for row in rows if row["file"] == relative(name) and not row["fixed"]]
    for one in applied:
        edits = [edit.replacement.strip() for edit in one.candidate.edits]
        shown = clean("\n".join(edit for edit in edits if edit))[:MAX_SUGGESTION]
        for error in one.candidate.errors:
            row = next((row for row in mine if _is(row, error.code, clean(error.message))), None)
            if row is not None:
                row.update(suggestion=shown, source="verified by rustc", pattern=one.candidate.pattern, fixed=True)
                mine.remove(row)


def _is(row: Row, code: str, message: str) -> bool:
    return (row["error_code"] or "") == code and row["error"] == message


def export(folder: Path, rows: Sequence[Row], now: datetime) -> list[Path]:
    """Write the corpus with the time in its name, as JSON lines and as Parquet; return both paths.

    Raises ``OSError``.
    """
    stem = f"corpus-{now:%Y%m%dT%H%M%S}"
    lines, table = folder / f"{stem}.jsonl", folder / f"{stem}.parquet"
    schema = pa.schema(list(COLUMNS), {"jidoka.improve.schema_version": str(SCHEMA_VERSION)})
    for path in (lines, table):
        partial = path.with_name(f".{path.name}.part")
        if path is lines:
            partial.write_bytes(b"".join(_lines(rows)))
        else:
            pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), partial, compression="zstd")
        partial.replace(path)
    return [lines, table]


def _lines(rows: Sequence[Row]) -> Iterator[bytes]:
    for row in rows:
        yield orjson.dumps(row) + b"\n"
