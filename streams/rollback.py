"""What stands on the checkpoints' topic, told as cards; and going back to one of its bases.

A command to go back is a record that the worker of its partition reads in order with all others, so that it is obeyed
exactly once by the same means: its effect, its offset and the base that follows are one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import snapshot
from models.records import ModelCheckpoint, ModelCommand
from models.rollback import go_back, taken
from models.snapshot import SnapshotError
from models.state import LineState
from streams.checkpoints import Partition, Whole, join_chunks, verified

log = logging.getLogger(__name__)


class RollbackError(ValueError):
    """A command that cannot be obeyed; the text says why. It becomes a dead letter."""


def roll_back(partition: Partition, command: ModelCommand, records: Iterable[ModelCheckpoint]) -> None:
    """Obey a command: the partition's model is the one of an earlier base, its next checkpoint a base.

    ``records`` are the partition's checkpoints. Raises ``RollbackError``, and then nothing has changed.
    """
    if command.partition != partition.number:
        raise RollbackError(f"a command for partition {command.partition} in partition {partition.number}")
    if taken(partition.state, command):
        return
    base = join_chunks(records).get(command.sequence)
    if base is None or base.envelope.kind != "base" or base.envelope.sha256 != command.sha256:
        raise RollbackError(
            f"partition {partition.number} has no base {command.sequence} with sha256 {command.sha256[:12]} any more; "
            "`jidoka models list` shows those that it has"
        )
    try:
        earlier = _loaded(base)
    except SnapshotError as error:
        raise RollbackError(f"base {command.sequence} of partition {partition.number}: {error}") from error
    before = partition.state.model_version
    go_back(partition.state, earlier, command)
    partition.break_chain()
    log.warning("partition %d: model %s gone back to %s", partition.number, before, partition.state.model_version)


def _loaded(base: Whole) -> LineState:
    state = LineState()
    snapshot.apply(state, verified(base))
    return state


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself, and of a usable base what is in it; ``problem`` says why it is not usable.

    ``size`` is in bytes, as stored. A delta is not put on top of its base here: only its hash is checked.
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
    """Return the whole checkpoints among ``records``, by partition and sequence."""
    by_partition: dict[int, list[ModelCheckpoint]] = {}
    for record in records:
        by_partition.setdefault(record.partition, []).append(record)
    return [
        _card(whole) for _, found in sorted(by_partition.items()) for _, whole in sorted(join_chunks(found).items())
    ]


def _card(whole: Whole) -> Card:
    envelope, problem, model = whole.envelope, None, None
    try:
        if envelope.kind == "base":
            model = _describe(_loaded(whole))
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
    }
