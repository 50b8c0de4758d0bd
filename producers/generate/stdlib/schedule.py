"""Which of the standard library's strategies are on at which level."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from producers.generate.choices import seed_of
from producers.generate.kinds import Level
from producers.generate.request import Candidate
from producers.generate.stdlib.strategies import COMPOSITION, EDGE_CASES, ENUMERATION, ERRORS, MINING, Strategy

SCHEDULE: Final[Mapping[Level, tuple[Strategy, ...]]] = {
    "basic": (MINING, ENUMERATION),
    "intermediate": (EDGE_CASES,),
    "advanced": (ERRORS, EDGE_CASES),
    "expert": (COMPOSITION,),
}


class Stdlib:
    """Makes programs from a run's seed and a number."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def candidate(self, level: Level, index: int) -> Candidate:
        """Return the program of that number at a level; its strategy is named ``stdlib:…``."""
        seed = seed_of(self.seed, "stdlib", index)
        scheduled = SCHEDULE[level]
        strategy = scheduled[seed % len(scheduled)]
        return Candidate(strategy.make(level, Random(seed)), f"stdlib:{strategy.name}", seed)  # noqa: S311
