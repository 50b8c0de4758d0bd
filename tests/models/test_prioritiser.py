"""The prioritiser: which program is tried next."""

from __future__ import annotations

from random import Random

from models.search.prioritiser import Prioritiser
from models.search.thompson import Candidate


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - an order, nothing secret


class TestChoice:
    def test_what_shows_new_failures_comes_first(self) -> None:
        """A construct whose programs keep showing something new is chosen before one whose failures are all known."""
        chooser, rng = Prioritiser(), seeded(1)
        for _ in range(30):
            chooser.learn(("known",), new=False)
            chooser.learn(("fresh",), new=True)
        offered = [Candidate(("known",)), Candidate(("fresh",))]
        assert sum(chooser.choose(offered, rng) for _ in range(50)) >= 48

    def test_what_nobody_tried_is_tried(self) -> None:
        """Beside a construct that shows nothing new, one that nobody has tried is chosen nearly always."""
        chooser, rng = Prioritiser(), seeded(2)
        for _ in range(60):
            chooser.learn(("tried",), new=False)
        offered = [Candidate(("tried",)), Candidate(("never",))]
        assert sum(chooser.choose(offered, rng) for _ in range(50)) >= 45

    def test_the_same_draws_choose_the_same(self) -> None:
        """Equal outcomes and an equal generator lead to equal choices."""
        offered = [Candidate((f"construct {number}",)) for number in range(20)]
        assert Prioritiser().choose(offered, seeded(7)) == Prioritiser().choose(offered, seeded(7))
