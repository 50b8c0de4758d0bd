"""The arithmetic of votes: the E-step for many patterns at once is that of one posterior at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels.agreement import CERTAIN, Agreement
from models.labels.expectation import Expectation, Pattern, Pin
from models.labels.functions import LabellingFunction

LABELS = ("A", "B", "C", "D")
BLOCKS = (0, 0, 0, 1, 1, 2, 3)
FUNCTIONS = [LabellingFunction(f"f{place}", f"b{block}", LABELS, 0.7, "") for place, block in enumerate(BLOCKS)]

slots = st.lists(st.integers(0, len(FUNCTIONS) * len(LABELS) - 1), min_size=1, max_size=10, unique=True)
weights = st.sampled_from([0.0, 0.5, 1.0, 2.5]) | st.floats(0.0, 6.0)
pins = st.none() | st.tuples(st.integers(0, len(LABELS) - 1), st.floats(0.5, 0.99))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Return a pattern of weighted votes, pinned or not."""
    return Pattern([(slot, draw(weights)) for slot in draw(slots)], draw(pins), draw(st.integers(1, 5)))


def agreement(temper: float = 0.25) -> Agreement:
    """Return what is known of the functions above, with labels that are not equally frequent."""
    known = Agreement(FUNCTIONS, LABELS, horizon=100.0, temper=temper)
    known.load({"tallies": {}, "balance": {"A": 50, "B": 20, "C": 5}})
    return known


def right(known: Agreement, pattern: Pattern, vote: tuple[int, float], pin: Pin | None) -> float:
    """Return the probability that a vote is right by itself and the other blocks: one posterior."""
    block = BLOCKS[vote[0] // len(LABELS)]
    others = [other for other in pattern.votes if BLOCKS[other[0] // len(LABELS)] != block]
    return full(known, [*others, vote], pin)[vote[0] % len(LABELS)]


def full(known: Agreement, votes: list[tuple[int, float]], pin: Pin | None) -> list[float]:
    """Return the probabilities of all labels."""
    found = known.posterior(votes, pin)
    rest = sum([share for column, share in enumerate(known.shares) if column not in found])
    left = (1.0 - sum(found.values())) / rest if rest else 0.0
    return [found.get(column, share * left) for column, share in enumerate(known.shares)]


class TestExpectation:
    @given(st.lists(patterns(), min_size=1, max_size=6), st.sampled_from([0.0, 0.25, 1.0]))
    def test_hits_are_those_of_single_posteriors(self, seen: list[Pattern], temper: float) -> None:
        """Each vote that another block has an opinion on adds its own posterior, as often as the pattern came."""
        known = agreement(temper)
        expected: dict[int, list[float]] = {}
        for pattern in seen:
            for vote in pattern.votes:
                block = BLOCKS[vote[0] // len(LABELS)]
                if any(BLOCKS[slot // len(LABELS)] != block and weight > 0 for slot, weight in pattern.votes):
                    sums = expected.setdefault(vote[0], [0.0, 0.0])
                    sums[0] += right(known, pattern, vote, pattern.pin) * pattern.times
                    sums[1] += pattern.times
        step = Expectation(seen, np.array(known.shares), np.array(BLOCKS), temper)
        found = {slot: [hits, votes] for slot, hits, votes in step.hits()}
        assert found.keys() == expected.keys()
        for slot, sums in expected.items():
            assert found[slot] == pytest.approx(sums, abs=1e-9)

    @given(st.lists(patterns(), min_size=1, max_size=6))
    def test_labels_are_those_of_single_posteriors(self, seen: list[Pattern]) -> None:
        """Each label that somebody votes for adds its posterior."""
        known = agreement()
        expected = np.zeros(len(LABELS))
        for pattern in seen:
            shares = full(known, list(pattern.votes), pattern.pin)
            for column in {slot % len(LABELS) for slot, weight in pattern.votes if weight > 0}:
                expected[column] += shares[column] * pattern.times
        step = Expectation(seen, np.array(known.shares), np.array(BLOCKS), known.temper)
        assert step.labels() == pytest.approx(expected, abs=1e-9)


class TestAgreement:
    def test_a_vote_no_better_than_chance_adds_nothing(self) -> None:
        """The log-odds are 0 up to the label's share, grow with accuracy, and end where certainty would begin."""
        known = agreement()
        share = known.shares[0]
        odds = [known.log_odds(accuracy, 0) for accuracy in (0.0, share, share + 0.01, 0.9, CERTAIN, 1.0)]
        assert odds[:2] == [0.0, 0.0]
        assert 0.0 < odds[2] < odds[3] < odds[4] == odds[5]

    def test_a_pin_is_the_least_probability(self) -> None:
        """The pinned label is raised to its least probability and never lowered; the others keep their proportions."""
        known = agreement()
        votes = [(known.slot("f0", "B"), 3.0), (known.slot("f3", "C"), 1.0)]
        free, raised, kept = (known.posterior(votes, pin) for pin in (None, (2, 0.9), (1, 0.01)))
        assert raised[2] == 0.9
        assert raised[1] == pytest.approx(free[1] * 0.1 / (1.0 - free[2]))
        assert kept == free

    def test_names_that_are_no_more_are_left_out(self) -> None:
        """Slots by name skip functions and labels that this version does not have."""
        known = agreement()
        assert known.slots([("f1", "B"), ("gone", "A"), ("f0", "Z"), ("f0", "A")]) == (0, 5)
        known.load({"tallies": {"gone": {"A": [1, 1, 0, 0]}, "f0": {"Z": [1, 1, 0, 0]}}, "balance": {"Z": 9}})
        assert known.accuracies() == {}

    def test_nothing_learned_from_nothing(self) -> None:
        """Patterns without a vote leave everything as it was."""
        known = agreement()
        before = known.dump()
        known.learn([Pattern([], None, 3)])
        assert known.dump() == before
