"""The repair loop: batches of candidates, one run of rustc each, kept where the judge sees progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import models.repair.patterns  # noqa: F401 - registers them
from models.repair.batch import REGENERATED, compatible, key, worked
from models.repair.candidates import Candidate, Subject, from_patterns
from models.repair.edits import apply
from models.repair.errors import RustError
from models.repair.guards import refused
from models.repair.judge import better, standing
from models.repair.ranking import Rates
from models.repair.regenerate import from_python
from models.repair.suggestions import from_rustc
from producers.fix.compiler import BrokenError, Compiler

MAX_ROUNDS = 12
Source = Callable[[Subject], Iterable[Candidate]]


@dataclass
class Applied:
    """A fix that was kept: the candidate, the text before and after it, and whether it was the first proposed."""

    candidate: Candidate
    before: str
    first: bool


@dataclass
class Loop:
    """One program being repaired; ``deadline`` is of ``time.monotonic``."""

    compiler: Compiler
    rates: Rates
    deadline: float
    sources: Sequence[Source] = (from_python, from_patterns, from_rustc)
    applied: list[Applied] = field(default_factory=list)
    tried: set[tuple[object, ...]] = field(default_factory=set)
    proposed: dict[tuple[str, str, str], str] = field(default_factory=dict)  # by error: the pattern proposed first

    def run(self, subject: Subject) -> Subject:
        """Return the program as far as it could be repaired; the best state that rustc has seen."""
        best, kept = subject, 0
        for _ in range(MAX_ROUNDS):
            if not subject.errors or self._late():
                break
            ranked = self.candidates(subject)
            batch = compatible(ranked)
            if not batch:
                break
            after = self._batch(subject, batch)
            if after is None:
                break
            subject = after
            if len(subject.errors) <= len(best.errors):
                best, kept = subject, len(self.applied)
        del self.applied[kept:]  # a later phase with more errors is no result, only a way to one
        return best

    def rewrite(self, subject: Subject) -> Subject | None:
        """Return the program with its ``wrong`` functions written anew, or nothing where that does not compile."""
        batch = compatible(one for one in from_python(subject) if key(subject, one) not in self.tried)
        allowed = [one for one in batch if not refused(subject.text, one, translated=True)]
        self.tried.update(key(subject, one) for one in allowed)
        after = self._try(subject, allowed) if allowed else None
        if after is not None and after.errors:
            good, _ = worked(subject, after.errors, after.text, allowed)
            allowed = good
            after = self._try(subject, good) if good else None
        if after is None or after.errors:
            return None
        self._learn(subject, allowed, [])
        return after

    def candidates(self, subject: Subject) -> list[Candidate]:
        """Return what has not been tried yet and may be, the likeliest first."""
        found = takewhile(lambda _: not self._late(), (one for source in self.sources for one in source(subject)))
        fresh = [one for one in found if key(subject, one) not in self.tried]
        allowed = [one for one in fresh if not refused(subject.text, one, translated=one.pattern in REGENERATED)]
        ranked = self.rates.rank(allowed)
        for one in ranked:
            for error in one.errors:
                self.proposed.setdefault(_place(subject, error), one.pattern)
        return ranked

    def _batch(self, subject: Subject, batch: Sequence[Candidate]) -> Subject | None:
        """Return the program after what worked of a batch; the same one where nothing did, nothing when out of time."""
        self.tried.update(key(subject, one) for one in batch)
        after = self._try(subject, batch)
        if after is None:
            return None
        good, bad = worked(subject, after.errors, after.text, batch)
        if bad and good:
            kept = self._try(subject, good)
            if kept is not None and better(subject.errors, kept.errors, _targets(good)):
                self._learn(subject, good, bad)
                return kept
        spoilt = any(one.pattern in REGENERATED for one in bad)
        if good and not spoilt and better(subject.errors, after.errors, _targets(batch)):
            self._learn(subject, good, bad)
            return after
        if len(batch) == 1 or self._late():
            self._learn(subject, [], list(batch))
            return subject
        return self._halves(subject, batch)

    def _halves(self, subject: Subject, batch: Sequence[Candidate]) -> Subject | None:
        """Try the parts of a batch that made no progress as a whole: by pattern first, then by halves."""
        names = list(dict.fromkeys(one.pattern for one in batch))
        if len(names) > 1:
            parts = [
                [one for one in batch if one.pattern in some]
                for some in (names[: len(names) // 2], names[len(names) // 2 :])
            ]
        else:
            parts = [list(batch[: len(batch) // 2]), list(batch[len(batch) // 2 :])]
        done = self._batch(subject, parts[0])
        if done is None or done is not subject:
            for one in parts[1]:
                self.tried.discard(key(subject, one))
            return done
        return self._batch(subject, parts[1])

    def _try(self, subject: Subject, batch: Sequence[Candidate]) -> Subject | None:
        if self._late():
            return None
        text = apply(subject.text, [edit for one in batch for edit in one.edits])
        try:
            errors: tuple[RustError, ...] = self.compiler(text)
        except BrokenError:
            return None
        return replace(subject, text=text, errors=errors)

    def _learn(self, subject: Subject, good: Sequence[Candidate], bad: Sequence[Candidate]) -> None:
        for accepted, some in ((True, good), (False, bad)):
            for one in some:
                self.rates.update(one.pattern, one.template, accepted=accepted)
                if accepted:
                    firsts = [self.proposed.get(_place(subject, error), one.pattern) for error in one.errors]
                    first = not firsts or one.pattern in firsts
                    self.applied.append(Applied(one, subject.text, first=first))

    def _late(self) -> bool:
        return time.monotonic() > self.deadline


def _place(subject: Subject, error: RustError) -> tuple[str, str, str]:
    """Return what an error is, whatever the edits around it."""
    return (*subject.places.path(error.place[0]), f"{error.code} {error.message}")


def _targets(batch: Iterable[Candidate]) -> list[RustError]:
    return [error for one in batch for error in one.errors]


def progress(before: Subject, after: Subject) -> bool:
    """Return whether a whole repair is worth keeping: fewer errors in the end."""
    return standing(after.errors).errors < standing(before.errors).errors
