"""Repairs for people and tools: unified diff, SARIF 2.1.0 with fixes, cargo's JSON with suggestions; atomic writes."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.repair.errors import RustError
from producers.fix.loop import Applied
from producers.fix.repair import Repaired

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
BACKUP_SUFFIX = ".orig"


def unified_diff(done: Repaired) -> str:
    """Return the repair as a unified diff that ``patch -p1`` takes; empty where nothing changed."""
    before, after = (text.splitlines(keepends=True) for text in (done.before, done.text))
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, f"a/{done.file}", f"b/{done.file}")
    )


def sarif(results: Sequence[Repaired]) -> dict[str, Any]:
    """Return the repairs as one SARIF log: a result for each fix, its edits in the text before that fix."""
    found = [_result(done.file, fix) for done in results for fix in done.applied]
    driver = {"name": "jidoka fix", "rules": [{"id": rule} for rule in sorted({one["ruleId"] for one in found})]}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": found}]}


def _result(file: str, fix: Applied) -> dict[str, Any]:
    candidate, text = fix.candidate, fix.before
    regions = [{"charOffset": edit.start, "charLength": edit.end - edit.start} for edit in candidate.edits]
    replacements = [
        {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
        for region, edit in zip(regions, candidate.edits, strict=True)
    ]
    place = candidate.edits[0].start if candidate.edits else 0
    line = text.count("\n", 0, place) + 1
    artifact = {"uri": file}
    return {
        "ruleId": candidate.pattern,
        "level": "error",
        "message": {"text": candidate.errors[0].message if candidate.errors else candidate.why},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}],
        "fixes": [
            {
                "description": {"text": candidate.why},
                "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
            }
        ],
    }


def cargo_messages(done: Repaired) -> list[dict[str, Any]]:
    """Return the repair as cargo's compiler messages, which editors and ``rustfix`` read."""
    return [_message(done.file, fix.before, fix, error) for fix in done.applied for error in fix.candidate.errors[:1]]


def _message(file: str, text: str, fix: Applied, error: RustError) -> dict[str, Any]:
    spans = [
        _span(file, text, edit.start, edit.end)
        | {"suggested_replacement": edit.replacement, "suggestion_applicability": "MachineApplicable"}
        for edit in fix.candidate.edits
    ]
    child = {
        "message": fix.candidate.why,
        "code": None,
        "level": "help",
        "spans": spans,
        "children": [],
        "rendered": None,
    }
    message = {
        "message": error.message,
        "code": {"code": error.code, "explanation": None} if error.code else None,
        "level": "error",
        "spans": [_span(file, text, *error.place)],
        "children": [child],
        "rendered": None,
    }
    return {"reason": "compiler-message", "message": message}


def _span(file: str, text: str, start: int, end: int) -> dict[str, Any]:
    def column(place: int) -> int:
        return place - text.rfind("\n", 0, place)

    return {
        "file_name": file,
        "byte_start": len(text[:start].encode()),
        "byte_end": len(text[:end].encode()),
        "line_start": text.count("\n", 0, start) + 1,
        "line_end": text.count("\n", 0, end) + 1,
        "column_start": column(start),
        "column_end": column(end),
        "is_primary": True,
        "text": [],
        "label": None,
    }


def write_repaired(path: Path, done: Repaired) -> Path:
    """Put the repaired text into ``path`` in one step, what was there beside it; return the backup's path.

    Raises ``OSError`` where the folder cannot be written, and ``ValueError`` where the file has changed meanwhile.
    """
    if path.read_bytes() != done.before.encode("utf-8"):
        raise ValueError(f"{path} has changed since it was read")
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    _atomic(backup, done.before, path)
    _atomic(path, done.text, path)
    return backup


def _atomic(path: Path, text: str, like: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(like.stat().st_mode & 0o777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
