"""The test of a model against its baselines: quiet where it should be, quick where it should not."""

from __future__ import annotations

import random

from models.andon.shortfall import LIMIT, RIVALS, WARM_UP, Shortfall

LABELS = ("A", "B", "C", "D")


def run(test: Shortfall, accuracy: float, builds: int, seed: int, start: int = 0) -> tuple[int, int] | None:
    """Let a model of this accuracy label a uniform stream; return after how many builds which rival alarmed."""
    draw = random.Random(seed)  # noqa: S311 - a stream
    for number in range(builds):
        true = draw.choice(LABELS)
        said = true if draw.random() < accuracy else draw.choice([one for one in LABELS if one != true])
        place = test.update(f"b{start + number}", start + number, [said], [true])
        if place is not None:
            return number, place
    return None


def test_no_false_alarms() -> None:
    """A model as good as the baselines, and one that is .03 worse, raise nothing within 20,000 builds."""
    assert run(Shortfall(), 0.25, 20_000, seed=1) is None
    assert run(Shortfall(), 0.22, 20_000, seed=2) is None


def test_finds_a_model_that_fails() -> None:
    """A model that falls from .9 to nothing below baselines of .25 is found within 150 builds, from where it began."""
    for seed in range(5):
        test = Shortfall()
        assert run(test, 0.9, 3_000, seed) is None
        found = run(test, 0.0, 1_000, seed + 100, start=3_000)
        assert found is not None
        assert found[0] <= 150
        assert test.statistic(found[1]) >= LIMIT
        first = test.first[found[1]]
        assert first is not None
        assert 2_900 <= first[1] <= 3_040
        assert test.examples[found[1]]


def test_a_long_good_past_does_not_weigh() -> None:
    """After 20,000 good builds a failing model is found as soon as after 1,000."""
    delays = []
    for past in (1_000, 20_000):
        test = Shortfall()
        run(test, 0.95, past, seed=3)
        found = run(test, 0.0, 1_000, seed=4)
        assert found is not None
        delays.append(found[0])
    assert abs(delays[0] - delays[1]) <= 20


def test_warm_up() -> None:
    """A model that has just started is not judged: it knows less than a table for a while."""
    test = Shortfall()
    assert run(test, 0.0, WARM_UP, seed=5) is None
    assert all(test.statistic(place) == 0.0 for place in range(len(RIVALS)))


def test_one_vote_for_a_build() -> None:
    """A cascade of a hundred errors weighs as much as a single one."""
    one, many = Shortfall(), Shortfall()
    for number in range(WARM_UP + 50):
        one.update(f"b{number}", number, ["B"], ["A"])
        many.update(f"b{number}", number, ["B"] * 100, ["A"] * 100)
    assert one.capitals == many.capitals


def test_round_trip_and_restart() -> None:
    """What was dumped goes on as if nothing had happened; a restart keeps the counts and nothing else."""
    test, copy = Shortfall(), Shortfall()
    run(test, 0.3, 500, seed=6)
    copy.load(test.dump())
    assert run(test, 0.1, 300, seed=7) == run(copy, 0.1, 300, seed=7)
    assert test.dump() == copy.dump()
    test.restart()
    assert (test.builds, test.counts, test.best) == (0, copy.counts, copy.best)
