"""The shape that a saved monitor must have before anything is taken from it: it comes from a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.drift.alarm import Quantity
from models.drift.cusum import SUMS
from models.drift.dispersion import BATCHES, MAX_WAITING
from models.drift.fresh import MAX_FRESH
from models.drift.rate import GROUP, LAG
from models.drift.shiryaev_roberts import CONCENTRATIONS, STARTS
from models.drift.vocabulary import COLUMNS, MAX_KNOWN, OWN

MAX_BASELINE = 20_000  # votes
MAX_SCOPES = 64  # projects
MAX_RECENT = 1_000

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0.0, le=1e15, allow_inf_nan=False)]
Row = Annotated[list[Amount], Field(min_length=COLUMNS, max_length=COLUMNS)]
Evidence = Annotated[
    list[Annotated[list[Real], Field(min_length=STARTS, max_length=STARTS)]],
    Field(min_length=len(CONCENTRATIONS), max_length=len(CONCENTRATIONS)),
]
Sums = Annotated[list[Amount], Field(min_length=SUMS, max_length=SUMS)]
SavedCusum = tuple[Amount, Amount, Amount, Count, Sums, str]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class SavedOrder(_Strict):
    """Builds of a baseline as numbers of labels."""

    labels: Annotated[list[str], Field(max_length=MAX_BASELINE)]
    builds: Annotated[list[list[Count]], Field(max_length=MAX_BASELINE)]


class SavedVocabulary(_Strict):
    """What ``Vocabulary.dump`` returns."""

    own: Annotated[list[str], Field(max_length=OWN)]
    known: Annotated[list[str], Field(max_length=MAX_KNOWN)]


class SavedDispersion(_Strict):
    """What ``Dispersion.dump`` returns."""

    seen: Annotated[list[Amount], Field(min_length=len(BATCHES), max_length=len(BATCHES))]
    expected: Annotated[list[Amount], Field(min_length=len(BATCHES), max_length=len(BATCHES))]
    last: Annotated[list[Row], Field(max_length=len(BATCHES))]
    waiting: Annotated[list[tuple[Amount, Count, Amount, Amount]], Field(max_length=MAX_WAITING)]


class SavedWhole(_Strict):
    """What ``DirichletShiryaevRoberts.dump`` returns."""

    totals: Row
    before: Annotated[list[Row], Field(min_length=STARTS, max_length=STARTS)]
    evidence: Evidence
    blocks: Annotated[list[Evidence], Field(max_length=3)]
    builds: Annotated[list[str], Field(min_length=STARTS, max_length=STARTS)]
    bucket: Count
    robust: bool


class SavedFresh(_Strict):
    """What ``FreshLabels.dump`` returns."""

    met: Amount
    rate: SavedCusum
    labels: Annotated[list[tuple[str, Count, Count, SavedCusum]], Field(max_length=MAX_FRESH)]


class SavedMix(_Strict):
    """What ``MixDetector.dump`` returns."""

    votes: Count
    alarm: bool
    cause: str
    together: Amount
    order: SavedOrder
    pending: Annotated[list[Count], Field(max_length=10_000)]
    begun: str
    evidence: Real
    vocabulary: SavedVocabulary
    dispersion: SavedDispersion
    whole: SavedWhole | None
    shares: Annotated[list[SavedCusum], Field(max_length=COLUMNS)]
    fresh: SavedFresh


class SavedRate(_Strict):
    """What ``RateDetector.dump`` returns."""

    builds: Count
    alarm: bool
    first_build: str | None
    moments: Annotated[list[Real], Field(min_length=8, max_length=8)]
    wealth: Annotated[list[Amount], Field(max_length=6)]
    begun: Annotated[list[tuple[Count, str]], Field(max_length=6)]
    first: str
    held: Annotated[list[tuple[Amount, Amount]], Field(max_length=LAG)]
    pending: Annotated[list[Real], Field(max_length=GROUP)]


class SavedScope(_Strict):
    """What ``Scope.dump`` returns."""

    version: Count
    builds: Count
    last: Count
    mix: SavedMix
    rates: dict[Quantity, SavedRate]


class SavedMonitor(_Strict):
    """What ``DriftMonitor.dump`` returns."""

    builds: Count
    overall: SavedScope
    projects: Annotated[list[tuple[str, SavedScope]], Field(max_length=MAX_SCOPES)]
    recent: Annotated[list[tuple[str, str, list[str], bool]], Field(max_length=MAX_RECENT)]


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return saved data of which types and sizes hold; raises ``ValueError`` where they do not."""
    try:
        return SavedMonitor.model_validate_json(orjson.dumps(data)).model_dump()
    except ValidationError as error:
        raise ValueError(f"drift: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from error
