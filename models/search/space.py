"""Typed search spaces: what may be tuned, within which bounds. A misspelt name is an error before the first trial."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

_NUMBER = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"
_RANGE = re.compile(rf"\s*{_NUMBER}\s*\.\.\s*{_NUMBER}\s*(log)?\s*\Z", re.IGNORECASE)
MAX_CHOICES = 64


class SpaceError(ValueError):
    """A space that cannot be searched; the message names the parameter, what stands there and what is allowed."""


@dataclass(frozen=True)
class Int:
    """Whole numbers from ``low`` to ``high``, both included."""

    low: int
    high: int
    log: bool = False

    def draw(self, rng: Random) -> int:
        """Return one at random, evenly or by its logarithm."""
        return min(max(round(Float(self.low, self.high, self.log).draw(rng)), self.low), self.high)


@dataclass(frozen=True)
class Float:
    """Numbers from ``low`` to ``high``."""

    low: float
    high: float
    log: bool = False

    def draw(self, rng: Random) -> float:
        """Return one at random, evenly or by its logarithm."""
        if self.log:
            return math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return rng.uniform(self.low, self.high)


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def draw(self, rng: Random) -> Any:
        """Return one at random."""
        return self.values[rng.randrange(len(self.values))]


Parameter = Int | Float | Choice
Space = Mapping[str, Parameter]


def parse_parameter(name: str, value: Any) -> Parameter | None:
    """Return what ``50..500``, ``1e-5..1e-2 log``, ``0.1..0.5`` or a list stand for; nothing for a single value.

    Both ends whole numbers, without a point: ``Int``. Raises ``SpaceError``.

    >>> parse_parameter("samples", "50..500")
    Int(low=50, high=500, log=False)
    """
    if isinstance(value, (list, tuple)):
        if not 0 < len(value) <= MAX_CHOICES or not all(isinstance(one, (bool, int, float, str)) for one in value):
            raise SpaceError(f"{name}: a list to choose from holds 1 to {MAX_CHOICES} numbers or words")
        return Choice(tuple(value))
    if not isinstance(value, str) or ".." not in value:
        return None
    found = _RANGE.match(value)
    if found is None:
        raise SpaceError(f"{name}: {value!r} is no range; write 50..500, 0.1..0.5 or 1e-5..1e-2 log")
    try:
        return _bounded(name, found[1], found[2], log=found[3] is not None)
    except SpaceError:
        raise
    except (ValueError, OverflowError):
        raise SpaceError(f"{name}: {value!r}: the ends of a range are numbers, as in 0.1..0.5") from None


def _bounded(name: str, first: str, last: str, *, log: bool) -> Parameter:
    low, high = float(first), float(last)
    if not low < high or not (math.isfinite(low) and math.isfinite(high)):
        raise SpaceError(f"{name}: {first}..{last}: the first end is below the second")
    if log and low <= 0:
        raise SpaceError(f"{name}: {first}..{last}: with log both ends are above 0")
    if re.fullmatch(r"-?\d+", first) and re.fullmatch(r"-?\d+", last):
        return Int(int(first), int(last), log)
    return Float(low, high, log)


def checked(space: Space, allowed: Iterable[str]) -> Space:
    """Return ``space``; raises ``SpaceError`` where it names what cannot be tuned, or nothing."""
    names = sorted(allowed)
    for name in space:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise SpaceError(f"there is no parameter {name!r}: {hint}allowed are {', '.join(names)}")
    if not space:
        raise SpaceError(f"nothing to tune; give a range for one or more of {', '.join(names)}")
    return space
