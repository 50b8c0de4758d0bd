"""``up``, ``demo``, ``worker`` and ``web``: the commands that run until they are stopped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import (
    DataDir,
    UserError,
    as_user_error,
    check_security,
    err,
    find_line,
    load_settings,
    out,
    safe,
)

if TYPE_CHECKING:
    from streams.programs import Work
    from streams.settings import Settings

Announce = Annotated[Path | None, typer.Option(help="File that gets this process's address as JSON.", hidden=True)]
Attached = Annotated[bool, typer.Option(help="Stop when standard input ends (the parent is gone).", hidden=True)]
MAX_WORKERS = 64


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(up)
    app.command()(demo)
    app.command()(worker)
    app.command()(web)


def up(
    workers: Annotated[str, typer.Option(help="How many worker processes: N, or by role, classify=N.")] = "1",
    port: Annotated[int | None, typer.Option(help="Port of the web interface.", metavar="P")] = None,
    brokers: Annotated[int, typer.Option(help="1, or 3 that hold every record; one of three may die.")] = 1,
    archive: Annotated[bool, typer.Option(help="Keep what comes in as Parquet; train from it on a schedule.")] = True,
    transpilers: Annotated[int, typer.Option(min=0, max=64, help="Workers that transpile programs.", metavar="N")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Start the line: broker (if none is configured), topics, workers, archive, web; Ctrl-C stops it all."""
    from streams.broker import SIZES, BrokerError
    from streams.cli.supervise import run_line
    from streams.web.server import WebError

    settings, count = load_settings(http_port=port, data_dir=data_dir), worker_count(workers)
    if brokers not in SIZES:
        raise UserError(f"--brokers {brokers}: there can be one broker, or three, of which one may die")
    if brokers > 1 and settings.broker:
        raise UserError(f"--brokers {brokers} starts brokers here, but JIDOKA_BROKER names others; use one of the two")
    check_security(settings)
    with as_user_error(BrokerError, WebError):
        run_line(settings, count, brokers, [*(beside(settings) if archive else ()), *["transpile"] * transpilers])


def beside(settings: Settings) -> list[str]:
    """Return the roles that `jidoka up` runs beside its workers: the archive, and training where torch is there."""
    from importlib.util import find_spec

    if settings.train_schedule == "off":
        return ["archive"]
    if find_spec("torch") is None:
        err.print("[dim]no batch training: torch is not installed; `pip install 'jidoka[torch]'` brings it[/dim]")
        return ["archive"]
    return ["archive", "train"]


def worker_count(text: str) -> int:
    """Return how many workers ``--workers`` asks for; raises ``UserError`` that says what may be given."""
    role, given, number = text.rpartition("=")
    if given and role != "classify":  # the archive and training run once beside them
        raise UserError(f"--workers {safe(text)}: no role {safe(role)}; there are: classify")
    if not re.fullmatch("[0-9]{1,2}", number) or not 1 <= int(number) <= MAX_WORKERS:
        raise UserError(f"--workers {safe(text)}: give a number from 1 to {MAX_WORKERS}, or classify=N")
    return int(number)


def demo(
    data_dir: DataDir = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay only the first N failures.", metavar="N")] = None,
    screenshot: Annotated[Path | None, typer.Option(help="Save the last picture as SVG.", metavar="F")] = None,
) -> None:
    """Start a line, replay the bundled real failures, show live what it makes of them, stop."""
    from streams.broker import BrokerError
    from streams.cli.demo import run_demo

    with as_user_error(BrokerError):
        run_demo(data_dir, limit, screenshot)


def worker(
    role: Annotated[
        str | None,
        typer.Option("--role", "--roles", help="What it does: classify (default), transpile, archive or train."),
    ] = None,
    data_dir: DataDir = None,
    announce: Announce = None,
    attached: Attached = False,
) -> None:
    """Run one worker against the line that is up, or against JIDOKA_BROKER; SIGTERM stops it."""
    from aiokafka.errors import KafkaError

    from streams.cli.supervise import stop_with_parent

    settings, _ = find_line(load_settings(data_dir=data_dir, role=role))
    if attached:
        stop_with_parent()
    with as_user_error(OSError):
        settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes only the last folder of its own
    with as_user_error(KafkaError, ConnectionError):
        _run_role(settings, announce)


def _run_role(settings: Settings, announce: Path | None) -> None:
    from streams import sidecar
    from streams import worker as classify

    if settings.role == "archive":
        from streams.archive.sink import Sink

        sidecar.run(settings, announce, lambda: Sink(settings, settings.archive))
    elif settings.role == "transpile":
        classify.run_programs(settings, announce, _transpiling(settings))
    elif settings.role == "train":
        from streams.schedule.trainer import Trainer

        sidecar.run(settings, announce, lambda: Trainer(settings))
    else:
        classify.run(settings, announce)


def _transpiling(settings: Settings) -> Work:
    """Return what a transpiling worker does with a program; raises ``UserError`` where a tool is missing."""
    from producers.transpile.on_topic import Transpiling
    from producers.transpile.pipeline import results_cache
    from producers.transpile.tools import ToolError, find_rustc
    from producers.transpile.transpiler import transpiler

    with as_user_error(ToolError):
        find_rustc()
        tool = transpiler(settings.transpiler)
        err.print(f"[dim]{safe(tool.name)} {safe(tool.version)}, {find_rustc().version}[/dim]")
    return Transpiling(tool, results_cache(), settings.verify_programs)


def web(
    port: Annotated[int | None, typer.Option(help="Port to listen on.", metavar="P")] = None,
    data_dir: DataDir = None,
    announce: Announce = None,
    attached: Attached = False,
) -> None:
    """Run the HTTP interface for the line that is up, or for JIDOKA_BROKER; SIGTERM stops it."""
    from streams.cli.compose_web import run_web
    from streams.cli.supervise import stop_with_parent

    settings, _ = find_line(load_settings(http_port=port, data_dir=data_dir))
    if attached:
        stop_with_parent()
    with as_user_error(ValueError, OSError):
        run_web(settings, announce)
    out.print("web stopped")
