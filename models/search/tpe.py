"""Tree-structured Parzen estimators over a typed space, with an equal-budget random search beside them.

Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization", NIPS 2011; the estimator is
optuna's. Larger values are better. The clock is an argument, so that a time budget can be tested.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from models.search.space import Choice, Int, Parameter, Space, SpaceError, checked

TRIALS = 50
START_UP = 10  # trials at random before the estimators begin
GAMMA = 0.25  # share of the trials that count as good
PATIENCE = 5  # trials after the start-up without a better one
MIN_DELTA = 1e-3  # what counts as better
SEED = 42


class PrunedError(Exception):
    """Raised inside an objective by ``report``: the trial is not worth finishing."""


Report = Callable[[int, float], None]
"""Tells a value reached so far at a step; raises ``PrunedError`` where other trials were better at that step."""
Objective = Callable[[Mapping[str, Any], Report], float]
Asked = tuple[Mapping[str, Any], Report, Callable[[float | None], None]]


class SearchCallback(Protocol):
    """Hears of each trial. ``should_stop`` is asked after each one."""

    def on_trial_start(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Hear of a trial before it runs."""

    def on_trial_end(self, number: int, parameters: Mapping[str, Any], value: float | None) -> None:
        """Hear of a trial that ended; ``value`` is nothing where it was pruned or failed."""

    def should_stop(self) -> bool:
        """Return whether no further trial is wanted."""
        ...


class EarlyStopping:
    """Stops after ``patience`` trials without a better one, not counting the start-up."""

    def __init__(self, patience: int = PATIENCE, min_delta: float = MIN_DELTA, start_up: int = START_UP) -> None:
        self.patience, self.min_delta, self.start_up = patience, min_delta, start_up
        self._best, self._since, self._seen = -math.inf, 0, 0

    def on_trial_start(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Nothing to note."""

    def on_trial_end(self, number: int, parameters: Mapping[str, Any], value: float | None) -> None:  # noqa: ARG002
        """Note whether it was better."""
        self._seen += 1
        if value is not None and value > self._best + self.min_delta:
            self._best, self._since = value, 0
        elif self._seen > self.start_up:
            self._since += 1

    def should_stop(self) -> bool:
        """Return whether patience ran out."""
        return self._since >= self.patience


@dataclass(frozen=True)
class Trial:
    """One trial; ``value`` is nothing where it was pruned."""

    number: int
    parameters: Mapping[str, Any]
    value: float | None
    seconds: float


@dataclass
class Found:
    """What a search came to; ``stopped`` says why it ended: trials, time or patience."""

    trials: list[Trial] = field(default_factory=list)
    stopped: str = "trials"

    @property
    def best(self) -> Trial | None:
        """Return the best trial, the earliest of equal ones; nothing where none ended."""
        done = [(one.value, -one.number, one) for one in self.trials if one.value is not None]
        return max(done, key=lambda one: one[:2])[2] if done else None

    def curve(self) -> list[float | None]:
        """Return the best value after each trial."""
        best: float | None = None
        found = []
        for one in self.trials:
            if one.value is not None:
                best = one.value if best is None else max(best, one.value)
            found.append(best)
        return found


@dataclass(frozen=True)
class Budget:
    """How much a search may cost; ``clock`` gives seconds."""

    trials: int = TRIALS
    seconds: float = math.inf
    clock: Callable[[], float] | None = None

    def now(self) -> float:
        """Return the time, 0 without a clock."""
        return self.clock() if self.clock else 0.0


def tpe(
    space: Space,
    objective: Objective,
    *,
    allowed: Sequence[str] | None = None,
    budget: Budget | None = None,
    seed: int = SEED,
    callbacks: Sequence[SearchCallback] = (),
) -> Found:
    """Search ``space`` for the largest value.

    Raises ``SpaceError`` before the first trial: for a name that is not ``allowed``, and where optuna is missing.
    """
    checked(space, space if allowed is None else allowed)
    return _search(_Estimators(space, seed).ask, objective, budget or Budget(), callbacks)


class _Estimators:
    """optuna's study, asked and told."""

    def __init__(self, space: Space, seed: int) -> None:
        try:
            import optuna  # noqa: PLC0415 - an extra
        except ImportError:
            raise SpaceError("searching with TPE needs the extra: pip install 'jidoka[search]'") from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # gamma is on its way out; it is what was asked for
            sampler = optuna.samplers.TPESampler(n_startup_trials=START_UP, gamma=_good, seed=seed)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=PATIENCE, n_warmup_steps=1)
        self._study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        self._states, self._space = optuna.trial.TrialState, space

    def ask(self) -> Asked:
        """Return the next trial's parameters, and how it is reported and ended."""
        trial = self._study.ask()

        def report(step: int, value: float) -> None:
            trial.report(value, step)
            if trial.should_prune():
                raise PrunedError

        def tell(value: float | None) -> None:
            state = self._states.PRUNED if value is None else self._states.COMPLETE
            self._study.tell(trial, value, state=state)

        return {name: _suggested(trial, name, one) for name, one in self._space.items()}, report, tell


def _good(count: int) -> int:
    return max(1, math.ceil(GAMMA * count))


def random_search(space: Space, objective: Objective, budget: Budget | None = None, seed: int = SEED) -> Found:
    """Search by drawing alone, within the same budget: what a search has to beat. Nothing is pruned."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret

    def ask() -> Asked:
        return {name: one.draw(rng) for name, one in space.items()}, lambda _step, _value: None, lambda _value: None

    return _search(ask, objective, budget or Budget(), ())


def _search(
    ask: Callable[[], Asked], objective: Objective, budget: Budget, callbacks: Sequence[SearchCallback]
) -> Found:
    found, begin = Found(), budget.now()
    for number in range(budget.trials):
        if budget.now() - begin >= budget.seconds:
            found.stopped = "time"
            break
        parameters, report, tell = ask()
        for one in callbacks:
            one.on_trial_start(number, parameters)
        started = budget.now()
        try:
            value: float | None = float(objective(parameters, report))
        except PrunedError:
            value = None
        if value is not None and not math.isfinite(value):
            value = None  # a training that diverged
        tell(value)
        found.trials.append(Trial(number, parameters, value, budget.now() - started))
        for one in callbacks:
            one.on_trial_end(number, parameters, value)
        if any(one.should_stop() for one in callbacks):
            found.stopped = "patience"
            break
    return found


def _suggested(trial: Any, name: str, parameter: Parameter) -> Any:
    if isinstance(parameter, Choice):
        return trial.suggest_categorical(name, parameter.values)
    if isinstance(parameter, Int):
        return trial.suggest_int(name, parameter.low, parameter.high, log=parameter.log)
    return trial.suggest_float(name, parameter.low, parameter.high, log=parameter.log)
