"""``label``: what a person says a diagnostic really is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import DataDir, UserError, as_user_error, err, find_line, load_settings, out, run_async, safe

if TYPE_CHECKING:
    from models.records import Record
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(label)


def label(
    failure_id: Annotated[str, typer.Argument(help="As in the prediction's failure_id.")],
    index: Annotated[int, typer.Argument(min=0, max=99, help="Which diagnostic, counted from 0.")],
    category: Annotated[str, typer.Argument(help="What it really is: one of the categories or subcategories.")],
    project: Annotated[str | None, typer.Option(help="Needed when several have this id.")] = None,
    fix: Annotated[str | None, typer.Option(help="Speak of this pattern of `jidoka fix` instead.")] = None,
    applied: Annotated[bool, typer.Option("--applied/--rejected", help="Whether that fix was taken.")] = True,
    comment: Annotated[str | None, typer.Option(help="Why.")] = None,
    author: Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")] = None,
    data_dir: DataDir = None,
) -> None:
    """Say what a diagnostic really is; the model of its partition learns it.

    With --fix, say whether that fix was applied or rejected: how often it worked goes with later predictions.
    """
    from models.memory import MAX_RECENT
    from models.records import Feedback, content_id
    from models.taxonomy import parse_label
    from producers.sender import SenderError

    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(ValueError, SenderError):
        now, name = datetime.now(UTC), parse_label(category)
        home = run_async(_project_of(settings, failure_id, index, project))
        feedback = Feedback(
            id=content_id(failure_id, index, name, fix, now.isoformat()),
            time=now,
            project=home,
            failure_id=failure_id,
            index=index,
            category=name,
            fix=fix,
            applied=None if fix is None else applied,
            author=author,
            comment=comment,
        )
        run_async(_send_one(settings, feedback))
    said = f"is {name}" if fix is None else f"{safe(fix)} {'applied' if applied else 'rejected'}"
    out.print(f"noted: {safe(failure_id)} diagnostic {index} {said}")
    err.print(f"[dim]learned if the failure is among the last {MAX_RECENT:,} of its partition[/dim]")


async def _project_of(settings: Settings, failure_id: str, index: int, project: str | None) -> str:
    """Return the project of the failure's prediction: feedback has to go to the same partition.

    Raises ``UserError`` when there is no such prediction (one that has left the topic is no longer held by the model
    either), or none with that many diagnostics.
    """
    from models.records import Prediction
    from streams.follow import Follower

    found: dict[str, int] = {}  # project -> how many diagnostics
    async with Follower(settings, Prediction, from_beginning=True) as follower:
        async for record in follower.until_end():
            if record.failure_id == failure_id and project in (None, record.project):
                found[record.project] = len(record.classifications)
    if not found:
        where = f" in project {safe(project)}" if project else ""
        raise UserError(f"no prediction for failure {safe(failure_id)}{where}; `jidoka tail predictions` shows the ids")
    if len(found) > 1:
        raise UserError(f"several projects have a failure {safe(failure_id)}: --project {safe(' or '.join(found))}")
    ((home, count),) = found.items()
    if index >= count:
        raise UserError(f"failure {safe(failure_id)} has {count} diagnostics, counted from 0: there is no {index}")
    return home


async def _send_one(settings: Settings, record: Record) -> None:
    from producers.sender import Sender
    from streams.kafka import client_options

    async with Sender(settings.broker or "", client_options(settings), "/jidoka/label") as sender:
        await sender.send(record)
