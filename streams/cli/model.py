"""``classify`` and ``replay``: the model without a broker."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from models.evaluation import Prequential
    from models.records import Classification, CompilerErrors, Prediction

ORDERS = {"shuffled": "shuffled with seed {seed}", "file": "in the order of the builds", "time": "in the order of time"}
LABEL_SETS = ("main", "all")
FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(classify)
    app.command()(replay)


def classify(
    text: Annotated[str, typer.Argument(help="A message, a file of compiler output, or - for standard input.")] = "-",
    as_json: AsJson = False,
) -> None:
    """Classify now, without a broker, with the bundled model; shows why. Exit status 1: nothing to classify."""
    from models.step import step
    from models.warm_start import warm_state

    state, found = warm_state(), 0
    for record in _records_of(text):
        prediction = step(state, record, record.time)[0]
        found += 1
        if as_json:
            print_json(prediction.model_dump(mode="json", exclude_none=True))
        else:
            _show(prediction)
    if not found:
        err.print("no failure found in the input")
        raise typer.Exit(FAILED)


def _records_of(text: str) -> Iterable[CompilerErrors]:
    from producers.ci import InputError, Report, read

    data, name = _bytes_of(text)
    if not data.strip():
        return []
    try:
        found = list(read(BytesIO(data), name=name, project="local", time=datetime.now(UTC), report=Report()))
    except InputError as error:
        raise UserError(safe(error)) from None
    return found or _bare_message(data)


def _bytes_of(text: str) -> tuple[bytes, str | None]:
    if text == "-":
        if sys.stdin.isatty():
            err.print("[dim]reading compiler output from standard input; Ctrl-D ends it[/dim]")
        return sys.stdin.buffer.read(), None
    if os.path.isdir(text):  # noqa: PTH112 - a text too long to be a path is no error here
        raise UserError(f"{safe(text)} is a directory; give a file of compiler output, a message, or -")
    try:
        return (Path(text).read_bytes(), text) if Path(text).is_file() else (text.encode(), None)
    except OSError as error:  # a text too long to be a path is a text
        return (text.encode(), None) if error.errno else (b"", None)


def _bare_message(data: bytes) -> list[CompilerErrors]:
    """Take a text in which no format was recognised as one message, e.g. copied from somewhere."""
    from models.diagnostics import Diagnostic
    from models.records import CompilerErrors, content_id

    message = data.decode(errors="replace").strip()[:2000]
    if not message:
        return []
    diagnostic = Diagnostic(level="error", message=message)
    now = datetime.now(UTC)
    return [CompilerErrors(id=content_id(message), time=now, project="local", diagnostics=(diagnostic,))]


def _show(prediction: Prediction) -> None:
    for answer in prediction.classifications:
        is_root = answer.index == prediction.root and len(prediction.classifications) > 1
        root = "  [cyan]root of the build's errors[/cyan]" if is_root else ""
        code = f"[{answer.code}] " if answer.code else ""
        out.print(f"[bold]{_name(answer)}[/bold]  {answer.confidence:.0%} by {answer.source}{root}")
        out.print(f"  [dim]{safe(code)}{safe(answer.message)}[/dim]", soft_wrap=True)
        out.print(f"  because {safe(answer.reason)}", soft_wrap=True)
        if answer.words:
            out.print(f"  words   {safe(' · '.join(answer.words))}", soft_wrap=True)
        others = [f"{one.subcategory or one.category} {one.probability:.0%}" for one in answer.top[1:]]
        if others:
            out.print(f"  else    {', '.join(others)}")


def _name(answer: Classification) -> str:
    return f"{answer.category} / {answer.subcategory}" if answer.subcategory else answer.category


def replay(
    files: Annotated[list[Path], typer.Argument(help="Recorded failures: Parquet, JSONL or compiler output.")],
    task: Annotated[str, typer.Option(help="category: message and code window, the error code hidden.")] = "category",
    labels: Annotated[str, typer.Option(help="main: the seven main categories; all: the taxonomy.")] = "main",
    order: Annotated[str, typer.Option(help="shuffled: single diagnostics; file, time: whole builds.")] = "shuffled",
    seed: Annotated[int, typer.Option(help="Of the shuffled order.")] = 42,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Drop diagnostics with equal message and code.")] = False,
    classifier: Annotated[str, typer.Option(help="logistic, river-logistic or river-naive-bayes.")] = "logistic",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N records.", metavar="N")] = None,
    as_json: AsJson = False,
) -> None:
    """Backtest on recorded failures: predict, score, learn, one after the other, beside trivial baselines."""
    from models.classifiers import CLASSIFIERS

    _check("task", task, ("category",))
    _check("labels", labels, LABEL_SETS)
    _check("order", order, tuple(ORDERS))
    _check("classifier", classifier, tuple(CLASSIFIERS))
    records = _prepared(files, labels, order, seed, dedupe)[:limit]
    total = sum(len(record.diagnostics) for record in records)
    if not total:
        raise UserError(f"no diagnostic with a label ({labels}) in {', '.join(safe(file) for file in files)}")
    how = ORDERS[order].format(seed=seed)
    started = time.perf_counter()
    scores = _run(records, total, classifier)
    _report(task, how, scores, time.perf_counter() - started, as_json)


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"--{name} {safe(value)}: allowed are {', '.join(allowed)}")


def _prepared(files: list[Path], labels: str, order: str, seed: int, dedupe: bool) -> list[CompilerErrors]:
    from models.replay import keep_codes, shuffled, without_repeats
    from models.taxonomy import MAIN_CODES

    with err.status("reading"):
        records: Iterable[CompilerErrors] = _read_files(files)
        records = keep_codes(records, MAIN_CODES if labels == "main" else None)
        records = without_repeats(records) if dedupe else records
        if order == "shuffled":
            return shuffled(records, seed)
        return sorted(records, key=attrgetter("time")) if order == "time" else list(records)


def _read_files(files: list[Path]) -> Iterable[CompilerErrors]:
    from producers.ci import InputError, Report, open_input, read

    with as_user_error(InputError):
        for file in files:
            report = Report()
            with open_input(file) as source:
                yield from read(source, name=str(file), project="replay", time=datetime.now(UTC), report=report)
            for line, reason in report.rejected:
                err.print(f"[yellow]{safe(file)} line {line}:[/yellow] {safe(reason)}", soft_wrap=True)


def _run(records: list[CompilerErrors], total: int, classifier: str) -> Prequential:
    from rich.progress import Progress

    from models.classifiers import CLASSIFIERS
    from models.replay import replay as step_through
    from models.replay import replay_rival
    from models.state import LineState

    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("replaying", total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)

        if classifier == "logistic":
            return step_through(records, LineState(), advance)
        return replay_rival(records, CLASSIFIERS[classifier](), advance)


def _report(task: str, how: str, scores: Prequential, seconds: float, as_json: bool) -> None:
    result: dict[str, Any] = {
        "task": task,
        "n": scores.n,
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "baselines": scores.baselines,
        "seconds": round(seconds, 3),
    }
    if as_json:
        print_json(result | {"per_category": scores.f1()})
        return
    out.print(f"{scores.n} diagnostics {how}, each predicted before it was learned, its code hidden; {seconds:.1f} s")
    out.print(f"accuracy [bold]{scores.accuracy:.4f}[/bold]  macro F1 [bold]{scores.macro_f1:.4f}[/bold]")
    for name, accuracy in scores.baselines.items():
        out.print(f"  baseline {name:11} {accuracy:.4f}")
    for name, f1 in scores.f1().items():
        out.print(f"  F1 {name:24} {f1:.3f}")
