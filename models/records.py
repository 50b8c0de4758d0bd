"""Versioned records on the topics: one class per topic; ``models/record.py`` reads and validates them.

A record is a JSON object with a ``schema_version``. Every text is untrusted: lengths are bounded here, once, and
nothing in a record is ever executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from models.andon.moved import Lamp, Moved
from models.change import Change
from models.classification import Classification
from models.diagnostics import Count, Diagnostic, Identifier, Long, Project, Short, Text
from models.record import MAX_RECORD_BYTES, Record, RecordError, Upgrade, content_id, parse
from models.taxonomy import parse_label

__all__ = [
    "MAX_DIAGNOSTICS", "MAX_RECORD_BYTES", "RECORDS", "AndonEvent", "CompilerErrors", "DeadLetter", "Feedback", "Model",
    "ModelCheckpoint", "ModelCommand", "Ordinal", "Prediction", "Program", "Record", "RecordError", "TranspileResult",
    "Upgrade", "content_id", "parse",
]  # fmt: skip

MAX_DIAGNOSTICS = 100  # per record; the producer splits a larger build into parts

Ordinal = Annotated[int, Field(ge=1, lt=1 << 31)]


class Program(Record):
    """A source program to be transpiled.

    Programs depend on nothing before them, so they are keyed by their id: all workers have their share.
    """

    topic: ClassVar[str] = "programs"

    language: Short = "python"
    source: Long
    strategy: Short | None = None
    level: Short | None = None
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)] | None = None

    @property
    def message_key(self) -> str:
        """Return the program's id."""
        return self.id


class TranspileResult(Record):
    """What a transpiler made of one program, and whether what came out does the same.

    ``outcome`` is the transpiler's, ``compiles`` the compiler's. ``verdict`` (``equivalent``, ``different``, …) is that
    of running both sides, where somebody did; ``failure`` says how they part, ``counterexample`` on what.
    """

    topic: ClassVar[str] = "transpile-results"

    program_id: Identifier
    tool: Short
    tool_version: Short
    outcome: Literal["ok", "failed", "crashed", "timeout"]
    wall_ms: Annotated[float, Field(ge=0)]
    compiles: bool | None = None
    target_source: Long | None = None
    message: Text | None = None
    level: Short | None = None
    strategy: Short | None = None
    verdict: Short | None = None
    failure: Short | None = None
    counterexample: Text | None = None


class CompilerErrors(Record):
    """One failed compilation with its diagnostics: the unit of the line.

    A build with more than ``MAX_DIAGNOSTICS`` is split: ``part`` counts from 1 and the last part carries ``parts``.
    ``change`` tells in numbers what the commit did.
    """

    topic: ClassVar[str] = "compiler-errors"

    run: Short | None = None
    commit: Short | None = None
    change: Change | None = None
    toolchain: Short | None = None
    tool: Short = "rustc"
    source_language: Short | None = None
    program_id: Identifier | None = None
    target: Short | None = None
    part: Ordinal = 1
    parts: Ordinal | None = None
    diagnostics: Annotated[tuple[Diagnostic, ...], Field(min_length=1, max_length=MAX_DIAGNOSTICS)]


class Feedback(Record):
    """What a person (or a verifier) says a diagnostic really is.

    With a ``fix`` (a pattern) it says whether that was ``applied`` or rejected; ``category`` is then the one that was
    answered, and is not learned.
    """

    topic: ClassVar[str] = "feedback"

    failure_id: Identifier
    index: Annotated[int, Field(ge=0, lt=MAX_DIAGNOSTICS)]
    category: Annotated[Short, AfterValidator(parse_label)]
    fix: Short | None = None
    applied: bool | None = None
    author: Short | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _fix_was_applied_or_not(self) -> Feedback:
        if (self.fix is None) != (self.applied is None):
            raise ValueError("fix and applied belong together: which pattern, and whether it was applied")
        return self


class Prediction(Record):
    """The answer to one ``CompilerErrors`` record; ``root`` is the index of the cascade's first cause."""

    topic: ClassVar[str] = "predictions"

    failure_id: Identifier
    run: Short | None = None
    commit: Short | None = None
    part: Ordinal = 1
    parts: Ordinal | None = None
    model_version: Short
    root: Count
    classifications: Annotated[tuple[Classification, ...], Field(min_length=1, max_length=MAX_DIAGNOSTICS)]

    @model_validator(mode="after")
    def _root_is_there(self) -> Prediction:
        if self.root >= len(self.classifications):
            raise ValueError(f"root {self.root} of {len(self.classifications)} classifications, counted from 0")
        return self


