"""Online learners side by side on recorded failures: ``make bench-learning CORPUS="a.parquet b.parquet"``.

All get the same features (jidoka's), the same labels (the taxonomy's, from codes that no feature sees), the same seeded
order, and are asked for a batch before they learn it. What a run cost is processor time for predicting and learning,
without making the features. The batch reference (TF-IDF and logistic regression, out of fold by file) sees all other
files at once: it is what an online learner is measured against, not a rival in time.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks import figures, inputs
from benchmarks.learners import reference
from benchmarks.learners.rivals import Example, Learner, learners
from models.code_features import source_parts
from models.diagnostics import Diagnostic
from models.evaluation.prequential import Prequential
from models.features import parts
from models.hashing import named
from models.records import CompilerErrors, parse
from models.taxonomy import MAIN_CODES, rule_for

REFERENCE = "river-logistic"
BIAS = named(["bias"])


class Row(NamedTuple):
    """One diagnostic: its features, its label, its code (for the lookup baseline alone), and its build's number."""

    example: Example
    label: str
    code: str | None
    build: int


class Score(NamedTuple):
    """What one learner reached, and what predicting and learning cost it."""

    learner: str
    accuracy: float
    macro_f1: float
    us_per_example: float


def rows(files: list[Path], task: str, labels: str, seed: int, limit: int | None) -> list[Row]:
    """Return the labelled diagnostics of the files in a seeded order."""
    found = []
    for build, document in enumerate(inputs.corpus(files)):
        record = parse(CompilerErrors, orjson.dumps(document))
        for one in record.diagnostics:
            rule = rule_for(one.code, one.message)
            if rule is not None and (labels == "all" or one.code in MAIN_CODES):
                found.append((build, one, rule.label))
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, not a secret
    return [Row(_features(one, task), label, one.code, build) for build, one, label in found[:limit]]


def _features(one: Diagnostic, task: str) -> Example:
    return [BIAS, *source_parts(one)] if task == "source" else parts(one)


def run(name: str, make: Callable[[], Learner], data: Sequence[Row], batch: int) -> tuple[Score, Prequential]:
    """Let one learner predict and learn the rows, ``batch`` at a time."""
    learner, scores, spent = make(), Prequential(), 0.0
    for start in range(0, len(data), batch):
        part = data[start : start + batch]
        examples, truth = [row.example for row in part], [row.label for row in part]
        began = time.process_time()
        answers = learner.predict(examples)
        learner.learn(examples, truth)
        spent += time.process_time() - began
        for row, answer in zip(part, answers, strict=True):
            scores.update(row.label, answer, row.code)
    return Score(name, scores.accuracy, scores.macro_f1, spent / len(data) * 1e6), scores


def compare(data: Sequence[Row], only: Sequence[str], batch: int, say: Console) -> tuple[list[Score], dict[str, float]]:
    """Return the score of each learner that is installed, and the baselines' accuracy."""
    labels = sorted({row.label for row in data})
    found, baselines = [], dict[str, float]()
    for name, make in learners(labels).items():
        if only and name not in only:
            continue
        try:
            with say.status(f"{name}: {len(data)} diagnostics"):
                score, scores = run(name, make, data, batch)
        except ImportError as error:
            say.print(f"[yellow]{name} left out:[/yellow] {error}; `make bench-venv` installs what it needs")
            continue
        found.append(score)
        baselines = scores.baselines
    return found, baselines


def show(found: Sequence[Score], baselines: dict[str, float], out: Console) -> None:
    """Print the table, with each cost as a multiple of jidoka's."""
    table = Table("learner", "accuracy", "macro F1", "µs / diagnostic", "times jidoka's cost")
    own = next((score.us_per_example for score in found if score.learner == "jidoka"), None)
    for score in found:
        ratio = f"{score.us_per_example / own:.1f}" if own and score.us_per_example else "-"
        cost = f"{score.us_per_example:.0f}" if score.us_per_example else "-"
        table.add_row(score.learner, f"{score.accuracy:.4f}", f"{score.macro_f1:.4f}", cost, ratio)
    for name, accuracy in baselines.items():
        table.add_row(f"[dim]baseline {name}[/dim]", f"{accuracy:.4f}", "-", "-", "-")
    out.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison that the command line asks for."""
    options = _options().parse_args(arguments)
    err = Console(stderr=True)
    with err.status("reading"):
        data = rows(options.corpus, options.task, options.labels, options.seed, options.limit)
    found, baselines = compare(data, options.only, options.batch, err)
    if options.reference:
        with err.status("batch reference, five folds"):
            accuracy, macro_f1 = reference.out_of_fold(
                [row.example for row in data], [row.label for row in data], [row.build for row in data]
            )
        found.append(Score("batch TF-IDF + LR", accuracy, macro_f1, 0.0))
    if options.json:
        document: dict[str, Any] = {"n": len(data), "task": options.task, "labels": options.labels}
        document |= {"seed": options.seed, "batch": options.batch, "baselines": baselines}
        document |= {"scores": [score._asdict() for score in found], "machine": figures.machine()}
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        show(found, baselines, Console())
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="Parquet files of diagnostics")
    parser.add_argument("--task", choices=("category", "source"), default="category")
    parser.add_argument("--labels", choices=("main", "all"), default="main")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--limit", type=int, default=4_000, help="diagnostics (some rivals take 10 ms for each)")
    parser.add_argument("--batch", type=int, default=32, help="predicted before any of them is learned")
    parser.add_argument("--only", nargs="*", default=(), help="learners by name")
    parser.add_argument("--reference", action="store_true", help="also TF-IDF and logistic regression, out of fold")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
