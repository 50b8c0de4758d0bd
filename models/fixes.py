"""Which repair has worked for a kind of error here: success rates by pattern, from what was applied and rejected.

The rates begin with those that ship (``models.repair.ranking``) and move with feedback of this partition.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from models.masking import mask
from models.repair.errors import MAX_TEMPLATE
from models.repair.ranking import Rates, shipped_rates

MAX_PAIRS = 5_000  # of pattern and kind of error that feedback spoke of; the one longest untouched goes first


class Fix(NamedTuple):
    """A pattern, the share of successes to expect, and of how many outcomes that was learned."""

    pattern: str
    success_rate: float
    outcomes: int


def template_of(code: str | None, message: str) -> str:
    """Return the kind of an error: its code, and its message without names; as ``models.repair`` has it."""
    return f"{code or ''} {mask(message)}"[:MAX_TEMPLATE].strip()


class Fixes:
    """The patterns that were tried for each kind of error, and what became of them.

    Only what was measured is told: a pattern without outcomes for a kind of error is none.
    """

    def __init__(self, capacity: int = MAX_PAIRS) -> None:
        self.capacity = capacity
        self._said: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._build()

    def _build(self) -> None:
        self._rates = Rates(dict(_shipped().counts))
        self._patterns: dict[str, set[str]] = {}
        for pattern, template in self._rates.counts:
            if template:
                self._patterns.setdefault(template, set()).add(pattern)
        for (pattern, template), (applied, rejected) in self._said.items():
            self._add(pattern, template, applied, rejected)

    def _add(self, pattern: str, template: str, applied: int, rejected: int) -> None:
        for key in ((pattern, template), (pattern, "")):
            good, bad = self._rates.counts.get(key, (0.0, 0.0))
            self._rates.counts[key] = (good + applied, bad + rejected)
        self._patterns.setdefault(template, set()).add(pattern)

    def __bool__(self) -> bool:
        """Return whether anything is known of any kind of error."""
        return bool(self._patterns)

    def learn(self, pattern: str, template: str, *, applied: bool) -> None:
        """Take in that a fix was applied, or rejected."""
        good, bad = self._said.pop((pattern, template), (0, 0))
        self._said[pattern, template] = (good + applied, bad + (not applied))
        if len(self._said) > self.capacity:
            self._said.popitem(last=False)
            self._build()
        else:
            self._add(pattern, template, int(applied), int(not applied))

    def best(self, code: str | None, message: str) -> Fix | None:
        """Return what has worked best for this kind of error; of equals, the first by name."""
        template = template_of(code, message)
        patterns = self._patterns.get(template)
        if not patterns:
            return None
        rated = [(self._rates.rate(pattern, template), pattern) for pattern in sorted(patterns)]
        rate, pattern = max(rated, key=lambda one: one[0])
        return Fix(pattern, rate, int(sum(self._rates.counts[pattern, template])))

    def dump(self) -> list[tuple[str, str, int, int]]:
        """Return what feedback said as JSON-able data, the longest untouched first."""
        return [(*key, *counts) for key, counts in self._said.items()]

    def load(self, said: Iterable[tuple[str, str, int, int]]) -> None:
        """Replace it by what ``dump`` returned."""
        self._said = OrderedDict(((pattern, template), (good, bad)) for pattern, template, good, bad in said)
        self._build()


@cache
def _shipped() -> Rates:
    return shipped_rates()
