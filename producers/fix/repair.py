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

BUDGET_S = 20.0
ORACLE_S = 4.0  # of the budget, kept for the oracle
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
    manifest = manifest_for(text, cargo_toml)
    with tempfile.TemporaryDirectory(prefix="jidoka-") as place:
        compiler = Compiler(Path(place), manifest, budget_s / 2)
        subject = Subject(text, compiler(text), python, manifest)
        loop = Loop(compiler, rates if rates is not None else shipped_rates(), begin + budget_s - ORACLE_S)
        found = loop.run(subject)
        if not progress(subject, found):
            found = subject
            loop.applied.clear()
    done = Repaired(file, text, found.text, len(subject.errors), len(found.errors), "untestable", "", loop.applied)
    done.rustc_runs, done.rustc_s = compiler.runs, compiler.seconds
    looked = time.monotonic()
    done.behaviour, done.why = behaviour(found, budget_s - (looked - begin))
    done.oracle_s = time.monotonic() - looked
    return replace(done, seconds=time.monotonic() - begin)


def behaviour(subject: Subject, left_s: float) -> tuple[Behaviour, str]:
    """Return whether the program does what its Python does, or why that cannot be told."""
    if subject.errors:
        return "untestable", "it does not compile"
    if subject.python is None:
        return "untestable", "no Python source was given"
    if left_s < 1:
        return "untestable", "no time was left to compare"
    verdict = verify(
        subject.python, subject.text, cargo_toml=subject.cargo_toml, timeout_ms=min(2_500, int(left_s * 300))
    )
    if verdict.equivalent_but_for("overflow"):
        return "equal", verdict.why
    if verdict.answer == "not_comparable":
        return "untestable", verdict.why
    return "different", verdict.why


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
