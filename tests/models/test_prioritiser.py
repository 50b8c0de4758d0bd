"""The prioritiser: which program is tried next."""

from __future__ import annotations

from random import Random

from models.search.prioritiser import Prioritiser, marks_of


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - an order, nothing secret


class TestChoice:
    def test_what_shows_new_failures_comes_first(self) -> None:
        """A construct whose programs keep showing something new is chosen before one whose failures are all known."""
        chooser, rng = Prioritiser(), seeded(1)
        for _ in range(30):
            chooser.learn(("known",), new=False)
            chooser.learn(("fresh",), new=True)
        offered = [("known",), ("fresh",)]
        assert sum(chooser.choose(offered, rng) for _ in range(50)) >= 48

    def test_what_nobody_tried_is_tried(self) -> None:
        """Beside a construct that shows nothing new, one that nobody has tried is chosen nearly always."""
        chooser, rng = Prioritiser(), seeded(2)
        for _ in range(60):
            chooser.learn(("tried",), new=False)
        offered = [("tried",), ("never",)]
        assert sum(chooser.choose(offered, rng) for _ in range(50)) >= 45

    def test_the_same_draws_choose_the_same(self) -> None:
        """Equal outcomes and an equal generator lead to equal choices."""
        offered = [(f"construct {number}",) for number in range(20)]
        assert Prioritiser().choose(offered, seeded(7)) == Prioritiser().choose(offered, seeded(7))

    def test_one_untried_mark_is_enough(self) -> None:
        """A program with one mark that nobody tried comes before one whose many marks are known to show nothing new."""
        chooser, rng = Prioritiser(), seeded(3)
        known = tuple(f"known {number}" for number in range(10))
        for _ in range(50):
            chooser.learn(known, new=False)
        assert sum(chooser.choose([known, ("known 1", "never")], rng) for _ in range(50)) >= 45


class TestMarks:
    def test_what_is_known_of_a_program(self) -> None:
        """Constructs, calls, operators and types are marks, and how it was made; names of its own are none."""
        source = (
            "def half(n: int) -> int:\n    return abs(n) // 2\n\ndef f(s: str) -> int:\n    return half(s.find('a'))\n"
        )
        found = marks_of(source, "random", None)
        assert {"abs()", ".find()", "FloorDiv", "floor division", "parameter int", "random"} <= set(found)
        assert not [mark for mark in found if "half" in mark]

    def test_what_does_not_parse(self) -> None:
        """A text that is no program has no marks but those of how it was made."""
        assert marks_of("def (", "swarm") == ("swarm",)
