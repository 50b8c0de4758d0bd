"""What a person asks of a partition's model: the commands, and how a worker obeys them.

A command is a record that the worker of its partition reads in order with all others, so it is obeyed exactly once by
the same means: its effect, its offset and the base that follows it are one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from models.andon.look import end_recall
from models.card import ModelFileError
from models.cloudevents import headers
from models.records import Model, ModelCheckpoint, ModelCommand, RecordError, parse
from models.shadow import ChallengeError, admit, begin, begin_trial, dismiss, give_up, replace_classifier
from models.snapshots.frame import SnapshotError
from models.snapshots.rollback import go_back, key_of, taken
from streams.andon import try_earlier
from streams.checkpoints import Partition, join_chunks, load_base
from streams.kafka import client_options
from streams.published import usable_classifier, usable_student
from streams.settings import Settings
from streams.topics import topic_name

log = logging.getLogger(__name__)

SOURCE_URI = "/jidoka/models"
SHORT = 12  # characters of a hash in a message

Name = tuple[str, str]  # of a published model: what it is called, and the sha256 of its content


class CommandError(ValueError):
    """A command that cannot be obeyed; the text says why. It becomes a dead letter."""


@dataclass(frozen=True)
class Shelf:
    """What commands speak of, as it stands on the topics: a partition's checkpoints, and published models."""

    checkpoints: Sequence[ModelCheckpoint] = ()
    models: Mapping[Name, Model] = field(default_factory=dict)


class Needs(NamedTuple):
    """What has to be on a shelf for some commands: whether checkpoints, and which models."""

    checkpoints: bool
    models: set[Name]


def wanted(values: Iterable[bytes | None]) -> Needs:
    """Return what the commands among ``values`` need; those that cannot be read need nothing."""
    commands = [command for value in values if (command := _readable(value)) is not None]
    names = {(one.name or "", one.sha256 or "") for one in commands if one.action in {"challenge", "promote"}}
    return Needs(any(one.action in {"rollback", "recall"} for one in commands), names)


def _readable(value: bytes | None) -> ModelCommand | None:
    try:
        return parse(ModelCommand, value)
    except RecordError:
        return None


def obey(partition: Partition, command: ModelCommand, shelf: Shelf) -> None:
    """Do what a command asks, unless it was done before; the partition's next checkpoint is a base.

    Raises ``CommandError``, and then nothing has changed.
    """
    if command.partition != partition.number:
        raise CommandError(f"a command for partition {command.partition} in partition {partition.number}")
    if taken(partition.state, command):
        return
    if command.action == "rollback":
        _roll_back(partition, command, shelf.checkpoints)
    elif command.action == "challenge":
        _challenge(partition, command, shelf.models)
    elif command.action == "promote":
        _promote(partition, command, shelf.models)
    elif command.action == "retire":
        _retire(partition, command)
    elif command.action == "give-up":
        _give_up(partition, command)
    else:
        _andon(partition, command, shelf.checkpoints)


def _roll_back(partition: Partition, command: ModelCommand, records: Iterable[ModelCheckpoint]) -> None:
    number, sha256 = -1 if command.sequence is None else command.sequence, command.sha256 or ""
    base = join_chunks(records).get(number)
    if base is None or (base.envelope.kind, base.envelope.sha256) != ("base", sha256):
        raise CommandError(
            f"partition {partition.number} holds no base {number} with sha256 {sha256[:SHORT]}; "
            "`jidoka models list` shows those that it holds"
        )
    try:
        earlier = load_base(base)
    except SnapshotError as error:
        raise CommandError(f"base {number} of partition {partition.number}: {error}") from error
    before = partition.state.model_version
    go_back(partition.state, earlier, command)
    partition.state.watch.shortfall.restart()  # it was another model that fell behind
    partition.break_chain()
    log.warning("partition %d: from model %s back to %s", partition.number, before, partition.state.model_version)


def _challenge(partition: Partition, command: ModelCommand, models: Mapping[Name, Model]) -> None:
    model = _published(command, models)
    try:
        if model.card is not None:
            begin_trial(partition.state, usable_student(model))
        else:
            begin(partition.state, model.name, usable_classifier(model), rules=command.rules is not False)
    except (SnapshotError, ModelFileError, ChallengeError) as error:
        raise CommandError(f"published model {model.name!r}: {error}") from error
    partition.state.recent.add_id(key_of(command))
    log.warning("partition %d: %r challenges %s", partition.number, model.name, partition.state.model_version)


def _published(command: ModelCommand, models: Mapping[Name, Model]) -> Model:
    name, sha256 = command.name or "", command.sha256 or ""
    model = models.get((name, sha256))
    if model is None:
        raise CommandError(
            f"no published model {name!r} with sha256 {sha256[:SHORT]}; `jidoka models list` shows those there are"
        )
    return model


def _promote(partition: Partition, command: ModelCommand, models: Mapping[Name, Model]) -> None:
    """Let a published model answer from the next batch on; a running challenge goes on only beside a student."""
    model, state = _published(command, models), partition.state
    before = state.model_version
    try:
        if model.card is not None:
            admit(state, usable_student(model))
        else:
            replace_classifier(state, model.name, usable_classifier(model))
    except (SnapshotError, ModelFileError, ChallengeError) as error:
        raise CommandError(f"published model {model.name!r}: {error}") from error
    state.recent.add_id(key_of(command))
    state.watch.shortfall.restart()  # it was another model that fell behind
    partition.break_chain()
    log.warning("partition %d: %s answers instead of %s", partition.number, state.model_version, before)


def _retire(partition: Partition, command: ModelCommand) -> None:
    """Let the student that answers go; where none does any more, that is no error."""
    before = partition.state.model_version
    dismiss(partition.state, "retired")
    partition.state.recent.add_id(key_of(command))
    log.warning("partition %d: %s answers instead of %s", partition.number, partition.state.model_version, before)


def _give_up(partition: Partition, command: ModelCommand) -> None:
    """End the running challenge; where none runs any more, that is no error."""
    running = partition.state.challenge
    name = running.name if running is not None else None
    give_up(partition.state)
    partition.state.recent.add_id(key_of(command))
    log.warning("partition %d: given up: %r", partition.number, name)


def _andon(partition: Partition, command: ModelCommand, records: Iterable[ModelCheckpoint]) -> None:
    state = partition.state
    state.recent.add_id(key_of(command))
    if command.action == "recall":
        try_earlier(partition, command.failures or 0, records)
        return
    state.watch.obey(command)
    if not state.watch.learning_stopped:
        end_recall(state)


async def send(settings: Settings, *commands: ModelCommand) -> None:
    """Put commands on their topic, each in the partition that it names; they are acknowledged on return."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, acks="all", enable_idempotence=True, **client_options(settings)
    )
    await producer.start()
    try:
        for command in commands:
            await producer.send_and_wait(
                topic_name(ModelCommand),
                command.to_bytes(),
                key=str(command.partition).encode(),
                partition=command.partition,
                headers=headers(command, SOURCE_URI),
            )
    finally:
        await producer.stop()
