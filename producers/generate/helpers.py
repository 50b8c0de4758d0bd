"""Functions that only others in a program call: recursive ones, generators, those with unusual parameters."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from producers.generate.draft import Callee, Draft
from producers.generate.forms import Fill
from producers.generate.functions import offer
from producers.generate.profile import Profile
from producers.generate.template import filler, parse

_BEGINNING: Final = re.compile(r"\n\n(?=[a-z+]+ \d )")  # of the columns: templates have empty lines, too


class Helper(NamedTuple):
    """A function's template, and what is known of it: types, how heavy its result is, how often its parts run."""

    features: tuple[str, ...]
    level: int
    parameters: str
    result: str
    weight: int
    runs: int
    fill: Fill

    @property
    def around(self) -> tuple[str, str, str]:
        """Return what stands before and after a call of it, and what has to be imported."""
        if "generators" in self.features:
            return "list(", ")", "from typing import Iterator"
        return ("asyncio.run(", ")", "import asyncio") if "async" in self.features else ("", "", "")

    def fits(self, profile: Profile) -> bool:
        """Return whether a profile allows it."""
        return all(profile.has(feature, self.level) for feature in self.features)


def _helpers(table: str) -> tuple[Helper, ...]:
    found = []
    for paragraph in _BEGINNING.split(table.strip()):
        head, text = paragraph.split("\n", 1)
        features, level, parameters, result, weight, runs = head.split()
        fill = filler(*parse(text))
        given = (int(level), parameters, result, int(weight), int(runs), fill)
        found.append(Helper(tuple(features.split("+")), *given))
    return tuple(found)


HELPERS: Final = _helpers("""
recursion 2 ii i 6 24
def $+x1($+i2: int, $+i3: int) -> int:
    if $2 <= 0 or $2 > 20:
        return $3
    return $1($2 - 1, $3 + $2 * $_k)

recursion 2 i i 2 2000
def $+x1($+i2: int) -> int:
    if $2 < 2 or $2 > 12:
        return $_c
    return $1($2 - 1) + $1($2 - 2)

recursion+slices 2 s s 2 64
def $+x1($+s2: str) -> str:
    if len($2) < 2:
        return $2
    return $1($2[1:]) + $2[0]

recursion+slices 2 I i 4 64
def $+x1($+I2: list[int]) -> int:
    if not $2:
        return $_c
    return $2[0] - $1($2[1:])

generators 2 i I 2 16
def $+x1($+i2: int) -> Iterator[int]:
    for $+i3 in range($2 % $_k):
        yield $3 * $2 + $_c

generators 2 I I 4 16
def $+x1($+I2: list[int]) -> Iterator[int]:
    $+i3 = 0
    for $+i4 in $2:
        $3 += $4
        if $3 % $_k != 0:
            yield $3

async 3 i i 2 400
async def $+x1($+i2: int) -> int:
    return $2 * $_k + $_c

async 3 s s 2 400
async def $-x3($+s4: str) -> str:
    return $4 + $_q


async def $+x1($+s2: str) -> str:
    $-s5 = await $3($2)
    return $5.upper()

unpacking 3 iii i 6 4
def $+x1(*$+i2: int) -> int:
    return sum($2) % $_m

defaults 2 i i 4 1
def $+x1($+i2: int, *, $+i3: int = $_c) -> int:
    return $2 * $3 - $_c
""")
"""Columns: features, level, parameters, result, weight, runs. ``x`` is a function's name; the one called is 1."""


def helper(draft: Draft) -> None:
    """Write one of them, where the profile allows any."""
    there = [one for one in HELPERS if one.fits(draft.profile)]
    if not there:
        return
    one = there[draft.byte() % len(there)]
    draft.start_function()
    known: dict[str, str] = {}
    draft.emit(one.fill(draft, 1, known) or "")
    draft.fresh.clear()
    before, after, needed = one.around
    if needed:
        draft.imports.add(needed)
    callee = Callee(f"{before}{known['1']}(", tuple(one.parameters), f"){after}", one.weight, one.runs)
    offer(draft, one.result, callee)
