"""The learners that ``benchmarks.learning`` compares, behind one interface: predict a batch, then learn it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from models.classifiers import CLASSIFIERS, HashedLogistic
from models.evaluation.rivals import RIVALS
from models.hashing import Named

Example = list[Named]
BITS = 18


class Learner(Protocol):
    """What is compared. A batch is predicted as a whole before any of it is learned."""

    def predict(self, batch: Sequence[Example]) -> list[str | None]:
        """Return a label for each example; nothing before the first was learned."""

    def learn(self, batch: Sequence[Example], labels: Sequence[str]) -> None:
        """Learn the examples that were predicted last."""


class Ours:
    """jidoka's classifier, as the step uses it: one sparse batch for predicting and learning."""

    def __init__(self) -> None:
        self.model = HashedLogistic(BITS)

    def predict(self, batch: Sequence[Example]) -> list[str | None]:
        """Keep the batch and its activations for ``learn``: the step does so too."""
        self._batch = self.model.batch([b"".join([part.hashes for part in one]) for one in batch])
        self._activations = self.model.activations(self._batch)
        if not self.model.labels:
            return [None] * len(batch)
        return [str(self.model.labels[column]) for column in self._activations.argmax(1).tolist()]

    def learn(self, batch: Sequence[Example], labels: Sequence[str]) -> None:  # noqa: ARG002
        """Learn the batch that was predicted last."""
        self.model.learn_batch(self._batch, labels, [1.0] * len(labels), self._activations)


class River:
    """A classifier of river, which takes one dictionary at a time."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, batch: Sequence[Example]) -> list[str | None]:
        """Return what ``predict_one`` says of each."""
        return [self.model.predict_one(_dictionary(one)) for one in batch]

    def learn(self, batch: Sequence[Example], labels: Sequence[str]) -> None:
        """Learn one after the other."""
        for one, label in zip(batch, labels, strict=True):
            self.model.learn_one(_dictionary(one), label)


class SklearnSgd:
    """scikit-learn's ``SGDClassifier`` with logistic loss and ``partial_fit``, on the same hashed rows."""

    def __init__(self, labels: Sequence[str]) -> None:
        from sklearn.linear_model import SGDClassifier

        self.model = SGDClassifier(loss="log_loss", alpha=1e-6, random_state=0, average=False)
        self.labels, self.fitted = list(labels), False

    def predict(self, batch: Sequence[Example]) -> list[str | None]:
        """Return a label for each row of the sparse matrix."""
        return [str(label) for label in self.model.predict(matrix(batch))] if self.fitted else [None] * len(batch)

    def learn(self, batch: Sequence[Example], labels: Sequence[str]) -> None:
        """Take one pass over the batch."""
        self.model.partial_fit(matrix(batch), labels, classes=self.labels)
        self.fitted = True


class VowpalWabbit:
    """Vowpal Wabbit, one against all, through its Python package; features are given as hashed indices."""

    def __init__(self, labels: Sequence[str]) -> None:
        from vowpalwabbit import pyvw

        self.model = pyvw.Workspace(f"--oaa {len(labels)} -b {BITS} --loss_function logistic --quiet")
        self.numbers = {label: number for number, label in enumerate(labels, 1)}
        self.labels, self.learned = list(labels), False

    def predict(self, batch: Sequence[Example]) -> list[str | None]:
        """Return the label of the class that wins."""
        if not self.learned:
            return [None] * len(batch)
        return [self.labels[int(self.model.predict(_vw_line(one))) - 1] for one in batch]

    def learn(self, batch: Sequence[Example], labels: Sequence[str]) -> None:
        """Learn one after the other."""
        for one, label in zip(batch, labels, strict=True):
            self.model.learn(f"{self.numbers[label]} {_vw_line(one)}")
        self.learned = True


def learners(labels: Sequence[str]) -> dict[str, Callable[[], Learner]]:
    """Return how to make each learner by name; one that is not installed raises ``ImportError`` when it is made."""
    found: dict[str, Callable[[], Learner]] = {"jidoka": Ours}
    for name, make in (CLASSIFIERS | RIVALS).items():
        if name == "logistic":  # ours, one example at a time
            continue
        found[name] = lambda make=make: River(make())  # type: ignore[misc]
    found["sklearn-sgd"] = lambda: SklearnSgd(labels)
    found["vowpal-wabbit"] = lambda: VowpalWabbit(labels)
    return found


def matrix(batch: Sequence[Example]) -> Any:
    """Return the examples as a sparse matrix of shape (examples, 2^18), scaled to unit length."""
    rows = [np.frombuffer(b"".join([part.hashes for part in one]), np.uint32) & ((1 << BITS) - 1) for one in batch]
    counts = np.array([len(one) for one in rows])
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts)
    columns, places = np.concatenate(rows).astype(np.int32), np.concatenate([[0], counts.cumsum()]).astype(np.int32)
    return csr_array((values, columns, places), (len(batch), 1 << BITS))


def _dictionary(example: Example) -> dict[str, float]:
    return {name: 1.0 for part in example for name in part.names}


def _vw_line(example: Example) -> str:
    hashes = np.frombuffer(b"".join([part.hashes for part in example]), np.uint32) & ((1 << BITS) - 1)
    return "| " + " ".join(map(str, hashes.tolist()))
