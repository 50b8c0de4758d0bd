"""``andon list``, ``show``, ``acknowledge`` and ``resume``: what stopped the line or wants an eye, and going on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from streams.cli.andon_view import document, print_lit, print_whole
from streams.cli.console import (
    AsJson,
    DataDir,
    UserError,
    as_user_error,
    err,
    find_line,
    load_settings,
    out,
    print_json,
    run_async,
    safe,
)
from streams.cli.models_topics import new_command, partitions

if TYPE_CHECKING:
    from models.andon.standing import Key, Standing
    from models.records import AndonEvent
    from streams.settings import Settings

app = typer.Typer(help="The andon: what is lit, who looks after it, and letting the line go on.", no_args_is_help=True)
LIT = 1

ConditionArgument = Annotated[str | None, typer.Argument(metavar="[CONDITION]", help="Such as ConceptDrift.")]
PartitionOption = Annotated[int | None, typer.Option("--partition", min=0, help="Only this partition's.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Only what is about this project.")]
Author = Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")]
Comment = Annotated[str | None, typer.Option(help="Why; it stays on the topic.")]


@app.command("list")
def list_(
    partition: PartitionOption = None,
    project: ProjectOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what is lit, the oldest first. Exit status 1: something is."""
    standing, found, _ = _look(None, project, partition, data_dir)
    if as_json:
        lit = [document(standing, key, event) for key, event in found.items()]
        print_json({"lamp": standing.colour, "partitions": standing.lamps, "lit": lit})
    else:
        print_lit(standing, found)
    if found:
        raise typer.Exit(LIT)


@app.command()
def show(
    condition: ConditionArgument = None,
    partition: PartitionOption = None,
    project: ProjectOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of what is lit: what moved, since which build, examples, what to do."""
    standing, found, _ = _look(condition, project, partition, data_dir)
    if not found:
        raise UserError(_nothing(standing, condition))
    if as_json:
        print_json([document(standing, key, event) for key, event in found.items()])
        return
    for key, event in found.items():
        print_whole(standing, key, event)


@app.command()
def acknowledge(
    condition: ConditionArgument = None,
    partition: PartitionOption = None,
    project: ProjectOption = None,
    comment: Comment = None,
    author: Author = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say that you look after what is lit; the lamp stays as it is."""
    standing, found, settings = _look(condition, project, partition, data_dir)
    if not found:
        raise UserError(_nothing(standing, condition))
    fields = {"condition": condition, "scope": project, "author": author or None, "comment": comment or None}
    _send(settings, "acknowledge", _numbers(found), fields, as_json)
    _settle(settings, "acknowledged", found, author, comment)


@app.command()
def resume(
    condition: ConditionArgument = None,
    rebaseline: Annotated[
        bool, typer.Option("--rebaseline", help="What comes from now on is normal; else the old baseline stays.")
    ] = False,
    partition: PartitionOption = None,
    project: ProjectOption = None,
    comment: Comment = None,
    author: Author = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put the lamp out and let the line learn again.

    A drift detector that has alarmed stays silent until --rebaseline, which may also be given when nothing is lit.
    Workers go on: each reads the command in order with its other records.
    """
    from models.drift.alarm import Quantity

    standing, found, settings = _look(condition, project, partition, data_dir)
    if rebaseline and not found and condition is None:
        numbers = partitions(settings, partition)
    elif found:
        numbers = _numbers(found)
    else:
        raise UserError(_nothing(standing, condition))
    fields = {"condition": condition, "scope": project, "author": author or None, "comment": comment or None}
    _send(settings, "resume", numbers, fields | {"rebaseline": rebaseline or None}, as_json)
    _settle(settings, "resumed", found, author, comment)
    if not rebaseline and any(event.signal in get_args(Quantity) for event in found.values()):
        err.print("[dim]what drifted is silent until `jidoka andon resume --rebaseline`[/dim]", soft_wrap=True)


def _look(
    condition: str | None, project: str | None, partition: int | None, data_dir: str | None
) -> tuple[Standing, dict[Key, AndonEvent], Settings]:
    from models.andon.conditions import CONDITIONS

    if condition is not None and condition not in CONDITIONS:
        raise UserError(f"no condition {safe(condition)}; there are {', '.join(CONDITIONS)}")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    if partition is not None:
        partitions(settings, partition)
    standing = run_async(_standing(settings))
    return standing, standing.matching(condition, project, partition), settings


async def _standing(settings: Settings) -> Standing:
    from models.andon.standing import Standing
    from models.records import AndonEvent
    from streams.follow import Follower

    standing = Standing()
    async with Follower(settings, AndonEvent, from_beginning=True) as follower:
        async for event in follower.until_end():
            standing.take(event)
    return standing


def _nothing(standing: Standing, condition: str | None) -> str:
    lit = ", ".join(sorted({safe(event.kind) for event in standing.lit.values()}))
    what = f"no {condition}" if condition else "nothing"
    return f"{what} is lit as you ask; lit is: {lit or 'nothing at all'}; `jidoka andon list` shows where"


def _numbers(found: dict[Key, AndonEvent]) -> list[int]:
    """Return the partitions whose lamps are meant."""
    return sorted({number for number, *_ in found if number is not None})


def _settle(
    settings: Settings,
    transition: Literal["acknowledged", "resumed"],
    found: dict[Key, AndonEvent],
    author: str | None,
    comment: str | None,
) -> None:
    """Tell the topic directly of what no partition holds, such as what a tool's gate raised."""
    from datetime import UTC, datetime

    from models.andon.standing import settled

    events = [event for event in found.values() if event.partition is None]
    if not events:
        return
    now = datetime.now(UTC)
    run_async(_put(settings, [settled(one, transition, now, author or None, comment or None) for one in events]))
    for one in events:
        err.print(f"{one.kind} of {safe(one.project)}: {transition}")


async def _put(settings: Settings, events: list[AndonEvent]) -> None:
    from producers.sender import Sender, SenderError
    from streams.kafka import client_options

    with as_user_error(SenderError):
        async with Sender(settings.broker or "", client_options(settings), "/jidoka/andon") as sender:
            for one in events:
                await sender.send(one)


def _send(settings: Settings, action: str, numbers: list[int], fields: Mapping[str, object], as_json: bool) -> None:
    from streams.commands import send

    commands = [new_command(action, number, **fields) for number in numbers]
    if commands:
        run_async(send(settings, *commands))
    if as_json:
        print_json([{"partition": one.partition, "action": action, "id": one.id} for one in commands])
        return
    for one in commands:
        out.print(f"partition {one.partition}  {action} {fields['condition'] or 'all'}  asked for: {one.id}")
    if not commands:
        return
    err.print(
        "[dim]done when `jidoka tail andon` tells it; refused if the command is among `jidoka dead-letters list`[/dim]",
        soft_wrap=True,
    )
