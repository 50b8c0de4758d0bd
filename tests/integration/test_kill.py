"""The kill test: whatever dies, whenever, nothing is lost, doubled or out of order, and the model is exact to the bit.

``pytest tests/integration/test_kill.py -s --seed N`` repeats a run; ``make test-long`` goes on for half an hour.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.broker import EmbeddedBroker, ports
from tests.integration.chaos import Kind, Load
from tests.integration.under_faults import UnderFaults

pytestmark = pytest.mark.integration

BUILDS, FEEDBACK = 25_000, 200  # of one wave; the kill test has two
FIRST: tuple[Kind, ...] = (*["kill"] * 5, "kill broker", "restart", "suspend")
SECOND: tuple[Kind, ...] = (*["kill"] * 5, "kill broker", "restart")
LONG_BUILDS, LONG_FAULTS = 20_000, 8
LONG: dict[Kind, int] = {"kill": 6, "kill both": 1, "kill broker": 2, "restart": 3, "suspend": 2}  # how often


@contextmanager
def under_faults(folder: Path, kit: Any, seed: int) -> Iterator[UnderFaults]:
    """Give a line with two workers on a broker of its own: it will be killed, and others need theirs."""
    with (
        EmbeddedBroker(folder / "broker", port=ports.any_free()) as broker,
        kit.new_line(broker.bootstrap, folder) as line,
    ):
        run = UnderFaults(line, broker, seed, Load(seed), random.Random(seed))  # noqa: S311 - a plan, not a secret
        run.start()
        yield run


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what prints a line past pytest: the seed must be known whatever happens."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)  # noqa: T201

    return say


def test_nothing_is_lost_doubled_or_reordered(
    tmp_path: Path, kit: Any, pytestconfig: pytest.Config, tell: Callable[[str], None]
) -> None:
    """50,000 builds, ten kills of a worker, two of the broker, two restarts and a zombie leave no trace in the results.

    Each partition's committed predictions and dead letters are, byte by byte and in order, those of a run without
    interruption, and so is each partition's model.
    """
    seed = pytestconfig.getoption("--seed")
    seed = 1 if seed is None else seed
    tell(f"\nkill test with --seed {seed}")
    with under_faults(tmp_path, kit, seed) as run:
        for kinds in (FIRST, SECOND):
            run.wave(BUILDS, FEEDBACK, kinds)
        stop_all(run)
        tell(run.story())
        states = [one.state for one in run.expected.values()]
    assert len(states) == 4
    assert all(state.failures > 1_000 for state in states)
    assert sum(state.dead_letters for state in states) >= 2 * BUILDS // 1_000
    assert sum(state.repeats for state in states) > 100
    assert sum(state.feedback.dump()["templates"] != [] for state in states) == 4


@pytest.mark.long
def test_half_an_hour_of_faults(
    tmp_path: Path, kit: Any, pytestconfig: pytest.Config, tell: Callable[[str], None]
) -> None:
    """Faults of all kinds, one after the other for half an hour, leave no trace in the results either."""
    seed = pytestconfig.getoption("--seed")
    seed = random.SystemRandom().randrange(1 << 31) if seed is None else seed
    tell(f"\nlong kill test with --seed {seed}")
    told = 0
    with under_faults(tmp_path, kit, seed) as run:
        end = time.monotonic() + 60 * pytestconfig.getoption("--minutes")
        while time.monotonic() < end:
            kinds = run.draw.choices(list(LONG), list(LONG.values()), k=LONG_FAULTS)
            run.wave(LONG_BUILDS, FEEDBACK, kinds)
            told = tell_rest(run.done, told, tell)
            tell(f"wave {run.waves}: {run.pushed} records, nothing lost, doubled, reordered; models exact")
        stop_all(run)
    assert run.waves > 0


def stop_all(run: UnderFaults) -> None:
    """End the workers in order; what they do last must not change anything."""
    for worker in run.line.workers:
        assert worker.stop() == 0, run.story(f"{worker.name} did not end with 0")
    run.check()


def tell_rest(lines: Sequence[str], told: int, tell: Callable[[str], None]) -> int:
    for text in lines[told:]:
        tell(text)
    return len(lines)
