"""Rules as text: ``($i + $i)`` with holes for expressions, compiled once into functions that fill them.

Holes are ``$`` and the code of a type (``kinds.TYPES``):

====== ===========================================================================================================
``$i``   any expression of that type, one level less deep
``$.i``  a variable or a literal
``$!i1`` a variable that must exist (else the rule does not apply), remembered as 1
``$1``   what is remembered as 1
``$@I``  an expression that is made before all others, outside the names that the rule binds: what is iterated over
``$*i1`` a new name for the rest of this rule: of a comprehension or a lambda
``$+i1`` a new variable that stays: of a statement
``$-i1`` a new variable that only this statement uses: it may never get a value
``$_c``  a constant of a kind (``constants.KINDS``)
====== ===========================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from producers.generate.brackets import TUPLES, bare

if TYPE_CHECKING:
    from producers.generate.draft import Draft

_HOLE: Final = re.compile(r"\$(?:([!*+-])([A-Za-z])([1-9])?|([.@_]?)([A-Za-z])|([1-9]))")
OPENS: Final = ("(", ", ", "[", " = ", "return ", "else ")
CLOSES: Final = (")", ",", "]", ":", "\n")
BINDS: Final = 16  # times that what is under a comprehension may run: elements of its source
MOST_RUNS: Final = 4_096  # of anything in a program; a rule that would go beyond does not apply

MOST_INSIDE: Final = 200  # weight of what a rule takes in: 12,800 bits are fewer than the 4,300 digits that str takes

Build = Callable[["Draft", int], "str | None"]
"""Fills a rule's holes: a draft, the depth that is left -> text, ``None`` where the rule does not apply."""


class Hole(NamedTuple):
    """One hole: how it is filled (``""`` for any expression, ``=`` for what is remembered), type or kind, and name."""

    how: str
    code: str
    key: str


class Rule(NamedTuple):
    """One way to make something of a type; ``growth`` multiplies what goes in, ``small`` makes it small again."""

    code: str
    template: str
    likely: int
    level: int
    feature: str
    growth: int
    small: bool
    needs: str
    number: int
    build: Build


def parse(template: str) -> tuple[list[str], list[Hole]]:
    """Return the texts around the holes, one more than there are holes, and the holes.

    >>> parse("max($i, $.i)")
    (['max(', ', ', ')'], [Hole(how='', code='i', key=''), Hole(how='.', code='i', key='')])
    """
    texts, holes, end = [], [], 0
    for match in _HOLE.finditer(template):
        named, code, key, how, other, again = match.groups()
        holes.append(Hole("=", "", again) if again else Hole(named or how or "", code or other, key or ""))
        texts.append(template[end : match.start()])
        end = match.end()
    return [*texts, template[end:]], holes


def compiled(template: str, growth: int = 1, *, small: bool = False, needs: str = "", counted: bool = False) -> Build:
    """Return the function that fills a template's holes; ``counted`` even where what goes in just adds up."""
    texts, holes = parse(template)
    plain = all(hole.how in {"", "."} for hole in holes)
    if counted or needs or growth > 1 or small:
        return _accounted(_plain(texts, holes) if plain else _general(texts, holes), growth, small, needs)
    if not plain:
        return _general(texts, holes)
    if len(holes) == 2:
        return _pair(texts, holes)
    return _plain(texts, holes)


def _plain(texts: list[str], holes: list[Hole]) -> Build:
    first, rest = texts[0], list(zip(_steps(texts, holes), texts[1:], strict=True))

    def build(draft: Draft, depth: int) -> str:
        text = first
        for (code, flat, strip), after in rest:
            one = draft.expression(code, 0 if flat else depth)
            text += (bare(one) if strip and one[0] == "(" else one) + after
        return text

    return build


def _pair(texts: list[str], holes: list[Hole]) -> Build:
    before, between, after = texts
    (left, left_flat, left_strip), (right, right_flat, right_strip) = _steps(texts, holes)

    def build(draft: Draft, depth: int) -> str:
        one = draft.expression(left, 0 if left_flat else depth)
        two = draft.expression(right, 0 if right_flat else depth)
        if left_strip and one[0] == "(":
            one = bare(one)
        if right_strip and two[0] == "(":
            two = bare(two)
        return before + one + between + two + after

    return build


def _steps(texts: list[str], holes: list[Hole]) -> list[tuple[str, bool, bool]]:
    """Return each hole's type, whether it is flat, and whether what fills it needs no parentheses of its own."""
    return [
        (hole.code, hole.how == ".", before.endswith(OPENS) and after.startswith(CLOSES) and hole.code not in TUPLES)
        for before, hole, after in zip(texts, holes, texts[1:], strict=False)
    ]


def _general(texts: list[str], holes: list[Hole]) -> Build:
    fill = filler(texts, holes)

    def build(draft: Draft, depth: int) -> str | None:
        return fill(draft, depth, {})

    return build


def filler(texts: list[str], holes: list[Hole]) -> Callable[[Draft, int, dict[str, str]], str | None]:
    """Return the function that fills any holes; it takes what is remembered already, and adds to it."""
    first = [place for how in ("@", "!", "*") for place, hole in enumerate(holes) if hole.how == how]
    order = [(place, holes[place]) for place in first]
    order += [(place, hole) for place, hole in enumerate(holes) if place not in first]
    needed = [hole.code for hole in holes if hole.how == "!"]
    alone = [strip for _, _, strip in _steps(texts, holes)]
    binds = BINDS ** sum(hole.how == "*" for hole in holes)

    def fill(draft: Draft, depth: int, known: dict[str, str]) -> str | None:
        if needed and not all(map(draft.variables.get, needed)):
            return None
        if binds > 1 and not draft.repeat(binds):
            return None
        filled = [""] * len(holes)
        mark, deeper = len(draft.declared), depth - (binds > 1)
        for place, hole in order:
            one = _fill(draft, hole, deeper, known)
            filled[place] = bare(one) if alone[place] and one[0] == "(" else one
        if binds > 1:
            draft.runs //= binds
            draft.release(mark)
        out = texts[0]
        for text, after in zip(filled, texts[1:], strict=True):
            out += text + after
        return out

    return fill


def _fill(draft: Draft, hole: Hole, depth: int, known: dict[str, str]) -> str:
    how, code, key = hole
    if how in {"", "@"}:
        return draft.expression(code, depth)
    if how == "=":
        return known[key]
    if how == "_":
        return draft.constant(code)
    if how == ".":
        return draft.expression(code, 0)
    if how == "!":
        text = draft.variable(code)
    elif how == "*":
        text = draft.declare(code, max(2, draft.weight))
    else:
        text = draft.name(code)  # has no value yet: who makes the statement lets it in
        if how == "+":
            draft.fresh.append((code, text))
    if key:
        known[key] = text
    return text


def _accounted(build: Build, growth: int, small: bool, needs: str) -> Build:
    """Return ``build`` with the weight of what it makes counted as the rule says, and with its import."""

    def accounted(draft: Draft, depth: int) -> str | None:
        before = draft.weight
        text = build(draft, depth)
        went_in = draft.weight - before
        if text is None or went_in > MOST_INSIDE:
            draft.weight = before
            return None
        draft.weight = before + 1 if small else before + went_in * growth
        if needs:
            draft.imports.add(needs)
        return text

    return accounted
