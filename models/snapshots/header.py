"""The header of a snapshot: the shape that its JSON must have before anything is taken from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.calibration import COLDEST, HOTTEST
from models.fixes import MAX_PAIRS
from models.labels.codes import MAX_CODES
from models.labels.model import MAX_PATTERNS
from models.masking import MAX_MASKED

MAX_LABELS = 64  # columns of the weight table: the taxonomy has 23, and each costs a column of all rows
MAX_FUNCTIONS = 1_000  # labelling functions
MAX_SLOTS = 1_000  # votes on one diagnostic
MAX_DUE = 1 << 20  # diagnostics between two updates of the label model
MAX_OUTCOMES = 10  # of challenges, that are kept to be shown
MAX_ORIGIN = 200  # characters: the origin is part of every prediction's ``model_version``


def _distinct(labels: list[str]) -> list[str]:
    if len(set(labels)) < len(labels):
        raise ValueError("a label stands there twice")
    return labels


Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Tallied = Annotated[float, Field(ge=0, le=1e9)]  # beyond what a tally that forgets comes to, and sums stay finite
Slots = Annotated[list[Count], Field(max_length=MAX_SLOTS)]
Labels = Annotated[list[str], Field(max_length=MAX_LABELS), AfterValidator(_distinct)]

ArrayName = Literal[
    "rows", "weights", "squares", "seen", "example_rows", "example_values",
    "challenger_rows", "challenger_weights", "challenger_squares",
    "answering_card", "answering_weights", "trial_card", "trial_weights",
]  # fmt: skip


class Strict(BaseModel):
    """Values of exactly the declared types."""

    model_config = ConfigDict(strict=True, frozen=True)


S = TypeVar("S", bound=Strict)


class Classifier(Strict):
    """The classifier's size; its weights are among the arrays."""

    bits: int
    learning_rate: Amount
    labels: Labels
    examples: Count


FixSaid = tuple[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=500)], Count, Count]


class Feedback(Strict):
    """What ``FeedbackMemory.dump`` returns."""

    templates: list[tuple[str, dict[str, Count]]]


class Agreement(Strict):
    """What ``Agreement.dump`` returns: hits, votes, confirmed votes and words by function and label."""

    tallies: Annotated[dict[str, dict[str, tuple[Tallied, Tallied, Tallied, Tallied]]], Field(max_length=MAX_FUNCTIONS)]
    balance: Annotated[dict[str, Tallied], Field(max_length=MAX_LABELS)]


class LabelledMessages(Strict):
    """What ``LabelledMessages.dump`` returns: masked messages and their labels."""

    messages: list[tuple[Annotated[str, Field(max_length=MAX_MASKED)], str]]


class Coverage(Strict):
    """What ``Coverage.dump`` returns: diagnostics voted on by function, and all that were seen."""

    voted: Annotated[dict[str, Tallied], Field(max_length=MAX_FUNCTIONS)]
    seen: Tallied


class LabelModel(Strict):
    """What ``LabelModel.dump`` returns; slots in it, and in examples, are those of its functions and labels."""

    agreement: Agreement
    people: LabelledMessages
    verifiers: LabelledMessages
    codes: Annotated[list[tuple[str, tuple[Count, Count], dict[str, Count]]], Field(max_length=MAX_CODES)]
    functions: Annotated[list[str], Field(max_length=MAX_FUNCTIONS), AfterValidator(_distinct)]
    labels: Labels
    pending: Annotated[list[tuple[Slots, str | None, Share, Count]], Field(max_length=MAX_PATTERNS)]
    due: Annotated[int, Field(ge=1, le=MAX_DUE)]
    builds: Count
    coverage: Coverage


class Scores(Strict):
    """What ``Prequential.dump`` returns."""

    n: Count
    confusion: list[tuple[str, str, Count]]
    correct: dict[str, Count]
    window: list[Literal[0, 1]]
    labels: list[tuple[str, Count]]
    last: str | None
    by_code: dict[str, list[tuple[str, Count]]]


