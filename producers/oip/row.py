"""A row of a corpus for OIP, and how each profile writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from models.taxonomy import CATEGORIES

SCHEMA_VERSION = 1
MAX_PLACE = 2**32  # of a line or column, which OIP keeps in 32 bits
DECIMALS = 4  # of a confidence: as many as survive a 32-bit float
APPLICABILITIES = ("MachineApplicable", "MaybeIncorrect", "HasPlaceholders", "Unspecified")


class OipError(ValueError):
    """A file or a row that is no corpus for OIP; the text says what is wrong and where."""


class Target(StrEnum):
    """A profile: the specified schema, or what OIP's importer takes today."""

    SPECIFIED = "specified"
    OIP_1 = "oip-1"


@dataclass(frozen=True, slots=True)
class Row:
    """One diagnostic with its category.

    ``oip_category`` is one of OIP's 18; ``timestamp`` counts seconds since 1970; ``weight`` is for training. The
    specified schema has neither ``applicability`` nor ``column_start``: they read back as ``Unspecified`` and 1. Raises
    ``OipError`` for a value that no importer may be given.
    """

    source_file: str
    rust_file: str
    level: str
    message: str
    oip_category: str
    confidence: float
    line_start: int
    line_end: int
    timestamp: int
    depyler_version: str
    error_code: str | None = None
    clippy_lint: str | None = None
    suggestion: str | None = None
    applicability: str = "Unspecified"
    column_start: int = 1
    python_construct: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.oip_category not in CATEGORIES:
            raise OipError(f"oip_category {self.oip_category!r}: allowed are {', '.join(CATEGORIES)}")
        if not 0.0 <= self.confidence <= 1.0:
            raise OipError(f"confidence {self.confidence}: a probability is 0 to 1")
        if not (0 <= self.line_start <= self.line_end < MAX_PLACE):
            raise OipError(f"lines {self.line_start} to {self.line_end}: counted from 1, the end not before the start")
        if not 0.0 < self.weight <= 100.0:
            raise OipError(f"weight {self.weight}: above 0, at most 100")
        if self.applicability not in APPLICABILITIES:
            raise OipError(f"applicability {self.applicability!r}: allowed are {', '.join(APPLICABILITIES)}")


_TEXT = pa.string()
_SPECIFIED: tuple[tuple[str, Any, bool], ...] = (
    ("source_file", _TEXT, False),
    ("rust_file", _TEXT, False),
    ("error_code", _TEXT, True),
    ("clippy_lint", _TEXT, True),
    ("level", _TEXT, False),
    ("message", _TEXT, False),
    ("oip_category", _TEXT, False),
    ("confidence", pa.float64(), False),
    ("line_start", pa.int64(), False),
    ("line_end", pa.int64(), False),
    ("suggestion", _TEXT, True),
    ("python_construct", _TEXT, True),
    ("timestamp", pa.int64(), False),
    ("depyler_version", _TEXT, False),
    ("weight", pa.float32(), False),
)
# OIP reads a 64-bit confidence as 0.0, without a word, and wants span and suggestion as objects.
_OBJECTS = {
    "confidence": pa.float32(),
    "suggestion": pa.struct([("replacement", _TEXT), ("applicability", _TEXT)]),
}
_SPAN = pa.field("span", pa.struct([("line_start", pa.int64()), ("column_start", pa.int64())]), nullable=False)


def arrow_schema(target: Target) -> Any:
    """Return the Arrow schema of a profile, its version and name in the metadata."""
    kinds = _OBJECTS if target is Target.OIP_1 else {}
    fields = [pa.field(name, kinds.get(name, kind), nullable=null) for name, kind, null in _SPECIFIED]
    fields += [_SPAN] if target is Target.OIP_1 else []
    return pa.schema(fields, {"jidoka.schema_version": str(SCHEMA_VERSION), "jidoka.profile": target.value})


def to_document(row: Row, target: Target) -> dict[str, Any]:
    """Return the row as JSON-able values, as the profile has them."""
    document = asdict(row)
    applicability, column = document.pop("applicability"), document.pop("column_start")
    if target is Target.OIP_1:
        document["span"] = {"line_start": row.line_start, "column_start": column}
        if row.suggestion is not None:
            document["suggestion"] = {"replacement": row.suggestion, "applicability": applicability}
    return document


def from_document(document: Mapping[str, Any]) -> Row:
    """Return the row in a document of either profile, or of the older CITL export of depyler.

    What CITL did not have is filled in: the lines from ``span``, the Rust file from the source's name, weight 1.
    Raises ``OipError``.
    """
    found = {name: document[name] for name, _, _ in _SPECIFIED if document.get(name) is not None}
    span, suggestion = document.get("span"), document.get("suggestion")
    if isinstance(suggestion, Mapping):
        found["suggestion"] = suggestion.get("replacement")
        known = suggestion.get("applicability")
        found["applicability"] = known if known in APPLICABILITIES else "Unspecified"
    if isinstance(span, Mapping):
        found.setdefault("line_start", span.get("line_start"))
        column = span.get("column_start")
        found["column_start"] = column if isinstance(column, int) and 0 <= column < MAX_PLACE else 1
    if "line_start" in found:
        found.setdefault("line_end", found["line_start"])
    if isinstance(source := found.get("source_file"), str):
        found.setdefault("rust_file", source.removesuffix(".py") + ".rs" if source.endswith(".py") else source)
    _check_types(found)
    found["confidence"] = round(float(found["confidence"]), DECIMALS)
    found["weight"] = round(float(found.get("weight", 1.0)), DECIMALS)
    return Row(**found)


def _check_types(found: Mapping[str, Any]) -> None:
    missing = [name for name, _, null in _SPECIFIED if not null and name != "weight" and name not in found]
    if missing:
        raise OipError(f"no {', '.join(missing)}")
    for name, kind, _ in _SPECIFIED:
        if (value := found.get(name)) is None:
            continue
        wanted: Any = str if kind == _TEXT else int if kind == pa.int64() else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise OipError(f"{name} is a {type(value).__name__}, not {'text' if wanted is str else 'a number'}")
