"""Versioned records on the topics: one class per topic, parse and validate.

A record is a JSON object with a ``schema_version``. Readers accept every version up to their own: an older
document is lifted by the class's ``upgrades`` before it is validated; a newer one is refused, because guessing at
fields one has never seen is how data gets lost quietly. Unknown fields of a known version are ignored.

Every text is untrusted: lengths are bounded here, once, and nothing in a record is ever executed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import orjson
from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, field_validator, model_validator

from models.change import Change
from models.classification import Classification
from models.diagnostics import Count, Diagnostic, Identifier, Long, Part, Project, Short, Text
from models.taxonomy import parse_label

MAX_RECORD_BYTES = 4 << 20  # one build with all its errors; larger ones are split by the producer
MAX_DIAGNOSTICS = 100  # per record; the producer splits a larger build into parts
MAX_PLACE_CHARS = 200  # of a field's path in a message: a path may hold a key of the untrusted document

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
Ordinal = Annotated[int, Field(ge=1, lt=1 << 31)]


class RecordError(ValueError):
    """Bytes that are not a record this reader accepts; the message says what, where and what is allowed."""


class Record(Part):
    """One record of a topic.

    ``topic`` is the middle of the topic's name (``jidoka.<topic>.v1``). ``upgrades[n]`` lifts a document of
    version ``n`` to ``n + 1``.
    """

    topic: ClassVar[str]
    version: ClassVar[int] = 1
    upgrades: ClassVar[Mapping[int, Upgrade]] = {}

    schema_version: int = Field(default=1, validate_default=True)
    id: Identifier
    time: AwareDatetime
    project: Project

    @field_validator("schema_version")
    @classmethod
    def _current(cls, _: int) -> int:
        return cls.version  # whatever was read has been lifted; whatever is made here is of the newest version

    @property
    def message_key(self) -> str:
        """Return the message's key: one project's records stay in order on one partition."""
        return self.project

    def to_bytes(self) -> bytes:
        """Return the JSON value that goes on the topic; fields that hold nothing are left out."""
        return orjson.dumps(self.model_dump(mode="json", exclude_none=True))


class Program(Record):
    """A source program to be transpiled."""

    topic: ClassVar[str] = "programs"

    language: Short = "python"
    source: Long
    strategy: Short | None = None
    level: Short | None = None
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)] | None = None


class TranspileResult(Record):
    """What a transpiler made of one program."""

    topic: ClassVar[str] = "transpile-results"

    program_id: Identifier
    tool: Short
    tool_version: Short
    outcome: Literal["ok", "failed", "crashed", "timeout"]
    wall_ms: Annotated[float, Field(ge=0)]
    compiles: bool | None = None
    target_source: Long | None = None
    message: Text | None = None


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
    """What a person (or a verifier) says a diagnostic really is."""

    topic: ClassVar[str] = "feedback"

    failure_id: Identifier
    index: Annotated[int, Field(ge=0, lt=MAX_DIAGNOSTICS)]
    category: Annotated[Short, AfterValidator(parse_label)]
    author: Short | None = None
    comment: Text | None = None


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
    """A published model: its card, and the snapshot (base64) from which new partitions start."""

    topic: ClassVar[str] = "models"

    name: Short
    scores: dict[str, float] = Field(default_factory=dict)
    baselines: dict[str, float] = Field(default_factory=dict)
    sha256: Short
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
    """What a person asks of one partition's model.

    ``rollback``: to go back to the base ``sequence`` of its checkpoints. ``challenge``: to let the published model
    ``name`` learn in shadow, scored by the labels of people alone where ``rules`` is false. ``give-up``: to end that.

    It has to stand in the partition that it names. ``sha256`` is that of the base's or the model's content: this one,
    or none.
    """

    topic: ClassVar[str] = "model-commands"
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "rollback": ("sequence", "sha256"),
        "challenge": ("name", "sha256"),
        "give-up": (),
    }

    action: Literal["rollback", "challenge", "give-up"]
    partition: Count
    sequence: Count | None = None
    name: Short | None = None
    sha256: Short | None = None
    rules: bool | None = None
    author: Short | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> ModelCommand:
        if missing := [name for name in self.needs[self.action] if getattr(self, name) is None]:
            raise ValueError(f"{self.action} without {' and '.join(missing)}")
        return self


class AndonEvent(Record):
    """The line's lamp changed, or something wants a person's eye."""

    topic: ClassVar[str] = "andon-events"

    kind: Short
    severity: Literal["info", "warning", "halt"]
    message: Text
    details: dict[str, float] = Field(default_factory=dict)


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

R = TypeVar("R", bound=Record)


def parse(kind: type[R], raw: bytes | None, limit: int = MAX_RECORD_BYTES) -> R:
    """Return the record in ``raw``, lifted to the current version.

    Raises ``RecordError`` for anything else: nothing, too many bytes, no JSON object, a version newer than this
    reader, a field that breaks its rule.
    """
    if not raw:
        raise RecordError(f"empty value: a {kind.topic} record is a JSON object")
    if len(raw) > limit:
        raise RecordError(f"{len(raw)} bytes: a {kind.topic} record has at most {limit}")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise RecordError(f"a {type(document).__name__}: a {kind.topic} record is a JSON object")
    try:
        return kind.model_validate(_lift(kind, document))
    except ValidationError as error:
        raise RecordError(_explain(kind, error)) from None


def content_id(*parts: object) -> str:
    """Return a stable id (32 hex digits) of JSON-able content: equal content, equal id."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _lift(kind: type[Record], document: dict[str, Any]) -> dict[str, Any]:
    version = document.get("schema_version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= kind.version:
        # Never the value itself: it may have any size and depth.
        given = version if type(version) is int else type(version).__name__
        raise RecordError(
            f"schema_version {given}: this reader knows {kind.topic} 1 to {kind.version}; upgrade jidoka to read it"
        )
    try:
        for step in range(version, kind.version):
            document = kind.upgrades[step](document)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"[:MAX_PLACE_CHARS]
        raise RecordError(f"schema_version {version}: not a {kind.topic} record of that version ({what})") from None
    return {**document, "schema_version": kind.version}


def _explain(kind: type[Record], error: ValidationError) -> str:
    first, count = error.errors(include_url=False, include_input=False)[0], error.error_count()
    place = ".".join(map(str, first["loc"]))[:MAX_PLACE_CHARS] or "record"
    more = f" (and {count - 1} more)" if count > 1 else ""
    return f"{kind.topic}: {place}: {first['msg']}{more}"
