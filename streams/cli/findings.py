"""``findings``: distinct, minimised failures of a transpiler, each with a folder to run again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe
from streams.cli.transpile import Parallel, ToolName

if TYPE_CHECKING:
    from producers.minimise.failure import Failure
    from producers.minimise.findings import Collection, Finding
    from producers.transpile.inputs import Source
    from producers.transpile.transpiler import Transpiler

Where = Annotated[Path, typer.Argument(help="Programs to search (a .py file, a folder, Parquet), or findings to list.")]
Output = Annotated[Path | None, typer.Option(help="Search, and write a folder for each finding here.", metavar="D")]
OFFERED = 128  # programs that the next one is chosen from
PER_PROGRAM = 3  # failing functions of one program that are shrunk


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(findings)


def findings(
    programs: Where,
    output: Output = None,
    tool: ToolName = "depyler",
    kinds: Annotated[str | None, typer.Option(help="Only these, by comma: value, panic, … or compile.")] = None,
    parallel: Parallel = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    budget_s: Annotated[float, typer.Option(min=1, help="For shrinking one failure, in seconds.")] = 120.0,
    prioritise: Annotated[
        bool, typer.Option("--prioritise", help="Try first what is likeliest to show a failure not seen yet.")
    ] = False,
    recheck: Annotated[bool, typer.Option("--recheck", help="Run the listed findings again on both sides.")] = False,
    as_json: AsJson = False,
) -> None:
    """List distinct failures of the transpiler: program, input, what Python does and what the Rust does.

    With --output the programs are searched for them; each failure is shrunk, and of a kind the smallest is kept.
    Without, the findings in a folder that was written so are listed. Exit status 1: a finding no longer holds.
    """
    from producers.minimise.failure import REPORTED
    from producers.minimise.findings import FindingError
    from producers.transpile.inputs import InputsError
    from producers.transpile.tools import ToolError
    from producers.transpile.transpiler import transpiler

    allowed = (*REPORTED, "overflow", "compile", "crashed", "timeout")
    wanted = tuple(kinds.split(",")) if kinds else REPORTED
    if unknown := sorted(set(wanted) - set(allowed)):
        raise UserError(f"--kinds {safe(','.join(unknown))}: allowed are {', '.join(allowed)}")
    with as_user_error(ToolError, InputsError, FindingError):
        if output is None:
            _list(programs, transpiler(tool) if recheck else None, as_json, parallel)
            return
        order = Order(prioritise)
        known = _search(programs, output, transpiler(tool), wanted, parallel, limit, budget_s, order)
    shown = [finding for finding, _ in known]
    _print(shown, as_json)


def _list(folder: Path, tool: Transpiler | None, as_json: bool, jobs: int) -> None:
    from producers.minimise.findings import holds, read

    found = read(folder)
    if not found:
        raise UserError(f"{safe(folder)}: no findings in it; search programs for them with --output {safe(folder)}")
    _print(found, as_json)
    if tool is None:
        return
    from rich.progress import track

    from producers.transpile.pipeline import in_parallel

    running = in_parallel(lambda one: (one.id, holds(one, tool)), found, jobs)
    shown = track(running, "running again", total=len(found), console=err, disable=not err.is_terminal)
    gone = [name for name, held in shown if not held]
    for name in gone:
        err.print(f"no longer so: {safe(name)}")
    err.print(f"{len(found) - len(gone)} of {len(found)} findings hold")
    if gone:
        raise typer.Exit(1)


def _search(
    programs: Path,
    output: Path,
    tool: Transpiler,
    wanted: tuple[str, ...],
    jobs: int,
    limit: int | None,
    budget_s: float,
    order: Order,
) -> Collection:
    from rich.progress import track

    from producers.minimise.findings import Collection, write
    from producers.transpile.inputs import open_inputs
    from producers.transpile.pipeline import in_parallel, results_cache

    known, begin, inputs = Collection(), time.monotonic(), open_inputs(programs)
    output.mkdir(parents=True, exist_ok=True)
    cache = results_cache()
    running = in_parallel(
        lambda one: (one, list(_found(one.text, tool, wanted, cache, budget_s))), islice(order.of(inputs), limit), jobs
    )
    total = min(inputs.count, limit or inputs.count)
    for source, found in track(running, "searching", total=total, console=err, disable=not err.is_terminal):
        new = [finding for finding, failure in found if known.add(finding, failure)]
        for finding in new:
            err.print(f"new: {safe(finding.title)}", soft_wrap=True)
        order.learn(source, new=bool(new))
    for finding, failure in known:
        write(output, finding, failure)
    err.print(f"{total} programs in {time.monotonic() - begin:.0f} s; findings in {safe(output)}")
    return known


class Order:
    """In which order programs are tried: as they come, or what is likeliest to show something new first."""

    def __init__(self, prioritise: bool, seed: int = 0) -> None:
        from random import Random

        from models.search.prioritiser import Prioritiser

        self._chooser = Prioritiser() if prioritise else None
        self._rng = Random(seed)  # noqa: S311 - an order, nothing secret

    def of(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the programs, the next one of ``OFFERED`` at a time."""
        if self._chooser is None:
            yield from sources
            return
        waiting, offered = iter(sources), list[Source]()
        while True:
            offered += islice(waiting, OFFERED - len(offered))
            if not offered:
                return
            yield offered.pop(self._chooser.choose([_marks(one) for one in offered], self._rng))

    def learn(self, source: Source, *, new: bool) -> None:
        """Take in whether a program showed something new."""
        if self._chooser is not None:
            self._chooser.learn(_marks(source), new=new)


def _marks(source: Source) -> tuple[str, ...]:
    from models.search.prioritiser import marks_of

    return marks_of(source.text, source.strategy, source.level)


def _found(
    source: str, tool: Transpiler, wanted: tuple[str, ...], cache: Any, budget_s: float
) -> Iterator[tuple[Finding, Failure]]:
    from producers.minimise.failure import failures
    from producers.minimise.findings import shrunk

    failed = [one for one in failures(source, tool, cache) if one.kind in wanted or one.stage in wanted]
    for failure in failed[:PER_PROGRAM]:
        made = shrunk(source, failure, tool, seconds=budget_s)
        if made is not None:
            yield made


def _print(found: list[Finding], as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        out.print(f"[bold]{safe(one.id)}[/bold]  {one.kind}, {one.seen} programs", soft_wrap=True)
        out.print(f"  {safe(one.title)}", soft_wrap=True)
        out.print("\n".join(f"    {safe(line)}" for line in one.program.splitlines()), soft_wrap=True)
