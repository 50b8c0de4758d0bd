"""One program: what rustc says, what is repaired, whether it then does what the Python does."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from models.repair.candidates import Subject
from models.repair.ranking import Rates, shipped_rates
from producers.fix.compiler import Compiler, manifest_for
from producers.fix.loop import Applied, Loop, progress
from producers.verify.oracle import verify
from producers.verify.verdict import Verdict

BUDGET_S = 15.5  # starting Python takes up to 3 s of the 20 s promised where the machine is busy
ORACLE_SHARE = 0.3  # of the budget, kept for the oracle
ORACLE_MS = 2_500  # for each side
LOOK_S = 4.0  # what another look takes at least
MAX_LOOKS = 2
OVERFLOW = frozenset({"overflow"})
Behaviour = Literal["equal", "different", "untestable"]


@dataclass
class Repaired:
    """What became of a program; ``text`` is the best version, ``before`` the one given."""

    file: str
    before: str
    text: str
    errors_before: int
    errors_after: int
    behaviour: Behaviour
    why: str
    applied: list[Applied] = field(default_factory=list)
    seconds: float = 0.0
    rustc_runs: int = 0
    rustc_s: float = 0.0
    oracle_s: float = 0.0

    @property
    def compiles(self) -> bool:
        """Return whether rustc is content."""
        return self.errors_after == 0


def repair(
    file: str,
    text: str,
    python: str | None = None,
    cargo_toml: str = "",
    *,
    rates: Rates | None = None,
    budget_s: float = BUDGET_S,
) -> Repaired:
    """Return ``text`` repaired as far as possible within ``budget_s``.

    ``file`` is only a name. Raises ``ToolError`` where rustc is missing, ``BrokenError`` where it breaks down on the
    program as given.
    """
    begin = time.monotonic()
    end, halt = begin + budget_s, begin + budget_s * (1 - ORACLE_SHARE)
    manifest = manifest_for(text, cargo_toml)
    with tempfile.TemporaryDirectory(prefix="jidoka-") as place:
        compiler = Compiler(Path(place), manifest, halt)
        subject = Subject(text, compiler(text), python, manifest)
        loop = Loop(compiler, rates if rates is not None else shipped_rates(), halt)
        found = loop.run(subject)
        if not progress(subject, found):
            found = subject
            loop.applied.clear()
        done = Repaired(file, text, found.text, len(subject.errors), len(found.errors), "untestable", "", loop.applied)
        compiler.deadline = loop.deadline = end
        compare(done, loop, found, end)
    done.rustc_runs, done.rustc_s = compiler.runs, compiler.seconds
    return replace(done, seconds=time.monotonic() - begin)


def compare(done: Repaired, loop: Loop, found: Subject, deadline: float) -> None:
    """Compare the program with its Python; what does something else is written anew, as long as that is better."""
    if found.errors or found.python is None:
        done.why = "it does not compile" if found.errors else "no Python source was given"
        return
    begin = time.monotonic()
    verdict = ask(found, deadline)
    for look in range(MAX_LOOKS):
        wrong = frozenset(one.name for one in verdict.functions if set(one.failures) - OVERFLOW)
        if wrong and look:  # what they call may be at fault
            wrong |= {one.name for one in verdict.functions}
        if not wrong or time.monotonic() > deadline - LOOK_S:
            break
        kept = len(loop.applied)
        better = loop.rewrite(replace(found, wrong=wrong))
        if better is None:
            break
        second = ask(better, deadline)
        if score(second) <= score(verdict):
            del loop.applied[kept:]
            break
        found, verdict, done.text = better, second, better.text
    done.behaviour, done.why = behaviour(verdict)
    done.oracle_s = time.monotonic() - begin


def ask(subject: Subject, deadline: float) -> Verdict:
    """Return the oracle's verdict within what is left of the time."""
    left_ms = int((deadline - time.monotonic()) * 1000)
    timeout_ms = max(300, min(ORACLE_MS, left_ms // 4))
    return verify(
        subject.python or "", subject.text, cargo_toml=subject.cargo_toml, timeout_ms=timeout_ms, deadline=deadline
    )


def score(verdict: Verdict) -> tuple[bool, int, int]:
    """Return how good a verdict is: whether it is one, functions that do something else, then those compared."""
    wrong = sum(bool(set(one.failures) - OVERFLOW) for one in verdict.functions)
    return verdict.answer != "not_comparable", -wrong, sum(one.compared > 0 for one in verdict.functions)


def behaviour(verdict: Verdict) -> tuple[Behaviour, str]:
    """Return the verdict in three words; integers that end are depyler's choice, and count as equal."""
    if verdict.equivalent_but_for(*OVERFLOW):
        return "equal", verdict.why
    return ("untestable" if verdict.answer == "not_comparable" else "different"), verdict.why


def document(done: Repaired) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "file": done.file,
        "errors_before": done.errors_before,
        "errors_after": done.errors_after,
        "compiles": done.compiles,
        "behaviour": done.behaviour,
        "why": done.why,
        "fixes": [fix(one) for one in done.applied],
        "seconds": round(done.seconds, 3),
        "rustc_runs": done.rustc_runs,
        "rustc_seconds": round(done.rustc_s, 3),
        "oracle_seconds": round(done.oracle_s, 3),
    }


def fix(one: Applied) -> dict[str, Any]:
    """Return one fix for JSON; lines count from 1, in the text before it."""
    candidate = one.candidate
    return {
        "pattern": candidate.pattern,
        "why": candidate.why,
        "errors": [{"code": error.code or None, "message": error.message} for error in candidate.errors],
        "first": one.first,
        "edits": [
            {
                "line": one.before.count("\n", 0, edit.start) + 1,
                "before": one.before[edit.start : edit.end],
                "after": edit.replacement,
            }
            for edit in candidate.edits
        ],
    }
