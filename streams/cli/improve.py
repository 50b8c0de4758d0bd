"""``improve``: transpile, compile, classify, repair, learn, and again, with a table that grows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from rich.table import Table

    from producers.improve.loop import Improvement
    from producers.improve.state import Epoch, Run
    from producers.transpile.inputs import Inputs, Source
    from producers.transpile.transpiler import Transpiler

BELOW_TARGET = 1
REFRESH_HZ = 4
MODEL = "model.jdk"  # what was learned from the rules' labels, for `jidoka models publish`


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(improve)


def improve(
    input_dir: Annotated[Path, typer.Option("--input-dir", help="Python programs: a folder, or Parquet.", metavar="D")],
    output: Annotated[Path, typer.Option(help="What the run knows, the Rust, the corpus.", metavar="O")] = Path(
        "improved"
    ),
    target_rate: Annotated[float, typer.Option(min=0, max=1, help="Share that compiles; then it ends.")] = 1.0,
    max_iterations: Annotated[int, typer.Option(min=0, max=10_000, help="Epochs of repair at most.")] = 50,
    budget_s: Annotated[float | None, typer.Option(min=1, help="Seconds for all of it; default: no limit.")] = None,
    export_corpus: Annotated[bool, typer.Option("--export-corpus", help="Write JSON lines and Parquet.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    parallel: Annotated[int, typer.Option(min=1, max=256, help="Programs at the same time.", metavar="N")] = 1,
    restart: Annotated[bool, typer.Option("--restart", help="Forget what an earlier run knew.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say what became of each program.")] = False,
    as_json: AsJson = False,
) -> None:
    """Improve what compiles, epoch by epoch: repairs that were verified are kept, and their success rates learned.

    A run that was cut off, by Ctrl-C too, goes on where it was. Exit status: 0 target reached, 1 not, 2 not possible.
    """
    from producers.improve.state import ImproveError, load
    from producers.transpile.inputs import InputsError, open_inputs
    from producers.transpile.tools import ToolError
    from producers.transpile.transpiler import transpiler

    with as_user_error(ToolError, InputsError, ImproveError, OSError):
        tool = transpiler("depyler")
        known = None if restart else load(output)
        work = _prepared(_sources(open_inputs(input_dir), limit), input_dir, tool, known)
        _recall(work, output / MODEL)
        work.target, work.iterations, work.jobs, work.budget_s = target_rate, max_iterations, parallel, budget_s
        work.save = lambda: _save(work, output)
        try:
            why = _run(work, quiet=as_json)
        finally:
            work.save()
        _write_rust(work.run, output / "rust")
        files = _export(work.run, output) if export_corpus else []
    _report(work.run, why, files, verbose=verbose, as_json=as_json)
    if not work.run.epochs or work.run.epochs[-1].rate < target_rate:
        raise typer.Exit(BELOW_TARGET)


def _recall(work: Improvement, path: Path) -> None:
    """Give a run that goes on the classifier that it had learned."""
    from models.snapshots import snapshot
    from models.snapshots.frame import SnapshotError
    from models.state import LineState

    if work.run.epochs and path.is_file():
        state = LineState()
        with as_user_error(SnapshotError):
            snapshot.apply(state, path.read_bytes())
        work.model = state


def _save(work: Improvement, output: Path) -> None:
    from models.warm_start import saved
    from producers.improve.state import put

    work.run.save(output)
    put(output / MODEL, saved(work.model, output.resolve().name[:100] or "improved"))


def _sources(inputs: Inputs, limit: int | None) -> dict[str, Source]:
    from itertools import islice

    found = {one.name: one for one in islice(inputs, limit)}
    for name, reason in inputs.refused:
        err.print(f"passed over {safe(name)}: {safe(reason)}", soft_wrap=True)
    if not found:
        raise UserError(f"{safe(inputs.path)}: no program in it can be read")
    return found


def _prepared(sources: dict[str, Source], path: Path, tool: Transpiler, known: Run | None) -> Improvement:
    from datetime import UTC, datetime

    from models.repair.ranking import shipped_rates
    from models.warm_start import warm_state
    from producers.fix.repair import repair
    from producers.improve.loop import Improvement, programs_of
    from producers.improve.state import ImproveError, Run
    from producers.transpile.pipeline import results_cache, transpile
    from producers.transpile.tools import find_rustc

    version, name = f"{tool.name} {tool.version}", path.resolve().name
    if known is not None and (known.tool, known.input) != (version, name):
        raise ImproveError(
            f"there is a run of {known.tool} over {known.input}, not of {version} over {name}: give another --output, "
            "or --restart to forget it"
        )
    run, cache = known or Run(name, version, rates=shipped_rates()), results_cache()
    run.programs = programs_of(sources, run.programs)
    about = {"transpiler": version, "rustc": find_rustc().version, "timestamp": datetime.now(UTC).isoformat()}
    return Improvement(
        run,
        sources,
        lambda source: transpile(source.text, tool, name=source.name, cache=cache),
        repair,
        about,
        target=1.0,
        iterations=0,
        model=warm_state(),
    )


def _run(work: Improvement, *, quiet: bool) -> str:
    from rich.live import Live

    shown: dict[int, Epoch] = {one.number: one for one in work.run.epochs}
    if quiet or not out.is_terminal:
        why = work.epochs()
        if not quiet:
            out.print(_table(work.run.epochs))
        return why
    with Live(_table(list(shown.values())), console=out, refresh_per_second=REFRESH_HZ) as live:

        def tell(epoch: Epoch) -> None:
            shown[epoch.number] = epoch
            live.update(_table(list(shown.values())))

        work.tell = tell
        return work.epochs()


def _table(epochs: list[Epoch]) -> Table:
    from rich.table import Table

    table = Table(
        "Epoch", "Transpile", "Compile", "Rate", "Δ", "Fixed, same", "s", "Status", box=None, header_style="dim"
    )
    for one in epochs:
        share = f"{one.transpiled}/{one.programs}"
        delta = f"{one.delta:+.1%}" if one.number else ""
        row = [str(one.number), share, str(one.compile), f"{one.rate:.1%}", delta, str(one.equal)]
        table.add_row(*row, f"{one.seconds:.0f}", one.status)
    return table


def _write_rust(run: Run, folder: Path) -> None:
    """Write the best Rust of each program under the name of its Python; a name never leads out of the folder."""
    from producers.improve.state import put
    from producers.oip.sanitise import relative

    for one in run.programs.values():
        if one.rust is not None:
            path = folder / Path(relative(one.name)).with_suffix(".rs")
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, one.rust.encode("utf-8", "replace"))


def _export(run: Run, folder: Path) -> list[Path]:
    from datetime import UTC, datetime

    from producers.improve.corpus import export

    return export(folder, run.rows, datetime.now(UTC))


def _report(run: Run, why: str, files: list[Path], *, verbose: bool, as_json: bool) -> None:
    last, fixed = run.epochs[-1], sum(row["fixed"] for row in run.rows)
    if as_json:
        from dataclasses import asdict

        found: dict[str, Any] = {"ended": why, "epochs": [asdict(one) | {"rate": one.rate} for one in run.epochs]}
        found |= {"errors": len(run.rows), "errors_fixed": fixed, "corpus": [str(path) for path in files]}
        programs = [{"file": one.name, "status": one.status, "behaviour": one.verdict} for one in run.programs.values()]
        print_json(found | ({"programs": programs} if verbose else {}))
        return
    if verbose:
        for one in run.programs.values():
            told = f"{one.errors} errors" if one.status == "broken" else one.verdict or one.message or ""
            out.print(f"  {safe(one.name)}  {one.status}  {safe(told)}", soft_wrap=True)
    total = time.strftime("%H:%M:%S", time.gmtime(sum(one.seconds for one in run.epochs)))
    out.print(
        f"ended: {why} after {total}; {last.compile} of {last.programs} compile ({last.rate:.1%}), "
        f"{fixed} of {len(run.rows)} errors have a verified fix",
        soft_wrap=True,
    )
    for path in files:
        out.print(f"corpus  {safe(path)}", soft_wrap=True)
