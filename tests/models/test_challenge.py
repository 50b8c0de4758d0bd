"""Champion and challenger: what the test promises under optional stopping, and how votes become a verdict."""

from __future__ import annotations

import random
from math import inf
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.challenge import ALPHA, GAP, MAX_KINDS, MINIMUM, PATIENCE, Challenge, Pair, PairedTest
from models.classifiers import HashedLogistic

RIGHT, WRONG = "TypeErrors", "TraitBounds"
leads = st.lists(st.integers(-1, 1), max_size=60)


def challenge(**fields: Any) -> Challenge:
    """Return a challenge whose challenger has learned nothing."""
    return Challenge("student", HashedLogistic(bits=8), **fields)


def pair(lead: int, kind: str = "kind") -> Pair:
    """Return a labelled diagnostic on which the challenger leads by so much; at 0 both are right."""
    return Pair(kind, RIGHT, WRONG if lead > 0 else RIGHT, WRONG if lead < 0 else RIGHT)


def scored(subject: Challenge, votes: list[int]) -> Challenge:
    """Return ``subject`` after builds of one diagnostic each, no two of one kind."""
    start = subject.counts.builds
    for place, lead in enumerate(votes, start):
        subject.score([pair(lead, f"kind {place}")])
    return subject


def promoted(share: float, votes: int, source: random.Random) -> bool:
    """Return whether a challenger that wins this share is promoted when the test is read after every vote."""
    test = PairedTest()
    for _ in range(votes):
        test.update(1 if source.random() < share else -1)
        if test.evidence >= 1 / ALPHA:
            return True
    return False


class TestPairedTest:
    def test_nothing_is_no_evidence(self) -> None:
        """Before the first vote the capital is what it started with."""
        assert PairedTest().evidence == pytest.approx(1)
        assert PairedTest().counter_evidence == pytest.approx(1)

    @pytest.mark.parametrize(("wins", "losses"), [(1, 0), (0, 1), (3, 3), (9, 1), (40, 25)])
    def test_is_the_mean_capital(self, wins: int, losses: int) -> None:
        """The evidence is the mean of (2p)^wins (2 - 2p)^losses over p from 1/2 to 1, here summed numerically."""
        p = (np.arange(200_000) + 0.5) / 400_000 + 0.5
        expected = float(((2 * p) ** wins * (2 - 2 * p) ** losses).mean())
        assert PairedTest(wins, losses).evidence == pytest.approx(expected, rel=1e-6)
        assert PairedTest(losses, wins).counter_evidence == pytest.approx(expected, rel=1e-6)

    @given(st.integers(0, 3_000), st.integers(0, 3_000))
    def test_is_a_fair_bet(self, wins: int, losses: int) -> None:
        """At even odds the next vote leaves the capital what it is on average: nothing can be won by waiting."""
        now = PairedTest(wins, losses).evidence
        later = (PairedTest(wins + 1, losses).evidence + PairedTest(wins, losses + 1).evidence) / 2
        assert later == pytest.approx(now, rel=1e-6, abs=1e-12)

    def test_counts_that_no_float_holds(self) -> None:
        """Very many votes for one side are evidence without end, and none for the other; nothing overflows."""
        assert PairedTest(10_000, 0).evidence == inf
        assert PairedTest(0, 10_000).evidence == pytest.approx(0)

    def test_null_with_optional_stopping(self) -> None:
        """Read after each of 300 votes, a challenger that is no better is promoted in at most 5 of 100 runs."""
        source = random.Random(1)  # noqa: S311 - coins, not a secret
        share = sum(promoted(0.5, 300, source) for _ in range(500)) / 500
        assert 0 < share <= ALPHA

    def test_worse_is_hardly_ever_promoted(self) -> None:
        """A challenger that wins 4 of 10 is promoted less often still."""
        source = random.Random(2)  # noqa: S311 - coins, not a secret
        assert sum(promoted(0.4, 300, source) for _ in range(300)) / 300 < 0.01

    def test_better_is_promoted(self) -> None:
        """A challenger that wins 3 of 4 is promoted within 100 votes nearly always."""
        source = random.Random(3)  # noqa: S311 - coins, not a secret
        assert sum(promoted(0.75, 100, source) for _ in range(200)) / 200 > 0.95


