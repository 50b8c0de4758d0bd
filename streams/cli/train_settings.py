"""What ``train`` is to do: flags over a YAML file over the defaults, each checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.console import UserError, as_user_error, safe
from streams.cli.train_data import check_choices

if TYPE_CHECKING:
    from models.batch.config import TrainConfig
    from models.batch.dataset import Dataset
    from models.card import DataWindow

MAX_CONFIG_BYTES = 1 << 20
KEYS = ("corpus", "test", "task", "labels", "split", "output", "training")


@dataclass(frozen=True)
class TrainJob:
    """Everything that ``train`` was asked for."""

    corpus: tuple[Path, ...]
    test: tuple[Path, ...]
    task: str
    labels: str
    split: str
    output: Path | None
    training: TrainConfig


def read_job(
    config: Path | None, given: Mapping[str, Any], flags: Mapping[str, Any], curriculum: str | None
) -> TrainJob:
    """Return the job; raises ``UserError`` that names the setting at fault and what is allowed.

    ``given`` are flags beside the file's own keys, ``flags`` those beside its section ``training``.
    """
    from models.batch.config import ConfigError, TrainConfig

    values = _file(config) if config is not None else {}
    values |= {name: value for name, value in given.items() if value is not None}
    section = values.get("training") or {}
    if not isinstance(section, dict):
        raise UserError("training: a section of name: value lines")
    section |= {name: value for name, value in flags.items() if value is not None}
    if curriculum is not None:
        section["curriculum"] = thresholds(curriculum)
    with as_user_error(ConfigError):
        training = TrainConfig.read(section)
    task, labels, split = (str(values.get(name, default)) for name, default in _CHOICES.items())
    check_choices(task, labels, split)
    corpus, output = _paths(values, "corpus"), values.get("output")
    if not corpus:
        raise UserError("--corpus: name at least one file of failures, or an archive's folder")
    place = Path(str(output)) if output is not None else None
    return TrainJob(corpus, _paths(values, "test"), task, labels, split, place, training)


_CHOICES = {"task": "category", "labels": "main", "split": "file"}


def thresholds(text: str) -> tuple[float, ...]:
    """Return ``60,70,80`` as shares of one; ``none`` as nothing. Raises ``UserError``."""
    if text.strip() == "none":
        return ()
    try:
        found = [float(one) for one in text.split(",")]
    except ValueError:
        raise UserError(f"--curriculum {safe(text)}: numbers with commas, such as 60,70,80, or none") from None
    return tuple(one / 100 if one > 1 else one for one in found)


def _file(config: Path) -> dict[str, Any]:
    import yaml

    try:
        if config.stat().st_size > MAX_CONFIG_BYTES:
            raise UserError(f"--config {safe(config)}: larger than {MAX_CONFIG_BYTES} bytes")
        found = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"--config {safe(config)}: {safe(said)}") from None
    if not isinstance(found, dict):
        raise UserError(f"--config {safe(config)}: name: value lines are needed; names are {', '.join(KEYS)}")
    if unknown := [str(name) for name in found if name not in KEYS]:
        raise UserError(f"--config {safe(config)}: {safe(unknown[0])} is no setting; names are {', '.join(KEYS)}")
    return found


def _paths(values: Mapping[str, Any], name: str) -> tuple[Path, ...]:
    found = values.get(name) or []
    return tuple(Path(str(one)) for one in (found if isinstance(found, list | tuple) else [found]))


def model_name(output: Path) -> str:
    """Return a model's name after the folder that it is written into."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", output.resolve().name).lstrip("._-")[:100]
    return name or "model"


def data_window(job: TrainJob, dataset: Dataset) -> DataWindow:
    """Return what the card says of the examples: how many on each side, of which files, from when to when."""
    return window_of(dataset, [path.name for path in (*job.corpus, *job.test)], job.split)


def window_of(dataset: Dataset, files: list[str], split: str) -> DataWindow:
    """Return the same for any dataset."""
    from models.batch.checkpoints import fingerprint
    from models.card import DataWindow

    train, validation, test = (len(dataset.part(side)) for side in range(3))
    first, last = (
        datetime.fromtimestamp(float(one), UTC).isoformat() for one in (dataset.time.min(), dataset.time.max())
    )
    return DataWindow(
        files=tuple(files),
        train=train,
        validation=validation,
        test=test,
        first=first,
        last=last,
        sha256=fingerprint(dataset),
        split=split,
    )
