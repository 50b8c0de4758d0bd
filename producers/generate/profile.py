"""Which rules a program may use and how likely each is: tables indexed by a byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from producers.generate import containers, numbers, texts
from producers.generate.constants import BOUNDARY_KINDS, CHOICES, KINDS, literals, spread
from producers.generate.kinds import FEATURES, LEVEL_TYPES, TYPES, Level, level_index
from producers.generate.template import Rule, compiled

_TABLES: Final = (
    *(numbers.INTEGERS, numbers.FLOATS, numbers.BOOLEANS, texts.TEXTS),
    *(containers.LISTS, containers.MAPPINGS, containers.OTHERS),
)
_BOUNDARY: Final = frozenset({"floor", "bits", "power", "slices", "indexing", "conversions", "formatting", "division"})
_FAVOUR: Final = 3  # how much likelier a level's own rules are than those of the levels below


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules for expressions, compiled; ``number`` is a rule's place."""
    lines = [line.split(None, 5) for table in _TABLES for line in table.strip().splitlines()]
    written = [_rule(number, line) for number, line in enumerate(lines)]
    calls = [_call(len(written) + place, code) for place, code in enumerate(TYPES)]
    return (*written, *calls)


def _call(number: int, code: str) -> Rule:
    """Return the rule that calls what the program itself defines."""
    return Rule(code, "call", 3, 0, "calls", 1, False, "", number, lambda draft, _: draft.called(code))


def _rule(number: int, columns: list[str]) -> Rule:
    code, level, feature, likely, weight, template = columns
    growth = int(weight[1:]) if weight.startswith("x") else 1
    small, needs = weight == "small", "import math" if "math." in template else ""
    build = compiled(template, growth, small=small, needs=needs, counted=weight != "-")
    return Rule(code, template, int(likely), int(level), feature, growth, small, needs, number, build)


@dataclass(frozen=True)
class Profile:
    """A level, the features that are on, and whether constants are those at the boundaries of types."""

    level: Level = "basic"
    features: frozenset[str] = frozenset(FEATURES)
    boundary: bool = False

    @property
    def height(self) -> int:
        """Return the level's place, from 0."""
        return level_index(self.level)

    def has(self, feature: str, level: int = 0) -> bool:
        """Return whether a feature is on that begins at ``level``."""
        return level <= self.height and feature in self.features

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Return the codes of parameters', variables' and results' types, by a byte."""
        return spread(tuple(code for code in LEVEL_TYPES[self.level] if code in self.allowed))

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Return the codes of the types that a program may speak of."""
        hidden = {"dicts": "DMG", "sets": "U", "tuples": "TPN", "optionals": "OQ", "nested": "LNG"}
        off = "".join(codes for feature, codes in hidden.items() if feature not in self.features)
        return frozenset(LEVEL_TYPES[self.level]) - frozenset(off)

    @cached_property
    def expressions(self) -> dict[str, tuple[Rule, ...]]:
        """Return the rules of each type, by a byte."""
        found: dict[str, list[Rule]] = {}
        for rule in rules():
            if rule.level <= self.height and (rule.feature == "core" or rule.feature in self.features):
                found.setdefault(rule.code, []).extend([rule] * self._likely(rule))
        return {code: spread(tuple(_thinned(one))) for code, one in found.items()}

    def _likely(self, rule: Rule) -> int:
        favoured = rule.level == self.height > 0 or (self.boundary and rule.feature in _BOUNDARY)
        return rule.likely * (_FAVOUR if favoured else 1)

    @cached_property
    def constants(self) -> dict[str, tuple[str, ...]]:
        """Return the constants of each kind, by a byte."""
        return {kind: spread(values) for kind, values in self._kinds.items()}

    @cached_property
    def literals(self) -> dict[str, tuple[str, ...]]:
        """Return the literals of each type, by a byte."""
        return {code: spread(values) for code, values in literals(self._kinds).items()}

    @property
    def _kinds(self) -> dict[str, tuple[str, ...]]:
        return BOUNDARY_KINDS if self.boundary else KINDS


def _thinned(weighted: Iterable[Rule]) -> list[Rule]:
    """Return at most as many as a byte can tell apart, each rule at least once."""
    found = list(weighted)
    while len(found) > CHOICES:
        counts: dict[int, int] = {}
        for rule in found:
            counts[rule.number] = counts.get(rule.number, 0) + 1
        found.remove(max(found, key=lambda rule: counts[rule.number]))
    return found
