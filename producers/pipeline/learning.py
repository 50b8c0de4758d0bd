"""The stage ``train``: will a program fail, from its Python alone; tuned, averaged, split without near-duplicates."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from models.evaluation.grouped_split import TEST, TRAIN, VALIDATION, grouped_split
from models.evaluation.metrics import auc, average_precision
from models.hashing import Named
from models.outcomes import OutcomeModel
from models.programs.features import program_parts
from models.search.space import SpaceError
from models.search.tpe import Budget, EarlyStopping, Found, random_search, tpe
from producers.pipeline.config import Pipeline, PipelineError

LIMITS = {"passes": (1, 50), "bits": (8, 20), "members": (1, 32), "share": (0.05, 1.0)}


@dataclass(frozen=True)
class Example:
    """A program and whether it fails; near-duplicates share ``group``."""

    program_id: str
    parts: Sequence[Named]
    fails: bool
    group: str
    first_label: str | None


@dataclass
class Learned:
    """Scores on the three sides; ``probabilities`` of failing of all examples, in their order."""

    sides: list[int]
    probabilities: list[float]
    threshold: float
    scores: dict[str, dict[str, float | int | None]]
    parameters: dict[str, Any]
    search: dict[str, Any] | None


def example_of(program_id: str, source: str, original: str | None, fails: bool, first_label: str | None) -> Example:
    """Return a program as an example; variants of one original, and programs of one shape, are near-duplicates."""
    return Example(program_id, program_parts(source), fails, original or _shape(source), first_label)


def _shape(source: str) -> str:
    """Return what is left of a program without names and constants."""
    try:
        return " ".join(type(node).__name__ for node in ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def learn(examples: Sequence[Example], pipeline: Pipeline) -> Learned:
    """Split, tune on the validation part where there are ranges, train, and score once on the test part."""
    fails = [one.fails for one in examples]
    shares = (pipeline.evaluation.train, pipeline.evaluation.validation)
    sides = grouped_split(fails, [one.group for one in examples], shares, pipeline.seed)
    space, fixed = pipeline.searched()
    search, chosen = None, dict(fixed)
    parts = {side: [one for one, there in zip(examples, sides, strict=True) if there == side] for side in range(3)}
    if space:

        def objective(parameters: Mapping[str, Any], _report: Any) -> float:
            found = _probabilities(parts[TRAIN], parts[VALIDATION], {**fixed, **parameters}, pipeline.seed)
            return auc(_truth(parts[VALIDATION]), found) or 0.0

        budget = Budget(pipeline.automl.trials, pipeline.automl.time_budget_s, time.monotonic)
        try:
            stopping = [EarlyStopping(pipeline.automl.patience)]
            best = tpe(space, objective, budget=budget, seed=pipeline.seed, callbacks=stopping)
        except SpaceError as error:
            raise PipelineError(str(error)) from None
        drawn = random_search(space, objective, Budget(len(best.trials), budget.seconds, budget.clock), pipeline.seed)
        chosen |= dict(best.best.parameters) if best.best else {}
        search = {"tpe": _arm(best), "random_search": _arm(drawn), "stopped": best.stopped}
    found = _probabilities(parts[TRAIN], list(examples), chosen, pipeline.seed)
    threshold = _threshold(examples, sides, found, pipeline.evaluation.max_false_positive_rate)
    scores = {
        name: _scores(
            [fails[place] for place in range(len(fails)) if sides[place] == side],
            found[np.array(sides) == side],
            threshold,
        )
        for name, side in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
    }
    return Learned(sides, found.tolist(), threshold, scores, chosen, search)


def _arm(found: Found) -> dict[str, Any]:
    best = found.best
    return {
        "trials": len(found.trials),
        "value": best.value if best else None,
        "parameters": dict(best.parameters) if best else {},
    }


def _truth(examples: Sequence[Example]) -> Any:
    return np.array([one.fails for one in examples], bool)


def _probabilities(train: Sequence[Example], asked: Sequence[Example], values: Mapping[str, Any], seed: int) -> Any:
    """Return the mean probability of failing over the members' answers."""
    passes, bits, members = (int(_within(name, values[name])) for name in ("passes", "bits", "members"))
    share, total = float(_within("share", values["share"])), np.zeros(len(asked))
    for member in range(members):
        model, rng = OutcomeModel(bits), Random(seed * 1_009 + member)  # noqa: S311 - nothing secret
        own = [one for one in train if rng.random() < share] if share < 1 else list(train)
        for _ in range(passes):
            rng.shuffle(own)
            for one in own:
                model.learn(one.parts, None, not one.fails, one.first_label)
        total += [1.0 - model.predict(one.parts).compiles for one in asked]
    return total / members


def _within(name: str, value: Any) -> float:
    low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise PipelineError(f"{name}: {value!r}; a number from {low} to {high}, or a range of them such as 1..5")
    return value


def _threshold(examples: Sequence[Example], sides: Sequence[int], found: Any, most: float) -> float:
    """Return the threshold of the best F1 on the validation part among those with few enough false positives."""
    chosen = np.array(sides) == VALIDATION
    truth, values = _truth(examples)[chosen], found[chosen]
    best, threshold = -1.0, 0.5
    for value in np.unique(values):
        called = values >= value
        false = (called & ~truth).sum() / max(1, (~truth).sum())
        f1 = 2 * (called & truth).sum() / max(1, called.sum() + truth.sum())
        if false <= most and f1 > best:
            best, threshold = f1, float(value)
    return threshold


def _scores(fails: Sequence[bool], values: Any, threshold: float) -> dict[str, float | int | None]:
    truth = np.array(fails, bool)
    called = values >= threshold
    return {
        "programs": len(truth),
        "fails": int(truth.sum()),
        "auc_roc": auc(truth, values),
        "auc_pr": average_precision(truth, values),
        "f1": float(2 * (called & truth).sum() / max(1, called.sum() + truth.sum())),
        "f1_of_always": float(2 * truth.sum() / max(1, len(truth) + truth.sum())),
        "false_positive_rate": float((called & ~truth).sum() / max(1, (~truth).sum())),
    }
