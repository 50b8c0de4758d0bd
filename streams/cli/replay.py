"""``replay`` and ``evaluate``: how good a model is on recorded failures, without a broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, print_json, safe
from streams.cli.scores_view import print_scores

if TYPE_CHECKING:
    from models.evaluation.replay import Learner
    from models.evaluation.splits import Entry, Fold
    from models.records import CompilerErrors
    from models.state import LineState

ORDERS = ("shuffled", "file", "time")
LABEL_SETS = ("main", "all")

TASKS_SAID = "category, source (code alone), source-unmarked (its mark hidden), outcome (will it compile)"
NO_ROOTS = (
    "--task root: no input says which error of a build was the root, so there is nothing to score; "
    "allowed are category, source, source-unmarked, outcome (the root that is answered stands in each prediction)"
)

Files = Annotated[list[Path], typer.Argument(help="Recorded failures: Parquet, JSONL or compiler output.")]
Labels = Annotated[str, typer.Option(help="main: the seven main categories; all: the taxonomy.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N records.", metavar="N")]
SaveFile = Annotated[Path | None, typer.Option(help="Write the model that learned all of it.", metavar="FILE.jdk")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Write a page with plots.", metavar="FILE.html")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(replay)
    app.command()(evaluate)


def replay(
    files: Files,
    task: Annotated[str, typer.Option(help=f"One of {TASKS_SAID}.")] = "category",
    labels: Labels = "main",
    order: Annotated[str, typer.Option(help="shuffled: single diagnostics; file, time: whole builds.")] = "shuffled",
    seed: Annotated[int, typer.Option(help="Of the shuffled order and of the split.")] = 42,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Drop diagnostics with equal message and code.")] = False,
    split: Annotated[str, typer.Option(help="none, file, directory, origin, project or time.")] = "none",
    first: Annotated[int | None, typer.Option(min=1, help="Learn from the first N labels only.", metavar="N")] = None,
    classifier: Annotated[str, typer.Option(help="logistic, or one of river's.")] = "logistic",
    limit: Limit = None,
    importance: Annotated[bool, typer.Option("--importance", help="What groups of features are worth.")] = False,
    save: SaveFile = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Backtest on recorded failures: predict, score, learn, one after the other, beside trivial baselines.

    With --split, or --first, one part is learned so and the other then scored without learning: whole files,
    directories or projects (a fifth, drawn with the seed), each origin in turn, or the last fifth in time.
    """
    from models.evaluation.splits import SplitError, first_then_rest, folds
    from models.evaluation.tasks import OURS, LineLearner, learner

    _check_options(task, labels, order, split, classifier)
    if first is not None and split != "none":
        raise UserError("--first and --split: give one of them; both say what is learned")
    if importance and (task == "outcome" or classifier != OURS or (first is None and split == "none")):
        raise UserError(
            "--importance needs our classifier and failures that it has not learned: give --split or --first"
        )
    if save is not None and (task != "category" or classifier != OURS or (first is not None or split != "none")):
        raise UserError(f"--save: what a line can take is --task category, --classifier {OURS}, and all of it learned")
    entries = _entries(files, task, labels, order, seed, dedupe)[:limit]
    with as_user_error(SplitError):
        parts = folds(entries, split, seed) if first is None else [first_then_rest(entries, first)]
    said = {"task": task, "labels": labels, "split": split, "order": order, "seed": seed, "classifier": classifier}
    permuted = seed if importance else None
    made = learner(task, classifier)
    make = (lambda: made) if save is not None else (lambda: learner(task, classifier))
    _score(parts, make, said | {"first": first}, files, report, as_json, permuted)
    if save is not None and isinstance(made, LineLearner):
        _save(save, made.state)


