"""Divergence of categories: hand-computed values, and the exact place where a change is seen."""

from __future__ import annotations

import random
from math import log

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.drift import CategoryDivergence

votes = st.lists(st.lists(st.sampled_from("ABC"), max_size=4), max_size=30)


def fed(detector: CategoryDivergence, *builds: str) -> CategoryDivergence:
    """Return ``detector`` after builds whose labels are single letters."""
    for build in builds:
        detector.update(build)
    return detector


class TestDivergence:
    def test_silent_until_full(self) -> None:
        """There is no value before baseline and window are both full."""
        detector = CategoryDivergence(baseline=2, window=3)
        values = [fed(detector, "A").value for _ in range(5)]
        assert values == [None, None, None, None, 0.0]

    def test_by_hand(self) -> None:
        """Two votes against two: the value is the one computed by hand, with half a vote added to each count."""
        detector = fed(CategoryDivergence(baseline=2, window=2), "A", "B", "A", "A")
        expected = 2.5 / 3 * log((2.5 / 3) / (1.5 / 3)) + 0.5 / 3 * log((0.5 / 3) / (1.5 / 3))
        assert detector.value == pytest.approx(expected)
        assert detector.value == pytest.approx(0.24258597)

    def test_new_label_costs_a_finite_amount(self) -> None:
        """A label that the baseline never had raises the value, not to infinity."""
        detector = fed(CategoryDivergence(baseline=2, window=2), "A", "A", "B", "B")
        assert detector.value == pytest.approx(2.5 / 3 * log(5) + 0.5 / 3 * log(1 / 5))

    def test_one_vote_per_build_and_label(self) -> None:
        """A cascade of equal errors in one build votes once."""
        detector = fed(CategoryDivergence(baseline=3, window=5), "AAAAAAAB", "AB" * 50)
        assert detector.dump() == {"baseline": {"A": 2, "B": 1}, "window": ["B"]}

    def test_order_within_a_build_does_not_matter(self) -> None:
        """The labels of a build count in a fixed order, however they came."""
        assert fed(CategoryDivergence(1, 9), "CAB").dump() == fed(CategoryDivergence(1, 9), "BCA").dump()

    def test_window_slides(self) -> None:
        """Old votes leave the window; the baseline stays what it was."""
        detector = fed(CategoryDivergence(baseline=2, window=2), *"ABCCCCAB")
        assert detector.dump() == {"baseline": {"A": 1, "B": 1}, "window": ["A", "B"]}
        assert detector.value == 0

    def test_change_is_seen_at_its_place(self) -> None:
        """A seeded stream in which a new label takes most of the votes crosses 0.5 exactly here, and not before."""
        source = random.Random(4)  # noqa: S311 - a stream, not a secret
        detector, crossed = CategoryDivergence(baseline=200, window=100), None
        for index in range(1_000):
            shares = (6, 3, 1, 0) if index < 600 else (1, 1, 1, 7)
            detector.update(source.choices("ABCD", shares))
            if crossed is None and (detector.value or 0) > 0.5:
                crossed = index
        assert crossed == 622

    def test_stable_stream_stays_low(self) -> None:
        """Without a change the value stays far below 0.5."""
        source = random.Random(4)  # noqa: S311 - a stream, not a secret
        detector, highest = CategoryDivergence(baseline=200, window=100), 0.0
        for _ in range(5_000):
            detector.update(source.choices("ABCD", (6, 3, 1, 1)))
            highest = max(highest, detector.value or 0)
        assert 0 < highest < 0.25

    @given(votes)
    def test_never_negative(self, builds: list[list[str]]) -> None:
        """A divergence is not negative, and the labels' summands add up to it."""
        detector = CategoryDivergence(baseline=5, window=5)
        for build in builds:
            detector.update(build)
        if detector.value is not None:
            assert detector.value >= -1e-12
            assert sum(detector.contributions().values()) == detector.value

    def test_nothing_yet(self) -> None:
        """Before the first vote there are no contributions."""
        assert CategoryDivergence().contributions() == {}


class TestSaved:
    @given(votes, votes)
    def test_goes_on_where_it_was(self, first: list[list[str]], then: list[list[str]]) -> None:
        """Dumped as JSON and loaded, the detector goes on as if nothing had happened."""
        whole, part, loaded = (CategoryDivergence(6, 5) for _ in range(3))
        for build in first:
            part.update(build)
        loaded.load(orjson.loads(orjson.dumps(part.dump())))
        for build in then:
            loaded.update(build)
        for build in first + then:
            whole.update(build)
        assert (loaded.dump(), loaded.value) == (whole.dump(), whole.value)
