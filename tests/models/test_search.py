"""Search spaces, TPE and differential evolution, each beside a random search of the same budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from models.evaluation.grouped_split import TEST, TRAIN, VALIDATION, grouped_split
from models.search.evolution import POPULATION, differential, random_points
from models.search.space import Choice, Float, Int, SpaceError, checked, parse_parameter
from models.search.tpe import Budget, EarlyStopping, PrunedError, Report, random_search, tpe

SPACE = {"rate": Float(1e-4, 1.0, log=True), "size": Int(1, 100), "kind": Choice(("x", "y"))}


def hill(parameters: Mapping[str, Any], _report: Report) -> float:
    """Return a value whose largest is at 0.01, 70, y."""
    off = (np.log10(parameters["rate"]) + 2) ** 2 + ((parameters["size"] - 70) / 30) ** 2
    return -float(off) - (parameters["kind"] == "x")


class TestSpace:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("50..500", Int(50, 500)),
            ("0.1..0.5", Float(0.1, 0.5)),
            ("1e-5..1e-2 log", Float(1e-5, 1e-2, log=True)),
            ([14, 16], Choice((14, 16))),
            (3, None),
            ("word", None),
        ],
    )
    def test_ranges(self, text: Any, expected: Any) -> None:
        """A range is typed by how its ends are written; a single value is none."""
        assert parse_parameter("p", text) == expected

    @pytest.mark.parametrize("text", ["5..1", "a..b", "0..1 log", "1...5", [], [[1]]])
    def test_bad_ranges(self, text: Any) -> None:
        """A range that is none is refused with the parameter's name."""
        with pytest.raises(SpaceError, match="p: "):
            parse_parameter("p", text)

    def test_misspelt(self) -> None:
        """A misspelt parameter is an error that says what was meant."""
        with pytest.raises(SpaceError, match="did you mean epochs"):
            checked({"epoch": Int(1, 2)}, ["epochs", "lr"])


class TestTpe:
    def test_finds_more_than_chance(self) -> None:
        """TPE finds a better point than as many random draws in the median of five seeds."""
        won = [tpe(SPACE, hill, seed=seed).best.value > random_search(SPACE, hill, seed=seed).best.value  # type: ignore[union-attr,operator]
               for seed in range(5)]  # fmt: skip
        assert sum(won) >= 3

    def test_nothing_runs_before_the_check(self) -> None:
        """A parameter that there is not ends the search before its first trial."""
        ran: list[int] = []
        with pytest.raises(SpaceError):
            tpe(SPACE, lambda *_: float(ran.append(1) or 0), allowed=["rate"])
        assert not ran

    def test_time(self) -> None:
        """The budget of time ends a search between two trials."""
        ticks = iter(range(1_000))
        found = tpe(SPACE, hill, budget=Budget(50, 10.0, lambda: float(next(ticks))))
        assert (found.stopped, len(found.trials) < 50) == ("time", True)

    def test_patience(self) -> None:
        """Early stopping ends it five trials after the start-up where nothing gets better."""
        found = tpe(SPACE, lambda *_: 1.0, callbacks=[EarlyStopping()])
        assert (found.stopped, len(found.trials)) == ("patience", 15)

    def test_callbacks(self) -> None:
        """A callback hears of start and end of each trial, and may stop."""
        heard: list[str] = []

        class Hears:
            def on_trial_start(self, number: int, parameters: Mapping[str, Any]) -> None:  # noqa: ARG002
                heard.append(f"start {number}")

            def on_trial_end(self, number: int, parameters: Mapping[str, Any], value: float | None) -> None:  # noqa: ARG002
                heard.append(f"end {number}")

            def should_stop(self) -> bool:
                return len(heard) == 4

        tpe(SPACE, hill, callbacks=[Hears()])
        assert heard == ["start 0", "end 0", "start 1", "end 1"]

    def test_pruning(self) -> None:
        """A trial that is behind the others at a step is not finished."""

        def objective(parameters: Mapping[str, Any], report: Report) -> float:
            for step in range(5):
                report(step, hill(parameters, report))
            return hill(parameters, report)

        found = tpe(SPACE, objective, budget=Budget(30))
        assert any(one.value is None for one in found.trials)
        assert found.best is not None

    def test_broken_trials(self) -> None:
        """Trials that diverge or are pruned are no result; without any other there is no best."""

        def objective(parameters: Mapping[str, Any], _report: Report) -> float:
            if parameters["size"] > 50:
                raise PrunedError
            return float("nan")

        found = tpe(SPACE, objective, budget=Budget(12))
        assert found.best is None
        assert found.curve() == [None] * 12

    def test_same_seed(self) -> None:
        """The same seed gives the same trials."""
        one, other = (tpe(SPACE, hill, budget=Budget(15), seed=3) for _ in range(2))
        assert [trial.parameters for trial in one.trials] == [trial.parameters for trial in other.trials]


class TestDifferentialEvolution:
    def test_beats_chance_within_the_budget(self) -> None:
        """Differential evolution finds more than as many random points, and makes no further evaluation."""
        calls: list[float] = []

        def fitness(point: np.ndarray[Any, np.dtype[np.float64]]) -> float:
            calls.append(0.0)
            return -float(((point - 0.3) ** 2).sum())

        best = differential(fitness, 8, generations=20)
        assert len(calls) == len(best.curve) == POPULATION * 21
        assert best.value > random_points(fitness, 8, POPULATION * 21).value

    def test_same_seed(self) -> None:
        """The same seed finds the same point."""
        one, other = (differential(lambda point: -float(point.sum()), 3, generations=3) for _ in range(2))
        assert one.point.tolist() == other.point.tolist()


class TestGroupedSplit:
    def test_groups_stay_together(self) -> None:
        """Near-duplicates are on one side, whatever their labels."""
        groups = [place // 5 for place in range(500)]
        labels = [place % 3 == 0 for place in range(500)]
        sides = grouped_split(labels, groups, (0.7, 0.15), 1)
        assert all(len({sides[place] for place in range(500) if groups[place] == one}) == 1 for one in set(groups))

    def test_shares_of_each_label(self) -> None:
        """Each side has its share of each label."""
        labels = ["a"] * 200 + ["b"] * 100
        sides = grouped_split(labels, list(range(300)), (0.7, 0.15), 1)
        for label, count in (("a", 200), ("b", 100)):
            found = [sum(s == side and one == label for s, one in zip(sides, labels, strict=True)) / count
                     for side in (TRAIN, VALIDATION, TEST)]  # fmt: skip
            assert found == pytest.approx([0.7, 0.15, 0.15], abs=0.02)
