"""Everything a partition of the line has learned; the one thing that is checkpointed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.batch import Rows
from models.calibration import Calibrator
from models.classifiers import HashedLogistic
from models.drift import CategoryDivergence
from models.evaluation import Prequential
from models.feedback import FeedbackMemory
from models.memory import RecentFailures
from models.novelty import Templates
from models.weighting import LongTailWeights


@dataclass
class LineState:
    """The state that ``step`` reads and changes.

    ``changed_rows`` collects the classifier's rows that were learned on since the last checkpoint.
    """

    classifier: HashedLogistic = field(default_factory=HashedLogistic)
    feedback: FeedbackMemory = field(default_factory=FeedbackMemory)
    recent: RecentFailures = field(default_factory=RecentFailures)
    scores: Prequential = field(default_factory=Prequential)
    weights: LongTailWeights = field(default_factory=LongTailWeights)
    calibrator: Calibrator = field(default_factory=Calibrator)
    templates: Templates = field(default_factory=Templates)
    drift: CategoryDivergence = field(default_factory=CategoryDivergence)
    failures: int = 0  # compilations answered for the first time
    repeats: int = 0  # compilations that had been learned before
    unmatched_feedback: int = 0  # feedback on a failure that is no longer held
    dead_letters: int = 0  # records refused
    origin: str = "empty"  # what the model started from: empty, warm-start, or a published model's name; 200 characters
    changed_rows: list[Rows] = field(default_factory=list)

    @property
    def model_version(self) -> str:
        """Return what identifies the model that answers: where it started and how many examples it has learned."""
        return f"{self.origin}+{self.classifier.examples}"

    def take_changed_rows(self) -> Rows:
        """Return the rows learned on since the last call, sorted, each once."""
        changed, self.changed_rows = self.changed_rows, []
        return np.unique(np.concatenate(changed)) if changed else np.zeros(0, np.uint32)
