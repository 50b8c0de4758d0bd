"""Epochs of an improvement run: the first transpiles and classifies, each repairs what does not compile yet.

What is learned on the way: the success rate of each repair by kind of error, which decides what is tried first, and the
classifier, from the rules' labels. An epoch goes on from the best text of the one before, with more time for each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from typing import Protocol

from models.records import MAX_DIAGNOSTICS, CompilerErrors, Prediction
from models.repair.ranking import Rates
from models.state import LineState
from models.step import step
from producers.fix.compiler import BrokenError
from producers.fix.repair import Repaired
from producers.improve.corpus import rows_of, with_fixes
from producers.improve.state import Epoch, Program, Run, digest
from producers.transpile.inputs import Source
from producers.transpile.pipeline import Result, in_parallel

FIRST_BUDGET_S, GROWTH, LONGEST_BUDGET_S = (
    12.0,
    2.0,
    20.0,
)  # of a program, by how often it was tried; 6 s are the oracle's
PLATEAU = 2  # epochs without a program more, the last of them with the longest budget
SAVE_EVERY_S = 5.0


class Transpile(Protocol):
    """Transpiles and compiles a program."""

    def __call__(self, source: Source) -> Result:
        """Return what became of it."""


class Repair(Protocol):
    """Repairs a program's Rust; ``producers.fix.repair.repair`` is one."""

    def __call__(
        self, file: str, text: str, python: str | None, cargo_toml: str, *, rates: Rates, budget_s: float
    ) -> Repaired:
        """Return it repaired as far as possible; ``rates`` say what is tried first, and learn."""


@dataclass
class Improvement:
    """A run under way. ``save`` is called now and then, ``tell`` with an epoch that goes on or has ended."""

    run: Run
    sources: Mapping[str, Source]
    transpile: Transpile
    repair: Repair
    about: Mapping[str, str]  # of every row of the corpus
    target: float
    iterations: int
    jobs: int = 1
    save: Callable[[], None] = lambda: None
    tell: Callable[[Epoch], None] = lambda _: None
    model: LineState = field(default_factory=LineState)
    budget_s: float | None = None  # of all of it
    _saved: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def epochs(self) -> str:
        """Go through the epochs that are left and return why it ended: target, plateau, budget, or all done."""
        for number in count(len(self.run.epochs)):
            why = self.ended()
            if why is not None or number > self.iterations:
                return why or "iterations"
            self._epoch(number)
        raise AssertionError("the epochs never end")  # pragma: no cover - count() has no end

    def ended(self) -> str | None:
        """Return why nothing is left to do, if so."""
        epochs = self.run.epochs
        if not epochs or not all(one.examined for one in self.run.programs.values()):
            return None
        if epochs[-1].rate >= self.target:
            return "target"
        if not self._open():
            return "nothing left to repair"
        if self.budget_s is not None and time.monotonic() - self._begun > self.budget_s:
            return "budget"
        last = epochs[-PLATEAU:]
        flat = len(epochs) > PLATEAU and all(one.compile == epochs[-PLATEAU - 1].compile for one in last)
        return "plateau" if flat and all(self._budget(one) >= LONGEST_BUDGET_S for one in self._open()) else None

    def _open(self) -> list[Program]:
        return [one for one in self.run.programs.values() if one.status == "broken"]

    def _epoch(self, number: int) -> None:
        begin, before = time.monotonic(), self.run.epochs[-1].compile if self.run.epochs else 0
        for _ in chain(self._examine(), self._repair_all() if number else ()):
            self.tell(self._line(number, before, begin, "running"))
            if time.monotonic() - self._saved > SAVE_EVERY_S:
                self.save()
                self._saved = time.monotonic()
            if number and self.budget_s is not None and time.monotonic() - self._begun > self.budget_s:
                break
        line = self._line(number, before, begin, "")
        gained = line.compile - before
        line.status = "as transpiled" if number == 0 else f"+{gained}" if gained else "no gain"
        self.run.epochs.append(line)
        self.save()
        self.tell(line)

    def _line(self, number: int, before: int, begin: float, status: str) -> Epoch:
        run, programs = self.run, len(self.run.programs)
        done = run.count("compiles")
        equal = sum(one.verdict == "equal" for one in run.programs.values())
        delta = (done - before) / programs if programs and number else 0.0
        return Epoch(
            number,
            programs,
            programs - run.count("not transpiled"),
            done,
            equal,
            delta,
            status,
            time.monotonic() - begin,
        )

    def _examine(self) -> Iterator[None]:
        """Transpile, compile and classify every program that was not yet."""
        left = [self.sources[one.name] for one in self.run.programs.values() if not one.examined]
        for source, result in zip(left, in_parallel(self.transpile, left, self.jobs), strict=True):
            self._take(self.run.programs[source.name], result)
            yield

    def _take(self, program: Program, result: Result) -> None:
        program.rust, program.cargo_toml, program.message = result.rust, result.cargo_toml, result.message[:500]
        errors = [one for one in result.diagnostics if one.level == "error"]
        program.errors, program.examined = len(errors), True
        if result.outcome == "compiled":
            program.status = "compiles"
        elif result.rust is not None:
            program.status = "broken"
            said = self._classify(program, result)
            self.run.rows += rows_of(program.name, result.diagnostics[:MAX_DIAGNOSTICS], said, self.about)

    def _classify(self, program: Program, result: Result) -> Prediction | None:
        if not result.diagnostics:
            return None
        now = datetime.now(UTC)
        record = CompilerErrors(
            id=program.digest, time=now, project="improve", diagnostics=result.diagnostics[:MAX_DIAGNOSTICS]
        )
        return step(self.model, record, now)[0]

    def _repair_all(self) -> Iterator[None]:
        """Repair what does not compile, those with the fewest errors first."""
        left = sorted(self._open(), key=lambda one: (one.errors, one.name))
        for program, done in zip(left, in_parallel(self._repaired, left, self.jobs), strict=True):
            program.tries += 1
            if done is not None:
                self._learn(program, done)
            yield

    def _repaired(self, program: Program) -> Repaired | None:
        text, python = program.rust or "", self.sources[program.name].text
        with suppress(BrokenError):  # rustc itself broke down on it
            budget = self._budget(program)
            return self.repair(program.name, text, python, program.cargo_toml, rates=self.run.rates, budget_s=budget)
        return None

    def _budget(self, program: Program) -> float:
        return min(LONGEST_BUDGET_S, FIRST_BUDGET_S * GROWTH**program.tries)

    def _learn(self, program: Program, done: Repaired) -> None:
        program.rust, program.errors, program.verdict = done.text, done.errors_after, done.behaviour
        program.by_fix |= bool(done.applied)
        if done.compiles:
            program.status = "compiles"
        with_fixes(self.run.rows, program.name, done.applied)


def programs_of(sources: Mapping[str, Source], known: Mapping[str, Program]) -> dict[str, Program]:
    """Return the programs of a run: those known, as long as their text is the same, and new ones."""
    made = {}
    for name, source in sources.items():
        before, now = known.get(name), digest(source.text)
        made[name] = before if before is not None and before.digest == now else Program(name, now)
    return made
