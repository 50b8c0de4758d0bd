"""A draft that notes which rules it used, and which of its choices made which part; and that can be led to new ones."""

from __future__ import annotations

from collections.abc import Container
from random import Random
from typing import NamedTuple

from producers.generate.draft import Draft
from producers.generate.profile import Profile
from producers.generate.template import Rule

TRIES = 4  # other choices that are looked at where one leads to what was reached before
ROOT = -1  # in place of a rule: what stands above an expression


class Span(NamedTuple):
    """An expression's type and the choices that made it: from ``start`` up to, not with, ``end``."""

    code: str
    start: int
    end: int


class TracingDraft(Draft):
    """Writes the same program as a ``Draft``, with notes for a strategy that learns from them."""

    def __init__(
        self, profile: Profile, choices: bytes, reached: Container[object] = (), rng: Random | None = None
    ) -> None:
        """Begin; with ``rng``, a choice that would lead to a pair in ``reached`` may be replaced by another."""
        super().__init__(profile, choices)
        self._left = iter(choices)
        self._reached, self._rng = reached, rng
        self.taken = bytearray()  # the choices as they were in the end
        self.byte = self._next
        self.pairs: set[tuple[int, int]] = set()  # rules, one right under the other
        self.spans: list[Span] = []
        self._above = [ROOT]

    def expression(self, code: str, depth: int) -> str:
        """Return what ``Draft.expression`` returns."""
        start = len(self.taken)
        self._above.append(ROOT)
        text = super().expression(code, depth)
        self._above.pop()
        self.spans.append(Span(code, start, len(self.taken)))
        return text

    def choose(self, code: str) -> Rule | None:
        """Return the rule that the next choice stands for."""
        table = self.rules.get(code)
        if not table:
            return None
        above, rule = self._above[-2], table[self.byte()]
        if self._rng and (above, rule.number) in self._reached:
            rule = self._led(self._rng, table, above, rule)
        self.pairs.add((above, rule.number))
        self._above[-1] = rule.number
        return rule

    def _led(self, rng: Random, table: tuple[Rule, ...], above: int, rule: Rule) -> Rule:
        """Return a rule that was never under the one above, if a few tries find one."""
        for _ in range(TRIES):
            choice = rng.getrandbits(8)
            if (above, table[choice].number) not in self._reached:
                self.taken[-1] = choice
                return table[choice]
        return rule

    def _next(self) -> int:
        choice = next(self._left, 0)
        self.taken.append(choice)
        return choice
