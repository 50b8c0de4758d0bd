"""``models list``, ``show`` and ``rollback``: which models a line holds, and going back to an earlier one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import (
    AsJson,
    DataDir,
    UserError,
    err,
    find_line,
    load_settings,
    out,
    print_json,
    run_async,
    safe,
)
from streams.cli.models_view import TIME, document, print_card, print_checkpoints, print_published, said

if TYPE_CHECKING:
    from models.records import Model, ModelCheckpoint
    from streams.cards import Card
    from streams.settings import Settings

app = typer.Typer(help="The models of a line: look at them, go back to an earlier one.", no_args_is_help=True)
FAILED = 1

PartitionArgument = Annotated[int, typer.Argument(min=0, help="Whose model: a partition of the line.")]


@app.command("list")
def list_(
    partition: Annotated[int | None, typer.Argument(min=0, help="Only this partition's.")] = None,
    deltas: Annotated[bool, typer.Option("--deltas", help="A line for each delta, too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the checkpoints that each partition holds, and the published models that new partitions start from."""
    settings, _ = find_line(load_settings(data_dir=data_dir))
    numbers = run_async(_partitions(settings, partition))
    found = [card for number in numbers for card in _cards(settings, number)]
    published = [_published(model) for model in run_async(_models(settings))]
    if as_json:
        print_json({"checkpoints": [document(card) for card in found], "models": published})
        return
    print_checkpoints(found, deltas)
    print_published(published)
    if not found:
        err.print("no checkpoints yet: the first comes with the first answer")


@app.command()
def show(
    partition: PartitionArgument,
    sequence: Annotated[int, typer.Argument(min=0, help="Which checkpoint, as `models list` numbers them.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what one checkpoint is: labels, examples, scores beside baselines. Exit status 1: it is not usable."""
    from streams.cards import card

    settings, _ = find_line(load_settings(data_dir=data_dir))
    run_async(_partitions(settings, partition))
    found = card(_read(settings, partition), sequence)
    if found is None:
        raise UserError(f"partition {partition} has no checkpoint {sequence}; `jidoka models list` shows them")
    if as_json:
        print_json(document(found))
    else:
        print_card(found)
    if found.problem:
        raise typer.Exit(FAILED)


@app.command()
def rollback(
    partition: PartitionArgument,
    to: Annotated[int | None, typer.Option(min=0, help="The base to go back to.", metavar="SEQUENCE")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    comment: Annotated[str | None, typer.Option(help="Why; it stays on the topic.")] = None,
    author: Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")] = None,
    data_dir: DataDir = None,
) -> None:
    """Give a partition the model of an earlier base; what was answered and learned from is not answered again.

    Workers go on: the one that holds the partition reads the command in order with its other records.
    """
    from streams.rollback import send

    settings, _ = find_line(load_settings(data_dir=data_dir))
    run_async(_partitions(settings, partition))
    target = _target(_cards(settings, partition), partition, to)
    model = target.model or {}
    out.print(f"partition {partition} goes back to base {target.sequence} of {target.time:{TIME}}: {said(model)}")
    if not yes:
        _confirm()
    command = _command(target, author, comment)
    run_async(send(settings, command))
    out.print(f"asked for: {command.id}")
    err.print(
        f"[dim]done when `jidoka status` shows a model …/rollback-{target.sequence}; "
        "refused if the command is among `jidoka dead-letters list`[/dim]",
        soft_wrap=True,
    )


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UserError("nobody is there to be asked; give --yes")
    if not typer.confirm("What it has learned since is forgotten. Go back?"):
        raise typer.Exit(FAILED)


def _command(target: Card, author: str | None, comment: str | None) -> Any:
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from models.records import ModelCommand, content_id

    now = datetime.now(UTC)
    try:
        return ModelCommand(
            id=content_id("rollback", target.partition, target.sequence, now.isoformat()),
            time=now,
            project="jidoka",
            action="rollback",
            partition=target.partition,
            sequence=target.sequence,
            sha256=target.sha256,
            author=author or None,
            comment=comment or None,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg']}") from None


def _target(found: list[Card], partition: int, to: int | None) -> Card:
    """Return the base to go back to: the one asked for, or the newest usable one before the present model."""
    bases = [card for card in found if card.kind == "base"]
    usable = [card for card in bases if not card.problem]
    there = ", ".join(str(card.sequence) for card in usable) or "none yet"
    if to is None:
        earlier = [card for card in usable if card.sequence < found[-1].sequence]
        if not earlier:
            raise UserError(f"partition {partition} has no base to go back to before its present model; bases: {there}")
        return earlier[-1]
    wanted = next((card for card in bases if card.sequence == to), None)
    if wanted is None:
        raise UserError(f"partition {partition} has no base {to}; bases it can go back to: {there}")
    if wanted.problem:
        raise UserError(f"base {to} of partition {partition} is not usable: {safe(wanted.problem)}; others: {there}")
    return wanted


async def _partitions(settings: Settings, only: int | None) -> list[int]:
    """Return the partitions there are, or the one asked for; raises ``UserError`` when it is not there."""
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


def _read(settings: Settings, partition: int) -> list[ModelCheckpoint]:
    from streams.kafka import client_options
    from streams.restore import read_checkpoints

    return run_async(read_checkpoints(settings.broker or "", client_options(settings), partition))


def _cards(settings: Settings, partition: int) -> list[Card]:
    from streams.cards import cards

    return cards(_read(settings, partition))


async def _models(settings: Settings) -> list[Model]:
    from models.records import Model
    from streams.follow import Follower

    async with Follower(settings, Model, from_beginning=True) as follower:
        return [model async for model in follower.until_end()]


def _published(model: Model) -> dict[str, Any]:
    from models.snapshot_frame import SnapshotError
    from streams.published import usable_snapshot

    problem, size = None, 0
    try:
        size = len(usable_snapshot(model))
    except SnapshotError as error:
        problem = str(error)
    about = model.model_dump(mode="json", include={"name", "time", "scores", "baselines", "sha256"})
    return about | {"size": size, "problem": problem}
