"""Tier 1: random forest and gradient boosting on TF-IDF, folded into few columns, and on the numbers.

They stand in score tables and give logits to distil from; they are not written to disk: scikit-learn's own format is a
pickle, which nothing here reads.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfTransformer

from models.batch.batches import Indices, Vocabulary
from models.batch.dataset import TRAIN, Dataset, Ragged

COLUMNS = 64  # that a part's TF-IDF is folded into
TREES = 200
ROUNDS = 100
SMALLEST = 1e-6  # of a probability, for its logarithm


class Estimator(Protocol):
    """What is used of scikit-learn's classifiers."""

    classes_: NDArray[Any]

    def fit(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        """Learn."""

    def predict_proba(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return probabilities of ``classes_``."""


def estimators(seed: int) -> dict[str, Estimator]:
    """Return tier 1's models by name, untrained."""
    forest = RandomForestClassifier(TREES, class_weight="balanced_subsample", min_samples_leaf=1, random_state=seed)
    boosting = HistGradientBoostingClassifier(max_iter=ROUNDS, early_stopping=False, random_state=seed)
    return {"random forest": forest, "gradient boosting": boosting}


class Forests:
    """Tier 1, learned from the training part of a dataset; ``seed`` decides everything that is drawn."""

    def __init__(self, dataset: Dataset, seed: int, min_count: int = 2) -> None:
        places = dataset.part(TRAIN)
        self._vocabulary = Vocabulary.of(dataset, places, min_count)
        self._labels = len(dataset.labels)
        self._folds = [
            (TfidfTransformer(sublinear_tf=True), TruncatedSVD(COLUMNS, random_state=seed)) for _ in range(2)
        ]
        self._known = [part.size > COLUMNS for part in self._vocabulary]
        columns = self.columns(dataset, places, learn=True)
        self.models = estimators(seed)
        for model in self.models.values():
            model.fit(columns, dataset.label[places])

    def shares(self, dataset: Dataset, wanted: Indices) -> dict[str, NDArray[np.float32]]:
        """Return each model's probabilities, shape (examples, labels)."""
        columns = self.columns(dataset, wanted)
        found = {}
        for name, model in self.models.items():
            shares = np.zeros((len(wanted), self._labels), np.float32)
            shares[:, model.classes_] = model.predict_proba(columns)
            found[name] = shares
        return found

    def columns(self, dataset: Dataset, wanted: Indices, *, learn: bool = False) -> NDArray[np.float32]:
        """Return what the models are shown, shape (examples, columns); ``learn`` is for the training part, once."""
        encoded = self._vocabulary.encode(dataset)
        parts = [dataset.tabular[wanted]]
        for place, (ragged, known) in enumerate(zip((encoded.text, encoded.code), self._known, strict=True)):
            if known:
                weigh, fold = self._folds[place]
                counted = _matrix(ragged.take(wanted), self._vocabulary[place].size)
                parts.append(
                    fold.fit_transform(weigh.fit_transform(counted))
                    if learn
                    else fold.transform(weigh.transform(counted))
                )
        return np.concatenate(parts, axis=1).astype(np.float32)


def as_logits(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return logits that have these probabilities."""
    return np.asarray(np.log(np.maximum(shares, SMALLEST)), np.float32)


def _matrix(ragged: Ragged, columns: int) -> Any:
    ones = np.ones(len(ragged.values), np.float32)
    return csr_array((ones, ragged.values, ragged.offsets), (len(ragged.offsets) - 1, columns))
