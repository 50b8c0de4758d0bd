"""``dead-letters list`` and ``redrive``."""

from __future__ import annotations

import base64
import hashlib
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
    from streams.follow import Follower
    from streams.settings import Settings

app = typer.Typer(help="Records that could not be read: look at them, send them again.", no_args_is_help=True)
SHOWN = 120  # characters of the original bytes
PORTION_BYTES = 32 << 20  # of base64, held and sent together
FAILED = 1


@app.command("list")
def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the dead letters: where each stood, why it was refused, how it begins."""
    settings, _ = find_line(load_settings(data_dir=data_dir))
    count, unreadable = run_async(_list(settings, as_json))
    if not as_json:
        err.print(f"{count} dead letters")
    if unreadable:
        err.print(f"[yellow]{unreadable} records on the topic are no dead letters[/yellow]")


async def _list(settings: Settings, as_json: bool) -> tuple[int, int]:
    """Print the letters one by one: together they may be larger than the memory."""
    count = 0
    async with _follower(settings) as follower:
        async for letter in follower.until_end():
            count += 1
            if as_json:
                print_json(letter.model_dump(mode="json", exclude_none=True))
            else:
                value = _beginning(letter.value)
                out.print(f"[bold]{safe(letter.id)}[/bold]  {safe(letter.reason)}\n    {safe(value)}", soft_wrap=True)
        return count, follower.unreadable


def _beginning(value: str | None) -> str:
    try:
        return base64.b64decode((value or "")[: 4 * SHOWN]).decode(errors="replace")[:SHOWN]
    except ValueError:
        return "(not base64)"


@app.command()
def redrive(
    letter_id: Annotated[list[str] | None, typer.Argument(help="Ids from `dead-letters list`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every dead letter on the topic that can be sent.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Send dead letters again to the topic they came from, with their original bytes, key and partition.

    What was learned before is not learned twice; a record that is still unreadable becomes a dead letter again.
    """
    from streams.dead_letters import DeadLetterError

    wanted = set(letter_id or ())
    if bool(wanted) == all_:
        raise UserError("give ids from `jidoka dead-letters list`, or --all")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(DeadLetterError):
        count, passed_over = run_async(_all(settings) if all_ else _some(settings, wanted))
    out.print(f"sent again: {count}")
    if passed_over:
        err.print(f"[yellow]{passed_over} letters cannot be sent again, see above[/yellow]")
        raise typer.Exit(FAILED)


async def _some(settings: Settings, wanted: set[str]) -> tuple[int, int]:
    """Send the letters with these ids, all or none of them."""
    from streams.dead_letters import resend

    async with _follower(settings) as follower:
        letters = [one async for one in follower.until_end() if one.id in wanted]
    missing = wanted - {one.id for one in letters}
    if missing:
        raise UserError(f"no dead letter {safe(', '.join(sorted(missing)))}; `jidoka dead-letters list` shows them")
    # One that is sent again and still unreadable is a letter once more: the same bytes go out once, not twice as often.
    letters = list({_content(one): one for one in letters}.values())
    return await resend(settings, letters), 0


async def _all(settings: Settings) -> tuple[int, int]:
    """Send every letter that can be, in portions; name the others; return how many of each."""
    from streams.dead_letters import resend

    seen, refusals, sent, size = set[bytes](), 0, 0, 0
    portion: list[DeadLetter] = []

    def refused(why: str) -> None:
        nonlocal refusals
        refusals += 1
        err.print(f"[yellow]passed over:[/yellow] {safe(why)}", soft_wrap=True)

    async with _follower(settings) as follower:
        async for letter in follower.until_end():
            if (content := _content(letter)) in seen:
                continue
            seen.add(content)
            portion.append(letter)
            size += len(letter.value or "") + len(letter.key or "")
            if size > PORTION_BYTES:
                sent += await resend(settings, portion, refused)
                portion, size = [], 0
        sent += await resend(settings, portion, refused)
    return sent, refusals


def _content(letter: DeadLetter) -> bytes:
    """Return a digest that letters share whose messages, sent again, are the same."""
    value = letter.value if letter.key is not None else letter.value or ""  # nothing at all is sent as an empty value
    place = f"{letter.source_topic}/{letter.partition}/{letter.key}/"
    return hashlib.sha256(place.encode() + str(value).encode()).digest()


def _follower(settings: Settings) -> Follower[DeadLetter]:
    from models.records import DeadLetter
    from streams.follow import Follower

    return Follower(settings, DeadLetter, from_beginning=True)
