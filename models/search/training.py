"""Which settings to train a teacher with: TPE over ``SEARCH_SPACE``, beside as many random draws. Needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from models.batch.callbacks import Callback, EpochReport
from models.batch.config import SEARCH_SPACE, ConfigError, Searchable, TrainConfig
from models.batch.dataset import Dataset
from models.batch.trainer import train
from models.search.space import Choice, Float, Int, Parameter, Space
from models.search.tpe import Budget, EarlyStopping, Found, Report, SearchCallback, random_search, tpe


class Tuned(NamedTuple):
    """The settings to train with, and what both arms of the search came to."""

    config: TrainConfig
    tpe: Found
    random: Found


class _Reporting(Callback):
    """Tells each epoch's worth to the search, which may end the trial."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.best = float("-inf")

    def on_epoch_end(self, report: EpochReport) -> bool:
        """Report the best so far; goes on where the trial is not pruned."""
        self.best = max(self.best, worth(report.accuracy, report.macro_f1))
        self._report(report.epoch, self.best)
        return False


def worth(accuracy: float, macro_f1: float) -> float:
    """Return what a search maximises: the mean of both, on the validation part."""
    return (accuracy + macro_f1) / 2


def space_of(wanted: Mapping[str, Searchable] = SEARCH_SPACE) -> dict[str, Parameter]:
    """Return the typed space of settings that may be searched."""
    return {name: _parameter(one) for name, one in wanted.items()}


def _parameter(one: Searchable) -> Parameter:
    if one.kind == "choice":
        return Choice(one.choices)
    if one.kind == "int":
        return Int(int(one.low), int(one.high), one.log)
    return Float(one.low, one.high, one.log)


def tune(
    config: TrainConfig,
    dataset: Dataset,
    budget: Budget,
    space: Space | None = None,
    callbacks: Sequence[SearchCallback] = (),
) -> Tuned:
    """Return ``config`` with the best settings of the search; the test part is not looked at.

    Raises ``SpaceError`` before the first trial for a setting that there is not.
    """

    def objective(parameters: Mapping[str, Any], report: Report) -> float:
        try:
            tried = config.with_values(parameters)
        except ConfigError:
            return float("nan")  # settings that do not fit together count as a failed trial
        reporting = _Reporting(report)
        train(tried, dataset, [reporting])
        return reporting.best

    chosen = space_of() if space is None else space
    allowed = tuple(TrainConfig.model_fields)
    patience = EarlyStopping()
    found = tpe(chosen, objective, allowed=allowed, budget=budget, seed=config.seed, callbacks=[patience, *callbacks])
    equal = Budget(len(found.trials), budget.seconds, budget.clock)
    drawn = random_search(chosen, objective, equal, config.seed)
    best = found.best
    return Tuned(config.with_values(best.parameters) if best else config, found, drawn)
