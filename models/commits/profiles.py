"""Named mixes of defect categories: what a transpiler's fixes are about, as a prior and as a baseline for drift.

Each comes in two kinds, named for how the labels were made: ``published`` (key words anywhere, as published) and
``words`` (whole words, fixes only). They differ much: do not compare one kind with the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import log

from models.tables import read_table
from models.taxonomy import CATEGORIES, PARENTS

TRANSPILERS = ("depyler", "bashrs", "ruchy", "decy")
KINDS = ("published", "words")
PROFILES: tuple[str, ...] = tuple(f"{name}-{kind}" for name in TRANSPILERS for kind in KINDS)
SMOOTHING = 0.5  # added to each count (Krichevsky and Trofimov 1981)


class ProfileError(ValueError):
    """A profile that there is not; the message lists those that there are."""


@dataclass(frozen=True)
class Profile:
    """Counts of commits by category; the smoothed ``shares`` sum to one over the 18 categories."""

    name: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """Return how many commits were counted."""
        return sum(self.counts.values())

    @property
    def shares(self) -> dict[str, float]:
        """Return each category's share, none of them 0."""
        return smoothed(self.counts)

    def divergence(self, counts: Mapping[str, int]) -> float:
        """Return KL(counts || profile) in nats, both smoothed. Few votes diverge by chance: some hundred at least."""
        own, there = smoothed(by_category(counts)), self.shares
        return sum(own[name] * log(own[name] / there[name]) for name in CATEGORIES)

    def updated(self, counts: Mapping[str, int], weight: float = 50.0) -> dict[str, float]:
        """Return the posterior mean of the shares, with this profile as a prior worth ``weight`` commits."""
        seen = by_category(counts)
        total = sum(seen.values()) + weight
        return {name: (seen[name] + weight * share) / total for name, share in self.shares.items()}


def by_category(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts of all 18 categories; finer labels are counted with their parents, unknown ones left out."""
    found = dict.fromkeys(CATEGORIES, 0)
    for label, count in counts.items():
        category = PARENTS.get(label, label)
        if category in found:
            found[category] += count
    return found


def smoothed(counts: Mapping[str, int]) -> dict[str, float]:
    """Return shares of all 18 categories, none of them 0."""
    total = sum(counts.values()) + SMOOTHING * len(CATEGORIES)
    return {name: (counts.get(name, 0) + SMOOTHING) / total for name in CATEGORIES}


@cache
def _table() -> dict[str, dict[str, int]]:
    columns = tuple(f"{kind}_{name}" for kind in KINDS for name in TRANSPILERS)
    found: dict[str, dict[str, int]] = {column: {} for column in columns}
    for row in read_table("category_profiles.tsv", ("category", *columns)):
        for column in columns:
            found[column][row.one_of("category", CATEGORIES)] = int(row.text(column))
    return found


def profile(name: str) -> Profile:
    """Return a profile by name, ``depyler-published`` say; raises ``ProfileError``."""
    if name not in PROFILES:
        raise ProfileError(f"profile {name!r}: there are {', '.join(PROFILES)}")
    transpiler, _, kind = name.partition("-")
    return Profile(name, _table()[f"{kind}_{transpiler}"])
