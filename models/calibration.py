"""Calibrated probabilities: a label shown with 0.8 is right four times out of five, on the stream as it is now.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017): softmax of logits divided by
one temperature. Theirs is fitted once on held-out data; this one follows the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from models.sparse import Floats

COLDEST, HOTTEST = 0.1, 10.0  # temperatures beyond say that the logits mean nothing
MEMORY = 1_000  # examples after which what was seen counts 1/e; a bias per label, or less memory, gained nothing
PRIOR = 20.0  # pseudo-curvature that holds a young calibrator back: some hundred examples' worth


class Calibrator:
    """One temperature, learned online from the log loss of labels that came after their probabilities.

    A step is an online Newton step (Hazan, Agarwal and Kale 2007) on the inverse temperature: the gradient of the log
    loss over a decayed sum of squared gradients, whose expectation is the curvature where probabilities are right. The
    n examples of a build weigh √n together: a cascade is not n opinions. The likeliest label stays what it was.

    Every labelled example has to come here, also those that the classifier does not learn because it knows them: only
    the doubtful ones would teach doubt.

    Examples
    --------
    >>> calibrator, logits = Calibrator(), np.array([[2.0, 0.0]], np.float32)
    >>> for build in range(3_000):  # the first label is right three times out of four: the logits promise 0.88
    ...     calibrator.learn(logits, calibrator.apply(logits), [int(build % 4 == 3)])
    >>> float(calibrator.apply(logits)[0, 0].round(2))
    0.75
    """

    def __init__(self, memory: int = MEMORY, prior: float = PRIOR) -> None:
        if memory < 1 or prior <= 0:
            raise ValueError(f"memory {memory}, prior {prior}: memory is at least 1 example, the prior is positive")
        self.memory, self.prior = memory, prior
        self.inverse = 1.0  # 1 / temperature
        self._curvature = 0.0

    @property
    def temperature(self) -> float:
        """Return what logits are divided by: above 1 the classifier was too sure of itself."""
        return 1.0 / self.inverse

    def apply(self, logits: Floats) -> Floats:
        """Return probabilities for logits, both of shape (examples, labels); those of an example sum to one."""
        if not logits.shape[1]:
            return logits
        scaled = logits * np.float32(self.inverse)
        scaled -= np.maximum.reduce(scaled, 1, keepdims=True)
        np.exp(scaled, scaled)
        scaled /= np.add.reduce(scaled, 1, keepdims=True)
        return scaled

    def learn(self, logits: Floats, probabilities: Floats, columns: Sequence[int]) -> None:
        """Take in the true columns of one build's examples, given what ``apply`` returned for their logits.

        A column of -1, or beyond the labels, is passed over: no temperature makes an unknown label likelier.
        """
        count = logits.shape[1]
        expected = np.add.reduce(probabilities * logits, 1).tolist()
        errors = [
            mean - logits.item(row, column)
            for row, (mean, column) in enumerate(zip(expected, columns, strict=True))
            if 0 <= column < count
        ]
        if errors:
            self._step(errors)

    def _step(self, errors: list[float]) -> None:
        """Move the inverse temperature; an error is the expected logit minus that of the true label."""
        votes = sqrt(len(errors))
        weight = votes / len(errors)
        kept = max(0.0, 1.0 - votes / self.memory)
        self._curvature = self._curvature * kept + weight * sum([error * error for error in errors])
        moved = self.inverse - weight * sum(errors) / (self._curvature + self.prior)
        self.inverse = min(max(moved, 1.0 / HOTTEST), 1.0 / COLDEST)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON-able data."""
        return {"inverse": self.inverse, "curvature": self._curvature}

    def load(self, data: dict[str, Any]) -> None:
        """Replace the state by what ``dump`` returned; raises ``ValueError`` for numbers out of range."""
        inverse, curvature = float(data["inverse"]), float(data["curvature"])
        if not 1.0 / HOTTEST <= inverse <= 1.0 / COLDEST or not 0.0 <= curvature < float("inf"):
            raise ValueError(f"inverse temperature {inverse}, curvature {curvature}: 0.1 to 10, and not negative")
        self.inverse, self._curvature = inverse, curvature
