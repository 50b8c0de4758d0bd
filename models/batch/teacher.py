"""A trained teacher as a folder: card and safetensors; what it takes is a ``Dataset``, what it says are logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models import describe
from models.batch.batches import Indices, Vocabulary
from models.batch.config import ConfigError, TrainConfig
from models.batch.dataset import Dataset
from models.batch.network import MixtureOfExperts
from models.batch.tabular import TABULAR
from models.batch.trainer import TrainResult, logits_of
from models.card import FeatureSpace, ModelCard, ModelFileError, read_model, write_model

MAX_VOCABULARY = 1 << 24


@dataclass(frozen=True)
class Teacher:
    """A teacher that predicts."""

    card: ModelCard
    network: MixtureOfExperts
    vocabulary: Vocabulary

    def logits(self, dataset: Dataset, wanted: Indices) -> NDArray[np.float32]:
        """Return logits of some examples, shape (examples, labels); raises ``ModelFileError`` for another task."""
        self.check(dataset)
        return logits_of(self.network, self.vocabulary.encode(dataset), wanted)[0]

    def check(self, dataset: Dataset) -> None:
        """Raise ``ModelFileError`` unless these examples are of the teacher's task and labels."""
        if (dataset.task, dataset.labels) != (self.card.task, self.card.labels):
            raise ModelFileError(
                f"{self.card.name}: a teacher of {self.card.task} with {len(self.card.labels)} labels; these examples "
                f"are of {dataset.task} with {len(dataset.labels)}"
            )


def save_teacher(path: Path, result: TrainResult, dataset: Dataset, about: Mapping[str, Any]) -> ModelCard:
    """Write a trained teacher into folder ``path`` and return its card; ``about`` are further fields of the card."""
    arrays: dict[str, NDArray[Any]] = {
        name: np.ascontiguousarray(one.detach().cpu().numpy()) for name, one in result.network.state_dict().items()
    }
    arrays |= {"vocabulary.text": result.vocabulary.text, "vocabulary.code": result.vocabulary.code}
    fields = {
        "kind": "teacher",
        "task": dataset.task,
        "labels": dataset.labels,
        "features": FeatureSpace(describe=dataset.task, version=describe.VERSION, tabular=TABULAR),
        "settings": result.config.model_dump(mode="json"),
        **about,
    }
    return write_model(path, save(arrays), fields)


def load_teacher(path: Path) -> Teacher:
    """Return the teacher in folder ``path``; raises ``ModelFileError`` that says what is wrong with it."""
    card, data = read_model(path, "teacher")
    if card.features.version != describe.VERSION or card.features.tabular != TABULAR:
        raise ModelFileError(
            f"{path}: made for features version {card.features.version}, here is {describe.VERSION}: train it anew"
        )
    try:
        arrays = load(data)
        vocabulary = Vocabulary(_hashes(arrays.pop("vocabulary.text")), _hashes(arrays.pop("vocabulary.code")))
        sizes = (len(vocabulary.text), len(vocabulary.code), len(card.labels))
        network = MixtureOfExperts(*sizes, TrainConfig.read(card.settings))
        network.load_state_dict({name: torch.from_numpy(one) for name, one in arrays.items()})
    except (SafetensorError, KeyError, ValueError, RuntimeError, ConfigError) as error:
        raise ModelFileError(f"{path}: weights and card do not fit: {str(error)[:300]}") from None
    network.eval()
    return Teacher(card, network, vocabulary)


def _hashes(array: NDArray[Any]) -> NDArray[np.uint32]:
    if array.dtype != np.uint32 or array.ndim != 1 or len(array) > MAX_VOCABULARY or (np.diff(array) <= 0).any():
        raise ValueError("a vocabulary is a rising list of 32-bit hashes")
    return array
