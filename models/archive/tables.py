"""The tables of the archive: one per topic, a row per diagnostic or classification, and how a record becomes rows.

A label stands beside the text that it is of, and the text's code beside both: a reader that trains must leave
``error_code``, and everything after the prediction, out of its features (``docs/archive.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

from models.records import CompilerErrors, Feedback, Prediction, Record
from models.taxonomy import rule_for

SCHEMA_VERSION = 1
Row = dict[str, Any]
R = TypeVar("R", bound=Record)

_TEXT, _INT, _FLOAT, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_TIME = pa.timestamp("us", "UTC")
_PLACE = (("offset", _INT), ("id", _TEXT), ("time", _TIME), ("project", _TEXT))


@dataclass(frozen=True)
class Table(Generic[R]):
    """A table of the archive: the record of its topic, its columns, and the rows of one record.

    Each row begins with the record's offset in its partition, id, time and project.
    """

    record: type[R]
    columns: tuple[tuple[str, Any], ...]
    rows_of: Callable[[R], list[Row]]

    @property
    def name(self) -> str:
        """Return the table's name, the topic's short one: the folder that its files lie in."""
        return self.record.topic

    def schema(self, metadata: Mapping[str, str] | None = None) -> Any:
        """Return the Arrow schema, with its version and ``metadata``."""
        fields = [pa.field(name, kind) for name, kind in (*_PLACE, *self.columns)]
        return pa.schema(fields, {"jidoka.schema_version": str(SCHEMA_VERSION), **(metadata or {})})

    def rows(self, record: R, offset: int) -> list[Row]:
        """Return the rows of the record that stood at ``offset``."""
        place = {"offset": offset, "id": record.id, "time": record.time, "project": record.project}
        return [place | row for row in self.rows_of(record)]


def _failure_rows(record: CompilerErrors) -> list[Row]:
    build = {
        "run": record.run,
        "commit": record.commit,
        "tool": record.tool,
        "toolchain": record.toolchain,
        "source_language": record.source_language,
        "program_id": record.program_id,
        "target": record.target,
        "part": record.part,
        "parts": record.parts,
        "change": None if record.change is None else record.change.model_dump_json(exclude_none=True),
    }
    rows = []
    for index, one in enumerate(record.diagnostics):
        rule = rule_for(one.code, one.message)
        known = {} if rule is None else {"label": rule.label, "confidence": rule.confidence, "weight": rule.weight}
        said = {"error_code": one.code, "level": one.level, "message": one.message}
        rows.append({"index": index, **build, **said, **known, "diagnostic": one.model_dump_json(exclude_none=True)})
    return rows


def _prediction_rows(record: Prediction) -> list[Row]:
    return [
        {
            "failure_id": record.failure_id,
            "index": one.index,
            "model_version": record.model_version,
            "root": one.index == record.root,
            "category": one.category,
            "subcategory": one.subcategory,
            "confidence": one.confidence,
            "source": one.source,
        }
        for one in record.classifications
    ]


def _feedback_rows(record: Feedback) -> list[Row]:
    said = {"failure_id": record.failure_id, "index": record.index, "author": record.author}
    about = {"label": record.category} if record.fix is None else {"fix": record.fix, "applied": record.applied}
    return [said | about]


FAILURES = Table(
    CompilerErrors,
    (
        *(("index", _INT), ("run", _TEXT), ("commit", _TEXT), ("tool", _TEXT), ("toolchain", _TEXT)),
        *(("source_language", _TEXT), ("program_id", _TEXT), ("target", _TEXT), ("part", _INT), ("parts", _INT)),
        *(("change", _TEXT), ("error_code", _TEXT), ("level", _TEXT), ("message", _TEXT)),
        *(("label", _TEXT), ("confidence", _FLOAT), ("weight", _FLOAT), ("diagnostic", _TEXT)),
    ),
    _failure_rows,
)
PREDICTIONS = Table(
    Prediction,
    (
        *(("failure_id", _TEXT), ("index", _INT), ("model_version", _TEXT), ("root", _FLAG)),
        *(("category", _TEXT), ("subcategory", _TEXT), ("confidence", _FLOAT), ("source", _TEXT)),
    ),
    _prediction_rows,
)
FEEDBACK = Table(
    Feedback,
    (("failure_id", _TEXT), ("index", _INT), ("label", _TEXT), ("author", _TEXT), ("fix", _TEXT), ("applied", _FLAG)),
    _feedback_rows,
)
TABLES: tuple[Table[Any], ...] = (FAILURES, PREDICTIONS, FEEDBACK)
