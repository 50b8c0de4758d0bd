"""The shape that a watchman's dump must have before anything is taken from it: it comes from a topic."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.andon.conditions import CONDITIONS, WINDOW
from models.andon.lamp import MAX_LIT, Evidence, Key, Lit
from models.andon.moved import Moved
from models.andon.shortfall import MAX_EXAMPLES, RIVALS, STAKES

MAX_LABELS = 64


def _known(kind: str) -> str:
    if kind not in CONDITIONS:
        raise ValueError(f"no condition {kind[:40]!r}; there are {', '.join(CONDITIONS)}")
    return kind


Kind = Annotated[str, AfterValidator(_known)]
Text = Annotated[str, Field(max_length=256)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Flags = Annotated[str, Field(pattern="^[01]*$", max_length=WINDOW)]
Named = tuple[Kind, Text | None, Text]  # a key
Ids = Annotated[list[Text], Field(max_length=20)]
Capitals = Annotated[list[Amount], Field(min_length=len(STAKES), max_length=len(STAKES))]


class _Saved(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class _Lit(_Saved):
    key: Named
    since: Text
    acknowledged: Text | None
    by: Text | None
    statistic: Real | None
    threshold: Real | None
    divergence: Real | None
    categories: Annotated[list[tuple[Text, Real, Real | None, Real | None]], Field(max_length=20)]
    first_build: Text | None
    examples: Ids
    answered: Count | None


class _Variety(_Saved):
    pairs: Annotated[list[tuple[Text, Text]], Field(max_length=WINDOW)]
    votes: Count


class _Shortfall(_Saved):
    builds: Count
    counts: Annotated[list[tuple[Text, Count]], Field(max_length=MAX_LABELS)]
    last: Text | None
    best: Text | None
    capitals: Annotated[list[Capitals], Field(min_length=len(RIVALS), max_length=len(RIVALS))]
    runs: Annotated[list[Amount], Field(min_length=len(RIVALS), max_length=len(RIVALS))]
    first: Annotated[list[tuple[Text, Count] | None], Field(min_length=len(RIVALS), max_length=len(RIVALS))]
    examples: Annotated[
        list[Annotated[list[Text], Field(max_length=MAX_EXAMPLES)]],
        Field(min_length=len(RIVALS), max_length=len(RIVALS)),
    ]

    @property
    def fits(self) -> bool:
        """Return whether the best label is one of those that were counted."""
        return self.best is None or self.best in dict(self.counts)


class SavedWatchman(_Saved):
    """What ``Watchman.dump`` returns."""

    answered: Count
    untold: Count
    lit: Annotated[list[_Lit], Field(max_length=2 * MAX_LIT)]
    runs: Annotated[list[tuple[Named, Annotated[int, Field(ge=1, lt=1 << 31)]]], Field(max_length=2 * MAX_LIT)]
    rejected: Flags
    refused: Flags
    variety: _Variety
    shortfall: _Shortfall
    monitor: dict[str, Any]


def checked(data: object) -> SavedWatchman:
    """Return a dump as it was validated; raises ``ValueError`` when it has another shape."""
    try:
        saved = SavedWatchman.model_validate_json(orjson.dumps(data))
    except (ValidationError, TypeError) as error:
        first = error.errors(include_url=False, include_input=False)[0] if isinstance(error, ValidationError) else None
        where = ".".join(map(str, first["loc"])) if first else "not JSON-able"
        raise ValueError(f"andon: {where}: {first['msg'] if first else error}"[:500]) from None
    if not saved.shortfall.fits:
        raise ValueError("andon: shortfall: the best label was not counted")
    return saved


def dump_lit(lit: Lit) -> dict[str, Any]:
    """Return what is lit as JSON-able data."""
    evidence = lit.evidence
    return {
        "key": list(lit.key),
        "since": lit.since,
        "acknowledged": lit.acknowledged,
        "by": lit.by,
        "statistic": evidence.statistic,
        "threshold": evidence.threshold,
        "divergence": evidence.divergence,
        "categories": [[one.category, one.contribution, one.before, one.now] for one in evidence.categories],
        "first_build": evidence.first_build,
        "examples": list(evidence.examples),
        "answered": evidence.answered,
    }


def load_lit(saved: _Lit) -> Lit:
    """Return what is lit as it was dumped; shares that are none raise ``ValueError``."""
    categories = tuple(
        Moved(category=name, contribution=amount, before=before, now=now)
        for name, amount, before, now in saved.categories
    )
    evidence = Evidence(
        saved.statistic,
        saved.threshold,
        saved.divergence,
        categories,
        saved.first_build,
        tuple(saved.examples),
        saved.answered,
    )
    return Lit(Key(*saved.key), saved.since, evidence, saved.acknowledged, saved.by)
