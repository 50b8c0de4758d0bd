"""A distilled student as the stream serves it: ONNX Runtime and numpy, no torch.

The graph takes rows of the student's table, padded to one length with the table's last row, whose weights are zero, and
returns probabilities; ``models.batch.export`` makes it. One session, one thread: a worker has a core of its own, and
results do not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import describe
from models.card import ModelCard, ModelFileError, check_weights, parse_card, read_model
from models.diagnostics import Diagnostic

MAX_FEATURES = 5_000  # of one example; ``models.features`` gives fewer
CHUNK = 256  # examples given to the graph at a time: padding costs memory

Probabilities = NDArray[np.float32]


class Student:
    """A student that predicts; make one with ``load_student`` or ``student_from_bytes``."""

    def __init__(self, card: ModelCard, session: Any) -> None:
        self.card = card
        self._session = session
        self._bits = card.features.bits or 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels in the order of the columns."""
        return self.card.labels

    def predict_proba_many(self, hashes: Sequence[bytes]) -> Probabilities:
        """Return a probability for each label, shape (examples, labels); rows sum to one.

        Each example is the joined ``Named.hashes`` of ``models.describe.describe`` for the card's task; for
        ``category`` these are the same bytes that the stream's classifier takes. An example without features is
        answered by what the student thinks of nothing.
        """
        found = [self._run(hashes[start : start + CHUNK]) for start in range(0, len(hashes), CHUNK)]
        return np.concatenate(found) if found else np.zeros((0, len(self.labels)), np.float32)

    def predict_proba_diagnostics(self, diagnostics: Sequence[Diagnostic]) -> Probabilities:
        """Return the same for the diagnostics of one build."""
        total = len(diagnostics)
        described = (describe.describe(self.card.task, one, place, total) for place, one in enumerate(diagnostics))
        return self.predict_proba_many([b"".join([part.hashes for part in parts]) for parts in described])

    def _run(self, hashes: Sequence[bytes]) -> Probabilities:
        rows = padded(hashes, self._bits)
        (found,) = self._session.run(None, {"rows": rows})
        return np.asarray(found, np.float32)


def padded(hashes: Sequence[bytes], bits: int) -> NDArray[np.int32]:
    """Return rows of a table of 2^``bits``, shape (examples, longest), filled up with row 2^``bits``.

    >>> padded([(3).to_bytes(4, "little"), b""], 8).tolist()
    [[3], [256]]
    """
    counts = [min(len(one) >> 2, MAX_FEATURES) for one in hashes]
    rows = np.full((len(hashes), max(1, *counts) if counts else 1), 1 << bits, np.int32)
    for place, (one, count) in enumerate(zip(hashes, counts, strict=True)):
        rows[place, :count] = np.frombuffer(one, np.int32, count)
        rows[place, :count] &= (1 << bits) - 1
    return rows


def load_student(path: Path) -> Student:
    """Return the student in folder ``path``; raises ``ModelFileError`` that says what is wrong with it."""
    return _student(*read_model(path, "student"), str(path))


def student_from_bytes(card: bytes, weights: bytes) -> Student:
    """Return the student of a card and an ONNX graph, as a topic carries them; raises ``ModelFileError``."""
    read = parse_card(card)
    if read.kind != "student":
        raise ModelFileError(f"{read.name}: a {read.kind}; only a student is served in the stream")
    check_weights(read, weights, read.name)
    return _student(read, weights, read.name)


def _student(card: ModelCard, weights: bytes, where: str) -> Student:
    features = card.features
    if features.version != describe.VERSION or features.describe not in describe.DESCRIPTIONS or features.bits is None:
        raise ModelFileError(
            f"{where}: made for features {features.describe} version {features.version}; here are "
            f"{', '.join(describe.DESCRIPTIONS)} version {describe.VERSION}: distil it anew"
        )
    session = _session(weights, where)
    shapes = [one.shape[-1] for one in session.get_outputs()]
    if [one.name for one in session.get_inputs()] != ["rows"] or shapes != [len(card.labels)]:
        raise ModelFileError(f"{where}: the graph does not take rows, or has not {len(card.labels)} labels")
    return Student(card, session)


def _session(weights: bytes, where: str) -> Any:
    import onnxruntime  # noqa: PLC0415 - 0.2 s that a worker without a student need not wait

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - its errors share no base beside this
        raise ModelFileError(f"{where}: ONNX Runtime refuses it: {str(error)[:200]}") from None
