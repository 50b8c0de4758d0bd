"""Thompson sampling over constructs: what breaks comes first, what is unknown gets its turn, and all is repeatable."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search.thompson import Candidate, ConstructBandit

GOOD, BAD, NEW = Candidate(("for",)), Candidate(("yield",)), Candidate(("match",))
NAMES = st.lists(st.sampled_from(["for", "yield", "match", "lambda", "async def"]), max_size=4).map(tuple)
OUTCOMES = st.lists(st.tuples(NAMES, st.booleans()), max_size=30)


def draws(seed: int) -> Random:
    """Return a source of draws that can be repeated."""
    return Random(seed)  # noqa: S311 - draws, not secrets


def taught(outcomes: list[tuple[tuple[str, ...], bool]], **settings: float) -> ConstructBandit:
    """Return a bandit that saw these outcomes."""
    bandit = ConstructBandit(**settings)  # type: ignore[arg-type]
    for constructs, failed in outcomes:
        bandit.update(constructs, failed)
    return bandit


def known(times: int = 60) -> ConstructBandit:
    """Return a bandit that has seen ``yield`` fail and ``for`` succeed."""
    return taught([(BAD.constructs, True), (GOOD.constructs, False)] * times)


class TestRanking:
    def test_what_breaks_comes_first(self) -> None:
        """After many outcomes the construct that fails is tried first, whatever is drawn."""
        assert all(known().rank([GOOD, BAD], draws(seed)) == [1, 0] for seed in range(50))

    def test_the_unknown_gets_its_turn(self) -> None:
        """What nobody has tried comes before what nearly always works, and sometimes before what often fails."""
        mixed = taught([(BAD.constructs, number % 3 > 0) for number in range(60)])
        for _ in range(60):
            mixed.update(GOOD.constructs, failed=False)
        ranks = [mixed.rank([GOOD, BAD, NEW], draws(seed)) for seed in range(200)]
        assert sum(order.index(2) < order.index(0) for order in ranks) > 180
        assert 20 < sum(order[0] == 2 for order in ranks) < 180

    def test_model_and_constructs_together(self) -> None:
        """Of two programs with the same constructs, the one that the model doubts more comes first."""
        doubted, trusted = Candidate(("for",), 0.9), Candidate(("for",), 0.1)
        assert all(known().rank([trusted, doubted], draws(seed)) == [1, 0] for seed in range(50))

    def test_certainty_is_finite(self) -> None:
        """A model that is certain can still be ranked."""
        assert known().rank([Candidate((), 0.0), Candidate((), 1.0)], draws(0)) == [1, 0]

    def test_equals_stay_in_order(self) -> None:
        """Programs of which nothing can be told stay in the order in which they came; none at all is no order."""
        assert ConstructBandit().rank([Candidate(())] * 4, draws(0)) == [0, 1, 2, 3]
        assert ConstructBandit().rank([], draws(0)) == []

    @given(OUTCOMES, st.lists(NAMES.map(Candidate), max_size=9), st.integers(0, 99))
    def test_an_order_that_can_be_repeated(
        self, outcomes: list[tuple[tuple[str, ...], bool]], candidates: list[Candidate], seed: int
    ) -> None:
        """Every candidate stands once, and the same draws give the same order."""
        order = taught(outcomes).rank(candidates, draws(seed))
        assert sorted(order) == list(range(len(candidates)))
        assert taught(outcomes).rank(candidates, draws(seed)) == order


class TestPosteriors:
    def test_counts(self) -> None:
        """Without decay a posterior counts failures and successes; a construct named twice counts once."""
        bandit = taught([(("for", "for"), True), (("for",), False), (("for", "if"), False)], decay=1.0)
        assert bandit.posterior("for") == (2.0, 3.0)
        assert bandit.posterior("if") == (1.0, 2.0)
        assert bandit.posterior("never") == (1.0, 1.0)

    def test_decay(self) -> None:
        """What was seen counts half as much after each outcome, also while other constructs are seen."""
        bandit = taught([(("a",), True), (("b",), False), (("b",), False)], decay=0.5)
        assert bandit.posterior("a") == (1.25, 1.0)
        assert bandit.posterior("b") == (1.0, 2.5)

    def test_bounded(self) -> None:
        """The construct that was seen longest ago is forgotten first."""
        bandit = taught([(("a",), True), (("b",), True), (("a",), True), (("c",), True)], capacity=2, decay=1.0)
        assert bandit.posterior("b") == (1.0, 1.0)
        assert bandit.posterior("a") == (3.0, 1.0)

    @pytest.mark.parametrize("settings", [{"decay": 0.0}, {"decay": 1.1}, {"capacity": 0}])
    def test_settings_out_of_range(self, settings: dict[str, float]) -> None:
        """Settings that make no sense are refused."""
        with pytest.raises(ValueError, match="at most 1"):
            ConstructBandit(**settings)  # type: ignore[arg-type]


class TestSaving:
    @given(OUTCOMES, OUTCOMES)
    def test_round_trip(
        self, before: list[tuple[tuple[str, ...], bool]], after: list[tuple[tuple[str, ...], bool]]
    ) -> None:
        """A bandit that was saved and loaded goes on as the one that was not."""
        bandit, loaded = taught(before, capacity=3), ConstructBandit(capacity=3)
        loaded.load(bandit.dump())
        for constructs, failed in after:
            bandit.update(constructs, failed)
            loaded.update(constructs, failed)
        assert bandit.dump() == loaded.dump()

    @pytest.mark.parametrize(
        "counts",
        [[["a", -1, 0, 1]], [["a", 1, float("nan"), 1]], [["a", 1, 1, 9]], [["a", 1, 1, 1], ["b", 1, 1, 1]]],
    )
    def test_what_does_not_fit_is_refused(self, counts: list[list[object]]) -> None:
        """Negative or later counts, and more constructs than are kept, are refused; nothing has changed."""
        bandit = taught([(("for",), True)], capacity=1)
        before = bandit.dump()
        with pytest.raises(ValueError, match="constructs after"):
            bandit.load({"outcomes": 5, "counts": counts})
        assert bandit.dump() == before
