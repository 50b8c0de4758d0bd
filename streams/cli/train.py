"""``train``: a mixture of experts from recorded failures or the archive, scored beside its rivals."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe
from streams.cli.train_data import Corpus, Labels, Split, Task, needs_torch, read_dataset
from streams.cli.train_search import EvalReport, Search, Strategy, TimeBudget, Trials, check_strategy, searched
from streams.cli.train_settings import read_job

if TYPE_CHECKING:
    from models.batch.dataset import Dataset
    from models.batch.report import Comparison
    from models.batch.trainer import TrainResult
    from streams.cli.train_settings import TrainJob

FAILED = 1
CHECKPOINT = "training"  # folder in the output while a training is under way

CurriculumText = Annotated[
    str | None, typer.Option(help="Accuracies in per cent that open harder tiers, or none.", metavar="60,70,80")
]
EncoderDir = Annotated[
    Path | None, typer.Option(help="CodeBERT's folder on disk: tier 2 is tuned with LoRA.", metavar="D")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings as YAML; flags win.", metavar="F.yaml")]
TestFile = Annotated[list[Path] | None, typer.Option("--test", help="Score on these instead.", metavar="F")]
LogitsDir = Annotated[Path | None, typer.Option("--logits", help="Also store logits to distil from.", metavar="D")]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(train)


def train(
    output: Annotated[Path | None, typer.Option(help="Write the teacher into this folder.", metavar="M")] = None,
    corpus: Corpus = [],  # noqa: B006 - typer copies it
    config: ConfigFile = None,
    task: Task = None,
    labels: Labels = None,
    split: Split = None,
    test: TestFile = None,
    epochs: Annotated[int | None, typer.Option(help="At most.", metavar="N")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step.", metavar="N")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate of AdamW.")] = None,
    curriculum: CurriculumText = None,
    reweight: Annotated[float | None, typer.Option(help="Most that rare labels are drawn more often.")] = None,
    samples: Annotated[int | None, typer.Option(help="Examples drawn in an epoch.", metavar="N")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same numbers.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N builds.", metavar="N")] = None,
    logits: LogitsDir = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was cut off.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the corpus is fit to train on.")] = False,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Drop examples whose features came before.")] = False,
    tiers: Annotated[bool, typer.Option("--tiers", help="Also score forests, boosting and the ensemble.")] = False,
    encoder: EncoderDir = None,
    importance: Annotated[bool, typer.Option("--importance", help="What groups of features are worth.")] = False,
    strategy: Strategy = "fixed",
    n_trials: Trials = 50,
    time_budget: TimeBudget = 60.0,
    eval_report: EvalReport = False,
    as_json: AsJson = False,
) -> None:
    """Train a mixture of experts and write it with a card that has its scores beside baselines.

    Whole files (or directories, or the last in time) are kept out: a tenth to choose the best epoch, a fifth to score.
    Ctrl-C leaves what is needed for --resume. Exit status 1: --check found something amiss.
    """
    check_strategy(strategy)
    needs_torch("train")
    flags = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "reweight": reweight, "samples": samples}
    given = {"corpus": corpus or None, "test": test, "task": task, "labels": labels, "split": split, "output": output}
    job = read_job(config, given, flags | {"seed": seed}, curriculum)
    dataset = _checked(_dataset(job, limit, dedupe=dedupe), only=check, as_json=as_json)
    if check:
        return
    output = _target(job)
    job = searched(job, dataset, Search(strategy, n_trials, time_budget, eval_report, as_json))
    _run(job, dataset, output, logits, _Extras(resume, tiers, encoder, importance, limit), as_json)


def _target(job: TrainJob) -> Path:
    if job.output is None:
        raise UserError("--output: name the folder that the teacher is written into")
    return job.output


def _checked(dataset: Dataset, *, only: bool, as_json: bool) -> Dataset:
    if only or not as_json:
        _check(dataset, only=only)
    return dataset


class _Extras:
    def __init__(self, resume: bool, tiers: bool, encoder: Path | None, importance: bool, limit: int | None) -> None:
        self.resume, self.tiers, self.encoder, self.importance, self.limit = resume, tiers, encoder, importance, limit


def _dataset(job: TrainJob, limit: int | None, *, dedupe: bool) -> Dataset:
    from models.batch.dataset import DatasetError, parted, with_test
    from models.batch.readiness import without_twins

    found = read_dataset(job.corpus, job.task, job.labels, limit)
    found = without_twins(found) if dedupe else found
    with as_user_error(DatasetError):
        if not job.test:
            return parted(found, job.split, job.training.seed)
        other = read_dataset(job.test, job.task, job.labels)
        return with_test(parted(found, job.split, job.training.seed, test=0.0), other)


def _check(dataset: Dataset, *, only: bool) -> None:
    from models.batch.readiness import readiness
    from models.taxonomy import MAIN_CODES
    from streams.cli.train_view import print_checks

    checks = readiness(dataset, tuple(sorted(MAIN_CODES)))
    print_checks(checks)
    if fatal := [one for one in checks if one.fatal and not one.passed]:
        raise UserError(f"not fit to train on: {'; '.join(f'{one.name}: {one.found}' for one in fatal)}")
    if only and not all(one.passed for one in checks):
        raise typer.Exit(FAILED)


def _run(job: TrainJob, dataset: Dataset, output: Path, logits: Path | None, extras: _Extras, as_json: bool) -> None:
    from models.batch.callbacks import PermutationImportance
    from models.batch.report import compare, scored_side, specialisation
    from models.batch.trainer import predict, train
    from models.card import ModelFileError
    from streams.cli.train_view import Monitor

    permuted = PermutationImportance(job.training.seed)
    with ExitStack() as stack, as_user_error(ModelFileError, OSError):
        callbacks = [stack.enter_context(Monitor()), *([permuted] if extras.importance else [])]
        result = train(job.training, dataset, callbacks, checkpoint=output / CHECKPOINT, resume=extras.resume)
    with err.status("comparing"):
        shares, gates = predict(result.network, result.vocabulary.encode(dataset), _all(dataset))
        comparison = compare(dataset, shares, "teacher", job.training.seed)
    wanted = dataset.part(scored_side(dataset))
    report = _document(job, dataset, result, comparison)
    report["experts"] = specialisation(dataset, wanted, gates[wanted])
    report["importance"] = [[one.group, one.drop.accuracy, one.drop.macro_f1] for one in permuted.found]
    if extras.tiers or extras.encoder:
        report["tiers"] = _tiers(job, dataset, result, extras)
    with as_user_error(OSError):
        _save(job, dataset, result, comparison, output, logits)
    print_json(report) if as_json else _print(report, output)


def _all(dataset: Dataset) -> Any:
    import numpy as np

    return np.arange(len(dataset))


def _document(job: TrainJob, dataset: Dataset, result: TrainResult, comparison: Comparison) -> dict[str, Any]:
    return {
        "task": job.task,
        "labels": list(dataset.labels),
        "examples": len(dataset),
        "scored": comparison.examples,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "parameters": result.network.count_parameters(),
        "efficiency": comparison.efficiency,
        "models": comparison.rows,
        "weights": comparison.weights,
    }


def _tiers(job: TrainJob, dataset: Dataset, result: TrainResult, extras: _Extras) -> dict[str, Any]:
    import time

    from models.batch.tiers import tier_table
    from models.card import ModelFileError
    from streams.cli.train_texts import texts_of

    texts = texts_of([*job.corpus, *job.test], job.task, job.labels, extras.limit) if extras.encoder else None
    if texts is not None and len(texts) != len(dataset):
        raise UserError("--encoder: texts are read without --dedupe and --limit; leave these out")
    with err.status("tiers"), as_user_error(ModelFileError):
        return tier_table(
            dataset, result, seed=job.training.seed, clock=time.perf_counter_ns, encoder=extras.encoder, texts=texts
        )


def _save(
    job: TrainJob, dataset: Dataset, result: TrainResult, comparison: Comparison, output: Path, logits: Path | None
) -> None:
    from models.batch.checkpoints import fingerprint
    from models.batch.report import about_card
    from models.batch.stored import DATASET, save_dataset, save_logits
    from models.batch.teacher import save_teacher
    from models.batch.trainer import logits_of
    from streams.cli.train_settings import data_window, model_name

    name = model_name(output)
    about = about_card(comparison, "teacher", name=name, data=data_window(job, dataset))
    save_teacher(output, result, dataset, about)
    shutil.rmtree(output / CHECKPOINT, ignore_errors=True)
    if logits is not None:
        found, _ = logits_of(result.network, result.vocabulary.encode(dataset), _all(dataset))
        save_dataset(logits / DATASET, dataset, {"files": [path.name for path in job.corpus]})
        save_logits(logits, name, found, fingerprint(dataset))


def _print(report: dict[str, Any], output: Path) -> None:
    from streams.cli.train_view import print_rows, print_specialisation

    out.print(
        f"{report['task']}: {report['examples']:,} examples, {report['parameters']:,} parameters, best epoch "
        f"{report['best_epoch']} of {report['epochs']}; scored on {report['scored']:,} that it has not seen"
    )
    print_rows(report["models"])
    out.print(f"efficiency, accuracy / ln(examples): {report['efficiency']:.4f}")
    print_specialisation(list(report["experts"]), list(report["experts"].values()))
    if report["importance"]:
        rows = {group: {"accuracy": drop, "macro_f1": f1} for group, drop, f1 in report["importance"]}
        print_rows(rows, "what permuting a group of features costs")
    if "tiers" in report:
        print_rows(report["tiers"], "tiers")
    out.print(
        f"written to {safe(output)}; next: jidoka distill --teacher {safe(output)} --output STUDENT", soft_wrap=True
    )
