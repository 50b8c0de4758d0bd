"""``models challenge``: a published model learns in shadow and takes over where it wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import DataDir, UserError, err, find_line, load_settings, out, run_async, safe
from streams.cli.models_topics import about, checkpoints, new_command, partitions, published

if TYPE_CHECKING:
    from models.records import Model, ModelCommand
    from streams.settings import Settings

MANY = 20  # names in a message


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

    It answers nothing before. Workers go on: each reads the command in order with its other records. A challenger that
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
        model = _newest(published(settings), name)
        fields |= {"name": model.name, "sha256": model.sha256, "rules": not people_only}
        commands = [new_command("challenge", number, **fields) for number in numbers]
    run_async(send(settings, *commands))
    _tell(commands)


def _newest(models: list[Model], name: str) -> Model:
    """Return the newest usable model of that name: newest by its own time, as for a partition that starts from it."""
    named = [model for model in models if model.name == name]
    if not named:
        names = sorted({safe(model.name) for model in models})
        there = ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
        raise UserError(f"no published model {safe(name)}; there are: {there or 'none yet'}")
    model = max(named, key=lambda one: one.time)
    if problem := about(model)["problem"]:
        raise UserError(f"published model {safe(name)} is not usable: {safe(problem)}")
    return model


def _running(settings: Settings, numbers: list[int]) -> list[int]:
    """Return those of the partitions in which a challenger runs; raises ``UserError`` when there is none."""
    from streams.cards import standing

    found = [number for number in numbers if standing(number, checkpoints(settings, number))["challenge"]]
    if not found:
        where = f"partition {numbers[0]}" if len(numbers) == 1 else f"partitions 0 to {numbers[-1]}"
        raise UserError(f"no challenger runs in {where}; `jidoka models list` shows how the last ones ended")
    return found


def _tell(commands: list[ModelCommand]) -> None:
    for command in commands:
        what = "give up" if command.name is None else f"challenge by {safe(command.name)}"
        out.print(f"partition {command.partition}  {what}  asked for: {command.id}", soft_wrap=True)
    err.print(
        "[dim]`jidoka models list` shows how it stands; refused if the command is among "
        "`jidoka dead-letters list`[/dim]",
        soft_wrap=True,
    )
