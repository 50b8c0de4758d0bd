"""Classified failures → rows of a corpus for OIP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.classification import Classification
from models.diagnostics import Diagnostic, Suggestion
from models.records import CompilerErrors, Prediction
from models.taxonomy import UNKNOWN, rule_for
from models.weighting import LongTailWeights, Reweighting
from producers.oip.row import DECIMALS, Row
from producers.oip.sanitise import clean, relative

Classified = tuple[CompilerErrors, Prediction]


@dataclass
class Exported:
    """What an export took and what it left out, with why."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)


def export(
    classified: Iterable[Classified],
    report: Exported,
    *,
    min_confidence: float = 0.8,
    include_clippy: bool = False,
    reweight: float = 1.5,
    depyler_version: str = "unknown",
    root: Path | None = None,
) -> Iterator[Row]:
    """Yield a row for each diagnostic that is sure enough; ``report`` counts them and those left out.

    ``reweight`` is the largest weight, 1 to below 5, that a category rare in this corpus so far gets
    (``models.weighting``). Paths are relative to ``root`` where they lie there; no text keeps a secret.
    """
    weights = LongTailWeights(Reweighting(cap=reweight))
    for record, prediction in classified:
        for answer in prediction.classifications:
            diagnostic = record.diagnostics[answer.index]
            reason = _left_out(diagnostic, answer, min_confidence, include_clippy=include_clippy)
            if reason:
                report.left_out[reason] += 1
                continue
            rule = rule_for(diagnostic.code, diagnostic.message)
            weight = round(weights.weigh(answer.subcategory or answer.category, rule), DECIMALS)
            report.rows += 1
            report.categories[answer.category] += 1
            yield Row(
                **_said(diagnostic, root),
                oip_category=answer.category,
                confidence=round(answer.confidence, DECIMALS),
                timestamp=int(record.time.timestamp()),
                depyler_version=depyler_version,
                weight=weight,
            )


def _left_out(diagnostic: Diagnostic, answer: Classification, least: float, *, include_clippy: bool) -> str | None:
    if not include_clippy and (diagnostic.code or "").startswith("clippy::"):
        return "clippy lints (--include-clippy takes them)"
    if answer.category == UNKNOWN:
        return "of no known category"
    if round(answer.confidence, DECIMALS) < least:
        return f"less sure than {least}"
    return None


def _said(diagnostic: Diagnostic, root: Path | None) -> dict[str, Any]:
    """Return what the compiler said, as fields of a row."""
    code, place, best = diagnostic.code, diagnostic.primary, _best(diagnostic.suggestions)
    clippy = code is not None and code.startswith("clippy::")
    file = relative(diagnostic.file or (place.file if place else "unknown"), root)
    return {
        "source_file": _python(file, root) or file,
        "rust_file": file,
        "error_code": None if clippy else code,
        "clippy_lint": code if clippy else None,
        "level": diagnostic.level,
        "message": clean(diagnostic.message),
        "line_start": place.line_start if place else 0,
        "column_start": place.column_start if place else 1,
        "line_end": max(place.line_start, place.line_end) if place else 0,
        "suggestion": clean(best.replacement) if best else None,
        "applicability": best.applicability if best else "Unspecified",
    }


def _best(suggestions: Iterable[Suggestion]) -> Suggestion | None:
    """Return the suggestion that the compiler is surest of, the first of equals."""
    order = ("MachineApplicable", "MaybeIncorrect", "HasPlaceholders", "Unspecified")
    return min(suggestions, key=lambda one: order.index(one.applicability), default=None)


def _python(file: str, root: Path | None) -> str | None:
    """Return the Python file that lies beside a Rust file, which is what a transpiler made it from."""
    name = str(Path(file).with_suffix(".py"))
    return name if root is not None and (root / name).is_file() else None
