"""What a build teaches: which of its diagnostics have a label, from whom, and how much each counts."""

from __future__ import annotations

from typing import NamedTuple

from models.hybrid import Build
from models.labels.model import SoftLabel
from models.sparse import Batch, Floats
from models.weighting import LongTailWeights


class Lesson(NamedTuple):
    """The labelled diagnostics of a build.

    ``places`` are theirs in the build, ``labels`` and ``weights`` as they are learned, ``batch`` their features.
    ``truths`` has a label for every diagnostic that people or the code table labelled, nothing for the others: what
    labelling functions think is learned, and scores nobody. Without weights nothing is to be learned.
    """

    places: list[int]
    labels: list[str]
    weights: list[float]
    truths: list[str | None]
    batch: Batch

    def of(self, rows: Floats) -> Floats:
        """Return the rows of the labelled diagnostics, of an array with one for each diagnostic of the build."""
        return rows if len(self.places) == len(rows) else rows[self.places]

    def sure(self) -> list[str | None]:
        """Return the truth of each labelled diagnostic, nothing where only labelling functions have a label for it."""
        return [self.truths[place] for place in self.places]


def lesson_of(build: Build, weights: LongTailWeights | None) -> Lesson:
    """Return what a build teaches; ``weights`` count its labels, and are left out while nothing is learned."""
    known = [(place, one, one.soft) for place, one in enumerate(build.seen) if one.soft is not None]
    places = [place for place, *_ in known]
    weighed = [] if weights is None else [weights.weigh(soft.label, one.rule) * _part(soft) for _, one, soft in known]
    truths = [None if one.soft is None or one.soft.source == "functions" else one.soft.label for one in build.seen]
    batch = build.batch.take(places) if places else build.batch  # there is no batch of nothing
    return Lesson(places, [soft.label for *_, soft in known], weighed, truths, batch)


def _part(soft: SoftLabel) -> float:
    """Return how much of its weight a label has: those of people and the code table all, a guess as it is sure."""
    return soft.confidence if soft.source == "functions" else 1.0
