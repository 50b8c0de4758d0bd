"""Generated programs and the real tools: easy ones mostly compile, and what becomes of them is learned from."""

from __future__ import annotations

from models.feedback import template_key
from producers.generate.choices import seed_of
from producers.generate.feedback import transpiling
from producers.generate.profile import Profile
from producers.generate.program import program
from producers.generate.request import Request
from producers.generate.run import Progress, batches
from producers.transpile.pipeline import Result, transpile
from producers.transpile.transpiler import Depyler

PROGRAMS = 12


def test_basic_programs_compile() -> None:
    """More than half of the basic programs become Rust that compiles, and all become Rust."""
    sources = [program(Profile("basic"), seed_of(2, "accepted", index), 3).source for index in range(PROGRAMS)]
    outcomes = [transpile(source, Depyler()).outcome for source in sources]
    assert outcomes.count("compiled") > PROGRAMS / 2
    assert set(outcomes) <= {"compiled", "compile_failed"}


def test_outcomes_are_learned_from() -> None:
    """A strategy that learns asks the transpiler about each program, and hears outcome and templates."""
    results: list[Result] = []
    feedback = transpiling(Depyler(), told=results.append)
    failing = feedback("def pair(a: int, b: str) -> tuple[int, str]:\n    return (a, b)\n")
    assert not failing.passed
    assert failing.seen[0] == "compile_failed"
    assert failing.seen[1:] == (template_key(results[0].diagnostics[0]),)
    assert feedback("def add(a: int, b: int) -> int:\n    return a + b\n").passed
    kept = list(batches(Request("coverage", 3, 2, 1), Progress(), feedback=feedback))
    assert len(results) >= 2 + sum(batch.num_rows for batch in kept)
