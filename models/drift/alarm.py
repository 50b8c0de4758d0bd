"""What a detector says when it is sure: which quantity moved, how far, what moved it, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quantity = Literal[
    "categories", "templates", "errors", "confidence", "calibration", "agreement", "transpile", "compile", "weights"
]

MAX_CONTRIBUTIONS = 10
MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Alarm:
    """A change in one quantity of a partition's stream.

    Parameters
    ----------
    quantity
        What is watched: ``categories`` (the mix of labels), ``templates`` (new kinds of message), ``errors`` (of the
        model, prequentially), ``confidence``, ``calibration`` (confidence minus being right), ``agreement`` (of the
        label sources), ``transpile`` and ``compile`` (share that fails), ``weights`` (of examples).
    project
        Whose builds; ``None`` for all of the partition's together.
    statistic, threshold
        Of the test; an alarm is where the first has reached the second.
    divergence
        KL(window || baseline) in nats, where the quantity is a mix; the quantity people read.
    contributions
        Label to its summand of the divergence (or of the statistic, where there is none), the largest first; at most
        ``MAX_CONTRIBUTIONS``.
    first_build
        Id of the failure where the change is estimated to begin; ``None`` when it lies too far back to be known.
    examples
        Ids of failures that show it, the earliest first; at most ``MAX_EXAMPLES``.
    builds
        How many builds had been seen by then.
    """

    quantity: Quantity
    project: str | None
    statistic: float
    threshold: float
    divergence: float | None
    contributions: dict[str, float]
    first_build: str | None
    examples: tuple[str, ...]
    builds: int
