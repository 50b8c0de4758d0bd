"""Strategies whose programs do not depend on each other: each is made from its number alone, in any process."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from producers.generate.choices import seed_of
from producers.generate.kinds import FEATURES, Level
from producers.generate.profile import Profile
from producers.generate.program import program
from producers.generate.request import Candidate, Request

INDEPENDENT = ("random", "swarm", "boundary")
SWARM_PROGRAMS = 64  # from one set of features: tables for a set cost as much as some programs


def candidate(request: Request, index: int) -> Candidate:
    """Return the program of that number."""
    seed = seed_of(request.seed, request.strategy, index)
    return Candidate(program(profile_of(request, index), seed, request.depth), request.strategy, seed)


def profile_of(request: Request, index: int) -> Profile:
    """Return the profile from which a program of that number is made."""
    if request.strategy == "swarm":
        return swarm(request.level, seed_of(request.seed, "features", index // SWARM_PROGRAMS))
    return _plain(request.level, request.strategy == "boundary")


@lru_cache(maxsize=8)
def _plain(level: Level, boundary: bool) -> Profile:
    return Profile(level, boundary=boundary)


@lru_cache(maxsize=4)
def swarm(level: Level, seed: int) -> Profile:
    """Return a profile with half of the features, drawn at random; a third of them with boundary values, too.

    Groce, Zhang, Eide, Chen and Regehr, "Swarm Testing" (ISSTA 2012): what a feature hides in programs that have
    everything shows in those that leave it out.
    """
    rng = Random(seed)  # noqa: S311 - nothing secret
    features = frozenset(name for name in FEATURES if rng.random() < 0.5)
    return Profile(level, features, rng.random() < 1 / 3)
