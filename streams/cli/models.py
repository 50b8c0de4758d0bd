"""``models list``, ``show``, ``challenge`` and ``rollback``: which models a line holds, and who answers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import models_challenge, models_promote, models_publish
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
from streams.cli.models_topics import about, checkpoints, new_command, partitions, published
from streams.cli.models_view import (
    TIME,
    document,
    print_card,
    print_checkpoints,
    print_contest,
    print_published,
    said,
)

if TYPE_CHECKING:
    from models.records import ModelCommand
    from streams.cards import Card

app = typer.Typer(
    help="The models of a line: look at them, let one challenge another, go back to an earlier one.",
    no_args_is_help=True,
)
models_challenge.register(app)
models_publish.register(app)
models_promote.register(app)
FAILED = 1

PartitionArgument = Annotated[int, typer.Argument(min=0, help="Whose model: a partition of the line.")]


@app.command("list")
def list_(
    partition: Annotated[int | None, typer.Argument(min=0, help="Only this partition's.")] = None,
    deltas: Annotated[bool, typer.Option("--deltas", help="A line for each delta, too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List each partition's checkpoints and challenger, and the published models that new partitions start from."""
    from streams.cards import cards, standing

    settings, _ = find_line(load_settings(data_dir=data_dir))
    records = {number: checkpoints(settings, number) for number in partitions(settings, partition)}
    found = [card for each in records.values() for card in cards(each)]
    contests = [standing(number, each) for number, each in records.items()]
    models = [about(model) for model in published(settings)]
    if as_json:
        print_json({"checkpoints": [document(card) for card in found], "partitions": contests, "models": models})
        return
    print_checkpoints(found, deltas)
    for one in contests:
        print_contest(f"partition {one['partition']}", one)
    print_published(models)
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
    partitions(settings, partition)
    found = card(checkpoints(settings, partition), sequence)
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
    from streams.cards import cards
    from streams.commands import send

    settings, _ = find_line(load_settings(data_dir=data_dir))
    partitions(settings, partition)
    target = _target(cards(checkpoints(settings, partition)), partition, to)
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


def _command(target: Card, author: str | None, comment: str | None) -> ModelCommand:
    return new_command(
        "rollback",
        target.partition,
        sequence=target.sequence,
        sha256=target.sha256,
        author=author or None,
        comment=comment or None,
    )


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
