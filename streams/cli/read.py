"""``tail``: what is on a topic, as it comes."""

from __future__ import annotations

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
    from models.classification import Novelty
    from models.records import Prediction, Record
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(tail)


def tail(
    topic: Annotated[str, typer.Argument(help="predictions, andon, dead-letters, …: a topic of the line.")],
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Oldest first, by partition.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after N records.", metavar="N")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end of the topic.")] = True,
    project: Annotated[str | None, typer.Option(help="Only this project's.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Follow a topic: one line a record, or one JSON document a line."""
    from streams.topics import by_short_name

    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(ValueError):
        kind = by_short_name(topic).record
    run_async(_tail(settings, kind, from_beginning or not follow, follow, limit, project, as_json))


async def _tail(
    settings: Settings,
    kind: type[Record],
    from_beginning: bool,
    follow: bool,
    limit: int | None,
    project: str | None,
    as_json: bool,
) -> None:
    from streams.follow import Follower

    shown = 0
    async with Follower(settings, kind, from_beginning=from_beginning) as follower:
        async for record in follower.forever() if follow else follower.until_end():
            if project is not None and record.project != project:
                continue
            _show(record, as_json)
            shown += 1
            if shown == limit:
                break
    if follower.unreadable:
        err.print(f"[yellow]{follower.unreadable} records on the topic could not be read[/yellow]")


def _show(record: Record, as_json: bool) -> None:
    from models.records import AndonEvent, Prediction
    from streams.cli.andon_view import event_line

    if as_json:
        print_json(record.model_dump(mode="json", exclude_none=True))
    elif isinstance(record, Prediction):
        out.print(prediction_line(record), soft_wrap=True)
    elif isinstance(record, AndonEvent):
        out.print(event_line(record), soft_wrap=True)
    else:
        brief = {name: value for name, value in record.model_dump(mode="json").items() if value not in (None, [], {})}
        text = "  ".join(f"{name}={str(value)[:80]}" for name, value in brief.items() if name != "schema_version")
        out.print(safe(text), soft_wrap=True)


def prediction_line(prediction: Prediction) -> str:
    """Return one line of rich markup: when, whose, what the root error is, how sure, whether its kind is new.

    At the end stands how many errors follow from it.
    """
    root = prediction.classifications[prediction.root]
    more = len(prediction.classifications) - 1
    parts = [
        f"[dim]{prediction.time:%H:%M:%S}[/dim]",
        f"{safe(prediction.project)} [dim]{safe(prediction.failure_id)}[/dim]",
        f"[bold]{safe(root.subcategory or root.category)}[/bold] {root.confidence:.0%} [dim]{root.source}[/dim]",
        f"{safe(root.code or '')} {safe(root.message[:100])}",
        _novelty(root.novelty),
        f"[dim]+{more} more[/dim]" if more else "",
    ]
    return " ".join(part for part in parts if part)


def _novelty(novelty: Novelty | None) -> str:
    if novelty is None:
        return ""
    text = novelty_text(novelty)
    return f"[dim]{text}[/dim]" if novelty.seen else f"[yellow]{text}[/yellow]"


def novelty_text(novelty: Novelty, new: str = "new") -> str:
    """Return in words in how many builds a kind of message was met before, and since when."""
    if not novelty.seen:
        return new
    return f"seen {novelty.seen} time{'s' if novelty.seen > 1 else ''}, first on {novelty.first:%Y-%m-%d}"
