"""The label model: many votes become one soft label, with who decided it.

The order of who decides is that of ``LabelModel.judge``: people who labelled this kind of message; then the code table,
as long as people do not contradict it for this code; then all functions together, when they are sure enough
(``agreement`` says how votes are weighed). ``docs/decisions/0009-label-model.md`` has the reasons and figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from models.caching import BoundedCache
from models.feedback import Verdict
from models.labels.agreement import Agreement
from models.labels.codes import CodeWords
from models.labels.coverage import Coverage
from models.labels.expectation import Pattern, Pin
from models.labels.functions import CODE_TABLE, MESSAGE_TABLE, LabellingFunction
from models.labels.neighbours import LabelledMessages
from models.taxonomy import LABELS

Source = Literal["feedback", "rule", "functions"]

VERIFIER_PART = 0.25  # of what a person's word is worth: it says that a repair works, not why the error was one
MAX_PATTERNS = 256  # different votes that wait for an update: it comes when there are so many
MAX_DOUBLINGS = 4
JUDGED = 4 << 20  # bytes of soft labels that are remembered between two updates
ONE_JUDGED = 400  # bytes of one, with its key


class Votes(NamedTuple):
    """What the functions said of one diagnostic.

    ``slots`` are ascending numbers of a function's vote for a label (``Agreement``). ``code`` is the compiler's code,
    if there is one; ``floor`` is the code table's confidence, 0 where the table abstained.
    """

    slots: tuple[int, ...]
    code: str | None = None
    floor: float = 0.0


class SoftLabel(NamedTuple):
    """A label with its probability, and who decided it; the probability of a rule's is what its table says."""

    label: str
    confidence: float
    source: Source


@dataclass(frozen=True, slots=True)
class Settings:
    """How the label model learns.

    Parameters
    ----------
    batch
        Diagnostics before the first update of the accuracies; between later ones twice as many, up to 16 times.
    horizon
        Votes after which a function's earlier ones are scaled down: it forgets beyond.
    temper
        What blocks count for besides the strongest of those that agree: 1 if they were independent, 0 if copies.
    least
        Confidence below which the functions together abstain.
    person
        Votes that a person's word is worth where a function's accuracy is counted.
    table_trust
        Words of people that the code table's own confidence is worth, for each code.
    every
        Builds of which one is counted, once updates are 16 batches apart.
    """

    batch: int = 64
    horizon: float = 2_000.0
    temper: float = 0.25
    least: float = 0.6
    person: float = 20.0
    table_trust: float = 2.0
    every: int = 8

    def __post_init__(self) -> None:
        if min(self.batch, self.every, self.horizon) < 1 or not (0 <= self.temper <= 1 and 0 <= self.least <= 1):
            raise ValueError(f"{self}: batch, every and horizon are 1 or more, temper and least are 0 to 1")
        if not (self.person > 0 and self.table_trust > 0):
            raise ValueError(f"{self}: person and table_trust are above 0")


_NEW: Any = object()  # that was not judged yet


