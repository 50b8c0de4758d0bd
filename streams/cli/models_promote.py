"""``models promote`` and ``retire``: a published model answers from the next batch on; a student goes."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.console import DataDir, UserError, find_line, load_settings, out, run_async, safe
from streams.cli.models_challenge import tell
from streams.cli.models_topics import about, checkpoints, new_command, newest, partitions, published
from streams.cli.models_view import print_published

OnePartition = Annotated[int | None, typer.Option("--partition", min=0, help="Only there; else in all of them.")]
Comment = Annotated[str | None, typer.Option(help="Why; it stays on the topic.")]
Author = Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(promote)
    app.command()(retire)


def promote(
    name: Annotated[str, typer.Argument(help="A published model, as `models list` shows it.")],
    partition: OnePartition = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    comment: Comment = None,
    author: Author = None,
    data_dir: DataDir = None,
) -> None:
    """Let a published model answer from the next batch on, without a test; `models challenge` has one.

    A student answers together with the model that learns; any other model takes its place, and what that has learned
    is in its checkpoints alone. `models rollback` goes back. Workers go on.
    """
    import sys

    from streams.commands import send

    settings, _ = find_line(load_settings(data_dir=data_dir))
    numbers = partitions(settings, partition)
    model = newest(published(settings), name)
    print_published([about(model)])
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("nobody is there to be asked; give --yes")
        if not typer.confirm(f"Let it answer in {len(numbers)} partitions without a test?"):
            raise typer.Exit(1)
    fields = {"name": model.name, "sha256": model.sha256, "author": author or None, "comment": comment or None}
    commands = [new_command("promote", number, **fields) for number in numbers]
    run_async(send(settings, *commands))
    tell(commands)


def retire(
    partition: OnePartition = None,
    comment: Comment = None,
    author: Author = None,
    data_dir: DataDir = None,
) -> None:
    """Let the student that answers beside a model go; the model, which has learned all along, answers alone."""
    from streams.cards import standing
    from streams.commands import send

    settings, _ = find_line(load_settings(data_dir=data_dir))
    stands = {number: standing(number, checkpoints(settings, number)) for number in partitions(settings, partition)}
    served = {number: one["student"]["name"] for number, one in stands.items() if one["student"]}
    if not served:
        raise UserError("no student answers there; `jidoka models list` shows who does")
    commands = [
        new_command("retire", number, author=author or None, comment=comment or None) for number in sorted(served)
    ]
    run_async(send(settings, *commands))
    out.print(f"no longer to answer: {', '.join(sorted({safe(name) for name in served.values()}))}", soft_wrap=True)
    tell(commands)
