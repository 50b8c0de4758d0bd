"""TPE and differential evolution beside random search of the same budget: ``python -m benchmarks.search``.

TPE tunes a support vector machine on scikit-learn's bundled digits (500 to train, 500 to score), 50 trials. Evolution
tunes generation parameters on a bank of programs that depyler and rustc judged (from the cache after the first run),
1,020 evaluations. Both with the same seeds; what counts is the median over them, and how often the search is ahead.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from functools import lru_cache
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import stage
from models.search.evolution import POPULATION, differential, random_points
from models.search.space import Choice, Float, Int
from models.search.tpe import Budget, Report, random_search, tpe
from producers.generate.tune import SIZE, build_bank, judge, parameters_of
from producers.transpile.pipeline import results_cache, transpile
from producers.transpile.transpiler import transpiler

SPACE = {
    "C": Float(1e-3, 1e3, log=True),
    "gamma": Float(1e-7, 1e1, log=True),
    "kernel": Choice(("rbf", "poly", "sigmoid", "linear")),
    "degree": Int(2, 6),
    "coef0": Float(-1.0, 1.0),
}
EXAMPLES = 500


@lru_cache(maxsize=1)
def _digits() -> Any:
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    return pixels[:EXAMPLES], digits[:EXAMPLES], pixels[EXAMPLES : 2 * EXAMPLES], digits[EXAMPLES : 2 * EXAMPLES]


def accuracy(parameters: Mapping[str, Any], _report: Report) -> float:
    """Return the share of digits that a support vector machine with these parameters gets right."""
    from sklearn.svm import SVC

    train, labels, test, truth = _digits()
    return float(SVC(**parameters).fit(train, labels).score(test, truth))


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Search with every seed."""
    arms: dict[str, list[float]] = {name: [] for name in ("tpe", "random for tpe", "de", "random for de")}
    tool, cache = transpiler("depyler"), results_cache()
    stage.tell("programs for the bank")
    bank = build_bank(lambda text: transpile(text, tool, cache=cache).outcome == "compiled", arguments.programs, 42, 2)
    for seed in range(arguments.seeds):
        stage.tell(f"seed {seed}")
        budget = Budget(arguments.trials)
        arms["tpe"].append(tpe(SPACE, accuracy, budget=budget, seed=seed).best.value or 0.0)  # type: ignore[union-attr]
        drawn = random_search(SPACE, accuracy, budget, seed).best
        arms["random for tpe"].append((drawn.value if drawn else None) or 0.0)
        best = differential(lambda point: judge(parameters_of(point), bank).fitness, SIZE, seed=seed)
        arms["de"].append(best.value)
        points = random_points(lambda point: judge(parameters_of(point), bank).fitness, SIZE, len(best.curve), seed)
        arms["random for de"].append(points.value)
    return {"arms": arms, "trials": arguments.trials, "evaluations": POPULATION * 51, "programs": bank.programs}


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123 - nothing is written
    table = Table("search", "median", "lowest", "highest", "ahead of random", box=None)
    arms = figures["arms"]
    for name, rival in (("tpe", "random for tpe"), ("de", "random for de")):
        ahead = sum(one > other for one, other in zip(arms[name], arms[rival], strict=True))
        for row, said in ((name, f"{ahead} of {len(arms[name])}"), (rival, "")):
            values = arms[row]
            table.add_row(row, f"{median(values):.4f}", f"{min(values):.4f}", f"{max(values):.4f}", said)
    console.print(table)
    return console.export_text()


def _arguments() -> argparse.Namespace:
    parser = stage.parser("search", __doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--programs", type=int, default=2, help="of each of 60 kinds")
    return parser.parse_args()


if __name__ == "__main__":
    stage.main(_arguments(), run, report)
