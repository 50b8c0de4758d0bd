"""``classify``: the model without a broker."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import replay
from streams.cli.console import AsJson, UserError, err, out, print_json, safe
from streams.cli.read import novelty_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from models.classification import Classification
    from models.records import CompilerErrors, Prediction

FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(classify)
    replay.register(app)


def classify(
    text: Annotated[str, typer.Argument(help="A message, a file of compiler output, or - for standard input.")] = "-",
    as_json: AsJson = False,
) -> None:
    """Classify now, without a broker, with the bundled model; shows why. Exit status 1: nothing to classify."""
    from models.step import step
    from models.warm_start import warm_state

    state, found = warm_state(), 0
    for record in _records_of(text):
        prediction = step(state, record, record.time)[0]
        found += 1
        if as_json:
            print_json(prediction.model_dump(mode="json", exclude_none=True))
        else:
            _show(prediction)
    if not found:
        err.print("no failure found in the input")
        raise typer.Exit(FAILED)


def _records_of(text: str) -> Iterable[CompilerErrors]:
    from producers.ci import InputError, Report, read

    data, name = _bytes_of(text)
    if not data.strip():
        return []
    try:
        found = list(read(BytesIO(data), name=name, project="local", time=datetime.now(UTC), report=Report()))
    except InputError as error:
        raise UserError(safe(error)) from None
    return found or _bare_message(data)


def _bytes_of(text: str) -> tuple[bytes, str | None]:
    if text == "-":
        if sys.stdin.isatty():
            err.print("[dim]reading compiler output from standard input; Ctrl-D ends it[/dim]")
        return sys.stdin.buffer.read(), None
    if os.path.isdir(text):  # noqa: PTH112 - a text too long to be a path is no error here
        raise UserError(f"{safe(text)} is a directory; give a file of compiler output, a message, or -")
    try:
        return (Path(text).read_bytes(), text) if Path(text).is_file() else (text.encode(), None)
    except OSError as error:  # a text too long to be a path is a text
        return (text.encode(), None) if error.errno else (b"", None)


def _bare_message(data: bytes) -> list[CompilerErrors]:
    """Take a text in which no format was recognised as one message, e.g. copied from somewhere."""
    from models.diagnostics import Diagnostic
    from models.records import CompilerErrors, content_id

    message = data.decode(errors="replace").strip()[:2000]
    if not message:
        return []
    diagnostic = Diagnostic(level="error", message=message)
    now = datetime.now(UTC)
    return [CompilerErrors(id=content_id(message), time=now, project="local", diagnostics=(diagnostic,))]


def _show(prediction: Prediction) -> None:
    for answer in prediction.classifications:
        is_root = answer.index == prediction.root and len(prediction.classifications) > 1
        root = "  [cyan]root of the build's errors[/cyan]" if is_root else ""
        code = f"[{answer.code}] " if answer.code else ""
        out.print(f"[bold]{_name(answer)}[/bold]  {answer.confidence:.0%} by {answer.source}{root}")
        out.print(f"  [dim]{safe(code)}{safe(answer.message)}[/dim]", soft_wrap=True)
        out.print(f"  because {safe(answer.reason)}", soft_wrap=True)
        decided = answer.explanation or " · ".join(answer.words)
        if decided:
            out.print(f"  model   {safe(decided)}", soft_wrap=True)
        others = [f"{one.subcategory or one.category} {one.probability:.0%}" for one in answer.top[1:]]
        if others:
            out.print(f"  else    {', '.join(others)}")
        if answer.novelty:  # this model has no stream behind it: it has met the input, and nothing else
            out.print(f"  kind    {novelty_text(answer.novelty, new='new in this input')}")


def _name(answer: Classification) -> str:
    return f"{answer.category} / {answer.subcategory}" if answer.subcategory else answer.category
