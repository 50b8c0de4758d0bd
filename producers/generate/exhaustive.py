"""Every expression of the grammar up to a depth, each as a function of its own.

The idea of small scopes: Runciman, Naylor and Lindblad, "SmallCheck and Lazy SmallCheck" (Haskell 2008). Depth after
depth; expressions of all types, and within a type those of all rules, take turns, so that a run that is cut short has
seen some of each. Leaves are one variable of the type, and two constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from producers.generate.draft import INDENT, Draft
from producers.generate.functions import Entry
from producers.generate.kinds import LEVEL_TYPES, TYPES, Level
from producers.generate.profile import Profile
from producers.generate.program import Generated, finished
from producers.generate.request import Candidate, Request
from producers.generate.statements import annotated
from producers.generate.template import Rule

CONSTANTS = 2  # of each kind
APART = 97  # places in a table of 256 from one constant to the next


class _DeadEndError(Exception):
    """A rule that does not apply was chosen: there is no such expression."""


@lru_cache(maxsize=4)
def distinct_rules(level: Level) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each type, every one once; calls of a program's own functions are left out."""
    tables = Profile(level).expressions
    return {
        code: tuple(dict.fromkeys(one for one in table if one.template != "call")) for code, table in tables.items()
    }


class ScriptedDraft(Draft):
    """A draft whose choices are a script: numbers below how many ways there are, which it notes; 0 where it ends."""

    def __init__(self, profile: Profile, script: list[int], depth: int) -> None:
        super().__init__(profile, b"")
        self.script = script
        self.ways: list[int] = []
        self.depth, self.reached = depth, 0

    def pick(self, ways: int) -> int:
        """Return the next choice."""
        place = len(self.ways)
        self.ways.append(ways)
        if place == len(self.script):
            self.script.append(0)
        return self.script[place]

    def expression(self, code: str, depth: int) -> str:
        """Return an expression; leaves are a way of their own."""
        if depth <= 0:
            return self.leaf(code)
        table = distinct_rules(self.profile.level).get(code, ())
        rule = table[self.pick(len(table))]
        self.reached = max(self.reached, self.depth - depth + 1)
        text = rule.build(self, depth - 1)
        if text is None:
            raise _DeadEndError
        return text

    def leaf(self, code: str) -> str:
        """Return the newest variable or a constant."""
        choice = self.pick(CONSTANTS + 1)
        if choice == 0:
            return self.variable(code)
        self.weight += 1
        return self.literals[code][(choice - 1) * APART]

    def variable(self, code: str) -> str:
        """Return the newest variable of a type."""
        name = self.variables[code][-1]
        self.weight += self.weights[name]
        return name

    def constant(self, kind: str) -> str:
        """Return one of a kind's first constants."""
        return self.constants[kind][self.pick(CONSTANTS) * APART]


def candidates(request: Request) -> Iterator[Candidate]:
    """Yield all programs of depth 1, then 2, up to the request's, and end."""
    profile = Profile(request.level)
    for depth in range(1, request.depth + 1):
        turns = [_all(profile, code, rule, depth) for rule, code in _beginnings(request.level)]
        while turns:
            still = []
            for one in turns:
                if (made := next(one, None)) is not None:
                    still.append(one)
                    yield Candidate(made, "exhaustive", request.seed)
            turns = still


def _beginnings(level: Level) -> list[tuple[int, str]]:
    """Return the places of rules with the codes of their types, types taking turns."""
    tables = distinct_rules(level)
    return sorted((rule, code) for code in set(LEVEL_TYPES[level]) for rule in range(len(tables.get(code, ()))))


def _all(profile: Profile, code: str, rule: int, depth: int) -> Iterator[Generated]:
    """Yield every expression of exactly this depth that begins with a rule."""
    script: list[int] | None = [rule]
    while script is not None:
        draft = ScriptedDraft(profile, script, depth)
        try:
            made = _function(draft, code)
        except _DeadEndError:
            made = None
        if made and draft.reached == depth:
            yield made
        script = _next(script[: len(draft.ways)], draft.ways)


def _next(script: list[int], ways: list[int]) -> list[int] | None:
    """Return the script after this one; ``None`` after the last. The first choice stays: it is the rule."""
    for place in range(len(script) - 1, 0, -1):
        if script[place] + 1 < ways[place]:
            return [*script[:place], script[place] + 1]
    return None


def _function(draft: ScriptedDraft, code: str) -> Generated:
    """Return a program of one function that returns the expression; its parameters are the variables used."""
    function = draft.name("function")
    names = [(draft.declare(one, 1), one) for one in TYPES]
    text, _ = draft.value(code, draft.depth)
    parameters = tuple((name, one) for name, one in names if name in text)
    written = ", ".join(f"{name}: {annotated(draft, one)}" for name, one in parameters)
    draft.emit(f"def {function}({written}) -> {annotated(draft, code)}:\n{INDENT}return {text}")
    return finished(draft, [Entry(function, parameters, code, ())])
