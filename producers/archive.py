"""Reading the archive: failed builds for training, and examples with label, weight and the answer that was given.

What a person said counts before the code table; a verifier's word is no person's. Weights are those of the stream: the
static weight raised by how rare a label is, counted in the order of the archive (``models.weighting``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from models.archive.files import ArchiveError, partitions, read_rows
from models.archive.tables import FAILURES, FEEDBACK, PREDICTIONS, Row
from models.change import Change
from models.diagnostics import Diagnostic
from models.evaluation.splits import Entry, Group
from models.labelling import is_verifier
from models.records import CompilerErrors
from models.taxonomy import rule_for
from models.weighting import LongTailWeights
from producers.ci.formats import InputError

_BUILD = ("run", "commit", "tool", "toolchain", "source_language", "program_id", "target", "part", "parts")


class Answered(NamedTuple):
    """What was answered for a diagnostic: a label of the taxonomy, how sure, who decided, and which model."""

    label: str
    confidence: float
    source: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Example:
    """One diagnostic of the archive.

    ``label`` is nothing where neither people nor the code table have one; ``labelled_by`` says who did. ``weight`` is
    for training. ``answered`` is what the line said, if that was archived: it came after, and is no feature.
    """

    project: str
    failure_id: str
    index: int
    time: datetime
    diagnostic: Diagnostic
    label: str | None
    labelled_by: Literal["person", "verifier", "rule"] | None
    weight: float
    answered: Answered | None


def is_archive(path: Path) -> bool:
    """Return whether this is the folder of an archive with failures in it."""
    return (path / FAILURES.name).is_dir()


def read_archive(
    archive: Path, source: int = 0, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Entry[CompilerErrors]]:
    """Yield the failed builds of an archive, partition by partition, each failure once, with its group.

    ``since`` is the first moment, ``until`` the first that is no longer read, both of the records' own time; ``source``
    is the input's number. Raises ``InputError`` for what is no archive, or is damaged.
    """
    for rows in _builds(archive):
        if (since is None or rows[0]["time"] >= since) and (until is None or rows[0]["time"] < until):
            record = _record(rows)
            group = Group(source, record.project, None, record.project, record.project, record.program_id or record.id)
            yield Entry(record, len(record.diagnostics), group)


def read_examples(archive: Path) -> Iterator[Example]:
    """Yield every archived diagnostic once, joined with what was said and answered; raises as ``read_archive`` does.

    Answers and feedback of a partition are held in memory while it is read.
    """
    weights, number, answers, said = LongTailWeights(), -1, dict[Any, Answered](), dict[Any, tuple[str, bool]]()
    for rows in _builds(archive):
        if rows[0]["partition"] != number:
            number = rows[0]["partition"]
            answers, said = _answers(archive, number), _said(archive, number)
        for row in rows:
            key = (row["project"], row["id"], row["index"])
            yield _example(row, answers.get(key), said.get(key), weights)


def _example(row: Row, answered: Answered | None, said: tuple[str, bool] | None, weights: LongTailWeights) -> Example:
    diagnostic = Diagnostic.model_validate_json(row["diagnostic"])
    rule = rule_for(diagnostic.code, diagnostic.message)
    label, by = (said[0], "verifier" if said[1] else "person") if said else (rule and rule.label, rule and "rule")
    weight = weights.weigh(label, rule) if label else 0.0
    place = (row["project"], row["id"], row["index"], row["time"])
    return Example(*place, diagnostic, label, by, weight, answered)  # type: ignore[arg-type]


def _builds(archive: Path) -> Iterator[list[Row]]:
    """Yield the rows of each failure; of one that was sent twice, those of the first."""
    if not is_archive(archive):
        raise InputError(
            f"{archive}: no archive: it has no folder {FAILURES.name}; `jidoka archive status` shows yours"
        )
    try:
        for number in partitions(archive, FAILURES):
            seen: set[tuple[str, str]] = set()
            for _, grouped in groupby(read_rows(archive, FAILURES, number), key=lambda row: row["offset"]):
                rows = [row | {"partition": number} for row in grouped]
                if (key := (rows[0]["project"], rows[0]["id"])) not in seen:
                    seen.add(key)
                    yield rows
    except ArchiveError as error:
        raise InputError(str(error)) from None


def _record(rows: list[Row]) -> CompilerErrors:
    first = rows[0]
    fields = {name: first[name] for name in ("id", "time", "project", *_BUILD) if first[name] is not None}
    made = CompilerErrors.model_validate(
        fields | {"diagnostics": tuple(Diagnostic.model_validate_json(row["diagnostic"]) for row in rows)}
    )
    return (
        made
        if first["change"] is None
        else made.model_copy(update={"change": Change.model_validate_json(first["change"])})
    )


def _answers(archive: Path, partition: int) -> dict[Any, Answered]:
    found: dict[Any, Answered] = {}
    for row in read_rows(archive, PREDICTIONS, partition):
        key = (row["project"], row["failure_id"], row["index"])
        label = row["subcategory"] or row["category"]
        found.setdefault(key, Answered(label, row["confidence"], row["source"], row["model_version"]))
    return found


def _said(archive: Path, partition: int) -> dict[Any, tuple[str, bool]]:
    """Return the last label that was given to each diagnostic, and whether a verifier gave it; people go first."""
    found: dict[Any, tuple[str, bool]] = {}
    for row in read_rows(archive, FEEDBACK, partition):
        key, verifier = (row["project"], row["failure_id"], row["index"]), is_verifier(row["author"])
        if row["label"] is None:
            continue  # of a fix
        if not verifier or found.get(key, ("", True))[1]:
            found[key] = (row["label"], verifier)
    return found
