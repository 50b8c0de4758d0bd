"""What may watch a training and end it: called between steps and epochs, in the thread that trains.

The live view of the command line is such a callback (``streams.cli.train_view``), a search's pruner another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.evaluation.importance import Importance

if TYPE_CHECKING:
    from models.batch.trainer import Trainer


@dataclass(frozen=True)
class EpochReport:
    """One epoch: counted from 1; ``examples`` were trained on, out of the tiers of the curriculum up to ``tier``."""

    epoch: int
    epochs: int
    tier: int
    tiers: int
    examples: int
    loss: float
    accuracy: float  # of the validation part, as macro F1
    macro_f1: float
    best: bool
    expert_share: tuple[float, ...]  # of the validation part's gates

    @property
    def score(self) -> float:
        """Return what decides which epoch is the best one: the mean of accuracy and macro F1."""
        return (self.accuracy + self.macro_f1) / 2


class Callback:
    """Does nothing; override what is needed."""

    def on_start(self, trainer: Trainer) -> None:
        """Is called once, before the first epoch, also of a training that is resumed."""

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """Is called after each optimiser step of an epoch, counted from 1; ``loss`` is that of the batch."""

    def on_epoch_end(self, report: EpochReport) -> bool:
        """Is called when the epoch is validated; return true to end the training after it."""
        del report
        return False

    def on_end(self, trainer: Trainer) -> None:
        """Is called once, when the best epoch's weights are back in the network."""


class EarlyStopping(Callback):
    """Ends the training when the score has not risen by ``delta`` for ``patience`` epochs.

    Epochs before the curriculum's last tier do not count: with harder examples the score falls before it rises.
    """

    def __init__(self, patience: int = 5, delta: float = 0.001) -> None:
        self.patience, self.delta = patience, delta
        self.best, self.waited = float("-inf"), 0

    def on_epoch_end(self, report: EpochReport) -> bool:
        """Return whether there was nothing better for too long."""
        if report.score > self.best + self.delta:
            self.best, self.waited = report.score, 0
        elif report.tier == report.tiers:
            self.waited += 1
        return self.waited >= self.patience


@dataclass
class History(Callback):
    """Keeps the reports."""

    reports: list[EpochReport] = field(default_factory=list)

    def on_epoch_end(self, report: EpochReport) -> bool:
        """Keep the report."""
        self.reports.append(report)
        return False


class PermutationImportance(Callback):
    """Measures at the end what each group of features is worth to the network on its validation part.

    ``found`` then has ``models.evaluation.importance.Importance`` for text, code and numbers, the most first.
    """

    def __init__(self, seed: int = 42, repeats: int = 3) -> None:
        self.seed, self.repeats = seed, repeats
        self.found: list[Importance] = []

    def on_end(self, trainer: Trainer) -> None:
        """Permute each group between the examples of the validation part."""
        self.found = trainer.importance(self.seed, self.repeats)
