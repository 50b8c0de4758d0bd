"""Going back to an earlier base: the command, and how a worker obeys it.

A command is a record that the worker of its partition reads in order with all others, so it is obeyed exactly once by
the same means: its effect, its offset and the base that follows it are one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from models.cloudevents import headers
from models.records import ModelCheckpoint, ModelCommand
from models.rollback import go_back, taken
from models.snapshot_frame import SnapshotError
from streams.checkpoints import Partition, join_chunks, load_base
from streams.kafka import client_options
from streams.settings import Settings
from streams.topics import topic_name

log = logging.getLogger(__name__)

SOURCE_URI = "/jidoka/models"


class RollbackError(ValueError):
    """A command that cannot be obeyed; the text says why. It becomes a dead letter."""


def roll_back(partition: Partition, command: ModelCommand, records: Iterable[ModelCheckpoint]) -> None:
    """Obey a command: the partition has the model of an earlier base, and its next checkpoint is a base.

    ``records`` are the partition's checkpoints. Raises ``RollbackError``, and then nothing has changed.
    """
    if command.partition != partition.number:
        raise RollbackError(f"a command for partition {command.partition} in partition {partition.number}")
    if taken(partition.state, command):
        return
    base = join_chunks(records).get(command.sequence)
    if base is None or (base.envelope.kind, base.envelope.sha256) != ("base", command.sha256):
        raise RollbackError(
            f"partition {partition.number} holds no base {command.sequence} with sha256 {command.sha256[:12]}; "
            "`jidoka models list` shows those that it holds"
        )
    try:
        earlier = load_base(base)
    except SnapshotError as error:
        raise RollbackError(f"base {command.sequence} of partition {partition.number}: {error}") from error
    before = partition.state.model_version
    go_back(partition.state, earlier, command)
    partition.break_chain()
    log.warning("partition %d: from model %s back to %s", partition.number, before, partition.state.model_version)


async def send(settings: Settings, command: ModelCommand) -> None:
    """Put a command on its topic, in the partition that it names; it is acknowledged on return."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, acks="all", enable_idempotence=True, **client_options(settings)
    )
    await producer.start()
    try:
        await producer.send_and_wait(
            topic_name(ModelCommand),
            command.to_bytes(),
            key=str(command.partition).encode(),
            partition=command.partition,
            headers=headers(command, SOURCE_URI),
        )
    finally:
        await producer.stop()
