"""From easy to hard: a level lasts until enough programs were made and enough of them passed.

Bengio, Louradour, Collobert and Weston, "Curriculum Learning" (ICML 2009), for a generator: what a transpiler cannot
do at all teaches nothing about what it does wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from producers.generate.kinds import LEVELS, Level
from producers.generate.request import Candidate, Feedback, Request
from producers.generate.sampling import candidate
from producers.generate.stdlib.schedule import Stdlib

PASSING: Final = 0.5  # share of programs that have to pass before the next level begins
WINDOW: Final = 200  # programs over which that share is taken
PATIENCE: Final = 2  # times a level's programs after which the next begins whatever passed
SHARES: Final[Mapping[str, int]] = {"random": 4, "boundary": 2, "swarm": 1, "stdlib": 1}
"""Of eight programs, how many are made in which way."""


class Curriculum:
    """Which level is on.

    >>> steps = Curriculum(per_level=2)
    >>> for passed in (True, True, False, False, False, False):
    ...     steps.record(passed)
    >>> steps.level
    'advanced'
    """

    def __init__(self, per_level: int, passing: float = PASSING) -> None:
        if per_level < 1 or not 0.0 <= passing <= 1.0:
            raise ValueError(f"per_level {per_level}, passing {passing}: at least 1 program; a share from 0 to 1")
        self.per_level, self.passing = per_level, passing
        self._place = self._made = 0
        self._recent: deque[bool] = deque(maxlen=WINDOW)

    @property
    def level(self) -> Level:
        """Return the level that is on."""
        return LEVELS[self._place]

    def record(self, passed: bool) -> None:
        """Take in what became of a program of this level."""
        self._made += 1
        self._recent.append(passed)
        enough = self._made >= self.per_level and sum(self._recent) >= self.passing * len(self._recent)
        if (enough or self._made >= PATIENCE * self.per_level) and self._place + 1 < len(LEVELS):
            self._place += 1
            self._made = 0
            self._recent.clear()


def candidates(request: Request, feedback: Feedback | None) -> Iterator[Candidate]:
    """Yield programs without end; without ``feedback`` every program counts as passed."""
    steps = Curriculum(max(1, request.count // len(LEVELS)))
    library = Stdlib(request.seed)
    ways = [way for way, share in SHARES.items() for _ in range(share)]
    index = 0
    while True:
        way = ways[index % len(ways)]
        if way == "stdlib":
            one = library.candidate(steps.level, index)
        else:
            one = candidate(Request(way, request.count, request.depth, request.seed, steps.level), index)
        steps.record(feedback(one.program.source).passed if feedback else True)
        yield one
        index += 1