class LabelModel:
    """Soft labels from votes, whose worth is learned from agreement and from what people say.

    ``observe`` counts what the functions said, ``judge`` says what the label is, ``learn`` takes in what a person or a
    verifier said. All of it is deterministic and bounded, and ``dump`` keeps it.

    >>> read = [LabellingFunction(name, name, ("A", "B"), 0.8, "") for name in ("text", "advice")]
    >>> model = LabelModel(read, ("A", "B"))
    >>> votes = Votes((model.agreement.slot("text", "A"), model.agreement.slot("advice", "A")))
    >>> soft = model.judge(votes)
    >>> soft.label, round(soft.confidence, 2), soft.source
    ('A', 0.85, 'functions')
    >>> model.speakers(votes, "A")
    ['text', 'advice']
    >>> model.judge(Votes(())) is None
    True
    """

    def __init__(
        self, functions: Sequence[LabellingFunction], labels: Sequence[str] = LABELS, settings: Settings | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.agreement = Agreement(functions, labels, self.settings.horizon, self.settings.temper)
        self.people, self.verifiers = LabelledMessages(), LabelledMessages()
        tables = (CODE_TABLE.name, MESSAGE_TABLE.name)
        named = [(one.name, label) for one in functions if one.name in tables for label in one.labels]
        self._tables = frozenset(self.agreement.slots(named))
        self.codes = CodeWords(self.settings.table_trust)
        self._pending: dict[Votes, int] = {}
        self._waiting, self._due, self._builds = 0, self.settings.batch, 0
        self.coverage = Coverage([one.name for one in functions])
        self._judged: BoundedCache[Votes, SoftLabel | None] = BoundedCache(JUDGED)

    def judge(self, votes: Votes, verdict: Verdict | None = None) -> SoftLabel | None:
        """Return the label and who decided it; nothing when all abstain, or the functions together are not sure.

        ``verdict`` is what people say of this kind of message; it decides where there is one.
        """
        if verdict is not None:
            return SoftLabel(verdict.label, verdict.confidence, "feedback")
        known: SoftLabel | None = self._judged.get(votes, _NEW)
        if known is not _NEW:
            return known
        return self._judged.keep(votes, self._judge(votes), ONE_JUDGED + 8 * len(votes.slots))

    def _judge(self, votes: Votes) -> SoftLabel | None:
        pin = self._pin(votes)
        if pin is not None:
            return SoftLabel(self.agreement.labels[pin[0]], pin[1], "rule")
        shares = self.agreement.posterior(self._weighted(votes))
        column = max(shares, key=lambda one: (shares[one], -one), default=None)
        if column is None or shares[column] < self.settings.least:
            return None
        return SoftLabel(self.agreement.labels[column], shares[column], "functions")

    def speakers(self, votes: Votes, label: str) -> list[str]:
        """Return the names of the functions that voted for ``label``."""
        size, column = len(self.agreement.labels), self.agreement.column(label)
        return [self.agreement.name(slot) for slot in votes.slots if slot % size == column]

    def probabilities(self, votes: Votes) -> tuple[float, ...] | None:
        """Return the probability of every label, in order and summing to 1, by code table and functions.

        Nothing when no vote is worth anything.
        """
        found = self.agreement.posterior(self._weighted(votes), self._pin(votes))
        if not found:
            return None
        shares = self.agreement.shares
        others = sum([share for column, share in enumerate(shares) if column not in found])
        left = max(0.0, 1.0 - sum(found.values())) / others if others > 0.0 else 0.0
        return tuple([found.get(column, share * left) for column, share in enumerate(shares)])

    def _weighted(self, votes: Votes) -> list[tuple[int, float]]:
        weights, size = self.agreement.weights, len(self.agreement.labels)
        weighted = [(slot, weights[slot]) for slot in votes.slots]
        if votes.code not in self.codes:
            return weighted
        accuracy = self.codes.accuracy(votes.code, votes.floor)
        return [
            (slot, self.agreement.log_odds(accuracy, slot % size) if slot in self._tables else known)
            for slot, known in weighted
        ]

    def _pin(self, votes: Votes) -> Pin | None:
        """Return the label that the code table holds against all other functions, and its confidence."""
        if votes.floor > 0.0 and self.trusts(votes.code, votes.floor):
            for slot in votes.slots:  # the tables stand first
                if slot in self._tables:
                    return slot % len(self.agreement.labels), votes.floor
        return None

    def trusts(self, code: str | None, floor: float) -> bool:
        """Return whether the code table, ``floor`` sure of a code, still stands for it.

        By default a table that is sure falls when people have contradicted it twice, a doubtful one (.75 or less) once;
        each confirmation makes up for a contradiction.
        """
        return self.codes.accuracy(code, floor) > 0.5

    @property
    def told(self) -> bool:
        """Return whether anybody ever said something, as far as it is remembered."""
        return bool(self.people or self.verifiers or self.codes)

    def observe_build(self, votes: Sequence[Votes]) -> None:
        """Count the votes on the diagnostics of one build.

        Once updates have become as rare as they get, one build of ``every`` is counted: accuracies that forget after
        thousands of votes lose nothing by it, and most of what learning them costs is saved.
        """
        self._builds = (self._builds + 1) % self.settings.every
        if self._builds == 0 or self._due < self.settings.batch << MAX_DOUBLINGS:
            for one in votes:
                self.observe(one)

    def observe(self, votes: Votes) -> None:
        """Count the votes on one diagnostic; from time to time the accuracies are learned anew."""
        pending = self._pending
        pending[votes] = pending.get(votes, 0) + 1
        self._waiting += 1
        if self._waiting >= self._due or len(pending) >= MAX_PATTERNS:
            self._update()

    def _update(self) -> None:
        patterns = [Pattern(self._weighted(seen), self._pin(seen), times) for seen, times in self._pending.items()]
        self.agreement.learn(patterns)
        for votes, times in self._pending.items():
            self.coverage.count({slot // len(self.agreement.labels) for slot in votes.slots}, times)
        self.coverage.forget()
        self._pending, self._waiting = {}, 0
        self._due = min(2 * self._due, self.settings.batch << MAX_DOUBLINGS)
        self._forget_judged()

    def learn(self, votes: Votes, masked: str, label: str, *, verifier: bool = False) -> None:
        """Take in what somebody said of a diagnostic that was seen before, however late.

        ``masked`` is its masked message, ``votes`` are those of then. Raises ``ValueError`` for an unknown label.
        """
        if self.agreement.column(label) < 0:
            raise ValueError(f"{label!r} is not one of {', '.join(self.agreement.labels)}")
        words = self.settings.person * (VERIFIER_PART if verifier else 1.0)
        self.agreement.told(votes.slots, label, words)
        (self.verifiers if verifier else self.people).learn(masked, label)
        if votes.code and not verifier:
            said, labels = [slot for slot in votes.slots if slot in self._tables], self.agreement.labels
            self.codes.tell(votes.code, label, [labels[slot % len(labels)] for slot in said])
        self._forget_judged()

    def _forget_judged(self) -> None:
        self._judged = BoundedCache(JUDGED)

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "agreement": self.agreement.dump(),
            "people": self.people.dump(),
            "verifiers": self.verifiers.dump(),
            "codes": self.codes.dump(),
            "functions": [one.name for one in self.agreement.functions],
            "labels": list(self.agreement.labels),
            "pending": [[list(votes.slots), votes.code, votes.floor, times] for votes, times in self._pending.items()],
            "due": self._due,
            "builds": self._builds,
            "coverage": self.coverage.dump(),
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned, whatever the functions' order was then.

        What has a name that is none any more is left out. Raises ``LookupError`` for a slot beyond them.
        """
        labels = set(self.agreement.labels)
        self.agreement.load(data["agreement"])
        for memory, saved in ((self.people, data["people"]), (self.verifiers, data["verifiers"])):
            memory.load({"messages": [one for one in saved["messages"] if one[1] in labels]})
        self.codes.load(data["codes"], labels)
        self.coverage.load(data["coverage"])
        slots = self.slots_of(data["functions"], data["labels"])
        self._pending = {}
        for numbers, code, floor, times in data["pending"]:
            votes = Votes(slots(numbers), code, floor)
            self._pending[votes] = self._pending.get(votes, 0) + times
        self._waiting, self._due, self._builds = sum(self._pending.values()), data["due"], data["builds"]
        self._forget_judged()

    def slots_of(self, functions: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[int]], tuple[int, ...]]:
        """Return what turns slots of functions and labels in that order into slots of here.

        It leaves out those whose names are none any more, and raises ``LookupError`` for a slot beyond them.
        """
        mine = [one.name for one in self.agreement.functions], list(self.agreement.labels)
        here: list[tuple[int, ...]] = [(slot,) for slot in range(len(functions) * len(labels))]
        if (list(functions), list(labels)) != mine:  # seldom; to look them all up takes half of a restore's time
            here = [self.agreement.slots([(name, label)]) for name in functions for label in labels]

        def turned(slots: Sequence[int]) -> tuple[int, ...]:
            return tuple(sorted({new for slot in slots for new in here[slot]}))

        return turned
