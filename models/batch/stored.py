"""Datasets and teachers' logits on disk: safetensors with a JSON header, so that text is described only once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models import describe
from models.batch.dataset import Dataset, Ragged
from models.card import ModelFileError

DATASET = "dataset.safetensors"
LOGITS = "teacher-*.safetensors"
HEADER = "jidoka"  # key of the metadata that holds our JSON
VERSION = 1
MAX_BYTES = 4 << 30

Arrays = dict[str, NDArray[Any]]


class Stored(NamedTuple):
    """Logits of one teacher for all examples of a dataset: shape (examples, labels)."""

    name: str
    logits: NDArray[np.float32]


def save_dataset(file: Path, dataset: Dataset, about: dict[str, Any] | None = None) -> None:
    """Write a dataset; ``about`` is what ``load_dataset`` gives back beside it."""
    arrays: Arrays = {}
    for one in fields(dataset):
        value = getattr(dataset, one.name)
        if isinstance(value, Ragged):
            arrays |= {f"{one.name}.values": value.values, f"{one.name}.offsets": value.offsets}
        elif isinstance(value, np.ndarray):
            arrays[one.name] = value
    header = {"task": dataset.task, "labels": dataset.labels, "features": describe.VERSION, "about": about or {}}
    _write(file, arrays, header)


def load_dataset(file: Path) -> tuple[Dataset, dict[str, Any]]:
    """Return a stored dataset and what was noted about it; raises ``ModelFileError`` for anything that is not one."""
    header, arrays = _read(file)
    if header.get("features") != describe.VERSION:
        raise ModelFileError(
            f"{file}: features version {header.get('features')}, here is {describe.VERSION}: read the corpus anew"
        )
    try:
        ragged = {
            name: Ragged(arrays.pop(f"{name}.values"), arrays.pop(f"{name}.offsets")) for name in ("text", "code")
        }
        values: dict[str, Any] = {**ragged, **arrays}
        found = Dataset(task=str(header["task"]), labels=tuple(map(str, header["labels"])), **values)
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{file}: not a dataset: {error}") from None
    _check(file, found)
    return found, header["about"] if isinstance(header.get("about"), dict) else {}


def _check(file: Path, dataset: Dataset) -> None:
    """Raise unless all arrays fit together: an offset out of its bounds would read another example's features."""
    count = len(dataset)
    for name in ("text", "code"):
        values, offsets = getattr(dataset, name)
        rising = offsets.shape == (count + 1,) and offsets[0] == 0 and offsets[-1] == len(values)
        if values.dtype != np.uint32 or offsets.dtype != np.int64 or not rising or (np.diff(offsets) < 0).any():
            raise ModelFileError(f"{file}: {name} does not fit {count} examples")
    lengths = {len(value) for one in fields(dataset) if isinstance(value := getattr(dataset, one.name), np.ndarray)}
    in_range = count and dataset.label.min() >= 0 and dataset.label.max() < len(dataset.labels)
    if lengths != {count} or not in_range or not np.isfinite(dataset.tabular).all():
        raise ModelFileError(f"{file}: arrays of {sorted(lengths)} examples, or labels out of range")


def save_logits(folder: Path, name: str, logits: NDArray[np.float32], digest: str) -> None:
    """Write a teacher's logits for the dataset with this ``digest`` (``checkpoints.fingerprint``)."""
    _write(folder / LOGITS.replace("*", name), {"logits": np.ascontiguousarray(logits)}, {"dataset": digest})


def load_logits(folder: Path, dataset: Dataset, digest: str, teachers: int | None) -> list[Stored]:
    """Return the stored logits in ``folder``, by name; ``teachers`` is how many there must be.

    Raises ``ModelFileError`` when there are none, not as many, or of other examples.
    """
    files = sorted(folder.glob(LOGITS))
    if not files or (teachers is not None and len(files) != teachers):
        raise ModelFileError(f"{folder}: {len(files)} files {LOGITS}; wanted are {teachers or 'one or more'}")
    found = []
    for file in files:
        header, arrays = _read(file)
        logits = arrays.get("logits", np.zeros(0))
        if header.get("dataset") != digest or logits.shape != (len(dataset), len(dataset.labels)):
            raise ModelFileError(f"{file}: logits of other examples than {DATASET} beside it")
        found.append(Stored(file.stem.removeprefix("teacher-"), logits.astype(np.float32)))
    return found


def _write(file: Path, arrays: Arrays, header: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    packed = {name: np.ascontiguousarray(one) for name, one in arrays.items()}
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(save(packed, {HEADER: orjson.dumps({"version": VERSION} | header).decode()}))
    part.replace(file)


def _read(file: Path) -> tuple[dict[str, Any], Arrays]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{file}: larger than {MAX_BYTES} bytes")
        data = file.read_bytes()
        arrays = load(data)
        header = orjson.loads(orjson.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"][HEADER])
    except OSError as error:
        raise ModelFileError(f"{file}: {error.strerror or error}") from None
    except (SafetensorError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelFileError(f"{file}: not written by jidoka: {error}") from None
    if not isinstance(header, dict) or header.get("version") != VERSION:
        raise ModelFileError(f"{file}: a version that is not known here; {VERSION} is: make it anew")
    return header, arrays
