"""What all commands share: consoles, settings, errors for people, and finding the line that is up."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from streams.runfile import RunFile
    from streams.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
T = TypeVar("T")
CONNECT_LIMIT_S = 10.0

DataDir = Annotated[str | None, typer.Option("--data-dir", help="Where the line keeps its files.", metavar="D")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class UserError(Exception):
    """Something a person can mend: printed in one paragraph, without a stack trace, exit status 2."""


def load_settings(**flags: Any) -> Settings:
    """Return the settings with the given flags on top; raises ``UserError`` that names the setting at fault."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError
    from yaml import YAMLError

    from streams.settings import Settings

    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise UserError(f"setting {name} (JIDOKA_{name.upper()}): {first['msg']}") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""  # never the text itself: it may be a password
        raise UserError(
            f"jidoka.yaml{place}: not plain YAML; name: value lines are taken, no !tags, *aliases or %directives: put "
            "a value that begins with one of ! & * % @ ` into quotes"
        ) from None
    except (SettingsError, ValueError, TypeError) as error:  # the last two: a YAML list, or a text
        what = " ".join(str(error).split())
        raise UserError(f"the settings cannot be read; jidoka.yaml holds name: value lines: {safe(what)}") from None


def find_line(settings: Settings) -> tuple[Settings, RunFile | None]:
    """Return the settings with the broker of the line that is up, and its run file if it is on this machine.

    Raises ``UserError`` when there is neither ``JIDOKA_BROKER`` nor a line that is up.
    """
    from streams import runfile

    check_security(settings)
    running = runfile.read(settings.data_dir)
    if settings.broker is None and running is None:
        raise UserError(
            f"no line is up in {settings.data_dir}: start one with `jidoka up`, or set JIDOKA_BROKER=kafka://host:port"
        )
    broker = settings.broker or (running.broker if running else None)
    return settings.model_copy(update={"broker": broker}), running


def check_security(settings: Settings) -> None:
    """Raise ``UserError`` when the security settings do not fit together, or the broker does not let us in with them.

    A broker that cannot be reached passes: what is done next says so.
    """
    from streams.kafka import KafkaConfigError, client_options, run_anywhere
    from streams.refusal import refusal

    with as_user_error(KafkaConfigError):
        options = client_options(settings)
    broker = settings.broker
    if broker and settings.security_protocol != "PLAINTEXT":
        reason = run_anywhere(lambda: refusal(broker, options, CONNECT_LIMIT_S))
        if reason:
            raise UserError(safe(reason))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``; what goes wrong on the way to Kafka becomes a ``UserError``."""
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(work)
    except BrokenPipeError:  # of standard output: whoever reads us (`| head`) has seen enough; typer would call it 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None
    except (KafkaError, ConnectionError, TimeoutError) as error:
        raise UserError(f"Kafka does not answer as it should: {error!r}; `jidoka doctor` says more") from None


def print_json(value: Any) -> None:
    """Print one JSON document on a line of its own, unformatted, as pipes want it."""
    sys.stdout.write(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")
    sys.stdout.flush()


def safe(text: object) -> str:
    """Return untrusted text as it may be printed: rich markup escaped, control characters shown, not obeyed."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(text))
    return escape(shown)


@contextmanager
def as_user_error(*kinds: type[Exception]) -> Iterator[None]:
    """Turn the given errors, whose texts are made for people, into a ``UserError``."""
    try:
        yield
    except kinds as error:
        raise UserError(safe(error)) from None
