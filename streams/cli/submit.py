"""``submit``: programs onto the line, for the workers that transpile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import (
    AsJson,
    DataDir,
    as_user_error,
    err,
    find_line,
    load_settings,
    out,
    print_json,
    run_async,
    safe,
)

if TYPE_CHECKING:
    from models.records import Program
    from producers.transpile.inputs import Inputs
    from streams.settings import Settings

Where = Annotated[Path, typer.Argument(help="A .py file, a folder of them, or Parquet with a column source.")]
PROJECT = "synthetic"
REFUSED = 1  # exit status where a program could not be taken


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(submit)


def submit(
    programs: Where,
    project: Annotated[str, typer.Option(help="Whose failures these will be.")] = PROJECT,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put programs on the line: workers with the role transpile put them through the transpiler and rustc.

    `jidoka generate` makes such programs. Results: `jidoka tail transpile-results`; failures are classified like all
    others. Submitting a program again gives results with the same ids. Exit status 1: some could not be taken.
    """
    from producers.sender import SenderError
    from producers.transpile.inputs import InputsError, open_inputs

    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(InputsError, SenderError):
        inputs = open_inputs(programs)
        sent = run_async(_send(settings, _records(inputs, project, limit)))
    for name, reason in inputs.refused:
        err.print(f"passed over {safe(name)}: {safe(reason)}", soft_wrap=True)
    if as_json:
        print_json({"submitted": sent, "refused": len(inputs.refused), "project": project})
    else:
        out.print(f"{sent:,} programs submitted; `jidoka tail transpile-results` shows what becomes of them")
    if inputs.refused:
        raise typer.Exit(REFUSED)


def _records(inputs: Inputs, project: str, limit: int | None) -> Iterator[Program]:
    from itertools import islice

    from pydantic import ValidationError

    from models.records import Program
    from producers.transpile.pipeline import program_id

    now = datetime.now(UTC)
    for source in islice(inputs, limit):
        try:
            yield Program(
                id=program_id(source.text),
                time=now,
                project=project,
                source=source.text,
                level=source.level,
                strategy=source.strategy,
            )
        except ValidationError as error:
            inputs.refused.append((source.name, str(error.errors(include_url=False, include_input=False)[0]["msg"])))


async def _send(settings: Settings, records: Iterator[Program]) -> int:
    from producers.sender import Sender
    from streams.kafka import client_options

    sent = 0
    async with Sender(settings.broker or "", client_options(settings), "/jidoka/submit") as sender:
        for record in records:
            await sender.send(record)
            sent += 1
    return sent
