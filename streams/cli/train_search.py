"""``train --strategy tpe``: settings searched for before the teacher is trained with the best."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from streams.cli.console import UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from models.batch.dataset import Dataset
    from models.search.tpe import Found
    from streams.cli.train_settings import TrainJob

STRATEGIES = ("fixed", "tpe")

Strategy = Annotated[str, typer.Option(help="fixed, or tpe: search for settings first.")]
Trials = Annotated[int, typer.Option(min=1, help="Of the search, at most.", metavar="N")]
TimeBudget = Annotated[float, typer.Option(min=0.1, help="Of each arm of the search, in seconds.", metavar="S")]
EvalReport = Annotated[bool, typer.Option("--eval-report", help="Print both arms of the search.")]


class Search(NamedTuple):
    """Whether to search, how much that may cost, and how it is told."""

    strategy: str
    trials: int
    time_budget_s: float
    report: bool
    as_json: bool


def check_strategy(strategy: str) -> None:
    """Raise ``UserError`` for a strategy that there is not."""
    if strategy not in STRATEGIES:
        raise UserError(f"--strategy {safe(strategy)}: allowed are {', '.join(STRATEGIES)}")


def searched(job: TrainJob, dataset: Dataset, wanted: Search) -> TrainJob:
    """Return the job with the best settings found on the validation part; both arms are told where that is wanted.

    With the strategy ``fixed`` the job is as it was.
    """
    if wanted.strategy != "tpe":
        return job
    from models.search.space import SpaceError
    from models.search.tpe import Budget
    from models.search.training import tune

    budget = Budget(wanted.trials, wanted.time_budget_s, time.monotonic)
    with _Shown(wanted.trials) as shown, as_user_error(SpaceError):
        found = tune(job.training, dataset, budget, callbacks=[shown])
    report = {"tpe": _arm(found.tpe), "random_search": _arm(found.random), "stopped": found.tpe.stopped}
    if wanted.report and wanted.as_json:
        print_json({"search": report})
    elif wanted.report:
        print_search(report)
    return replace(job, training=found.config)


def print_search(report: Mapping[str, Any]) -> None:
    """Print both arms: what was found within how many trials."""
    for name in ("tpe", "random_search"):
        arm = report[name]
        said = ", ".join(f"{key} {value}" for key, value in arm["parameters"].items())
        out.print(f"{name.replace('_', ' ')}: {arm['value']} in {arm['trials']} trials: {safe(said)}", soft_wrap=True)
    tuned, drawn = report["tpe"]["value"], report["random_search"]["value"]
    if tuned is not None and drawn is not None and tuned <= drawn:
        out.print("[yellow]TPE does not beat the random search here[/yellow]")


def _arm(found: Found) -> dict[str, Any]:
    best = found.best
    value, parameters = (best.value, dict(best.parameters)) if best else (None, {})
    return {"value": value, "parameters": parameters, "trials": len(found.trials), "curve": found.curve()}


class _Shown:
    """Says on the terminal which trial is under way; keeps nothing."""

    def __init__(self, trials: int) -> None:
        self._trials = trials
        self._status = err.status("searching")

    def __enter__(self) -> _Shown:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def on_trial_start(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Show the trial."""
        said = ", ".join(f"{name} {value}" for name, value in parameters.items())
        self._status.update(f"trial {number + 1} of {self._trials}: {safe(said)}")

    def on_trial_end(self, number: int, parameters: Mapping[str, Any], value: float | None) -> None:
        """Show nothing."""

    def should_stop(self) -> bool:
        """Return that more is wanted."""
        return False
