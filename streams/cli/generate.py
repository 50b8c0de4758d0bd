"""``generate`` and ``programs``: a corpus of Python programs, and what is in one."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from producers.generate.request import Feedback, Request
    from producers.generate.run import Progress

STRATEGIES = "random, swarm, boundary, coverage, exhaustive, stdlib or curriculum"
LEVELS = "basic, intermediate, advanced or expert"
SHOWN_CONSTRUCTS = 12
MOST_PROCESSES = 256


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(generate)
    app.command()(programs)


def generate(
    output: Annotated[Path, typer.Option(help="Write the programs here.", metavar="F.parquet")],
    grammar: Annotated[str, typer.Option(help="python.")] = "python",
    strategy: Annotated[str, typer.Option(help=f"One of {STRATEGIES}.")] = "random",
    count: Annotated[int, typer.Option(help="Distinct programs.", metavar="N")] = 1_000,
    max_depth: Annotated[int, typer.Option(help="Of blocks in each other, 1 to 8.", metavar="N")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 42,
    level: Annotated[str | None, typer.Option(help=f"One of {LEVELS}; default basic.")] = None,
    processes: Annotated[
        int | None, typer.Option(help="At the same time; default: one for each core.", metavar="N", show_default=False)
    ] = None,
    feedback: Annotated[
        str | None, typer.Option(help="A transpiler that coverage and curriculum learn from: depyler.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make Python programs that parse, run and end, no two of them alike, and write them as Parquet.

    Ctrl-C removes what was written so far; a file that was there before stays until the new one is whole.
    """
    from producers.generate.request import GenerateError, Request

    if strategy == "curriculum" and level is not None:
        raise UserError("--level: the curriculum goes through all levels by itself; leave it out, or give a --strategy")
    if processes is not None and not 1 <= processes <= MOST_PROCESSES:
        raise UserError(f"--processes {processes}: from 1 to {MOST_PROCESSES}")
    if not output.parent.is_dir():
        raise UserError(f"--output {safe(output)}: there is no folder {safe(output.parent)}; make it first")
    if output.is_dir():
        raise UserError(f"--output {safe(output)}: a folder; name a file")
    with as_user_error(GenerateError):
        request = Request(strategy, count, max_depth, seed, level or "basic", grammar)  # type: ignore[arg-type]
    outcomes = _Outcomes(feedback, strategy)
    with as_user_error(OSError, *outcomes.errors):
        done = _write(request, output, processes or os.cpu_count() or 1, outcomes)
    _tell(request, done, output, outcomes, as_json)


class _Outcomes:
    """What a transpiler made of the programs, where one was asked for."""

    def __init__(self, name: str | None, strategy: str) -> None:
        self.feedback: Feedback | None = None
        self.counts: Counter[str] = Counter()
        self.errors: tuple[type[Exception], ...] = ()
        self.tool: dict[str, str] = {}
        if name is not None:
            self._use(name, strategy)

    def _use(self, name: str, strategy: str) -> None:
        from producers.generate.feedback import LEARNING, transpiling
        from producers.transpile.pipeline import results_cache
        from producers.transpile.tools import ToolError, find_rustc
        from producers.transpile.transpiler import transpiler

        if strategy not in LEARNING:
            raise UserError(f"--feedback: {safe(strategy)} does not learn; use --strategy {' or '.join(LEARNING)}")
        self.errors = (ToolError,)
        with as_user_error(ToolError):
            chosen = transpiler(name)
            self.tool = {chosen.name: chosen.version, "rustc": find_rustc().version}
        self.feedback = transpiling(chosen, results_cache(), lambda result: self.counts.update([result.outcome]))


def _write(request: Request, output: Path, processes: int, outcomes: _Outcomes) -> Progress:
    from producers.generate.run import Progress, batches
    from producers.generate.versions import tool_versions
    from producers.programs_corpus import writing
    from producers.programs_statistics import Statistics

    done, statistics = Progress(), Statistics()
    shown = _bar() if err.is_terminal else nullcontext()
    with writing(output, request.provenance() | {"tools": tool_versions() | outcomes.tool}) as corpus, shown as bar:
        task = bar.add_task("generating", total=request.count) if bar else None
        for batch in batches(request, done, processes, outcomes.feedback):
            corpus.write(batch)
            statistics.add(batch)
            if bar and task is not None:
                bar.update(task, completed=done.kept)
        rates = {"candidates": done.candidates, "rejection_rate": done.rejection_rate}
        corpus.describe(statistics.document() | rates | {"outcomes": dict(outcomes.counts)})
    return done


def _bar() -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True)


def _tell(request: Request, done: Progress, output: Path, outcomes: _Outcomes, as_json: bool) -> None:
    if as_json:
        found: dict[str, Any] = {
            "programs": done.kept,
            "candidates": done.candidates,
            "rejection_rate": done.rejection_rate,
        }
        found |= {"output": str(output), "levels": done.levels, "strategies": done.strategies}
        print_json(found | ({"outcomes": outcomes.counts} if outcomes.feedback else {}))
        return
    dropped = done.candidates - done.kept
    out.print(f"{done.kept:,} programs in {safe(output)}; {dropped:,} near-duplicates dropped", soft_wrap=True)
    if outcomes.feedback:
        out.print(", ".join(f"{name} {count:,}" for name, count in outcomes.counts.most_common()))
    if done.ended_early:
        err.print(
            f"[yellow]{request.count:,} were asked for: the grammar has no more that differ at this depth and level; "
            "raise --max-depth or --level[/yellow]",
            soft_wrap=True,
        )


def programs(
    file: Annotated[Path, typer.Argument(help="A corpus as `jidoka generate` writes it.", metavar="F.parquet")],
    as_json: AsJson = False,
) -> None:
    """Check every row of a corpus of programs, and say what is in it."""
    from producers.programs_corpus import Corpus, CorpusError
    from producers.programs_statistics import Statistics

    with as_user_error(CorpusError):
        corpus = Corpus(file)
        statistics = Statistics()
        with err.status("reading") if err.is_terminal else nullcontext():
            for row in corpus:
                statistics.add_row(row)
    found: dict[str, Any] = {"provenance": corpus.provenance, "statistics": corpus.statistics | statistics.document()}
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    said, numbers = found["provenance"], found["statistics"]
    asked = " ".join(
        f"{name} {safe(said[name])}" for name in ("strategy", "level", "seed", "max_depth") if name in said
    )
    out.print(f"{numbers['programs']:,} programs, {asked}", soft_wrap=True)
    out.print(f"constructs {numbers['constructs']}, of families {numbers['families_reached']} of {numbers['families']}")
    out.print(f"diversity {numbers['diversity']:.2f}  rejected {numbers.get('rejection_rate', 0.0):.1%}")
    for name in ("levels", "strategies", "types"):
        shown = ", ".join(f"{safe(one)} {count:,}" for one, count in numbers[name].items())
        out.print(f"{name:<10} {shown}", soft_wrap=True)
    rare = ", ".join(f"{safe(one)} {count:,}" for one, count in list(numbers["frequent"].items())[:SHOWN_CONSTRUCTS])
    out.print(f"{'frequent':<10} {rare}", soft_wrap=True)
