"""Champion and challenger: a second classifier learns in shadow, and is promoted only when it wins a paired test.

Both predict every build before either learns it; only the champion answers. The test is McNemar's, on the builds where
they differ, made sequential: it may be read after every build, and stopped at any of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, inf, log
from typing import Any, Literal, NamedTuple, get_args

from scipy.special import betaincc, betaln  # type: ignore[import-untyped]

from models.classifiers import HashedLogistic
from models.sparse import Batch, Floats

ALPHA = 0.05  # probability that a challenger which is no better is ever promoted
RETIRE_ALPHA = 0.1  # probability that one which is no worse is ever retired for losing: an error that costs less
MINIMUM = 200  # builds scored before any verdict: a morning's failures are not the stream
PATIENCE = 20_000  # builds scored after which a challenger that has not won is retired: it doubles what a step costs
GAP = 100  # builds without a kind of message before it votes again: a failure comes in every build until it is repaired
MAX_KINDS = 256  # that were there less than a gap ago; beyond, the oldest may vote again

Verdict = Literal["running", "promote", "retire"]


class Pair(NamedTuple):
    """One labelled diagnostic: its kind (``feedback.template_key``), and what both said of it before it was learned."""

    kind: str
    truth: str
    champion: str | None
    challenger: str | None

    @property
    def lead(self) -> int:
        """Return 1 where only the challenger is right, -1 where only the champion is, else 0."""
        return (self.challenger == self.truth) - (self.champion == self.truth)


class PairedTest:
    """Is the challenger right more often where the two differ? A test by betting, valid at every time it is read.

    ``evidence`` is the capital of someone who started with 1 and bets at fair odds that the challenger wins more than
    half of the votes: where it wins half or less, the chance that it ever reaches 20 is at most 1/20 (Ville 1939;
    Shafer, "Testing by betting", JRSS A 2021; Waudby-Smith and Ramdas, "Estimating means of bounded random variables
    by betting", JRSS B 2024). The bets are those of a gambler who holds every share of wins above one half for equally
    likely (Robbins 1970), so that the capital depends on the two counts alone, not on the order of the votes.

    Votes must not repeat each other: the promise is for a challenger that, given all votes before, wins no more than
    half of those that come.

    Examples
    --------
    >>> test = PairedTest()
    >>> test.wins, test.losses = 9, 1
    >>> round(test.evidence, 1), round(test.counter_evidence, 3)
    (18.5, 0.109)
    """

    def __init__(self, wins: int = 0, losses: int = 0) -> None:
        self.wins, self.losses = wins, losses

    def update(self, lead: int) -> None:
        """Take in one vote: above zero for the challenger, below for the champion; zero is none."""
        self.wins += lead > 0
        self.losses += lead < 0

    @property
    def evidence(self) -> float:
        """Return the e-value against "the challenger is no better"."""
        return _capital(self.wins, self.losses)

    @property
    def counter_evidence(self) -> float:
        """Return the e-value against "the challenger is no worse"."""
        return _capital(self.losses, self.wins)


def _capital(wins: int, losses: int) -> float:
    """Return the mean of (2p)^wins (2 - 2p)^losses over p uniform between 1/2 and 1."""
    above = float(betaincc(wins + 1, losses + 1, 0.5))  # P(p > 1/2) of a Beta(wins + 1, losses + 1)
    if above <= 0.0:
        return 0.0
    power = (wins + losses + 1) * log(2.0) + float(betaln(wins + 1, losses + 1)) + log(above)
    return exp(power) if power < 700.0 else inf  # a float ends there


@dataclass
class Counts:
    """Builds by what both made of their labels; a build with several counts as its sum (see ``Challenge.score``)."""

    both_right: int = 0
    only_champion: int = 0  # right more often than the challenger
    only_challenger: int = 0
    both_wrong: int = 0  # equally often
    repeats: int = 0  # of those with a winner: builds whose kinds had all voted, and had been there within the gap

    @property
    def builds(self) -> int:
        """Return how many builds were scored."""
        return self.both_right + self.only_champion + self.only_challenger + self.both_wrong


@dataclass
class Duel:
    """What a challenger has shown so far, and the verdict, which once reached stays.

    A build is scored once, with the first labels that it gets. With ``rules=False`` only people decide.
    """

    name: str
    rules: bool = True
    test: PairedTest = field(default_factory=PairedTest)
    counts: Counts = field(default_factory=Counts)
    verdict: Verdict = "running"
    _voted: OrderedDict[str, int] = field(default_factory=OrderedDict)  # kind -> builds scored when it was there last

    def score(self, pairs: Sequence[Pair], *, people: bool = False) -> Verdict:
        """Take in the labelled diagnostics of one build, which have one vote together, and return the verdict.

        The vote is the challenger's if it is right more often than the champion, among the kinds that may vote.
        ``people`` says that the labels are theirs.
        """
        if not pairs or self.verdict != "running" or not (people or self.rules):
            return self.verdict
        leads = [pair.lead for pair in pairs]
        self._count(sum(leads), all(pair.champion == pair.truth for pair in pairs))
        if any(leads):
            self._vote([(pair.kind, lead) for pair, lead in zip(pairs, leads, strict=True) if lead])
        self.verdict = self._judged()
        return self.verdict

    def _count(self, lead: int, right: bool) -> None:
        counts = self.counts
        if lead:
            counts.only_challenger += lead > 0
            counts.only_champion += lead < 0
        else:
            counts.both_right += right
            counts.both_wrong += not right

    def _vote(self, leads: list[tuple[str, int]]) -> None:
        """Let the kinds vote on which the two differ, each once until it has not been there for a gap."""
        now, voted = self.counts.builds, self._voted
        while voted and next(iter(voted.values())) <= now - GAP:
            voted.popitem(last=False)
        fresh = [(kind, lead) for kind, lead in leads if kind not in voted]
        self.test.update(sum(lead for _, lead in fresh))
        self.counts.repeats += not fresh
        for kind, _ in leads:
            voted[kind] = now
            voted.move_to_end(kind)
        while len(voted) > MAX_KINDS:
            voted.popitem(last=False)

    def _judged(self) -> Verdict:
        builds = self.counts.builds
        if builds < MINIMUM:
            return "running"
        if self.test.evidence >= 1.0 / ALPHA:
            return "promote"
        losing = self.test.counter_evidence >= 1.0 / RETIRE_ALPHA
        return "retire" if losing or builds >= PATIENCE else "running"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "name": self.name,
            "rules": self.rules,
            "verdict": self.verdict,
            "test": [self.test.wins, self.test.losses],
            "counts": vars(self.counts).copy(),
            "voted": list(self._voted.items()),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace it by what ``dump`` returned; an unknown verdict is a ``ValueError``."""
        if data["verdict"] not in get_args(Verdict):
            raise ValueError(f"verdict {data['verdict']!r}: one of {', '.join(get_args(Verdict))} is expected")
        self.name, self.rules, self.verdict = data["name"], data["rules"], data["verdict"]
        self.test, self.counts = PairedTest(*data["test"]), Counts(**data["counts"])
        self._voted = OrderedDict((kind, build) for kind, build in data["voted"])


class Challenge(Duel):
    """A challenger that learns beside the champion, and its duel; ``fields`` are those of ``Duel``.

    The labels of rules come with the build and score at once. The labels of people come late: what both said is kept
    with the recent failure (``memory.Example``) and scored when the label comes, whatever either has learned since.

    The challenger is given the champion's batches, so its table must have as many rows: a batch's rows are not checked
    again. One that starts empty is scored from its first build on: its beginning counts against it.
    """

    def __init__(self, name: str, classifier: HashedLogistic, **fields: Any) -> None:
        super().__init__(name, **fields)
        self.classifier = classifier

    def predict(self, batch: Batch) -> tuple[list[str | None], Floats]:
        """Return the challenger's label of each example, nothing before it knows one, and its activations."""
        activations = self.classifier.activations(batch)
        if not activations.shape[1]:
            return [None] * len(activations), activations
        labels = self.classifier.labels
        return [labels[column] for column in activations.argmax(1).tolist()], activations
