"""A draft that notes which rules it used, and which of its choices made which part."""

from __future__ import annotations

from operator import length_hint
from typing import NamedTuple

from producers.generate.draft import Draft
from producers.generate.profile import Profile
from producers.generate.template import Rule

ROOT = -1  # in place of a rule: what stands above an expression


class Span(NamedTuple):
    """An expression's type and the choices that made it: from ``start`` up to, not with, ``end``."""

    code: str
    start: int
    end: int


class TracingDraft(Draft):
    """Writes the same program as a ``Draft``, with notes for a strategy that learns from them."""

    def __init__(self, profile: Profile, choices: bytes) -> None:
        super().__init__(profile, choices)
        self._choices = iter(choices)
        self._length = len(choices)
        self.byte = lambda: next(self._choices, 0)
        self.pairs: set[tuple[int, int]] = set()  # rules, one right under the other
        self.spans: list[Span] = []
        self._above = [ROOT]

    def expression(self, code: str, depth: int) -> str:
        """Return what ``Draft.expression`` returns."""
        start = self.at()
        self._above.append(ROOT)
        text = super().expression(code, depth)
        self._above.pop()
        self.spans.append(Span(code, start, self.at()))
        return text

    def choose(self, code: str) -> Rule | None:
        """Return the rule that the next choice stands for."""
        rule = super().choose(code)
        if rule:
            self.pairs.add((self._above[-2], rule.number))
            self._above[-1] = rule.number
        return rule

    def at(self) -> int:
        """Return how many choices were taken."""
        return self._length - length_hint(self._choices)
