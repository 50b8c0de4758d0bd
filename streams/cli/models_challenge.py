"""``models challenge``: a published model learns in shadow and takes over where it wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import DataDir, UserError, err, find_line, load_settings, out, run_async, safe
from streams.cli.models_topics import checkpoints, new_command, newest, partitions, published

if TYPE_CHECKING:
    from models.records import ModelCommand
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(challenge)


def challenge(
    name: Annotated[str | None, typer.Argument(help="A published model, as `models list` shows it.")] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="Only there; without it, in all of them.")] = None,
    people_only: Annotated[bool, typer.Option("--people-only", help="Rules' labels do not decide.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="End the running challenge.")] = False,
    comment: Annotated[str | None, typer.Option(help="Why; it stays on the topic.")] = None,
    author: Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")] = None,
    data_dir: DataDir = None,
) -> None:
    """Let a published model learn beside the one that answers; it takes over where it wins a paired test.

    A student predicts only, and answers together with the model once the two have won. Neither answers anything before.
    Workers go on: each reads the command in order with its other records. A challenger of the same kind that
    runs there already is given up.
    """
    from streams.commands import send

    if (name is None) != give_up or (people_only and give_up):
        raise UserError("give the NAME of a published model, or --give-up alone; `jidoka models list` shows the names")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    numbers = partitions(settings, partition)
    fields: dict[str, object] = {"author": author or None, "comment": comment or None}
    if name is None:
        commands = [new_command("give-up", number, **fields) for number in _running(settings, numbers)]
    else:
        model = newest(published(settings), name)
        if people_only and model.card is not None:
            raise UserError(f"--people-only: {safe(name)} is a student, which labels of rules score too")
        fields |= {"name": model.name, "sha256": model.sha256, "rules": not people_only}
        commands = [new_command("challenge", number, **fields) for number in numbers]
    run_async(send(settings, *commands))
    tell(commands)


def _running(settings: Settings, numbers: list[int]) -> list[int]:
    """Return those of the partitions in which a challenger runs; raises ``UserError`` when there is none."""
    from streams.cards import standing

    stands = {number: standing(number, checkpoints(settings, number)) for number in numbers}
    found = [number for number, one in stands.items() if one["challenge"] or one["trial"]]
    if not found:
        where = f"partition {numbers[0]}" if len(numbers) == 1 else f"partitions 0 to {numbers[-1]}"
        raise UserError(f"no challenger runs in {where}; `jidoka models list` shows how the last ones ended")
    return found


def tell(commands: list[ModelCommand]) -> None:
    """Print what was asked for, of which partition."""
    for command in commands:
        what = command.action if command.name is None else f"{command.action} {safe(command.name)}"
        out.print(f"partition {command.partition}  {what}  asked for: {command.id}", soft_wrap=True)
    err.print(
        "[dim]`jidoka models list` shows how it stands; refused if the command is among "
        "`jidoka dead-letters list`[/dim]",
        soft_wrap=True,
    )
