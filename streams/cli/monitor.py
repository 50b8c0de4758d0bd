"""``monitor``: the andon over files; a baseline is learned, an input watched, what moved is written as YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from models.andon.recorded import Recorded
    from models.records import CompilerErrors
    from models.state import LineState

ALARM = 1
EVERY = 100  # builds between two steps of the shown progress
STYLES = {"green": "green", "amber": "yellow", "red": "red"}
Files = list[Path]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(monitor)


def monitor(
    input_: Annotated[
        Files, typer.Option("--input", help="What is watched: Parquet, JSONL, compiler output. Again for more.")
    ],
    baseline: Annotated[Files, typer.Option("--baseline", help="What is normal, of the same kinds. Again for more.")],
    model: Annotated[str, typer.Option(help="warm-start (the bundled model), or a snapshot's file.")] = "warm-start",
    alert_threshold: Annotated[
        float | None, typer.Option(min=0.0, help="Alarm where KL(window || baseline) is above, in nats.", metavar="T")
    ] = None,
    window: Annotated[int, typer.Option(min=50, max=100_000, help="Votes, one per build and category.")] = 500,
    output: Annotated[Path | None, typer.Option(help="Write what was found.", metavar="FILE.yaml")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn what is normal from a baseline, watch an input, and say what moved: as a line does, on files.

    The line's own detectors watch, which are set for a false alarm in 100,000 builds and need a long baseline; with
    --alert-threshold also the plain divergence. Exit status 0: quiet, 1: an alarm, 2: not possible as asked.
    """
    from models.andon.recorded import Recorded

    if output is not None:
        with as_user_error(OSError):  # before the work, not after it
            output.parent.mkdir(parents=True, exist_ok=True)
    watching = Recorded(_state(model), alert_threshold, window)
    _each(baseline, "baseline", watching.learn)
    watching.begin()
    if alert_threshold is None and not watching.calibrated:
        raise UserError(
            f"--baseline: {watching.builds['baseline']} builds are too few, or too uneven, for the calibrated "
            "detectors to judge by; give more of them, or --alert-threshold T (nats; 0.5 is the classic one)"
        )
    _each(input_, "input", watching.watch)
    watching.end()
    if not watching.builds["input"]:
        raise UserError(f"--input: no failed build in {', '.join(safe(file) for file in input_)}")
    found = {"version": 1, "model": model, "baseline": _names(baseline), "input": _names(input_)} | watching.report()
    if output is not None:
        _write(output, found)
    print_json(found) if as_json else _print(found, watching)
    if found["alarms"]:
        raise typer.Exit(ALARM)


def _names(files: Files) -> list[str]:
    return [file.name for file in files]


def _state(model: str) -> LineState:
    from models.snapshots import snapshot
    from models.snapshots.frame import SnapshotError
    from models.state import LineState
    from models.warm_start import warm_state

    if model == "warm-start":
        return warm_state()
    state = LineState()
    with as_user_error(SnapshotError, OSError):
        snapshot.apply(state, Path(model).read_bytes())
    return state


def _each(files: Files, name: str, take: Callable[[CompilerErrors], Any]) -> None:
    from producers.ci import InputError

    with err.status(f"{name}: reading") as shown, as_user_error(InputError):
        for number, record in enumerate(_read(files), start=1):
            take(record)
            if number % EVERY == 0:
                shown.update(f"{name}: {number:,} builds")


def _read(files: Files) -> Iterator[CompilerErrors]:
    from producers.ci import Report
    from producers.corpus import read_failures

    now = datetime.now(UTC)
    for source, file in enumerate(files):
        report = Report()
        for entry in read_failures(file, source, now, report):
            yield entry.item
        for line, reason in report.rejected:
            err.print(f"[yellow]{safe(file)} line {line}:[/yellow] {safe(reason)}", soft_wrap=True)


def _write(path: Path, found: dict[str, Any]) -> None:
    import yaml

    with as_user_error(OSError):
        path.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    err.print(f"written: {safe(path)}", soft_wrap=True)


def _print(found: dict[str, Any], watching: Recorded) -> None:
    builds, colour = found["builds"], found["lamp"]
    limit = "" if found["threshold"] is None else f" (threshold {found['threshold']:g})"
    out.print(f"lamp [bold {STYLES[colour]}]{colour}[/]  {builds['input']:,} builds after {builds['baseline']:,}")
    out.print(f"highest divergence {found['highest_divergence']:.4f} nats over {watching.window} votes{limit}")
    for alarm in found["alarms"]:
        out.print(
            f"[{STYLES['red' if alarm['severity'] == 'halt' else 'amber']}]▲[/] {safe(alarm['message'])}",
            soft_wrap=True,
        )
        for one in alarm["examples"]:
            said = " ".join(str(one[name]) for name in ("build", "code", "message") if name in one)
            out.print(f"    [dim]{safe(said)}[/dim]", soft_wrap=True)
        out.print(f"    {safe(alarm['recommendation'])}: {safe(alarm['runbook'])}", soft_wrap=True)
