"""The andon on its way out: events and the recall of a good model, in the transaction of what brought them about."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from models.andon.look import recall, wanted
from models.cloudevents import event_type, headers
from models.records import AndonEvent, ModelCheckpoint, ModelCommand, Record, content_id
from models.shadow import ChallengeError
from models.snapshots.frame import SnapshotError
from streams.checkpoints import Partition, join_chunks, load_base
from streams.delivery import Outgoing

log = logging.getLogger(__name__)

SOURCE_URI = "/jidoka/andon"
EVENTS_PARTITION = 0  # of the events' topic, which has one: a team reads all of them in order


def told(partition: Partition) -> list[Outgoing]:
    """Return what the partition's watchman has to say, as messages; and a command to itself where a model degraded."""
    watch = partition.state.watch
    if not watch.events:
        return []
    events = [one.model_copy(update={"partition": partition.number}) for one in watch.take_events()]
    for one in events:
        log.warning("partition %d: andon %s, %s: %s", partition.number, one.lamp, one.transition, one.message)
    sent = [_outgoing(one, one.project, EVENTS_PARTITION) for one in events]
    failures = wanted(partition.state, events)
    if failures is not None:
        command = recall_command(partition.number, failures, events[0])
        sent.append(_outgoing(command, str(partition.number), partition.number))
    return sent


def _outgoing(record: Record, key: str, partition: int) -> Outgoing:
    kind = event_type(type(record))
    return Outgoing(kind, key.encode(), record.to_bytes(), headers(record, SOURCE_URI), partition)


def recall_command(number: int, failures: int, event: AndonEvent) -> ModelCommand:
    """Return the command to a partition to try its newest base from before ``failures`` compilations were answered."""
    return ModelCommand(
        id=content_id("recall", number, event.id),
        time=event.time,
        project="jidoka",
        action="recall",
        partition=number,
        failures=failures,
        author="andon",
        comment=event.message[:1_000],
    )


def refuse(partition: Partition, topic: str, offset: int, now: datetime) -> None:
    """Count a record that is refused, and let the watchman know."""
    partition.state.dead_letters += 1
    partition.state.watch.refuse(f"{topic}/{partition.number}@{offset}", now)


def try_earlier(partition: Partition, failures: int, records: Iterable[ModelCheckpoint]) -> None:
    """Let the newest usable base that had answered at most so many compilations predict in shadow.

    Where there is none, or a person has resumed meanwhile, nothing happens but a line in the log.
    """
    state = partition.state
    if not state.watch.learning_stopped:
        log.warning("partition %d: no model is recalled: a person has resumed", partition.number)
        return
    for sequence, whole in sorted(join_chunks(records).items(), reverse=True):
        if whole.envelope.kind != "base":
            continue
        try:
            earlier = load_base(whole)
            if earlier.failures > failures:
                continue
            recall(state, earlier, sequence)
        except (SnapshotError, ChallengeError) as error:
            log.error("partition %d, base %d is passed over: %s", partition.number, sequence, error)  # noqa: TRY400
            continue
        log.warning("partition %d: base %d predicts in shadow, and answers once it wins", partition.number, sequence)
        return
    log.warning("partition %d: no base is as old as %d answered compilations", partition.number, failures)