def evaluate(
    files: Files,
    model: Annotated[str, typer.Option(help="warm-start (the bundled model), or a snapshot's file.")] = "warm-start",
    labels: Labels = "main",
    limit: Limit = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Score a saved model on recorded failures without learning; the baselines learn on the way."""
    from models.evaluation.splits import Fold
    from models.evaluation.tasks import LineLearner

    _check("labels", labels, LABEL_SETS)
    state = _saved(model)
    entries = _entries(files, "category", labels, "file", 0, dedupe=False)[:limit]
    said = {"task": "category", "labels": labels, "split": "none", "order": "file", "seed": None}
    said |= {"model": state.model_version, "classifier": "saved"}
    _score([Fold("the saved model", [], entries)], lambda: LineLearner(state), said, files, report, as_json)


def _check_options(task: str, labels: str, order: str, split: str, classifier: str) -> None:
    from models.classifiers import CLASSIFIERS
    from models.evaluation.splits import SPLITS
    from models.evaluation.tasks import OURS, TASKS

    if task == "root":
        raise UserError(NO_ROOTS)
    _check("task", task, TASKS)
    _check("labels", labels, LABEL_SETS)
    _check("order", order, ORDERS)
    _check("split", split, SPLITS)
    _check("classifier", classifier, tuple(CLASSIFIERS))
    if task == "outcome" and (classifier != OURS or order == "time"):
        raise UserError(f"--task outcome: programs have no time and one learner; give --classifier {OURS}, no time")


def _check(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UserError(f"--{name} {safe(value)}: allowed are {', '.join(allowed)}")


def _saved(model: str) -> LineState:
    from models.snapshots import snapshot
    from models.snapshots.frame import SnapshotError
    from models.state import LineState
    from models.warm_start import warm_state

    if model == "warm-start":
        return warm_state()
    state = LineState()
    with as_user_error(SnapshotError, OSError):
        snapshot.apply(state, Path(model).read_bytes())
    return state


def _entries(files: list[Path], task: str, labels: str, order: str, seed: int, dedupe: bool) -> list[Entry[Any]]:
    from models.evaluation.replay import shuffled
    from models.evaluation.tasks import distinct_programs
    from producers.ci import InputError

    with err.status("reading"), as_user_error(InputError):
        if task == "outcome":
            found = _programs(files)
            found = list(distinct_programs(found)) if dedupe else found
        else:
            found = _failures(files, labels, order, dedupe)
        found = shuffled(found, seed) if order == "shuffled" else found
    if not found:
        what = "program with a verdict" if task == "outcome" else f"diagnostic with a label ({labels})"
        raise UserError(f"no {what} in {', '.join(safe(file) for file in files)}")
    return found


def _programs(files: list[Path]) -> list[Entry[Any]]:
    from producers.corpus import read_programs

    return [entry for source, file in enumerate(files) for entry in read_programs(file, source)]


def _failures(files: list[Path], labels: str, order: str, dedupe: bool) -> list[Entry[Any]]:
    from models.evaluation.replay import keep_codes, singles, without_repeats
    from models.taxonomy import MAIN_CODES

    found: Iterable[Entry[CompilerErrors]] = _read(files)
    found = keep_codes(found, MAIN_CODES if labels == "main" else None)
    found = without_repeats(found) if dedupe else found
    if order == "time":
        return sorted(found, key=lambda entry: entry.item.time)
    return list(singles(found) if order == "shuffled" else found)


def _read(files: list[Path]) -> Iterator[Entry[CompilerErrors]]:
    from producers.ci import Report
    from producers.corpus import read_failures

    now = datetime.now(UTC)
    for source, file in enumerate(files):
        report = Report()
        yield from read_failures(file, source, now, report)
        for line, reason in report.rejected:
            err.print(f"[yellow]{safe(file)} line {line}:[/yellow] {safe(reason)}", soft_wrap=True)


def _score(
    folds: Sequence[Fold[Any]],
    make: Callable[[], Learner[Any]],
    said: dict[str, Any],
    files: list[Path],
    report: Path | None,
    as_json: bool,
    permuted: int | None = None,
) -> None:
    from rich.progress import Progress

    from models.evaluation.prequential import BASELINES
    from models.evaluation.replay import backtest

    names = BASELINES[:2] if said["task"] == "outcome" else BASELINES
    started = time.perf_counter()
    with Progress(console=err, transient=True) as bar:
        shown = bar.add_task("replaying", total=sum(one.size for fold in folds for one in [*fold.train, *fold.test]))
        important: list[Any] = []
        scores = backtest(
            folds,
            make,
            clock=time.perf_counter_ns,
            progress=lambda n: bar.advance(shown, n),
            baselines=names,
            after=lambda fold, learned: _permute(important, fold, learned, permuted),
        )
    if not scores["n"]:
        raise UserError("nothing was scored: every failure came twice, or has no label")
    seconds = round(time.perf_counter() - started, 3)
    result = said | {"files": [file.name for file in files]} | scores | {"seconds": seconds}
    result |= {"importance": important} if important else {}
    if report is not None:
        _write(report, result)
    print_json(result) if as_json else print_scores(result)


def _permute(found: list[Any], fold: Fold[Any], learned: Any, seed: int | None) -> None:
    """Put on ``found`` what the first fold's learner needs of each group of features, if a ``seed`` is given."""
    from random import Random

    from models.evaluation.tasks import importance

    if seed is not None and not found:
        found += importance(learned, fold.test, Random(seed))  # noqa: S311 - a permutation, not a secret


def _save(path: Path, state: LineState) -> None:
    from models.warm_start import saved
    from streams.cli.models_publish import write

    write(path, saved(state, path.stem))


def _write(path: Path, result: dict[str, Any]) -> None:
    from models.evaluation.report import page

    with as_user_error(OSError):
        path.write_text(page(result), encoding="utf-8")
    err.print(f"report: {safe(path)}", soft_wrap=True)