class Duel(Strict):
    """What ``Duel.dump`` returns."""

    name: Annotated[str, Field(max_length=MAX_ORIGIN)]
    rules: bool
    verdict: Literal["running", "promote", "retire"]
    test: tuple[Count, Count]
    counts: dict[Literal["both_right", "only_champion", "only_challenger", "both_wrong", "repeats"], Count]
    voted: list[tuple[str, Count]]


class Challenge(Duel):
    """The challenger's classifier, whose weights are among the arrays, and its duel."""

    classifier: Classifier


class Student(Strict):
    """A student: its graph's SHA-256, and its duel; card and graph are among the arrays of a base."""

    name: Annotated[str, Field(max_length=MAX_ORIGIN)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    duel: Duel


class Weights(Strict):
    """What ``LongTailWeights.dump`` returns: a label's decayed count, sum of weights, and number of examples."""

    step: Positive
    total: Amount
    labels: Annotated[dict[str, tuple[Amount, Amount, Count]], Field(max_length=MAX_LABELS)]


class Calibration(Strict):
    """What ``Calibrator.dump`` returns."""

    inverse: Annotated[float, Field(ge=1.0 / HOTTEST, le=1.0 / COLDEST)]
    curvature: Amount


class Templates(Strict):
    """What ``Templates.dump`` or ``dump_changed`` returns: a template's id, text, number of builds, first time."""

    templates: list[tuple[str, Annotated[str, Field(max_length=500)], Count, Annotated[str, Field(max_length=40)]]]
    created: Count
    window: Annotated[str, Field(pattern="^[01]*$", max_length=500)]


class Drift(Strict):
    """What ``CategoryDivergence.dump`` returns."""

    baseline: dict[str, Count]
    window: list[str]


class Counters(Strict):
    """The plain fields of ``LineState``."""

    failures: Count
    repeats: Count
    unmatched_feedback: Count
    expired_feedback: Count
    dead_letters: Count
    origin: Annotated[str, Field(max_length=MAX_ORIGIN)]


class Recent(Strict):
    """An answered failure.

    An example is its key, its votes (slots, code, the code table's confidence), what was said of it, and how many
    features it has.
    """

    key: str
    prediction: str
    examples: list[tuple[str, Slots, str | None, Share, tuple[str | None, str | None] | None, Count]]


class Header(Strict):
    """Everything small in a snapshot, and where the arrays lie."""

    version: int
    classifier: Classifier
    labels: LabelModel
    feedback: Feedback
    scores: Scores
    weights: Weights
    calibration: Calibration
    templates: Templates
    drift: Drift
    watch: dict[str, Any] | None = None  # what ``Watchman.dump`` returns, which checks it itself; older ones have none
    challenge: Challenge | None
    fixes: Annotated[list[FixSaid], Field(max_length=MAX_PAIRS)] = Field(default_factory=list)  # older ones have none
    students: dict[Literal["answering", "trial"], Student] = Field(default_factory=dict)  # older ones have none
    outcomes: Annotated[list[tuple[str, str, Count, Count, Count]], Field(max_length=MAX_OUTCOMES)]
    counters: Counters
    recent: list[Recent]
    arrays: list[tuple[ArrayName, str, Annotated[list[Count], Field(max_length=2)]]]


class _Version(Strict):
    version: int


def version_of(raw: bytes) -> int:
    """Return the version that a header names, whatever else it holds; raises ``ValueError`` when it names none."""
    return _parsed(_Version, raw).version


def parse_header(raw: bytes) -> Header:
    """Return the header in ``raw``; raises ``ValueError`` when it has not the shape of a ``Header``."""
    return _parsed(Header, raw)


def _parsed(kind: type[S], raw: bytes) -> S:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise ValueError(f"header: {'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']}") from None