class Model(Record):
    """A published model: its card, and (base64) the snapshot from which new partitions start.

    With a ``card`` (JSON, as text) it is a student: the payload is an ONNX graph, and ``sha256`` the graph's.
    """

    topic: ClassVar[str] = "models"

    name: Short
    scores: dict[str, float] = Field(default_factory=dict)
    baselines: dict[str, float] = Field(default_factory=dict)
    sha256: Short
    card: str | None = Field(default=None, max_length=1 << 20)
    payload: str = Field(max_length=MAX_RECORD_BYTES * 4)

    @property
    def message_key(self) -> str:
        """Return the model's name: the compacted topic keeps the newest of each name."""
        return self.name


class ModelCheckpoint(Record):
    """A partition's model at an offset: a whole ``base``, or a ``delta`` against the checkpoint before.

    ``offsets`` maps a source topic to the next offset to read; ``sequence`` grows by one with each checkpoint.
    A payload (base64) too large for one message is cut into ``chunks``.
    """

    topic: ClassVar[str] = "model-checkpoints"

    partition: Count
    kind: Literal["base", "delta"]
    sequence: Count
    chunk: Count = 0
    chunks: Ordinal = 1
    offsets: dict[Short, Count]
    river_version: Short
    code_version: Short
    sha256: Short
    payload: str = Field(max_length=MAX_RECORD_BYTES * 4)


class ModelCommand(Record):
    """What a person, or the andon, asks of one partition's model.

    ``rollback``: to go back to the base ``sequence`` of its checkpoints. ``challenge``: to let the published model
    ``name`` learn in shadow, scored by the labels of people alone where ``rules`` is false; a student predicts only.
    ``give-up``: to end that. ``promote``: to let the published model answer from the next batch on, without a test, a
    student beside the classifier. ``retire``: to let the student that answers go.
    ``acknowledge``: to note that somebody looks after what the lamp shows. ``resume``: to put the lamp out and learn
    again; with ``rebaseline`` what comes from now on is taken for normal. Both are about the ``condition``, or all, in
    the project ``scope``, or all. ``recall``: to let the newest base that had answered at most ``failures``
    compilations predict in shadow, and answer if it is better.

    It has to stand in the partition that it names. ``sha256`` is that of the base's or the model's content: this one,
    or none.
    """

    topic: ClassVar[str] = "model-commands"
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "rollback": ("sequence", "sha256"),
        "challenge": ("name", "sha256"),
        "promote": ("name", "sha256"),
        "recall": ("failures",),
    }

    action: Literal["rollback", "challenge", "promote", "retire", "give-up", "acknowledge", "resume", "recall"]
    partition: Count
    sequence: Count | None = None
    name: Short | None = None
    sha256: Short | None = None
    rules: bool | None = None
    condition: Short | None = None
    scope: Project | None = None
    rebaseline: bool | None = None
    failures: Count | None = None
    author: Short | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> ModelCommand:
        if missing := [name for name in self.needs.get(self.action, ()) if getattr(self, name) is None]:
            raise ValueError(f"{self.action} without {' and '.join(missing)}")
        return self


class AndonEvent(Record):
    """A condition of the line was raised, acknowledged, resumed or cleared; ``lamp`` is the partition's colour since.

    ``project`` is whose build it was noticed at. ``scope`` is whose builds it is about: one project's, or nothing for
    all of the partition. ``signal`` is what was watched; ``statistic`` reached ``threshold``. ``categories`` are those
    that moved, the largest contribution first, ``first_build`` is where it is estimated to begin, ``examples`` are ids
    of failures that show it. ``answered`` is how many compilations the partition had answered when it began, if known.
    """

    topic: ClassVar[str] = "andon-events"

    kind: Short
    severity: Literal["info", "warning", "halt"]
    message: Text
    details: dict[str, float] = Field(default_factory=dict)
    transition: Literal["raised", "acknowledged", "resumed", "cleared", "recalled"] = "raised"
    lamp: Lamp | None = None
    partition: Count | None = None
    scope: Project | None = None
    signal: Short | None = None
    statistic: float | None = None
    threshold: float | None = None
    categories: Annotated[tuple[Moved, ...], Field(max_length=20)] = ()
    first_build: Identifier | None = None
    examples: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    answered: Count | None = None
    recommendation: Short | None = None
    runbook: Short | None = None
    author: Short | None = None
    comment: Text | None = None


class DeadLetter(Record):
    """A record that could not be read: its original bytes (base64), where it stood and why it was refused."""

    topic: ClassVar[str] = "dead-letters"

    source_topic: Short
    partition: Count
    offset: Count
    reason: Text
    key: str | None = Field(default=None, max_length=MAX_RECORD_BYTES * 4)
    value: str | None = Field(default=None, max_length=MAX_RECORD_BYTES * 4)
    headers: dict[Short, str] = Field(default_factory=dict)


RECORDS: tuple[type[Record], ...] = (
    *(Program, TranspileResult, CompilerErrors, Feedback, Prediction),
    *(Model, ModelCheckpoint, ModelCommand, AndonEvent, DeadLetter),
)
