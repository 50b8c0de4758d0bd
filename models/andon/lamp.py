"""The lamp of a partition: green, amber while a warning is lit, red while a halt is; a state machine without a clock.

A condition is lit under a key: its name, whose builds it is about, and what was watched. It is raised once, after as
many readings in a row as its table asks for; it goes out when a person resumes, or by itself where it is not latched
and the readings have been back below the lower level for as long. Acknowledging says that somebody looks after it and
changes nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

from models.andon.conditions import CONDITIONS
from models.andon.moved import Lamp as Colour
from models.andon.moved import Moved
from models.cloudevents import rfc3339

MAX_LIT = 200  # conditions at one time; what comes beyond is counted, for a lamp with so many lights says nothing more

Transition = Literal["raised", "acknowledged", "resumed", "cleared", "recalled"]


class Key(NamedTuple):
    """What may be lit once: a condition, whose builds it is about (``None``: all), what was watched."""

    kind: str
    scope: str | None = None
    signal: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a condition is raised: a statistic that reached its threshold, what moved, and since when.

    ``answered`` is how many compilations the partition had answered when it began, as far as that is known.
    """

    statistic: float | None = None
    threshold: float | None = None
    divergence: float | None = None
    categories: tuple[Moved, ...] = ()
    first_build: str | None = None
    examples: tuple[str, ...] = ()
    answered: int | None = None


@dataclass(frozen=True, slots=True)
class Lit:
    """A condition that is lit; ``since`` and ``acknowledged`` are RFC 3339 texts, ``by`` is who acknowledged."""

    key: Key
    since: str
    evidence: Evidence
    acknowledged: str | None = None
    by: str | None = None


class Change(NamedTuple):
    """A transition of one condition, as it was lit then."""

    transition: Transition
    lit: Lit


class Lamp:
    """What is lit, and how many readings in a row each level has had beyond (above 0) or back below (below 0)."""

    def __init__(self) -> None:
        self.lit: dict[Key, Lit] = {}
        self.runs: dict[Key, int] = {}
        self.untold = 0  # raised beyond ``MAX_LIT``

    @property
    def colour(self) -> Colour:
        """Return the lamp's colour; acknowledging does not change it."""
        severities = {CONDITIONS[key.kind].severity for key in self.lit}
        return "red" if "halt" in severities else "amber" if severities else "green"

    @property
    def halted(self) -> bool:
        """Return whether a halt is lit."""
        return any(CONDITIONS[key.kind].severity == "halt" for key in self.lit)

    def read(self, key: Key, reading: float, now: datetime, example: str | None = None) -> list[Change]:
        """Take in one reading of a level; ``example`` is the build at which it was taken."""
        condition, lit = CONDITIONS[key.kind], key in self.lit
        if not (condition.over(reading) if lit else condition.beyond(reading)):
            if self.runs:
                self.runs.pop(key, None)
            return []
        run = self.runs[key] = self.runs.get(key, 0) + 1
        if run < condition.readings:
            return []
        del self.runs[key]
        if lit:
            return self.clear(key)
        examples = () if example is None else (example,)
        return self.light(key, Evidence(reading, condition.raise_at, examples=examples), now)

    def light(self, key: Key, evidence: Evidence, now: datetime) -> list[Change]:
        """Raise a condition, unless what is lit says it already.

        A halt is told once, whatever else notices it; a project's warning is not told beside that of the whole.
        """
        halt = CONDITIONS[key.kind].severity == "halt"
        known = key in self.lit or key._replace(scope=None) in self.lit
        if known or (halt and any(one.kind == key.kind for one in self.lit)):
            return []
        if len(self.lit) >= MAX_LIT and not halt:
            self.untold += 1
            return []
        self.lit[key] = Lit(key, rfc3339(now), evidence)
        return [Change("raised", self.lit[key])]

    def clear(self, key: Key) -> list[Change]:
        """Put a condition out because it is over."""
        return [Change("cleared", self.lit.pop(key))] if key in self.lit else []

    def acknowledge(self, keys: Sequence[Key], now: datetime, by: str | None) -> list[Change]:
        """Note that somebody looks after these; those that somebody looks after already are left alone."""
        fresh = [key for key in keys if key in self.lit and self.lit[key].acknowledged is None]
        for key in fresh:
            self.lit[key] = replace(self.lit[key], acknowledged=rfc3339(now), by=by)
        return [Change("acknowledged", self.lit[key]) for key in fresh]

    def resume(self, keys: Sequence[Key]) -> list[Change]:
        """Put these out because a person says so; readings begin anew."""
        gone = [self.lit.pop(key) for key in keys if key in self.lit]
        self.runs = {key: run for key, run in self.runs.items() if key not in keys}
        return [Change("resumed", one) for one in gone]

    def matching(self, kind: str | None = None, scope: str | None = None) -> list[Key]:
        """Return what is lit of this condition, and of this project, the oldest first; ``None`` asks for all."""
        return [key for key in self.lit if kind in {None, key.kind} and scope in {None, key.scope}]
