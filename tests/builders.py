"""Records for tests of the core: hand-made diagnostics, and seeded streams of builds as rustc words them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from models.classifiers import HashedLogistic
from models.diagnostics import Diagnostic, Note, Span
from models.records import CompilerErrors, Feedback, ModelCommand
from models.state import LineState

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# (code, message, line with the marked part in guillemets, label)
KINDS: tuple[tuple[str | None, str, str, str | None], ...] = (
    ("E0308", "mismatched types", "    let {a}: i32 = «{b}»;", "expected `i32`, found `{T}`"),
    ("E0382", "borrow of moved value: `{a}`", '    println!("{{}}", «{a}»);', "value borrowed here after move"),
    ("E0425", "cannot find value `{a}` in this scope", "    let {b} = «{a}» + 1;", "not found in this scope"),
    ("E0599", "no method named `{a}` found for struct `{T}` in the current scope", "    {b}.«{a}»();", None),
    ("E0277", "the trait bound `{T}: Clone` is not satisfied", "    {a}(«{b}»);", "unsatisfied trait bound"),
    ("E0106", "missing lifetime specifier", "fn {a}({b}: &str) -> «&»str {{", "expected named lifetime parameter"),
    (
        "E0433",
        "failed to resolve: use of undeclared type `{T}`",
        "    let {a} = «{T}»::new();",
        "undeclared type `{T}`",
    ),
    (None, "expected one of `!` or `::`, found `{a}`", "  {b} «{a}»", "expected one of `!` or `::`"),
    (None, "the {b}est of all frobnications", "  «{a}»", None),  # that no rule knows
)

NAMES = {"a": ("kilo", "lima", "mike"), "b": ("oscar", "papa"), "T": ("Widget", "Gadget", "Gizmo")}


def span(line: str = "    let x = «y»;", **fields: Any) -> Span:
    """Return the span that the guillemets mark in ``line``, columns counted from 1 as rustc does."""
    before, _, rest = line.partition("«")
    marked, _, after = rest.partition("»")
    start = len(before) + 1
    place = {"line_start": 7, "line_end": 7, "column_start": start, "column_end": start + len(marked)}
    return Span(**{"file": "src/main.rs", **place, "text": (before + marked + after,), **fields})


def diagnostic(message: str = "mismatched types", code: str | None = None, **fields: Any) -> Diagnostic:
    """Return an error with this message."""
    return Diagnostic(**{"level": "error", "message": message, "code": code, **fields})


def build(record_id: str, *diagnostics: Diagnostic, project: str = "demo") -> CompilerErrors:
    """Return a failed compilation."""
    return CompilerErrors(id=record_id, time=NOW, project=project, diagnostics=diagnostics)


def feedback(failure_id: str, category: str, index: int = 0, feedback_id: str = "", project: str = "demo") -> Feedback:
    """Return what a person says of one diagnostic."""
    return Feedback(
        id=feedback_id or f"said-{failure_id}-{index}-{category}",
        time=NOW,
        project=project,
        failure_id=failure_id,
        index=index,
        category=category,
    )


def model_command(**fields: Any) -> ModelCommand:
    """Return a command to go back to base 4 of partition 0."""
    about = {"id": "command-1", "time": NOW, "project": "jidoka", "action": "rollback"}
    return ModelCommand(**{**about, "partition": 0, "sequence": 4, "sha256": "0" * 64, **fields})


def random_diagnostic(source: random.Random) -> Diagnostic:
    """Return one of ``KINDS`` with names drawn from ``source``."""
    code, message, line, label = source.choice(KINDS)
    names = {name: source.choice(choices) for name, choices in NAMES.items()}
    place = span(line.format(**names), label=label.format(**names) if label else None)
    notes = (Note(level="help", message="consider cloning"),) if source.random() < 0.3 else ()
    return diagnostic(message.format(**names), code, file="src/main.rs", spans=(place,), notes=notes)


def random_builds(count: int, seed: int, largest: int = 4) -> list[CompilerErrors]:
    """Return a seeded stream of builds with one to ``largest`` diagnostics each."""
    source = random.Random(seed)  # noqa: S311 - a stream, not a secret
    return [
        build(f"build-{number}", *(random_diagnostic(source) for _ in range(source.randint(1, largest))))
        for number in range(count)
    ]


def small_state(**fields: Any) -> LineState:
    """Return an empty state whose classifier has only 2^10 rows."""
    return LineState(**{"classifier": HashedLogistic(bits=10), **fields})
