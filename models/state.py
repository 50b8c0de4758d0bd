"""Everything a partition of the line has learned; the one thing that is checkpointed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from models.andon.watchman import Watchman
from models.calibration import Calibrator
from models.challenge import Challenge
from models.classifiers import HashedLogistic
from models.drift import CategoryDivergence
from models.ensemble import Ensemble
from models.evaluation.prequential import Prequential
from models.feedback import FeedbackMemory
from models.fixes import Fixes
from models.labelling import functions
from models.labels.model import LabelModel
from models.memory import RecentFailures
from models.novelty import Templates
from models.sparse import Rows
from models.weighting import LongTailWeights


class Outcome(NamedTuple):
    """How a challenge ended: of whom, how, after how many scored builds, and the votes for and against."""

    name: str
    verdict: str
    builds: int
    wins: int
    losses: int


@dataclass
class LineState:
    """The state that ``step`` reads and changes.

    ``changed_rows`` and ``challenge_rows`` collect the rows of the classifier and of the challenger's that were learned
    on since the last checkpoint; ``replaced`` says that one of them is another now, so that it has to be a base.
    """

    classifier: HashedLogistic = field(default_factory=HashedLogistic)
    labels: LabelModel = field(default_factory=lambda: LabelModel(functions()))
    feedback: FeedbackMemory = field(default_factory=FeedbackMemory)
    fixes: Fixes = field(default_factory=Fixes)
    recent: RecentFailures = field(default_factory=RecentFailures)
    scores: Prequential = field(default_factory=Prequential)
    weights: LongTailWeights = field(default_factory=LongTailWeights)
    calibrator: Calibrator = field(default_factory=Calibrator)
    templates: Templates = field(default_factory=Templates)
    challenge: Challenge | None = None
    students: Ensemble = field(default_factory=Ensemble)
    outcomes: list[Outcome] = field(default_factory=list)  # of the last challenges
    drift: CategoryDivergence = field(default_factory=CategoryDivergence)
    watch: Watchman = field(default_factory=Watchman)
    failures: int = 0  # compilations answered for the first time
    repeats: int = 0  # compilations that had been learned before
    unmatched_feedback: int = 0  # feedback on a failure or a diagnostic that never was, as far as is known
    expired_feedback: int = 0  # feedback that came after its failure had been let go
    dead_letters: int = 0  # records refused
    origin: str = "empty"  # what the model started from: empty, warm-start, or a published model's name; 200 characters
    changed_rows: list[Rows] = field(default_factory=list)
    challenge_rows: list[Rows] = field(default_factory=list)
    replaced: bool = False

    @property
    def model_version(self) -> str:
        """Return what identifies the model that answers: origin, how many examples it has learned, a student."""
        beside = f"+{self.students.answering.member.name}" if self.students.answering is not None else ""
        return f"{self.origin}+{self.classifier.examples}{beside}"

    def take_changed_rows(self) -> tuple[Rows, Rows]:
        """Return the rows that classifier and challenger learned on since the last call, sorted, each once."""
        taken = _distinct(self.changed_rows), _distinct(self.challenge_rows)
        self.changed_rows, self.challenge_rows = [], []
        return taken


def _distinct(changed: list[Rows]) -> Rows:
    return np.unique(np.concatenate(changed)) if changed else np.zeros(0, np.uint32)
