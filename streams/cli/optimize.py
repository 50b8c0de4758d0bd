"""``optimize``: which mixture of strategies, levels and depths to generate."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from producers.generate.tune import Bank, Judged

PARAMETERS = "oracle_params.json"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(optimize)


def optimize(
    output: Annotated[Path, typer.Option(help="Write the parameters here.", metavar="F.json")] = Path(PARAMETERS),
    transpiler: Annotated[str, typer.Option(help="Whose acceptance counts.", metavar="NAME")] = "depyler",
    programs: Annotated[int, typer.Option(min=1, max=1_000, help="Of each kind that are tried out.")] = 4,
    generations: Annotated[int, typer.Option(min=1, max=10_000, help="Of twenty points each.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed finds the same.")] = 42,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Programs at a time; default: one a core.")] = None,
    as_json: AsJson = False,
) -> None:
    """Search by differential evolution for generation parameters: accepted, unlike each other, covering constructs.

    Programs of 60 kinds are transpiled and compiled once; afterwards all comes from the cache. Beside the result
    stands that of as many random draws. `jidoka pipeline run` generates with the file.
    """
    from models.search.evolution import POPULATION, random_points
    from producers.generate.tune import SIZE, judge, parameters_of, plain, save
    from producers.transpile.tools import ToolError

    if output.is_dir() or not output.parent.is_dir():
        raise UserError(f"--output {safe(output)}: name a file in a folder that there is")
    with as_user_error(ToolError):
        bank = _bank(transpiler, programs, seed, jobs or os.cpu_count() or 1)
    best = _search(bank, generations, seed)
    budget = POPULATION * (generations + 1)
    drawn = random_points(lambda point: judge(parameters_of(point), bank).fitness, SIZE, budget, seed)
    found = {
        "optimized": judge(parameters_of(best.point), bank),
        "random_search": judge(parameters_of(drawn.point), bank),
        "untuned": judge(plain(), bank),
    }
    about = {"seed": seed, "evaluations": budget, "programs": bank.programs, "random_search": drawn.value}
    with as_user_error(OSError):
        save(output, parameters_of(best.point), found["optimized"], about | {"transpiler": transpiler})
    _tell(found, parameters_of(best.point)._asdict(), output, budget, as_json)


def _bank(name: str, programs: int, seed: int, jobs: int) -> Bank:
    from producers.generate.tune import build_bank
    from producers.transpile.pipeline import results_cache, transpile
    from producers.transpile.transpiler import transpiler

    tool, cache = transpiler(name), results_cache()
    with _bar() as bar:
        task = bar.add_task("trying programs", total=None) if bar else None

        def told(done: int, whole: int) -> None:
            if bar and task is not None:
                bar.update(task, completed=done, total=whole)

        return build_bank(
            lambda source: transpile(source, tool, cache=cache).outcome == "compiled", programs, seed, jobs, told
        )


def _search(bank: Bank, generations: int, seed: int) -> Any:
    from models.search.evolution import POPULATION, differential
    from producers.generate.tune import SIZE, judge, parameters_of

    with _bar() as bar:
        task = bar.add_task("evolving", total=POPULATION * (generations + 1)) if bar else None

        def told(done: int, best: float) -> None:
            if bar and task is not None:
                bar.update(task, completed=done, description=f"evolving, best {best:.3f}")

        return differential(lambda point: judge(parameters_of(point), bank).fitness, SIZE, generations, seed, told)


def _bar() -> Any:
    if not err.is_terminal:
        return nullcontext()
    from rich.progress import Progress

    return Progress(console=err, transient=True)


def _tell(found: dict[str, Judged], chosen: dict[str, Any], output: Path, budget: int, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {name: one._asdict() for name, one in found.items()}
        print_json(document | {"parameters": chosen, "evaluations": budget, "output": str(output)})
        return
    from rich.table import Table

    shown = Table("", "fitness", "acceptance", "diversity", "coverage")
    for name, one in found.items():
        shown.add_row(name.replace("_", " "), *(f"{value:.3f}" for value in one))
    out.print(shown)
    for name, shares in chosen.items():
        out.print(f"{name:<11} " + ", ".join(f"{key} {share:.0%}" for key, share in shares.items()), soft_wrap=True)
    out.print(f"{budget:,} evaluations each; parameters in {safe(output)}", soft_wrap=True)
    if found["optimized"].fitness <= found["random_search"].fitness:
        out.print("[yellow]differential evolution does not beat the random search here[/yellow]")
