"""``pipeline run``: the six stages of a pipeline file, with their gates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from producers.pipeline.run import Outcome, Told

app = typer.Typer(no_args_is_help=True, help="Generate, augment, transpile, verify, train and monitor, from a file.")
FAILED = 1


@app.callback()
def options() -> None:
    """Generate, augment, transpile, verify, train and monitor, from a file."""


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="Settings as YAML; docs/pipeline.md.", metavar="F.yaml")],
    output: Annotated[Path | None, typer.Option(help="Instead of the file's output folder.", metavar="D")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline file: each stage writes Parquet into the output folder, and what is there already is kept.

    Exit status 1: a quality gate was not passed; the stages after it were not run. Ctrl-C loses only the stage that
    was under way.
    """
    try:
        from producers.pipeline.run import run as run_pipeline
    except ImportError as error:
        raise UserError(f"pipeline needs the extra: pip install 'jidoka[augment]' ({error})") from None
    from producers.pipeline.config import PipelineError, read_pipeline
    from producers.programs_corpus import CorpusError
    from producers.transpile.table import TableError
    from producers.transpile.tools import ToolError

    with as_user_error(PipelineError, ToolError, TableError, CorpusError, OSError):
        pipeline = read_pipeline(file)
        if output is not None:
            pipeline = pipeline.model_copy(update={"output": output})
        with _progress() as told:
            outcome = run_pipeline(pipeline, told)
    document: dict[str, Any] = outcome.document | {"resumed": outcome.resumed, "output": str(pipeline.output)}
    if as_json:
        print_json(document)
    else:
        _show(outcome, pipeline.output)
    if not outcome.passed:
        raise typer.Exit(FAILED)


@contextmanager
def _progress() -> Iterator[Told]:
    if not err.is_terminal:
        yield lambda _stage, _done, _all: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as bar:
        tasks: dict[str, Any] = {}

        def told(stage: str, done: int, whole: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=whole)
            bar.update(tasks[stage], completed=done, total=whole)

        yield told


def _show(outcome: Outcome, folder: Path) -> None:
    from rich.table import Table

    for stage, document in outcome.document["stages"].items():
        mark = " (was there)" if stage in outcome.resumed else ""
        shown = {name: value for name, value in document.items() if isinstance(value, (int, float, str))}
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())
        out.print(f"{stage:<10}{safe(said)}{mark}", soft_wrap=True)
    trained = outcome.document["stages"].get("train")
    if trained:
        table = Table("", "programs", "fail", "AUC-ROC", "AUC-PR", "F1", "F1 of always", "false positives")
        for side, scores in trained["scores"].items():
            cells = ["-" if value is None else f"{value:.3f}" for value in list(scores.values())[2:]]
            table.add_row(side, f"{scores['programs']:,}", f"{scores['fails']:,}", *cells)
        out.print(table)
        if trained["search"]:
            arms = {name: trained["search"][name]["value"] for name in ("tpe", "random_search")}
            out.print(f"search, AUC on validation: TPE {arms['tpe']}, as many random draws {arms['random_search']}")
    for gate in outcome.gates:
        value = "" if gate.value is None else f" {gate.value:.3f}"
        mark = "[green]passed[/green]" if gate.passed else "[red]not passed[/red]"
        out.print(f"gate {gate.stage}: {safe(gate.name)}{value}: {mark}", soft_wrap=True)
    out.print(f"report in {safe(folder / 'report.json')}", soft_wrap=True)
