"""Coverage-guided generation: programs that reach something new are kept and changed further.

Aschermann et al., "NAUTILUS: Fishing for Deep Bugs with Grammars" (NDSS 2019): what is kept is mutated by replacing
subtrees with those of other programs, with new ones, or with one that holds itself; here on the choices behind a
subtree (``choices``), so that every mutant is a program. New is a pair of rules one under the other (k-paths of length
two: Havrikov and Zeller, "Systematically Covering Input Structure", ASE 2019), a chain of three kinds of AST nodes, or
whatever the feedback names: an outcome, a diagnostic's template. Mutants alone reach less than chance does, as most of
a mutant is its parent; so a choice that leads to a pair of rules that is known is, at times, made again.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator
from random import Random
from typing import NamedTuple

from producers.generate.choices import choices_of, seed_of
from producers.generate.kinds import Level
from producers.generate.profile import Profile
from producers.generate.program import decode
from producers.generate.request import Candidate, Feedback, Request
from producers.generate.tracing import Span, TracingDraft

KEPT = 1_024  # programs that are changed further; the oldest makes room
FRESH = 0.25  # share of programs that are made from nothing
BOUNDARY = 0.25  # share of those whose constants are at the boundaries of types
RECENT = 64  # programs from which half of the parents come: what is new is near what was new


class Parent(NamedTuple):
    """What is kept of a program: its choices, and which of them made which expression."""

    choices: bytes
    spans: tuple[Span, ...]


class Coverage:
    """What was reached so far, and the programs that reached it first."""

    def __init__(self, level: Level, depth: int, rng: Random) -> None:
        self.level, self.depth = level, depth
        self._rng = rng
        self._profiles = (Profile(level), Profile(level, boundary=True))
        self._parents: list[tuple[int, Parent]] = []  # with the place of the profile
        self.reached: set[Hashable] = set()

    def candidate(self, seed: int, feedback: Feedback | None = None) -> Candidate:
        """Return a program; it is kept if it reaches anything new."""
        place, choices = self._choices(seed)
        draft = TracingDraft(self._profiles[place], choices, self.reached, self._rng)
        made = decode(draft, self.depth)
        seen: set[Hashable] = {*draft.pairs, *node_chains(made.source)}
        if feedback:
            seen.update(feedback(made.source).seen)
        if not seen <= self.reached:
            self.reached |= seen
            self._keep(place, Parent(bytes(draft.taken), tuple(draft.spans)))
        return Candidate(made, "coverage", seed)

    def _keep(self, place: int, parent: Parent) -> None:
        self._parents.append((place, parent))
        if len(self._parents) > KEPT:
            self._parents.pop(0)

    def _choices(self, seed: int) -> tuple[int, bytes]:
        rng = self._rng
        fresh = choices_of(seed)
        if not self._parents or rng.random() < FRESH:
            return int(rng.random() < BOUNDARY), fresh
        place, parent = self._parent()
        return place, mutated(parent, self._parent()[1], fresh, rng)

    def _parent(self) -> tuple[int, Parent]:
        among = self._parents[-RECENT:] if self._rng.random() < 0.5 else self._parents
        return among[self._rng.randrange(len(among))]


def mutated(parent: Parent, other: Parent, fresh: bytes, rng: Random) -> bytes:
    """Return a parent's choices with those of one expression replaced; ``fresh`` choices follow where they end."""
    if not parent.spans:
        return fresh
    span = parent.spans[rng.randrange(len(parent.spans))]
    way = rng.randrange(4)
    donors = [one for one in other.spans if one.code == span.code]
    if way <= 1 and donors:
        donor = donors[rng.randrange(len(donors))]
        middle = other.choices[donor.start : donor.end]
    elif way == 2 and (around := _around(parent.spans, span)):
        outer = around[rng.randrange(len(around))]
        inside = parent.choices[outer.start : outer.end]
        middle = inside[: span.start - outer.start] + inside + inside[span.end - outer.start :]
    else:
        middle = fresh[: max(1, span.end - span.start)]
    return (parent.choices[: span.start] + middle + parent.choices[span.end :] + fresh)[: len(fresh)]


def _around(spans: Iterable[Span], inner: Span) -> list[Span]:
    """Return the expressions of the same type that hold this one."""
    return [one for one in spans if one.code == inner.code and one.start < inner.start and one.end >= inner.end]


Chain = tuple[type, type, type]


def node_chains(source: str) -> set[Chain]:
    """Return the chains of three kinds of AST nodes, each the parent of the next.

    >>> sorted(chain[2].__name__ for chain in node_chains("x = 1"))
    ['Constant', 'Name']
    """
    tree = ast.parse(source)
    found: set[Chain] = set()
    todo: list[tuple[ast.AST, type, type]] = [(one, ast.Module, type(one)) for one in tree.body]
    while todo:
        node, above, kind = todo.pop()
        for part in vars(node).values():
            for child in part if part.__class__ is list else (part,):
                if isinstance(child, ast.AST):
                    found.add((above, kind, child.__class__))
                    if vars(child):
                        todo.append((child, kind, child.__class__))
    return found


def candidates(request: Request, feedback: Feedback | None) -> Iterator[Candidate]:
    """Yield programs without end."""
    state = Coverage(request.level, request.depth, Random(seed_of(request.seed, "coverage", -1)))  # noqa: S311
    index = 0
    while True:
        yield state.candidate(seed_of(request.seed, "coverage", index), feedback)
        index += 1
