"""A small corpus of made-up builds, as a dataset; a teacher trained on it once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.batch.callbacks import History
from models.batch.config import TrainConfig
from models.batch.dataset import Dataset, collect, parted
from models.batch.report import about_card, compare
from models.batch.teacher import save_teacher
from models.batch.trainer import TrainResult, predict, train
from models.evaluation.splits import Entry, Group
from models.records import CompilerErrors
from tests.builders import random_builds

SMALL = TrainConfig(
    epochs=3, batch_size=16, lr=3e-3, hidden=16, width=8, min_count=1, embedding_lr=2.0, curriculum=(0.6,), prefetch=2
)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep torch to one thread: the suite has two cores for everything."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def entries() -> list[Entry[CompilerErrors]]:
    """Return some hundred builds, each a file of its own."""
    builds = random_builds(150, seed=3)
    return [Entry(one, len(one.diagnostics), Group(file=f"file-{n}")) for n, one in enumerate(builds)]


@pytest.fixture(scope="session")
def dataset(entries: list[Entry[CompilerErrors]]) -> Dataset:
    """Return their main labels, parted by file."""
    return parted(collect(entries, "category"), "file", seed=1)


@pytest.fixture(scope="session")
def history() -> History:
    """Return what has watched ``result``."""
    return History()


@pytest.fixture(scope="session")
def result(dataset: Dataset, history: History) -> TrainResult:
    """Return a teacher trained with ``SMALL``."""
    return train(SMALL, dataset, [history])


@pytest.fixture(scope="session")
def teacher_folder(result: TrainResult, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with that teacher."""
    import numpy as np

    folder = tmp_path_factory.mktemp("teacher")
    shares, _ = predict(result.network, result.vocabulary.encode(dataset), np.arange(len(dataset)))
    save_teacher(folder, result, dataset, about_card(compare(dataset, shares, "teacher", 42), "teacher", name="small"))
    return folder
