"""Students beside the online classifier: a product of experts, and the paired test that lets a student in, or out.

A student (``models.student``) was distilled from all of the archive and learns no more; the online classifier learns
from every build. Together they answer as experts whose evidence adds up (Hinton, "Training products of experts by
minimizing contrastive divergence", Neural Computation 14 (2002)): the student's log-probabilities, against those of
knowing nothing, are added to the classifier's log-odds, and the calibrator makes probabilities of the sum.

A student that challenges predicts in shadow, and answers once the two together win the paired test against what answers
now (``models.challenge``). One that answers is tested on against the classifier alone, which costs nothing, and goes
when that is better: it was made for yesterday's stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.card import ModelFileError
from models.challenge import Duel, Pair
from models.sparse import Floats
from models.student import Student, student_from_bytes

MAX_EVIDENCE = 4.0  # nats: a student that is sure and wrong can be outvoted by a classifier that has seen better
TASK = "category"  # described by the same hashes as the stream's classifier sees


class Member:
    """A student as part of a line's state: what it is made from is kept with it, for the checkpoints.

    Raises ``ModelFileError`` for a card or graph that cannot be taken, and for a student of another task.
    """

    def __init__(self, name: str, card: bytes, weights: bytes) -> None:
        self.name, self.card, self.weights = name, card, weights
        self.student: Student = student_from_bytes(card, weights)
        described = self.student.card.features.describe
        if described != TASK:
            raise ModelFileError(f"{name}: a student of {described}; in the stream only those of {TASK} answer")
        self._columns: tuple[int, list[int], list[int]] = (-1, [], [])

    def join(self, logits: Floats, hashes: Sequence[bytes], labels: Sequence[str]) -> Floats:
        """Return the log-odds, shape (examples, labels), with the student's evidence.

        It is asked only which of the labels that it knows it is: their probability together stays what it was, and so
        that of every label that it does not know. Numbers of it that are none count as nothing.
        """
        ours, theirs = self._shared(labels)
        if not ours:
            return logits
        shares = self.student.predict_proba_many(hashes)[:, theirs]
        evidence = np.log(np.maximum(shares * np.float32(shares.shape[1]), np.float32(1e-9)))
        evidence = np.clip(np.nan_to_num(evidence, nan=0.0), -MAX_EVIDENCE, MAX_EVIDENCE)
        before, joined = logits[:, ours], logits.copy()
        after = before + evidence
        joined[:, ours] = after + (_total(before) - _total(after))
        return joined

    def _shared(self, labels: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the columns of the labels that both know, the classifier's and the student's."""
        if self._columns[0] != len(labels):  # a classifier's labels only ever become more
            places = {label: column for column, label in enumerate(self.student.labels)}
            both = [(column, places[label]) for column, label in enumerate(labels) if label in places]
            self._columns = (len(labels), [ours for ours, _ in both], [theirs for _, theirs in both])
        return self._columns[1], self._columns[2]


@dataclass
class Served:
    """A student and the test that it stands in: for one that answers, of the classifier alone against the two."""

    member: Member
    duel: Duel


@dataclass
class Ensemble:
    """The student that answers with the classifier, and the one that would like to."""

    answering: Served | None = None
    trial: Served | None = None
    _seen: tuple[Floats | None, Floats | None] = field(default=(None, None), repr=False)  # of the build in hand

    def __bool__(self) -> bool:
        """Return whether there is any student."""
        return self.answering is not None or self.trial is not None

    def join(self, logits: Floats, hashes: Sequence[bytes], labels: Sequence[str]) -> Floats:
        """Return the log-odds of those who answer; without students they are the classifier's own."""
        if not self or not logits.shape[1]:
            self._seen = (None, None)
            return logits
        answered = logits if self.answering is None else self.answering.member.join(logits, hashes, labels)
        tried = None if self.trial is None else self.trial.member.join(logits, hashes, labels)
        self._seen = (None if self.answering is None else logits, tried)
        return answered

    def contend(self, labels: Sequence[str], said: Sequence[tuple[str, str | None, str | None]]) -> None:
        """Score the build that ``join`` saw last: for each diagnostic its kind, its label, if any, and the answer."""
        for served, logits in zip((self.answering, self.trial), self._seen, strict=True):
            if served is None or logits is None:
                continue
            theirs = [labels[column] for column in logits.argmax(1).tolist()]
            pairs = [
                Pair(kind, truth, best, one)
                for (kind, truth, best), one in zip(said, theirs, strict=True)
                if truth is not None
            ]
            served.duel.score(pairs)


def _total(logits: Floats) -> Floats:
    """Return the logarithm of the summed exponentials of each row, shape (examples, 1)."""
    most = logits.max(1, keepdims=True)
    return np.asarray(most + np.log(np.exp(logits - most).sum(1, keepdims=True)), np.float32)


def serve(name: str, card: bytes, weights: bytes) -> Served:
    """Return a student at the beginning of its test; raises ``ModelFileError``."""
    return Served(Member(name, card, weights), Duel(name))
