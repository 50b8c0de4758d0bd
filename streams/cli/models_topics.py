"""What the commands on models read from the topics, and the commands that they put there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.cli.console import UserError, run_async, safe

if TYPE_CHECKING:
    from models.records import Model, ModelCheckpoint, ModelCommand
    from streams.settings import Settings


MANY = 20  # names in a message


def partitions(settings: Settings, only: int | None) -> list[int]:
    """Return the partitions there are, or the one asked for; raises ``UserError`` when it is not there."""
    return run_async(_partitions(settings, only))


async def _partitions(settings: Settings, only: int | None) -> list[int]:
    from models.records import ModelCheckpoint, ModelCommand
    from streams.topic_admin import describe_topics
    from streams.topics import topic_name

    names = {topic_name(kind) for kind in (ModelCheckpoint, ModelCommand)}
    states = [one for one in await describe_topics(settings.broker or "", settings) if one.name in names]
    if not all(one.partitions for one in states):
        raise UserError("topics of the line are missing; `jidoka topics create` makes them")
    count = min(one.partitions for one in states)
    if only is not None and only >= count:
        raise UserError(f"no partition {only}: there are 0 to {count - 1}")
    return [only] if only is not None else list(range(count))


def checkpoints(settings: Settings, partition: int) -> list[ModelCheckpoint]:
    """Return what a partition's checkpoints are now."""
    from streams.kafka import client_options
    from streams.restore import read_checkpoints

    return run_async(read_checkpoints(settings.broker or "", client_options(settings), partition))


def published(settings: Settings) -> list[Model]:
    """Return the published models, in the order of the topic."""
    return run_async(_published(settings))


async def _published(settings: Settings) -> list[Model]:
    from models.records import Model
    from streams.follow import Follower

    async with Follower(settings, Model, from_beginning=True) as follower:
        return [model async for model in follower.until_end()]


def about(model: Model) -> dict[str, Any]:
    """Return a published model as JSON-able data, without its payload; ``problem`` is why it is not usable."""
    from models.card import ModelFileError
    from models.snapshots.frame import SnapshotError
    from streams.published import usable_snapshot, usable_student

    problem, size = None, 0
    try:
        size = len(usable_snapshot(model) if model.card is None else usable_student(model).member.weights)
    except (SnapshotError, ModelFileError) as error:
        problem = str(error)
    shown = model.model_dump(mode="json", include={"name", "time", "scores", "baselines", "sha256"})
    kind = "snapshot" if model.card is None else "student"
    return shown | {"kind": kind, "size": size, "problem": problem}


def newest(models: list[Model], name: str) -> Model:
    """Return the newest usable model of that name: newest by its own time, as for a partition that starts from it.

    Raises ``UserError`` that names those there are, or says what is wrong with it.
    """
    named = [model for model in models if model.name == name]
    if not named:
        names = sorted({safe(model.name) for model in models})
        there = ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
        raise UserError(f"no published model {safe(name)}; there are: {there or 'none yet'}")
    model = max(named, key=lambda one: one.time)
    if problem := about(model)["problem"]:
        raise UserError(f"published model {safe(name)} is not usable: {safe(problem)}")
    return model


def new_command(action: str, partition: int, **fields: Any) -> ModelCommand:
    """Return a command as of now; raises ``UserError`` that names the option at fault."""
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from models.records import ModelCommand, content_id

    now = datetime.now(UTC)
    about_it = {"id": content_id(action, partition, fields.get("sha256"), now.isoformat()), "time": now}
    try:
        return ModelCommand.model_validate(
            about_it | {"project": "jidoka", "action": action, "partition": partition} | fields
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from None