class TestVotes:
    def test_one_vote_per_build(self) -> None:
        """However many diagnostics a build has, it votes once, for whoever is right more often."""
        subject = challenge()
        subject.score([pair(1, f"kind {number}") for number in range(30)])
        subject.score([pair(-1, "a"), pair(-1, "b"), pair(1, "c")])
        subject.score([pair(1, "d"), pair(-1, "e")])
        assert (subject.test.wins, subject.test.losses) == (1, 1)

    def test_counts(self) -> None:
        """A build counts as won, lost, both right or both wrong; the tied one with an error is both wrong."""
        subject = challenge()
        for pairs in (
            [pair(1, "a")],
            [pair(-1, "b"), pair(0, "c")],
            [pair(0, "d")],
            [pair(0, "d")],
            [Pair("e", RIGHT, WRONG, None)],
            [pair(1, "f"), pair(-1, "g")],
        ):
            subject.score(pairs)
        expected = {"both_right": 2, "only_champion": 1, "only_challenger": 1, "both_wrong": 2, "repeats": 0}
        assert subject.dump()["counts"] == expected
        assert subject.counts.builds == 6

    def test_no_labels_no_build(self) -> None:
        """A build without labelled diagnostics is not scored."""
        assert challenge().score([]) == "running"
        subject = challenge()
        subject.score([])
        assert subject.counts.builds == 0

    def test_rules_may_be_excluded(self) -> None:
        """With ``rules=False`` labels of rules are passed over, and those of people count."""
        subject = challenge(rules=False)
        subject.score([pair(1, "a")])
        assert subject.counts.builds == 0
        subject.score([pair(1, "a")], people=True)
        assert (subject.counts.builds, subject.test.wins) == (1, 1)

    def test_a_failure_that_comes_again_does_not_vote_again(self) -> None:
        """A kind votes once for as long as it keeps coming, and again after a gap without it."""
        subject = challenge()
        for _ in range(3):
            subject.score([pair(1, "same")])
            scored(subject, [0] * (GAP - 2))
        assert (subject.test.wins, subject.counts.repeats) == (1, 2)
        scored(subject, [0] * GAP)
        subject.score([pair(1, "same")])
        assert (subject.test.wins, subject.counts.repeats) == (2, 2)

    def test_new_kinds_of_a_build_vote_beside_old_ones(self) -> None:
        """In a build with an old and a new kind only the new one votes."""
        subject = challenge()
        subject.score([pair(1, "old")])
        subject.score([pair(1, "old"), pair(1, "old"), pair(-1, "new")])
        assert (subject.test.wins, subject.test.losses, subject.counts.only_challenger) == (1, 1, 2)

    def test_memory_is_bounded(self) -> None:
        """A build with kinds without number leaves no more of them than the bound, the newest."""
        subject = challenge()
        subject.score([pair(1, f"kind {number}") for number in range(5 * MAX_KINDS)])
        assert [kind for kind, _ in subject.dump()["voted"]][-1] == f"kind {5 * MAX_KINDS - 1}"
        assert len(subject.dump()["voted"]) == MAX_KINDS

    def test_bursts_under_the_null(self) -> None:
        """Failures that come thirty times in a row and are as often one's as the other's promote hardly anybody."""
        source = random.Random(4)  # noqa: S311 - a stream, not a secret
        promotions = 0
        for run in range(60):
            subject = challenge()
            for burst in range(40):
                lead = source.choice((-1, 1))
                for _ in range(30):
                    subject.score([pair(lead, f"{run} {burst}")])
            promotions += subject.verdict == "promote"
        assert promotions <= 60 * ALPHA


