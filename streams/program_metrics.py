"""What became of programs, as metrics: acceptance, categories reached, verdicts; read from the records they end in."""

from __future__ import annotations

from collections.abc import Iterable

from models.records import CompilerErrors, Program, Record, TranspileResult
from models.taxonomy import category_of, rule_for
from streams.families import Families

LEVELS = ("basic", "intermediate", "advanced", "expert")
OTHER = "other"  # whoever sends programs may call a level anything; a label has few values
OUTCOMES = ("compiled", "not_compiled", "failed", "crashed", "timeout")
FAILURES = (
    *("value", "type", "stdout", "mutation", "panic", "error", "crash", "no exception", "hang", "overflow"),
    *("none", "not comparable"),
)
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0)


class ProgramMetrics:
    """Counters of the synthetic line; a worker that transpiles begins them at zero."""

    def __init__(self, make: Families) -> None:
        self.programs = make.counter("jidoka_programs_total", "Programs put through the transpiler", "outcome", "level")
        self.seconds = make.histogram("jidoka_program_seconds", "A program through transpiler and compiler", SECONDS)
        self.categories = make.counter(
            "jidoka_program_failures_total",
            "Programs that do not compile, by their first error's category",
            "category",
        )
        self.verdicts = make.counter(
            "jidoka_program_verdicts_total",
            "Programs run beside their Rust, by how the two part; none: not",
            "failure",
        )
        self.in_hand = make.gauge("jidoka_program_in_hand_seconds", "How long the program in hand has taken so far")

    def begin_at_zero(self) -> None:
        """Export the counters before the first count: Prometheus sees no increase in a series that begins with it."""
        for outcome in OUTCOMES:
            for level in (*LEVELS, OTHER):
                self.programs.labels(outcome, level)
        for failure in FAILURES:
            self.verdicts.labels(failure)

    def count(self, program: Program, records: Iterable[Record]) -> None:
        """Count a program by what came of it."""
        level = program.level if program.level in LEVELS else OTHER
        for record in records:
            if isinstance(record, TranspileResult):
                self.programs.labels(outcome_of(record), level).inc()
                self.seconds.observe(record.wall_ms / 1000)
                if record.verdict is not None:
                    self.verdicts.labels(failure_of(record)).inc()
            elif isinstance(record, CompilerErrors) and record.part == 1:
                self.categories.labels(_category(record)).inc()


def outcome_of_all(records: Iterable[Record]) -> list[str]:
    """Return the outcomes among records: of one program's, one."""
    return [outcome_of(one) for one in records if isinstance(one, TranspileResult)]


def outcome_of(result: TranspileResult) -> str:
    """Return how far a program came, as one of ``OUTCOMES``; a compiler without an answer did not compile it."""
    if result.outcome != "ok":
        return result.outcome
    return "compiled" if result.compiles else "not_compiled"


def failure_of(result: TranspileResult) -> str:
    """Return how the sides part, as one of ``FAILURES``."""
    if result.verdict == "not_comparable":
        return "not comparable"
    return result.failure if result.failure in FAILURES else "none"


def _category(record: CompilerErrors) -> str:
    """Return the category that the code table gives the first error; ``other`` where it gives none."""
    first = record.diagnostics[0]
    rule = rule_for(first.code, first.message)
    return category_of(rule.label) if rule else OTHER
