"""The counters of the synthetic line, read from the records that programs end in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Program, TranspileResult
from streams.metrics import Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def program(level: str | None) -> Program:
    return Program(id="p", time=NOW, project="test/one", source="pass", level=level)


def result(**changes: Any) -> TranspileResult:
    said = {"id": "r", "time": NOW, "project": "test/one", "program_id": "p", "tool": "t", "tool_version": "1"}
    return TranspileResult.model_validate(said | {"outcome": "ok", "wall_ms": 700.0} | changes)


def failed(part: int = 1) -> CompilerErrors:
    first = Diagnostic(code="E0382", message="use of moved value", level="error")
    return CompilerErrors(id="e", time=NOW, project="test/one", diagnostics=(first,), part=part)


class TestCounts:
    def read(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def setup_method(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry).programs
        self.metrics.begin_at_zero()

    def test_begin_at_zero(self) -> None:
        """Outcomes by level and verdicts are there before the first program: an increase is seen from the first on."""
        assert self.read("jidoka_programs_total", outcome="compiled", level="expert") == 0
        assert self.read("jidoka_program_verdicts_total", failure="value") == 0

    def test_how_far_programs_come(self) -> None:
        """Each program counts once, by outcome and level; whatever else a level is called counts as other."""
        self.metrics.count(program("basic"), [result(compiles=True)])
        self.metrics.count(program("a level of my own"), [result(compiles=False), failed()])
        self.metrics.count(program(None), [result(outcome="crashed")])
        assert self.read("jidoka_programs_total", outcome="compiled", level="basic") == 1
        assert self.read("jidoka_programs_total", outcome="not_compiled", level="other") == 1
        assert self.read("jidoka_programs_total", outcome="crashed", level="other") == 1
        assert self.read("jidoka_program_seconds_count") == 3

    def test_categories_reached(self) -> None:
        """A failure counts by the category of its first error, and once, in however many parts it comes."""
        self.metrics.count(program("basic"), [result(compiles=False), failed(), failed(part=2)])
        assert self.read("jidoka_program_failures_total", category="OwnershipBorrow") == 1

    def test_verdicts(self) -> None:
        """Programs that were run count by how the sides part; those that were not run do not."""
        for changes in ({"verdict": "different", "failure": "value"}, {"verdict": "equivalent"}, {}):
            self.metrics.count(program("basic"), [result(compiles=True, **changes)])
        self.metrics.count(program("basic"), [result(compiles=True, verdict="not_comparable")])
        names = ("value", "none", "not comparable", "panic")
        assert [self.read("jidoka_program_verdicts_total", failure=name) for name in names] == [1, 1, 1, 0]
