"""The card beside a batch model's weights: what it is, what it was learned from, how good it is, and its digest.

A model is a folder with ``card.json`` and one file of weights (safetensors or ONNX), never a pickle. Whoever loads one
checks the card first, then the digest of the weights, and only then looks into them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.diagnostics import Short

CARD = "card.json"
WEIGHTS = {"teacher": "teacher.safetensors", "student": "student.onnx"}  # kind -> name of the file of weights
SCHEMA_VERSION = 1
MAX_CARD_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = {"teacher": 1 << 30, "student": 64 << 20}
MAX_LABELS = 64

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Score = Annotated[float, Field(allow_inf_nan=False)]


class ModelFileError(ValueError):
    """A model that cannot be taken; the message says which file, what is wrong, and what would do."""


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) < len(labels):
        raise ValueError("a label stands there twice")
    return labels


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FeatureSpace(_Part):
    """What a model is shown: ``describe`` names how a diagnostic becomes features (``models.describe``)."""

    describe: Short
    version: Annotated[int, Field(ge=1)]
    bits: Annotated[int, Field(ge=8, le=22)] | None = None  # of a student's table; a teacher has a vocabulary
    tabular: Annotated[int, Field(ge=0, le=256)] = 0


class DataWindow(_Part):
    """What a model was learned from: how many examples, from which files (names only), and from when to when."""

    files: tuple[Short, ...] = ()
    train: int = 0
    validation: int = 0
    test: int = 0
    first: Short | None = None  # ISO 8601
    last: Short | None = None
    sha256: Digest | None = None  # of the examples
    split: Short = "file"


class ModelCard(_Part):
    """One batch model. ``scores`` are of its test part, ``baselines`` those of others on the same rows."""

    topic: ClassVar[str] = "models"

    schema_version: Literal[1] = 1
    kind: Literal["teacher", "student"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    task: Short
    labels: Annotated[tuple[Short, ...], Field(min_length=2, max_length=MAX_LABELS), AfterValidator(_distinct)]
    features: FeatureSpace
    data: DataWindow = DataWindow()
    scores: dict[str, Score] = Field(default_factory=dict)
    baselines: dict[str, dict[str, Score]] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    sha256: Digest  # of the weights
    size_bytes: Annotated[int, Field(ge=1)]

    def to_json(self) -> bytes:
        """Return the card as indented JSON, keys in their order."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def parse_card(data: bytes, where: str = CARD) -> ModelCard:
    """Return the card in ``data``; raises ``ModelFileError``, for an unknown version with what to do about it."""
    if len(data) > MAX_CARD_BYTES:
        raise ModelFileError(f"{where}: {len(data)} bytes; a card has at most {MAX_CARD_BYTES}")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ModelFileError(f"{where}: not JSON: {error}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise ModelFileError(
            f"{where}: schema_version {str(version)[:20]} is not known here; this jidoka reads {SCHEMA_VERSION}: "
            "train the model anew, or use the jidoka that wrote it"
        )
    try:
        return ModelCard.model_validate(document, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ModelFileError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def check_weights(card: ModelCard, weights: bytes, where: str) -> None:
    """Raise ``ModelFileError`` unless these are the weights that the card speaks of."""
    if not hmac.compare_digest(hashlib.sha256(weights).hexdigest(), card.sha256):
        raise ModelFileError(f"{where}: its digest is not the one on its card: cut short, or changed; copy it again")


def read_model(path: Path, kind: Literal["teacher", "student"]) -> tuple[ModelCard, bytes]:
    """Return card and weights of the model in folder ``path``, checked against each other.

    Raises ``ModelFileError`` when anything is missing, too large, of another kind, or not what the card says.
    """
    card = parse_card(_bytes(path / CARD, MAX_CARD_BYTES), str(path / CARD))
    if card.kind != kind:
        raise ModelFileError(f"{path}: a {card.kind}, and a {kind} is needed here")
    file = path / WEIGHTS[kind]
    weights = _bytes(file, MAX_WEIGHTS_BYTES[kind])
    check_weights(card, weights, str(file))
    return card, weights


def write_model(path: Path, weights: bytes, fields: Mapping[str, Any]) -> ModelCard:
    """Write a model into folder ``path``, made if need be, weights first; return its card.

    ``fields`` are those of ``ModelCard`` but for digest and size. A reader sees the old model, the new one, or a digest
    that does not fit, never a mixture that loads.
    """
    card = ModelCard(**fields, sha256=hashlib.sha256(weights).hexdigest(), size_bytes=len(weights))
    path.mkdir(parents=True, exist_ok=True)
    for name, data in ((WEIGHTS[card.kind], weights), (CARD, card.to_json())):
        part = path / f".{name}.part"
        part.write_bytes(data)
        part.replace(path / name)
    return card


def _bytes(file: Path, limit: int) -> bytes:
    try:
        size = file.stat().st_size
        if size > limit:
            raise ModelFileError(f"{file}: {size} bytes; at most {limit} are read")
        return file.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{file}: {error.strerror or error}; a model is a folder with {CARD} and weights"
        ) from None
