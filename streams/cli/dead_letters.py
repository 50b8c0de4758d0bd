"""``dead-letters list`` and ``redrive``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from models.records import DeadLetter
    from streams.settings import Settings

app = typer.Typer(help="Records that could not be read: look at them, send them again.", no_args_is_help=True)
SHOWN = 120  # characters of the original bytes


@app.command("list")
def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the dead letters: where each stood, why it was refused, how it begins."""
    settings, _ = find_line(load_settings(data_dir=data_dir))
    letters = run_async(_read(settings))
    for letter in letters:
        if as_json:
            print_json(letter.model_dump(mode="json", exclude_none=True))
        else:
            value = _beginning(letter.value)
            out.print(f"[bold]{safe(letter.id)}[/bold]  {safe(letter.reason)}\n    {safe(value)}", soft_wrap=True)
    if not as_json:
        err.print(f"{len(letters)} dead letters")


def _beginning(value: str | None) -> str:
    try:
        return base64.b64decode((value or "")[: 4 * SHOWN]).decode(errors="replace")[:SHOWN]
    except ValueError:
        return "(not base64)"


@app.command()
def redrive(
    letter_id: Annotated[list[str] | None, typer.Argument(help="Ids from `dead-letters list`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every dead letter on the topic.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Send dead letters again to the topic they came from, with their original bytes.

    What was learned before is not learned twice; a record that is still unreadable becomes a dead letter again.
    """
    from streams.dead_letters import DeadLetterError

    wanted = set(letter_id or ())
    if bool(wanted) == all_:
        raise UserError("give ids from `jidoka dead-letters list`, or --all")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    letters = [one for one in run_async(_read(settings)) if all_ or one.id in wanted]
    missing = wanted - {one.id for one in letters}
    if missing:
        raise UserError(f"no dead letter {safe(', '.join(sorted(missing)))}; `jidoka dead-letters list` shows them")
    # One that is sent again and still unreadable is a letter once more: the same bytes go out once, not twice as often.
    letters = list({(one.source_topic, one.partition, one.key, one.value): one for one in letters}.values())
    with as_user_error(DeadLetterError):
        run_async(_send(settings, letters))
    out.print(f"sent again: {len(letters)}")


async def _read(settings: Settings) -> list[DeadLetter]:
    from models.records import DeadLetter
    from streams.follow import Follower

    async with Follower(settings, DeadLetter, from_beginning=True) as follower:
        return [letter async for letter in follower.until_end()]


async def _send(settings: Settings, letters: list[DeadLetter]) -> None:
    from streams.dead_letters import resend

    await resend(settings, letters)
