"""What a program's way through the tools comes to on the topics; the tools themselves stand in test_transpile.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.diagnostics import Diagnostic
from models.records import MAX_DIAGNOSTICS, Program, RecordError
from producers.transpile.on_topic import Transpiling, failures, result_record
from producers.transpile.pipeline import Result
from producers.transpile.transpiler import Depyler
from producers.verify.verdict import Counterexample, FunctionVerdict, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
PROGRAM = Program(id="p", time=NOW, project="test/one", source="x = 1\n", level="basic", strategy="random")


def result(**changes: Any) -> Result:
    """Return what the tools made of the program: it compiles, unless ``changes`` say otherwise."""
    said: dict[str, Any] = {
        "program_id": "p",
        "source": PROGRAM.source,
        "outcome": "compiled",
        "stage": "compile",
        "rust": "pub fn f() {}",
        "cargo_toml": "",
        "diagnostics": (),
        "message": "",
        "transpiler": "depyler",
        "transpiler_version": "4.1.1",
        "rustc_version": "rustc 1.95.0",
        "transpile_ms": 300.0,
        "compile_ms": 200.0,
    }
    return Result(**(said | changes))


def errors(count: int) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(code="E0308", message=f"mismatched types {number}", level="error") for number in range(count)
    )


class TestResult:
    @pytest.mark.parametrize(
        ("outcome", "stage", "expected"),
        [
            ("compiled", "compile", ("ok", True)),
            ("compile_failed", "compile", ("ok", False)),
            ("timeout", "compile", ("ok", None)),
            ("transpile_failed", "transpile", ("failed", None)),
            ("crashed", "transpile", ("crashed", None)),
            ("timeout", "transpile", ("timeout", None)),
        ],
    )
    def test_outcomes(self, outcome: str, stage: str, expected: tuple[str, bool | None]) -> None:
        """The transpiler's outcome and the compiler's verdict are told apart."""
        record = result_record(PROGRAM, result(outcome=outcome, stage=stage), None, NOW)
        assert (record.outcome, record.compiles) == expected
        assert (record.level, record.strategy, record.wall_ms) == ("basic", "random", 500.0)

    def test_a_verdict(self) -> None:
        """Where both sides were run, the answer, how they part and on what are in the record."""
        found = Counterexample((1,), "f(1)", "1", "2")
        function = FunctionVerdict(
            "f", "different", "value: f(1) is 1, and 2 in Rust", failure="value", counterexample=found
        )
        record = result_record(PROGRAM, result(), Verdict("different", "", (function,)), NOW)
        assert (record.verdict, record.failure) == ("different", "value")
        assert record.counterexample == "value: f(1) is 1, and 2 in Rust"

    def test_what_is_too_large_is_left_out(self) -> None:
        """A target of more than the record takes does not hinder the result."""
        assert result_record(PROGRAM, result(rust="x" * (1 << 21)), None, NOW).target_source is None

    def test_the_id_is_that_of_the_content(self) -> None:
        """Done again later, the result has the same id; with another version of the tool it has another."""
        first, again = (result_record(PROGRAM, result(), None, time).id for time in (NOW, LATER))
        assert first == again != result_record(PROGRAM, result(transpiler_version="4.2.0"), None, NOW).id


class TestFailures:
    def test_a_failure(self) -> None:
        """A program that does not compile is a failure of its project, with the program's id and the toolchain."""
        (record,) = failures(PROGRAM, result(outcome="compile_failed", diagnostics=errors(2)), NOW)
        assert (record.project, record.program_id, len(record.diagnostics)) == ("test/one", "p", 2)
        assert (record.toolchain, record.source_language) == ("rustc 1.95.0", "python")

    def test_many_diagnostics_come_in_parts(self) -> None:
        """A failure with more diagnostics than a record takes comes in parts with ids of their own."""
        found = list(failures(PROGRAM, result(diagnostics=errors(MAX_DIAGNOSTICS + 1)), NOW))
        assert [(one.part, one.parts, len(one.diagnostics)) for one in found] == [(1, None, MAX_DIAGNOSTICS), (2, 2, 1)]
        assert len({one.id for one in found}) == 2

    def test_what_compiles_is_none(self) -> None:
        """A program that compiles, or was not transpiled, is no failure to compile."""
        assert list(failures(PROGRAM, result(), NOW)) == []


def test_another_language_is_refused() -> None:
    """A program in a language that the tool does not take is refused before any tool is asked."""
    with pytest.raises(RecordError, match="language 'ruby': depyler takes python"):
        Transpiling(Depyler())(PROGRAM.model_copy(update={"language": "ruby"}))
