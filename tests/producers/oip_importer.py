"""OIP 0.3's importer, written from the rules in its ``src/citl.rs``: what it takes, what it drops, where it stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = frozenset(
    [
        "MemorySafety",
        "ConcurrencyBugs",
        "LogicErrors",
        "ApiMisuse",
        "ResourceLeaks",
        "TypeErrors",
        "ConfigurationErrors",
        "SecurityVulnerabilities",
        "PerformanceIssues",
        "IntegrationFailures",
        "OperatorPrecedence",
        "TypeAnnotationGaps",
        "StdlibMapping",
        "ASTTransform",
        "ComprehensionBugs",
        "IteratorChain",
        "OwnershipBorrow",
        "TraitBounds",
    ]
)
CODES = frozenset(
    [
        "E0308",
        "E0412",
        "E0502",
        "E0503",
        "E0505",
        "E0382",
        "E0507",
        "E0277",
        "E0425",
        "E0433",
        "E0599",
        "E0615",
        "E0614",
        "E0658",
    ]
)
LINTS = frozenset(
    f"clippy::{name}"
    for name in [
        "unwrap_used",
        "expect_used",
        "panic",
        "todo",
        "unreachable",
        "cognitive_complexity",
        "too_many_arguments",
        "match_single_binding",
        "needless_collect",
        "manual_map",
    ]
)
NEEDED = {"source_file": str, "level": str, "message": str, "confidence": (int, float), "timestamp": int}
OBJECTS = {
    "span": {"line_start": int, "column_start": int},
    "suggestion": {"replacement": str, "applicability": str},
}


class ImportAbortedError(Exception):
    """The importer ended with an error: nothing of the file is taken."""


def known(row: dict[str, Any]) -> bool:
    """Return whether the importer finds a category."""
    return row.get("oip_category") in NAMES or row.get("error_code") in CODES or row.get("clippy_lint") in LINTS


def import_jsonl(path: Path, least: float) -> list[dict[str, Any]]:
    """Return the rows it takes; one line that does not fit aborts it."""
    rows = []
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        for name, kind in (NEEDED | {"depyler_version": str}).items():
            if not isinstance(row.get(name), kind) or isinstance(row.get(name), bool):
                raise ImportAbortedError(f"line {number}: {name}")
        for name, fields in OBJECTS.items():
            if (found := row.get(name)) is None:
                continue
            if not isinstance(found, dict) or not all(isinstance(found.get(key), kind) for key, kind in fields.items()):
                raise ImportAbortedError(f"line {number}: {name}")
        if row["confidence"] >= least and known(row):
            rows.append(row)
    return rows


def import_parquet(path: Path, least: float) -> list[dict[str, Any]]:
    """Return the rows it takes: a column of another type than it expects is read as if it were not there."""
    table = pq.read_table(path)
    kinds = {"message": pa.string(), "error_code": pa.string(), "clippy_lint": pa.string(), "oip_category": pa.string()}
    kinds |= {"confidence": pa.float32(), "timestamp": pa.int64()}
    columns = {
        name: table.column(name).to_pylist()
        if name in table.schema.names and table.schema.field(name).type == kind
        else None
        for name, kind in kinds.items()
    }
    rows = [
        {name: values[place] if values else None for name, values in columns.items()} for place in range(table.num_rows)
    ]
    return [row for row in rows if (row["confidence"] or 0.0) >= least and known(row)]
