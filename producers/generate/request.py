"""What is asked of a generator, and what comes out of it: rows of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from producers.generate.kinds import LEVELS, Level
from producers.generate.program import Generated

STRATEGIES: Final = ("random", "swarm", "boundary", "coverage", "exhaustive", "stdlib", "curriculum")
GRAMMARS: Final = ("python",)
MOST_DEPTH: Final = 8  # blocks nested deeper than this are nothing that a person writes
MOST_COUNT: Final = 50_000_000
GRAMMAR_VERSION: Final = "2"  # raised when the same seed gives other programs


class GenerateError(ValueError):
    """A request that cannot be met; the message says what is allowed."""


class Candidate(NamedTuple):
    """A program that a strategy proposes; ``seed`` is what it was made from."""

    program: Generated
    strategy: str
    seed: int


class Outcome(NamedTuple):
    """What became of a program further down the line: whether it passed, and what was new to see, in words."""

    passed: bool
    seen: tuple[str, ...] = ()


Feedback = Callable[[str], Outcome]
"""Tells what became of a source: a transpiler's outcome, the templates of its diagnostics."""


@dataclass(frozen=True)
class Request:
    """How many programs of which strategy and level, from which seed; ``depth`` is of blocks and expressions."""

    strategy: str = "random"
    count: int = 1_000
    depth: int = 3
    seed: int = 42
    level: Level = "basic"
    grammar: str = "python"

    def __post_init__(self) -> None:
        _one_of("grammar", self.grammar, GRAMMARS)
        _one_of("strategy", self.strategy, STRATEGIES)
        _one_of("level", self.level, LEVELS)
        _between("count", self.count, 1, MOST_COUNT)
        _between("max-depth", self.depth, 1, MOST_DEPTH)
        _between("seed", self.seed, 0, (1 << 63) - 1)

    def provenance(self) -> dict[str, str | int]:
        """Return what the corpus says of where it comes from."""
        asked: dict[str, str | int] = {
            "grammar": self.grammar,
            "strategy": self.strategy,
            "level": self.level,
            "count": self.count,
        }
        return asked | {"max_depth": self.depth, "seed": self.seed, "grammar_version": GRAMMAR_VERSION}


def _one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise GenerateError(f"{name} {value!r}: allowed are {', '.join(allowed)}")


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise GenerateError(f"{name} {value}: from {least} to {most}")
