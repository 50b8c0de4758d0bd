"""What stands on the checkpoints' topic, told as cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.records import ModelCheckpoint
from models.snapshots.frame import SnapshotError
from models.state import LineState
from streams.checkpoints import Whole, join_chunks, load_base, restore, verified
from streams.contest import contest


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself; ``model`` is what is in it, ``problem`` why it is not usable.

    ``size`` is in bytes, as stored.
    """

    partition: int
    sequence: int
    kind: str
    time: datetime
    offsets: dict[str, int]
    size: int
    sha256: str
    river_version: str
    code_version: str
    problem: str | None = None
    model: dict[str, Any] | None = None


def cards(records: Iterable[ModelCheckpoint]) -> list[Card]:
    """Return the whole checkpoints among one partition's ``records``, by sequence.

    Bases are loaded; of deltas only the hash is checked: ``card`` puts one on top of those before it.
    """
    return [_card(whole) for _, whole in sorted(join_chunks(records).items())]


def card(records: Iterable[ModelCheckpoint], sequence: int) -> Card | None:
    """Return the card of one checkpoint, a delta's with the model that it leads to; ``None`` if there is none."""
    earlier = [record for record in records if record.sequence <= sequence]
    whole = join_chunks(earlier).get(sequence)
    if whole is None:
        return None
    found = _card(whole)
    if found.problem or found.kind == "base":
        return found
    partition, problems = restore(found.partition, earlier, LineState)
    if partition.broken:
        return replace(found, problem="; ".join(problems) or "a checkpoint that it follows is missing")
    return replace(found, model=_describe(partition.state))


def standing(number: int, records: Iterable[ModelCheckpoint]) -> dict[str, Any]:
    """Return which model a partition has as of its newest usable checkpoint, who challenges it, and who did before.

    ``records`` are the partition's. Without a usable checkpoint ``version`` is ``None``.
    """
    partition, _ = restore(number, records, LineState)
    state = partition.state
    version = None if partition.base_sequence is None else state.model_version
    return {"partition": number, "version": version} | contest(state)


def _card(whole: Whole) -> Card:
    envelope, problem, model = whole.envelope, None, None
    try:
        if envelope.kind == "base":
            model = _describe(load_base(whole))
        else:
            verified(whole)
    except SnapshotError as error:
        problem = str(error)
    return Card(
        partition=envelope.partition,
        sequence=envelope.sequence,
        kind=envelope.kind,
        time=envelope.time,
        offsets=envelope.offsets,
        size=len(whole.payload),
        sha256=envelope.sha256,
        river_version=envelope.river_version,
        code_version=envelope.code_version,
        problem=problem,
        model=model,
    )


def _describe(state: LineState) -> dict[str, Any]:
    scores = state.scores
    return {
        "version": state.model_version,
        "examples": state.classifier.examples,
        "labels": list(state.classifier.labels),
        "failures": state.failures,
        "scored": scores.n,
        "accuracy": scores.accuracy,
        "rolling_accuracy": scores.rolling_accuracy,
        "macro_f1": scores.macro_f1,
        "baselines": scores.baselines,
        **contest(state),
    }
