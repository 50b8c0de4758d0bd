"""The batch job on a schedule: one at a time in the cluster, and its failure is an event, never a dead process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.archive.files import partition_folder, write_piece
from models.archive.pieces import Piece
from models.archive.tables import FAILURES
from models.records import AndonEvent
from streams.schedule.job import Command
from streams.schedule.plan import Plan
from streams.schedule.trainer import Trainer
from streams.settings import Settings
from tests.builders import random_builds
from tests.integration.conftest import Line

WORKS: list[Command] = [["--version"]]
FAILS: list[Command] = [["--version"], ["no-such-command"]]
LASTS: list[Command] = [["tail", "andon"]]  # it follows the topic until it is stopped
LIMIT_S = 60.0


def drift() -> AndonEvent:
    return AndonEvent(
        id="drift",
        time=datetime.now(UTC) + timedelta(hours=2),
        project="demo",
        kind="ConceptDrift",
        severity="warning",
        message="the mix moved",
        recommendation="Retrain",
    )


def archive(settings: Settings) -> None:
    """Put one build into the archive: without any nothing is trained."""
    rows = FAILURES.rows(random_builds(1, seed=1)[0], 0)
    write_piece(partition_folder(settings.archive, FAILURES, 0), FAILURES, Piece(0, 1), rows, {})


@asynccontextmanager
async def scheduler(settings: Settings, commands: list[Command]) -> AsyncIterator[Trainer]:
    """Run a scheduler whose job is ``commands``; on leaving it stops as on SIGTERM."""
    trainer, stopping = Trainer(settings, lambda _settings, _now: commands), asyncio.Event()
    work = asyncio.create_task(trainer.work(stopping))
    try:
        await until(lambda: trainer.ready or work.done())
        yield trainer
        assert not work.done(), work
    finally:
        stopping.set()
        await work


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110 - it polls what other tasks do
            await asyncio.sleep(0.05)


def runs(trainer: Trainer, outcome: str) -> float:
    return trainer.registry.get_sample_value("jidoka_batch_runs_total", {"outcome": outcome}) or 0.0


def told(line: Line) -> list[tuple[str, str]]:
    events = line.records(AndonEvent)
    return [(one.kind, one.transition) for one in events if one.kind == "TrainingFailure"]


def run(line: Line, work: Callable[[Settings], Coroutine[Any, Any, None]], **changes: Any) -> None:
    archive(line.settings)
    asyncio.run(work(line.settings.model_copy(update=changes)))


class TestScheduler:
    def test_a_slot_runs_the_job_and_drift_asks_for_it(self, line: Line, monkeypatch: Any) -> None:
        """The job runs at its time, and when drift recommends it; each command of it is a process that ends."""
        monkeypatch.setattr("streams.schedule.plan.PAUSE", timedelta(0))

        async def work(settings: Settings) -> None:
            async with scheduler(settings, WORKS) as trainer:
                await until(lambda: trainer._plan is not None)
                await asyncio.to_thread(line.push, [drift()])
                await until(lambda: runs(trainer, "done") >= 1)
            assert b"$ jidoka --version" in (settings.data_dir / "logs" / "batch.log").read_bytes()

        run(line, work, train_schedule="off")
        assert told(line) == []

    def test_a_failure_is_an_event_and_a_success_clears_it(self, line: Line) -> None:
        """A job that fails lights TrainingFailure, the scheduler goes on, and the next success puts it out."""

        async def work(settings: Settings) -> None:
            async with scheduler(settings, FAILS) as trainer:
                await until(lambda: trainer._plan is not None)
                trainer._plan = Plan(datetime.now(UTC) - timedelta(days=2))
                await until(lambda: runs(trainer, "failed") == 1)
                trainer._commands = lambda _settings, _now: WORKS
                trainer._plan = Plan(datetime.now(UTC) - timedelta(days=2), failed=True)
                await until(lambda: runs(trainer, "done") == 1)

        run(line, work)
        assert told(line) == [("TrainingFailure", "raised"), ("TrainingFailure", "cleared")]
        message = next(one.message for one in line.records(AndonEvent) if one.transition == "raised")
        assert "`jidoka no-such-command` ended with 2" in message

    def test_one_at_a_time_and_the_next_takes_over(self, line: Line, tmp_path: Path) -> None:
        """Of two schedulers one runs the job; when it stops, its job stops with it and the other begins it again."""
        other = line.settings.model_copy(update={"data_dir": tmp_path / "other"})
        archive(other)

        async def work(settings: Settings) -> None:
            async with scheduler(other, LASTS) as second:
                async with scheduler(settings, LASTS) as first:
                    await until(lambda: (first._plan is None) != (second._plan is None))
                    holder, waiting = (first, second) if first._plan is not None else (second, first)
                    holder._plan = Plan(datetime.now(UTC) - timedelta(days=2))
                    await until(lambda: holder._task is not None)
                    assert waiting._task is None
                await until(lambda: second._plan is not None)
                if holder is first:
                    assert second._plan is not None
                    assert second._plan.wanted == "schedule 0 3 * * *"

        run(line, work)
        assert told(line) == []

    def test_a_scheduler_that_was_killed_is_told(self, line: Line) -> None:
        """A job whose scheduler went away without a word is a failure, told by whoever takes the lease over."""

        async def work(settings: Settings) -> None:
            async with scheduler(settings, WORKS) as trainer:
                await until(lambda: trainer._plan is not None)
                trainer._plan = Plan(datetime.now(UTC), running="schedule 0 3 * * *")
                await until(lambda: runs(trainer, "failed") == 1)

        run(line, work)
        assert told(line) == [("TrainingFailure", "raised")]


def test_nothing_is_trained_from_nothing(line: Line) -> None:
    """While the archive is empty no job begins, and nothing fails."""

    async def work(settings: Settings) -> None:
        async with scheduler(settings, FAILS) as trainer:
            await until(lambda: trainer._plan is not None)
            long_ago = datetime.now(UTC) - timedelta(days=2)
            trainer._plan = Plan(long_ago)
            await until(lambda: trainer._plan is not None and trainer._plan.begun > long_ago)

    asyncio.run(work(line.settings))
    assert told(line) == []
