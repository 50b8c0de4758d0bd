"""Many variants of many programs, with the gates applied: nothing is shipped that has not passed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from producers.augment import scores
from producers.augment.gates import Gates, Measured
from producers.augment.protocol import Augmenter

SAMPLE = 400  # programs whose diversity is measured
TRIES = 3  # for each variant that is wanted: an edit may lead where another one led

Same = Callable[[str, str], bool]


class Variant(NamedTuple):
    """A program made from another."""

    original: str
    source: str
    augmenter: str
    quality: float
    similarity: float


@dataclass
class Tally:
    """What came of it: variants made, accepted, and turned away by why; a sample of the accepted."""

    originals: int = 0
    accepted: int = 0
    unparsed: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)

    def keep(self, source: str, random: Random) -> None:
        """Count an accepted variant, and keep it for the sample with equal chance (Vitter's algorithm R, 1985)."""
        self.accepted += 1
        if len(self.sample) < SAMPLE:
            self.sample.append(source)
        elif (place := random.randrange(self.accepted)) < SAMPLE:
            self.sample[place] = source

    @property
    def made(self) -> int:
        """Return the variants that were made; those that repeat another are none."""
        return self.accepted + self.rejected.total()

    def measured(self) -> Measured:
        """Return what the gates ask for."""
        made = max(self.made, 1)
        return Measured(1.0 - self.unparsed / made, scores.diversity(self.sample), self.rejected.total() / made)


@dataclass
class Augmentation:
    """Makes variants, ``factor - 1`` for each program on average, and none twice; ``tally`` counts what came of it.

    The same seed gives the same variants of a program, whichever stand before it. ``same`` tells by running whether a
    variant does what its original does; it is asked of those whose augmenter promises it. Raises ``ValueError`` for a
    factor beyond the gates'.
    """

    augmenters: Sequence[Augmenter]
    gates: Gates
    factor: float
    seed: int
    same: Same | None = None
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        if not 1.0 <= self.factor <= self.gates.max_factor:
            raise ValueError(f"factor {self.factor:g}: 1 to {self.gates.max_factor:g}")
        self._sampling = Random(self.seed)  # noqa: S311 - a sample, not a secret

    def variants(self, programs: Iterable[str]) -> Iterator[Variant]:
        """Yield the variants of each program in turn."""
        for program in programs:
            self.tally.originals += 1
            random = Random(f"{self.seed} {hashlib.sha256(program.encode()).hexdigest()}")  # noqa: S311
            whole, part = divmod(self.factor - 1.0, 1.0)
            yield from self._of(program, int(whole) + (random.random() < part), random)

    def _of(self, program: str, wanted: int, random: Random) -> Iterator[Variant]:
        seen, found = {program}, 0
        for attempt in range(wanted * TRIES):
            if found >= wanted:
                return
            augmenter = self.augmenters[attempt % len(self.augmenters)]
            made = augmenter.generate(program, random)
            if made is None or made in seen:
                continue
            seen.add(made)
            quality = augmenter.quality_score(program, made)
            variant = Variant(program, made, augmenter.name, quality, scores.similarity(program, made))
            if reason := self._refused(variant, self.same if augmenter.keeps_behaviour else None):
                self.tally.rejected[reason] += 1
                continue
            self.tally.keep(made, self._sampling)
            found += 1
            yield variant

    def _refused(self, variant: Variant, same: Same | None) -> str | None:
        """Return why a variant is turned away, if it is."""
        if scores.fragments(variant.source) is None:
            self.tally.unparsed += 1
            return "does not parse"
        if variant.quality < self.gates.quality:
            return "quality"
        if variant.similarity < self.gates.semantic_similarity:
            return "semantic similarity"
        return "behaves otherwise" if same is not None and not same(variant.original, variant.source) else None
