"""``push`` and ``label``: records onto the line."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

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
    from collections.abc import Iterator

    from models.records import CompilerErrors, Record
    from producers.ci import Report
    from producers.http_sender import HttpSender
    from producers.sender import Sender
    from streams.settings import Settings

FORMATS = ("auto", "cargo", "rustc", "text", "jsonl", "parquet")
PROGRESS_EVERY = 200  # records


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(push)
    app.command()(label)


def push(
    file: Annotated[str, typer.Argument(help="Compiler output to read; - is standard input.")] = "-",
    project: Annotated[str | None, typer.Option(help="Default: from Cargo.toml or the git remote.")] = None,
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")] = "auto",  # noqa: A002 - the flag's name
    run: Annotated[str | None, typer.Option(help="The CI run's id.")] = None,
    commit: Annotated[str | None, typer.Option(help="The commit that was built.")] = None,
    warnings: Annotated[bool, typer.Option(help="Take warnings too, e.g. clippy's.")] = False,
    url: Annotated[str | None, typer.Option(help="Post to a web interface instead of Kafka.", metavar="U")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read compiler output and put its failures on the line.

    Exit status 0: all read. 1: some lines rejected, or nothing in the input was compiler output. 2: nothing sent.
    """
    from producers.ci import InputError, Report
    from producers.http_sender import HttpSender, HttpSenderError
    from producers.sender import Sender, SenderError
    from streams.kafka import client_options

    report = Report()
    with as_user_error(InputError, SenderError, HttpSenderError), _opened(file) as source:
        records = _read(source, file, _project(project), format, run, commit, warnings, report)
        settings = load_settings(data_dir=data_dir)
        if url:
            token = settings.token.get_secret_value() if settings.token else None
            run_async(_send(records, HttpSender(url, token)))
        else:
            settings, _ = find_line(settings)
            run_async(_send(records, Sender(settings.broker or "", client_options(settings), "/jidoka/push")))
    _tell(report, as_json)
    raise typer.Exit(report.exit_code)


def _opened(file: str) -> BinaryIO | nullcontext[BinaryIO]:
    from producers.ci import open_input

    return nullcontext(sys.stdin.buffer) if file == "-" else open_input(Path(file))


def _project(given: str | None) -> str:
    from producers.ci import guess_project

    found = given or guess_project(Path.cwd())
    if found is None:
        raise UserError("no project: give --project NAME, or run it where there is a Cargo.toml or a git remote")
    return found


def _read(
    source: BinaryIO,
    file: str,
    project: str,
    format_name: str,
    run: str | None,
    commit: str | None,
    warnings: bool,
    report: Report,
) -> Iterator[CompilerErrors]:
    from producers.ci import Format, read

    if format_name not in FORMATS:
        raise UserError(f"no format {safe(format_name)}; there are {', '.join(FORMATS)}")
    return read(
        source,
        name=None if file == "-" else file,
        format=None if format_name == "auto" else Format(format_name),
        project=project,
        time=datetime.now(UTC),
        run=run,
        commit=commit,
        warnings=warnings,
        report=report,
    )


async def _send(records: Iterator[CompilerErrors], sender: Sender | HttpSender) -> None:
    count = 0
    with err.status("reading") as status:
        async with sender:
            for record in records:
                await sender.send(record)
                count += 1
                if count % PROGRESS_EVERY == 0:
                    status.update(f"{count:,} failures sent")


def _tell(report: Report, as_json: bool) -> None:
    for line, reason in report.rejected:
        err.print(f"[yellow]line {line}:[/yellow] {safe(reason)}", soft_wrap=True)
    if report.rejections > len(report.rejected):
        err.print(f"[yellow]… and {report.rejections - len(report.rejected)} more rejected lines[/yellow]")
    if as_json:
        print_json(
            {
                "accepted": report.accepted,
                "diagnostics": report.diagnostics,
                "rejected": report.rejections,
                "skipped": dict(report.skipped),
            }
        )
        return
    skipped = ", ".join(f"{count} {kind}" for kind, count in report.skipped.items())
    out.print(f"accepted {report.accepted} failed compilations ({report.diagnostics} diagnostics)")
    out.print(f"rejected {report.rejections} lines" + (f"; passed over {skipped}" if skipped else ""))
    if not report.usable:
        err.print("[yellow]nothing in the input was compiler output; is the format right (--format)?[/yellow]")


def label(
    failure_id: Annotated[str, typer.Argument(help="As in the prediction's failure_id.")],
    index: Annotated[int, typer.Argument(min=0, max=99, help="Which diagnostic, counted from 0.")],
    category: Annotated[str, typer.Argument(help="What it really is: one of the categories or subcategories.")],
    project: Annotated[str | None, typer.Option(help="Default: looked up among the recent predictions.")] = None,
    comment: Annotated[str | None, typer.Option(help="Why.")] = None,
    author: Annotated[str | None, typer.Option(help="Who says so.", envvar="USER")] = None,
    data_dir: DataDir = None,
) -> None:
    """Say what a diagnostic really is; the model of its partition learns it."""
    from models.records import Feedback, content_id
    from models.taxonomy import parse_label
    from producers.sender import SenderError

    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(ValueError, SenderError):
        now, name = datetime.now(UTC), parse_label(category)
        home = project or run_async(_find_project(settings, failure_id))
        feedback = Feedback(
            id=content_id(failure_id, index, name, now.isoformat()),
            time=now,
            project=home,
            failure_id=failure_id,
            index=index,
            category=name,
            author=author,
            comment=comment,
        )
        run_async(_send_one(settings, feedback))
    out.print(f"noted: {safe(failure_id)} diagnostic {index} is {name}")


async def _find_project(settings: Settings, failure_id: str) -> str:
    """Return the project of a prediction on the topic; feedback has to go to the same partition."""
    from models.records import Prediction
    from streams.follow import Follower

    async with Follower(settings, Prediction, from_beginning=True) as follower:
        async for record in follower.until_end():
            if record.failure_id == failure_id:
                return record.project
    raise UserError(f"no prediction for failure {safe(failure_id)} on the topic; check the id, or give --project")


async def _send_one(settings: Settings, record: Record) -> None:
    from producers.sender import Sender
    from streams.kafka import client_options

    async with Sender(settings.broker or "", client_options(settings), "/jidoka/label") as sender:
        await sender.send(record)
