"""What all records on the topics have in common: a version, how it is lifted, and how bytes become a record.

Readers accept every version up to their own: an older document is lifted by the class's ``upgrades`` before it is
validated; a newer one is refused, because guessing at fields one has never seen is how data gets lost quietly. Unknown
fields of a known version are ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import orjson
from pydantic import AwareDatetime, Field, ValidationError, field_validator

from models.diagnostics import Identifier, Part, Project

MAX_RECORD_BYTES = 4 << 20  # one build with all its errors; larger ones are split by the producer
MAX_PLACE_CHARS = 200  # of a field's path in a message: a path may hold a key of the untrusted document

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


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
