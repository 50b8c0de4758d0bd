"""``push``: compiler output onto the line."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
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

    from models.change import Change
    from models.records import CompilerErrors
    from producers.ci import Report
    from producers.http_sender import HttpSender
    from producers.sender import Sender

FORMATS = ("auto", "cargo", "rustc", "text", "jsonl", "parquet")
PROGRESS_EVERY = 200  # records
MAX_IDS, MAX_IDS_SHOWN = 1_000, 3


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(push)


def push(
    file: Annotated[str, typer.Argument(help="Compiler output to read; - is standard input.")] = "-",
    project: Annotated[str | None, typer.Option(help="Default: from Cargo.toml or the git remote.")] = None,
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")] = "auto",  # noqa: A002 - the flag's name
    run: Annotated[str | None, typer.Option(help="The CI run's id.")] = None,
    commit: Annotated[str | None, typer.Option(help="The commit that was built.")] = None,
    repo: Annotated[
        Path | None, typer.Option(help="Send with each failure what its commit (or HEAD) changed.", metavar="DIR")
    ] = None,
    source_root: Annotated[
        Path | None, typer.Option(help="Send the lines around each span, read from this tree.", metavar="DIR")
    ] = None,
    warnings: Annotated[bool, typer.Option(help="Take warnings too, e.g. clippy's.")] = False,
    url: Annotated[str | None, typer.Option(help="Post to a web interface instead of Kafka.", metavar="U")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read compiler output and put its failures on the line.

    Exit status 0: all read. 1: some lines rejected, or nothing in the input was compiler output. 2: nothing sent.
    """
    from producers.ci import ChangeError, InputError, Report, SourceTree
    from producers.http_sender import HttpSender, HttpSenderError
    from producers.sender import Sender, SenderError
    from streams.kafka import client_options

    report = Report()
    with as_user_error(InputError, ChangeError, SenderError, HttpSenderError), _opened(file) as source:
        home = _project(project)
        records = _read(source, file, home, format, run, *_change(repo, commit), warnings, report)
        if source_root is not None:
            records = map(SourceTree(source_root).surround, records)
        settings = load_settings(data_dir=data_dir)
        if url:
            token = settings.token.get_secret_value() if settings.token else None
            sent = run_async(_send(records, HttpSender(url, token)))
        else:
            settings, _ = find_line(settings)
            sent = run_async(_send(records, Sender(settings.broker or "", client_options(settings), "/jidoka/push")))
    _tell(report, sent, home, as_json)
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


def _change(repo: Path | None, commit: str | None) -> tuple[str | None, Change | None]:
    """Return the commit that was built, which is HEAD's if none is given, and what it changed."""
    from producers.ci import change_of, commit_of

    if repo is None:
        return commit, None
    sha = commit_of(repo, commit or "HEAD")
    return commit or sha, change_of(repo, sha)


def _read(
    source: BinaryIO,
    file: str,
    project: str,
    format_name: str,
    run: str | None,
    commit: str | None,
    change: Change | None,
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
        change=change,
        warnings=warnings,
        report=report,
    )


@dataclass
class Sent:
    """What went onto the line: the first ids, and the projects that records named themselves."""

    count: int = 0
    ids: list[str] = field(default_factory=list)
    projects: set[str] = field(default_factory=set)

    def add(self, record: CompilerErrors) -> None:
        """Take note of a record."""
        self.count += 1
        if len(self.ids) < MAX_IDS:
            self.ids.append(record.id)
        if len(self.projects) < MAX_IDS:
            self.projects.add(record.project)


async def _send(records: Iterator[CompilerErrors], sender: Sender | HttpSender) -> Sent:
    sent = Sent()
    with err.status("reading") as status:
        async with sender:
            for record in records:
                await sender.send(record)
                sent.add(record)
                if sent.count % PROGRESS_EVERY == 0:
                    status.update(f"{sent.count:,} failures sent")
    return sent


def _tell(report: Report, sent: Sent, project: str, as_json: bool) -> None:
    others = sorted(sent.projects - {project})
    if others:
        err.print(f"records keep the project that they name themselves: {safe(', '.join(others[:5]))}", soft_wrap=True)
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
                "failure_ids": sent.ids,
            }
        )
        return
    skipped = ", ".join(f"{count} {kind}" for kind, count in report.skipped.items())
    out.print(f"accepted {report.accepted} failed compilations ({report.diagnostics} diagnostics)")
    for failure_id in sent.ids[:MAX_IDS_SHOWN]:
        out.print(f"  failure {safe(failure_id)}")
    if sent.count > MAX_IDS_SHOWN:
        out.print(f"  … and {sent.count - MAX_IDS_SHOWN} more; --json lists them")
    out.print(f"rejected {report.rejections} lines" + (f"; passed over {skipped}" if skipped else ""))
    if not report.usable:
        err.print("[yellow]nothing in the input was compiler output; is the format right (--format)?[/yellow]")
