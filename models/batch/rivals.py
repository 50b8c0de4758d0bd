"""What a teacher is measured against, on the same rows: trivial baselines, and the stream's own online learner.

The online learner takes the training and validation parts once, one example after the other in a seeded order, and
then answers the test part without learning, as the teacher does. The code lookup may look at what no model sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.batch.dataset import TEST, Dataset
from models.calibration import Calibrator
from models.classifiers import HashedLogistic, sigmoid
from models.evaluation import metrics
from models.evaluation.importance import score
from models.weighting import LongTailWeights

CHUNK = 256  # examples that are answered at a time

Shares = NDArray[np.float32]


class Online(NamedTuple):
    """What the online learner thinks of the wanted examples: shape (examples, labels of the dataset)."""

    classifier: HashedLogistic
    calibrator: Calibrator

    def shares(self, dataset: Dataset, wanted: NDArray[np.int64]) -> Shares:
        """Return probabilities; a label that it never met has none."""
        found = np.zeros((len(wanted), len(dataset.labels)), np.float32)
        columns = [dataset.labels.index(label) for label in self.classifier.labels]
        for start in range(0, len(wanted), CHUNK):
            places = wanted[start : start + CHUNK]
            scores = self.classifier.scores(self.classifier.batch(dataset.stream_hashes(places)))
            found[start : start + CHUNK, columns] = self.calibrator.apply(scores)
        return found


def online(dataset: Dataset, wanted: NDArray[np.int64], seed: int) -> Online:
    """Return the stream's learner after one pass over the wanted examples, one by one, in an order of ``seed``."""
    found, weights = Online(HashedLogistic(), Calibrator()), LongTailWeights()
    learner = found.classifier
    for place in wanted[np.random.default_rng(seed).permutation(len(wanted))]:
        label = dataset.labels[dataset.label[place]]
        batch = learner.batch(dataset.stream_hashes(np.array([place])))
        scores = learner.scores(batch)
        found.calibrator.learn(scores, found.calibrator.apply(scores), learner.columns([label]))
        learner.learn_batch(batch, [label], [weights.weigh(label, None)], sigmoid(scores))
    return found


def scores_of(dataset: Dataset, wanted: NDArray[np.int64], shares: Shares) -> dict[str, float]:
    """Return accuracy, macro F1, and the mean over labels of the area under the ROC curve, of probabilities."""
    truth = dataset.label[wanted]
    accuracy, f1 = score(truth.tolist(), shares.argmax(axis=1).tolist())
    areas, _ = metrics.by_label(truth.astype(np.intp), shares.astype(np.float64))
    return {"accuracy": accuracy, "macro_f1": f1, "auc": metrics.mean(areas.values()) or 0.0}


def trivial(dataset: Dataset) -> Mapping[str, dict[str, float]]:
    """Return accuracy and macro F1 of the majority, the last label and the code lookup on the test part.

    The last label is that of the example before in the test part, the lookup the commonest label of a code.
    """
    known, places = np.flatnonzero(dataset.side != TEST), dataset.part(TEST)
    counts = np.bincount(dataset.label[known], minlength=len(dataset.labels))
    majority = int(counts.argmax())
    codes = int(dataset.code_id.max(initial=0)) + 2
    table = np.zeros((codes, len(dataset.labels)), np.int64)
    np.add.at(table, (dataset.code_id[known] + 1, dataset.label[known]), 1)
    best = np.where(table.any(axis=1), table.argmax(axis=1), majority)
    truth = dataset.label[places]
    guesses = {
        "majority": np.full(len(places), majority),
        "last_label": np.concatenate([[majority], truth[:-1]]) if len(truth) else truth,
        "lookup": best[dataset.code_id[places] + 1],
    }
    return {name: score(truth.tolist(), guess.tolist())._asdict() for name, guess in guesses.items()}
