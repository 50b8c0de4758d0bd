"""Does the model fall behind a trivial baseline? A sequential test with a budget of false alarms.

Each labelled build has one vote between -1 and 1: how much more often the baseline was right than the model. Against
"the baseline leads by no more than ``MARGIN`` on average" one may bet: with stake ``s`` a vote multiplies the capital
by ``1 + s (vote - MARGIN)``, which is no gain on average while that holds. The sum of the capitals of gamblers who
start anew at every build (Shiryaev 1963, Roberts 1966) then reaches ``LIMIT`` after ``LIMIT`` builds on average at the
earliest, whatever the votes look like, as long as each keeps to it given those before (an e-detector: Shin, Ramdas and
Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq
from typing import Any

RIVALS = ("majority", "last_label")
MARGIN = 0.05
STAKES = (0.1, 0.3, 0.8)  # for a shortfall that is small, middling, plain; their capitals are averaged
LIMIT = 200_000.0  # builds between false alarms, for each of the two baselines: 100,000 for both
WARM_UP = 200  # labelled builds before the test begins: a model that has just started knows less than a table
MAX_EXAMPLES = 5


class Shortfall:
    """One test for each of ``RIVALS``; ``first`` is the build at which the present shortfall seems to begin."""

    def __init__(self) -> None:
        self.builds = 0
        self.counts: dict[str, int] = {}
        self.last: str | None = None
        self.capitals = [[0.0] * len(STAKES) for _ in RIVALS]
        self.runs = [1.0] * len(RIVALS)  # of a gambler who starts anew when he has lost what he began with
        self.first: list[tuple[str, int] | None] = [None] * len(RIVALS)  # build, and how many were answered before it
        self.examples: list[list[str]] = [[] for _ in RIVALS]
        self.best: str | None = None

    def update(self, build: str, answered: int, said: Sequence[str | None], true: Sequence[str]) -> int | None:
        """Take in a labelled build; return the place of the rival that the model has fallen behind, if any.

        The baselines may not look at the build's own labels, as the model may not.
        """
        self.builds += 1
        found = None
        if self.builds > WARM_UP:
            total, known = len(true), list(true)
            right = sum(map(eq, said, known))
            for place, guess in enumerate((self.best, self.last)):
                vote = (known.count(str(guess)) - right) / total
                if self._bet(place, vote, build, answered) >= LIMIT and found is None:
                    found = place
        self._learn(true)
        return found

    def _bet(self, place: int, vote: float, build: str, answered: int) -> float:
        lead = vote - MARGIN
        capitals = self.capitals[place] = [
            (capital + 1.0) * (1.0 + stake * lead) for capital, stake in zip(self.capitals[place], STAKES, strict=True)
        ]
        if self.runs[place] <= 1.0:
            self.runs[place], self.first[place], self.examples[place] = 1.0, (build, answered), []
        self.runs[place] *= 1.0 + STAKES[1] * lead
        if vote > 0 and len(self.examples[place]) < MAX_EXAMPLES:
            self.examples[place].append(build)
        return sum(capitals) / len(STAKES)

    def _learn(self, true: Sequence[str]) -> None:
        for label in true:
            count = self.counts[label] = self.counts.get(label, 0) + 1
            if self.best is None or count > self.counts[self.best]:
                self.best = label
        self.last = true[-1]

    def statistic(self, place: int) -> float:
        """Return the mean capital against a rival; ``LIMIT`` is where it alarms."""
        return sum(self.capitals[place]) / len(STAKES)

    def restart(self) -> None:
        """Begin the test anew, with a warm-up: another model answers, or a person said that it is well."""
        kept = {"counts": self.counts, "last": self.last, "best": self.best}
        vars(self).update(vars(Shortfall()) | kept)

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "builds": self.builds,
            "counts": list(self.counts.items()),
            "last": self.last,
            "best": self.best,
            "capitals": [list(one) for one in self.capitals],
            "runs": list(self.runs),
            "first": list(self.first),
            "examples": [list(one) for one in self.examples],
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace everything by what ``dump`` returned."""
        self.builds, self.counts = data["builds"], dict(data["counts"])
        self.last, self.best = data["last"], data["best"]
        self.capitals = [list(one) for one in data["capitals"]]
        self.runs = list(data["runs"])
        self.first = [None if one is None else (one[0], one[1]) for one in data["first"]]
        self.examples = [list(one) for one in data["examples"]]
