"""What every augmenter is: something that makes a variant of a program, and can say how good variants are."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, runtime_checkable

from producers.augment import scores


@runtime_checkable
class Augmenter(Protocol):
    """Makes variants of Python programs.

    ``keeps_behaviour`` promises that a variant does what its original does on every input; it is checked by running
    both (``producers.augment.behaviour``).
    """

    @property
    def name(self) -> str:
        """Return what the augmenter is called in corpora and options."""
        ...

    @property
    def keeps_behaviour(self) -> bool:
        """Return whether variants do what the original does."""
        ...

    def generate(self, source: str, random: Random) -> str | None:
        """Return a variant of ``source``, or nothing where none can be made."""
        ...

    def quality_score(self, source: str, variant: str) -> float:
        """Return how good a variant is as a program of its own, 0 to 1."""
        ...

    def diversity_score(self, variants: Sequence[str]) -> float:
        """Return how different variants are from each other, 0 to 1."""
        ...


class Scored:
    """The scores that all augmenters share."""

    def quality_score(self, source: str, variant: str) -> float:
        """Return ``scores.quality``."""
        return scores.quality(source, variant)

    def diversity_score(self, variants: Sequence[str]) -> float:
        """Return ``scores.diversity``."""
        return scores.diversity(variants)
