"""A program of the ``programs`` topic through transpiler and compiler: the records that come of it.

``Transpiling`` is what ``jidoka worker --role transpile`` is given to do with each record. It knows nothing of Kafka,
and the worker nothing of transpilers. It takes as long as the tools take, in whatever thread it is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from models.records import CompilerErrors, Program, Record, RecordError, TranspileResult, content_id
from producers.ci.grouping import Context, Grouper, Key
from producers.ci.report import Report
from producers.transpile.cache import Cache
from producers.transpile.pipeline import Result, transpile
from producers.transpile.transpiler import Transpiler
from producers.verify.oracle import verify
from producers.verify.verdict import Verdict

MAX_TARGET_CHARS = 1 << 20  # of the Rust that a record carries; what is larger is left out
MAX_SAID_CHARS = 2_000
LANGUAGE = "python"


@dataclass(frozen=True)
class Transpiling:
    """Puts a program through ``tool`` and rustc; with ``verified`` also runs it, confined, beside its Rust.

    Calling it with a program again gives records with the same ids. It raises ``RecordError`` for a program that is
    none of the tool's, and ``ToolError`` where a tool cannot be run at all.
    """

    tool: Transpiler
    cache: Cache | None = None
    verified: bool = False

    def __call__(self, program: Program) -> Sequence[Record]:
        """Return the program's ``TranspileResult``, and after it its failure to compile, if it is one."""
        if program.language != LANGUAGE:
            raise RecordError(f"language {program.language[:40]!r}: {self.tool.name} takes {LANGUAGE}")
        result = transpile(program.source, self.tool, cache=self.cache)
        verdict = _verdict(result) if self.verified and result.outcome == "compiled" else None
        now = datetime.now(UTC)
        return [result_record(program, result, verdict, now), *failures(program, result, now)]


def _verdict(result: Result) -> Verdict:
    return verify(result.source, result.rust or "", cargo_toml=result.cargo_toml)


def result_record(program: Program, result: Result, verdict: Verdict | None, now: datetime) -> TranspileResult:
    """Return what became of a program; ``compiles`` is nothing where rustc was not asked, or gave no answer."""
    at_compiler = result.stage == "compile"
    ended = {"crashed": "crashed", "timeout": "timeout"}.get(result.outcome, "failed")
    judged = result.outcome in ("compiled", "compile_failed")
    rust = result.rust if result.rust is not None and len(result.rust) <= MAX_TARGET_CHARS else None
    worst = verdict.worst if verdict else None
    return TranspileResult.model_validate(
        {
            "id": content_id("transpile-result", program.id, *_tools(result)),
            "time": now,
            "project": program.project,
            "program_id": program.id,
            "tool": result.transpiler,
            "tool_version": result.transpiler_version,
            "outcome": "ok" if at_compiler else ended,
            "wall_ms": result.transpile_ms + result.compile_ms,
            "compiles": result.outcome == "compiled" if judged else None,
            "target_source": rust,
            "message": result.message[:MAX_SAID_CHARS] or None,
            "level": program.level,
            "strategy": program.strategy,
            "verdict": verdict.answer if verdict else None,
            "failure": worst.failure if worst else None,
            "counterexample": worst.why[:MAX_SAID_CHARS] if worst else None,
        }
    )


def failures(program: Program, result: Result, now: datetime) -> Iterator[CompilerErrors]:
    """Yield a program's failure to compile as the line takes failures: in parts, where it has many diagnostics."""
    grouper = Grouper(Context(project=program.project, time=now), Report())
    key = Key(program=program.id)
    for diagnostic in result.diagnostics:
        for record in grouper.add(key, diagnostic, line=0):
            yield _named(record, result)
    for record in grouper.finish(key):
        yield _named(record, result)


def _named(record: CompilerErrors, result: Result) -> CompilerErrors:
    changes = {"id": content_id(record.id, *_tools(result)), "toolchain": result.rustc_version}
    return record.model_copy(update=changes | {"source_language": LANGUAGE})


def _tools(result: Result) -> tuple[str, str, str]:
    return result.transpiler, result.transpiler_version, result.rustc_version