class TestVerdict:
    def test_promotes_the_better_at_the_minimum(self) -> None:
        """However clear the case, nothing is decided before the least number of builds."""
        subject = scored(challenge(), [1] * (MINIMUM - 1))
        assert subject.test.evidence > 1e9
        assert subject.verdict == "running"
        assert scored(subject, [0]).verdict == "promote"

    def test_retires_the_worse(self) -> None:
        """A challenger that loses clearly is retired."""
        assert scored(challenge(), [-1] * 20 + [0] * MINIMUM).verdict == "retire"

    def test_needs_less_to_retire(self) -> None:
        """Losing 8 to 1 retires; winning 8 to 1 does not promote."""
        assert scored(challenge(), [-1] * 8 + [1] + [0] * MINIMUM).verdict == "retire"
        assert scored(challenge(), [1] * 8 + [-1] + [0] * MINIMUM).verdict == "running"

    def test_patience_ends(self) -> None:
        """A challenger that never differs is retired in the end, not before."""
        subject = challenge()
        subject.counts.both_right = PATIENCE - 2
        assert scored(subject, [0]).verdict == "running"
        assert scored(subject, [0]).verdict == "retire"

    def test_stays(self) -> None:
        """A verdict once reached stays, and nothing is counted after it."""
        subject = scored(challenge(), [1] * MINIMUM)
        before = subject.dump()
        assert scored(subject, [-1] * 500).dump() == before
        assert before["verdict"] == "promote"


class TestInShadow:
    def test_knows_nothing_yet(self) -> None:
        """A challenger without labels answers nothing for each example, which counts as wrong."""
        subject = challenge()
        labels, activations = subject.predict(HashedLogistic(bits=8).batch([b"abcd", b"efgh"]))
        assert labels == [None, None]
        assert activations.shape == (2, 0)

    def test_predicts_its_best_label(self) -> None:
        """What the challenger says is its likeliest label, example by example."""
        model = HashedLogistic(bits=8)
        batch = model.batch([b"abcd", b"efgh"])
        for _ in range(5):
            model.learn_batch(batch, [RIGHT, WRONG], [1.0, 1.0], model.activations(batch))
        assert Challenge("trained", model).predict(batch)[0] == [RIGHT, WRONG]

    def test_a_real_winner(self) -> None:
        """A challenger that learns takes the place of a champion that has stopped to."""
        source, champion, subject = random.Random(5), HashedLogistic(bits=8), challenge()  # noqa: S311
        for number in range(MINIMUM + 20):
            truth = source.choice((RIGHT, WRONG))
            batch = champion.batch([f"{truth[1]:4}".encode()])
            said, activations = subject.predict(batch)
            subject.score([Pair(f"kind {number}", truth, RIGHT, said[0])])
            if subject.verdict == "running":
                subject.classifier.learn_batch(batch, [truth], [1.0], activations)
        assert subject.verdict == "promote"
        assert subject.counts.only_challenger > 80


class TestSaved:
    @given(leads, leads)
    def test_goes_on_where_it_was(self, first: list[int], then: list[int]) -> None:
        """Dumped as JSON and loaded, a challenge goes on as if nothing had happened."""
        loaded, part = challenge(), challenge(rules=False)
        for place, lead in enumerate(first):
            part.score([pair(lead, f"kind {place % 7}")], people=True)
        loaded.load(orjson.loads(orjson.dumps(part.dump())))
        for place, lead in enumerate(then):
            for one in (part, loaded):
                one.score([pair(lead, f"kind {place % 5}")], people=True)
        assert loaded.dump() == part.dump()
        assert loaded.dump()["rules"] is False

    def test_refuses_a_verdict_it_does_not_know(self) -> None:
        """Of a verdict that is none nothing is taken over."""
        subject = challenge()
        with pytest.raises(ValueError, match="verdict 'maybe'"):
            subject.load({**subject.dump(), "name": "other", "verdict": "maybe"})
        assert subject.name == "student"
