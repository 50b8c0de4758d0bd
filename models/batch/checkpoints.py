"""A training's state on disk, from which it goes on: safetensors and JSON, written whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from safetensors import SafetensorError
from safetensors.torch import load
from safetensors.torch import save as packed
from torch import Tensor

from models.batch.callbacks import EpochReport
from models.batch.dataset import Dataset
from models.card import ModelFileError

if TYPE_CHECKING:
    from models.batch.trainer import Trainer

STATE = "training.safetensors"  # its metadata holds the JSON: one file, so that both are of one epoch
VERSION = 1


def save(trainer: Trainer, epoch: int, folder: Path) -> None:
    """Write what ``restore`` needs after ``epoch``; the file of the epoch before stays until this one is whole."""
    tensors = {f"network.{name}": one for name, one in trainer.network.state_dict().items()}
    tensors |= {f"best.{name}": one for name, one in trainer.best.items()}
    for place, state in trainer.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{place}.{name}": one for name, one in state.items()}
    header = {
        "version": VERSION,
        "epoch": epoch,
        "config": trainer.config.model_dump(mode="json"),
        "dataset": fingerprint(trainer.dataset),
        "history": [asdict(one) for one in trainer.history.reports],
        "best": [trainer.best_epoch, trainer.best_score],
        "early": [trainer.early.best, trainer.early.waited],
        "curriculum": [trainer.curriculum.tier, trainer.curriculum.epochs],
    }
    data = packed({name: one.contiguous() for name, one in tensors.items()}, {"state": orjson.dumps(header).decode()})
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{STATE}.part"
    part.write_bytes(data)
    part.replace(folder / STATE)


def restore(trainer: Trainer, folder: Path) -> int:
    """Put a saved state into ``trainer`` and return its epoch; 0 when there is none.

    Raises ``ModelFileError`` when the file is damaged, or of other settings (but for ``epochs``) or examples.
    """
    file = folder / STATE
    if not file.exists():
        return 0
    header, tensors = _read(file)
    if header.get("dataset") != fingerprint(trainer.dataset):
        raise ModelFileError(
            f"{file}: of other examples, or parted otherwise; give the same corpus, or leave out --resume"
        )
    wanted = trainer.config.model_dump(mode="json")
    other = [name for name, value in wanted.items() if name != "epochs" and header["config"].get(name) != value]
    if other:
        raise ModelFileError(f"{file}: made with another {', '.join(other)}; give the same, or leave out --resume")
    try:
        _put(trainer, header, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{file}: damaged: {str(error)[:200]}") from None
    return int(header["epoch"])


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    data = file.read_bytes()
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")
        header = orjson.loads(orjson.loads(data[8 : 8 + length])["__metadata__"]["state"])
    except (SafetensorError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelFileError(f"{file}: not a training's state: {error}") from None
    if not isinstance(header, dict) or header.get("version") != VERSION:
        raise ModelFileError(f"{file}: of a version that is not known here; leave out --resume")
    return header, tensors


def _put(trainer: Trainer, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    trainer.network.load_state_dict(_under("network.", tensors))
    trainer.best = {name: one.to(trainer.device) for name, one in _under("best.", tensors).items()}
    state = trainer.optimizer.state_dict()
    slots: dict[int, dict[str, Tensor]] = {}
    for name, one in _under("optimizer.", tensors).items():
        place, _, what = name.partition(".")
        slots.setdefault(int(place), {})[what] = one
    trainer.optimizer.load_state_dict({"state": slots, "param_groups": state["param_groups"]})
    trainer.best_epoch, trainer.best_score = header["best"]
    trainer.early.best, trainer.early.waited = header["early"]
    trainer.curriculum.tier, trainer.curriculum.epochs = header["curriculum"]
    trainer.history.reports = [_report(one) for one in header["history"]]


def _report(fields: Mapping[str, Any]) -> EpochReport:
    return EpochReport(**{**fields, "expert_share": tuple(fields["expert_share"])})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def fingerprint(dataset: Dataset) -> str:
    """Return a digest of the examples, their labels and the side each is on."""
    digest = hashlib.sha256(repr((dataset.task, dataset.labels)).encode())
    for part in (dataset.text, dataset.code):
        digest.update(np.ascontiguousarray(part.values).tobytes() + part.offsets.tobytes())
    for array in (dataset.tabular, dataset.label, dataset.side):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
