"""``distill``: a student small enough for the stream, from live teachers or from logits on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe
from streams.cli.train_data import Corpus, Labels, Split, Task, check_choices, needs_torch, read_dataset

if TYPE_CHECKING:
    from models.batch.config import DistilConfig
    from models.batch.dataset import Dataset
    from models.batch.distillation import DistilReport, DistilResult, Logits
    from models.batch.report import Comparison
    from models.batch.teacher import Teacher


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(distill)


def distill(
    output: Annotated[Path, typer.Option(help="Write the student into this folder.", metavar="S")],
    teacher: Annotated[
        list[Path] | None, typer.Option("--teacher", help="A teacher's folder; may be repeated.", metavar="M")
    ] = None,
    logits: Annotated[
        Path | None,
        typer.Option("--input", help="Logits that train --logits stored, with their examples.", metavar="D"),
    ] = None,
    num_teachers: Annotated[int | None, typer.Option(min=1, help="How many there must be in --input.")] = None,
    corpus: Corpus = [],  # noqa: B006 - typer copies it
    task: Task = None,
    labels: Labels = None,
    split: Split = None,
    temperature: Annotated[float | None, typer.Option(help="T: how much softer than certain; default 3.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Weight of the teachers against the labels; default .7.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Default 20.", metavar="N")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Default 32.", metavar="N")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate of AdamW.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of drawing and of the split; default 42.")] = None,
    as_json: AsJson = False,
) -> None:
    """Distil a student from teachers, and write it as ONNX with a card; `jidoka models publish` offers it to a line.

    The examples are --corpus, parted as the teachers' were (same --split and --seed), or those that lie in --input.
    """
    needs_torch("distill")
    config = _config(temperature=temperature, alpha=alpha, epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
    if (logits is None) == (not teacher):
        raise UserError("give either --teacher with --corpus, or --input with stored logits")
    if logits is not None:
        dataset, files, given = _stored(logits, num_teachers)
        teachers: list[Teacher] = []
    else:
        dataset, files, teachers = _live(teacher or [], corpus, task, labels, split or "file", seed=config.seed)
        given = [one.logits(dataset, _all(dataset)) for one in teachers]
    result = _distil(config, dataset, given, quiet=as_json)
    _finish(output, config, dataset, result, given, _Origin(files, split or "file", teachers), as_json)


class _Origin:
    def __init__(self, files: list[str], split: str, teachers: list[Teacher]) -> None:
        self.files, self.split, self.teachers = files, split, teachers


def _config(**flags: Any) -> DistilConfig:
    from models.batch.config import ConfigError, DistilConfig

    with as_user_error(ConfigError):
        return DistilConfig.read({name: value for name, value in flags.items() if value is not None})


def _stored(folder: Path, teachers: int | None) -> tuple[Dataset, list[str], list[Logits]]:
    from models.batch.checkpoints import fingerprint
    from models.batch.stored import DATASET, load_dataset, load_logits
    from models.card import ModelFileError

    with as_user_error(ModelFileError):
        dataset, about = load_dataset(folder / DATASET)
        found = load_logits(folder, dataset, fingerprint(dataset), teachers)
    return dataset, [str(one) for one in about.get("files", [])], [one.logits for one in found]


def _live(
    folders: list[Path], corpus: list[Path], task: str | None, labels: str | None, split: str, *, seed: int
) -> tuple[Dataset, list[str], list[Teacher]]:
    from models.batch.dataset import DatasetError, parted
    from models.batch.teacher import load_teacher
    from models.card import ModelFileError
    from models.taxonomy import MAIN_LABELS

    if not corpus:
        raise UserError("--corpus: name the files whose failures the student is to learn from")
    with as_user_error(ModelFileError):
        teachers = [load_teacher(folder) for folder in folders]
    first = teachers[0].card
    task = task or first.task
    labels = labels or ("main" if set(first.labels) == set(MAIN_LABELS) else "all")
    check_choices(task, labels, split)
    with as_user_error(DatasetError, ModelFileError):
        dataset = parted(read_dataset(corpus, task, labels), split, seed)
        for one in teachers:
            one.check(dataset)
    return dataset, [path.name for path in corpus], teachers


def _all(dataset: Dataset) -> Any:
    import numpy as np

    return np.arange(len(dataset))


def _distil(config: DistilConfig, dataset: Dataset, logits: list[Logits], *, quiet: bool) -> DistilResult:
    from rich.progress import Progress

    from models.batch.distillation import distil

    with Progress(console=err, transient=True, disable=quiet) as bar:
        shown = bar.add_task("distilling", total=config.epochs)

        def advance(report: DistilReport) -> bool:
            bar.update(shown, completed=report.epoch, description=f"macro F1 {report.macro_f1:.4f}")
            return False

        return distil(config, dataset, logits, advance)


def _finish(
    output: Path,
    config: DistilConfig,
    dataset: Dataset,
    result: DistilResult,
    logits: list[Logits],
    origin: _Origin,
    as_json: bool,
) -> None:
    import time

    from models.batch.export import save_student
    from models.batch.report import about_card
    from models.batch.retention import compare_student
    from models.card import ModelFileError
    from models.student import load_student
    from streams.cli.train_settings import model_name, window_of

    data = {"name": model_name(output), "data": window_of(dataset, origin.files, origin.split)}
    settings = {"settings": config.model_dump(mode="json")}
    with as_user_error(OSError, ModelFileError), err.status("comparing"):
        save_student(output, result.network, dataset, data | settings)
        found = compare_student(
            load_student(output), dataset, logits, origin.teachers, seed=config.seed, clock=time.perf_counter_ns
        )
        about = about_card(found.comparison, "student", **data, **settings)
        about["scores"] = about["scores"] | found.figures
        card = save_student(output, result.network, dataset, about)
    report: dict[str, Any] = {
        "examples": len(dataset),
        "scored": found.comparison.examples,
        "size_bytes": card.size_bytes,
    }
    report |= {"best_epoch": result.best_epoch, "models": found.comparison.rows, "figures": found.figures}
    print_json(report) if as_json else _print(report, found.comparison, output)


def _print(report: dict[str, Any], comparison: Comparison, output: Path) -> None:
    from streams.cli.train_view import print_rows

    out.print(f"{report['size_bytes']:,} bytes; scored on {comparison.examples:,} examples that it has not seen")
    print_rows(comparison.rows)
    print_rows({name.replace("_", " "): {"": value} for name, value in report["figures"].items()})
    out.print(f"written to {safe(output)}; next: jidoka models publish {safe(output)} --challenge", soft_wrap=True)
