"""What a rebalance leaves behind in a worker: nothing that a later commit could take for its own."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faust.tables.manager import TableManager
from faust.types import TP

from models.records import CompilerErrors
from models.state import LineState
from streams.app import build
from streams.delivery import BEHIND, Chunk
from streams.line import Line
from streams.metrics import Metrics
from streams.settings import Settings
from streams.topics import topic_name
from streams.transactions import PromptTableManager

PLACE = TP(topic_name(CompilerErrors), 0)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """Return the line of a worker that never connects."""
    _, made = build(Settings(broker="127.0.0.1:1", data_dir=tmp_path), Metrics(), LineState)
    return made


def test_what_was_acknowledged_late_is_forgotten(line: Line) -> None:
    """A chunk that is taken in while a rebalance begins is acknowledged after Faust forgot all that was.

    Its answers are aborted with their transaction: were its offset kept, the next commit would take it, and its
    records would be lost (seen: 256 of 25,000).
    """
    consumer: Any = line.app.consumer
    consumer._acked[PLACE].append(255)
    consumer._acked_index[PLACE].add(255)
    assert consumer._new_offset(PLACE) == 256
    consumer._acked[PLACE].append(255)
    consumer._acked_index[PLACE].add(255)
    asyncio.run(line.release())
    assert consumer._new_offset(PLACE) is None
    assert consumer._acked_index[PLACE] == set()


def test_chunks_that_a_rebalance_dropped_wait_no_longer(line: Line) -> None:
    """Fetching is not held back by chunks that nobody will take in, even if somebody still holds them."""
    consumer: Any = line.app.consumer
    dropped = [
        Chunk.of(PLACE, [ConsumerRecord(*PLACE, number, 0, 0, b"", b"", None, 0, 0, ())], 1) for number in range(4)
    ]
    consumer._waiting.update(dropped)
    assert line.app.waiting == 4
    line.app.gate.revoking = True
    asyncio.run(line.release())
    assert (line.app.waiting, line.app.gate.revoking) == (0, False)


@pytest.mark.parametrize(("records", "behind"), [(BEHIND // 2 - 1, False), (BEHIND // 2, True)])
def test_fetches_hurry_until_enough_records_wait(line: Line, records: int, behind: bool) -> None:
    """It is records that make a worker behind, not chunks: those of a quiet line have one each."""
    consumer: Any = line.app.consumer
    record = ConsumerRecord(*PLACE, 0, 0, 0, b"", b"", None, 0, 0, ())
    waiting = [Chunk.of(PLACE, [record] * records, 1) for _ in range(2)]
    consumer._waiting.update(waiting)
    assert consumer.behind is behind


def test_partitions_without_a_commit_begin_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fetched and dropped while a rebalance began is fetched again, also where nothing was committed yet."""
    consumer: Any = line.app.consumer
    other, sought = TP(PLACE.topic, 1), {}

    async def seek_to_committed() -> dict[TP, int | None]:
        return {PLACE: None, other: 7}

    async def earliest(*places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, 0)

    async def seek(place: TP, offset: int) -> None:
        sought[place] = offset

    monkeypatch.setattr(consumer, "seek_to_committed", seek_to_committed)
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE, other})
    monkeypatch.setattr(consumer, "earliest_offsets", earliest)
    monkeypatch.setattr(consumer, "_seek", seek)
    asyncio.run(consumer.perform_seek())
    assert sought == {PLACE: 0}


def test_a_rebalance_does_not_wait_for_the_restore(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions are restored beside the rebalance, whose end lets heartbeats begin; the next one gives it up."""
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def restore(*_: object, **__: object) -> Mapping[int, Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return {}

    monkeypatch.setattr("streams.line.restore_partitions", restore)

    async def go() -> None:
        line.begin_take_over({PLACE}, {})
        async with asyncio.timeout(10):
            await begun.wait()
            assert not line.restored.is_set()
            await line.release()
            await given_up.wait()
        assert not line.restored.is_set()

    asyncio.run(go())


def test_a_restore_that_fails_ends_the_worker(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its models a worker does not go on; the error is the one that it ends with."""
    crashed: asyncio.Queue[BaseException] = asyncio.Queue()

    async def restore(*_: object, **__: object) -> Mapping[int, Any]:
        raise OSError("no broker")

    monkeypatch.setattr("streams.line.restore_partitions", restore)
    monkeypatch.setattr(line.app, "crash", crashed.put)

    async def go() -> BaseException:
        line.begin_take_over({PLACE}, {})
        async with asyncio.timeout(10):
            return await crashed.get()

    assert str(asyncio.run(go())) == "no broker"
    assert not line.restored.is_set()


def test_only_the_wait_is_left_out_of_faust_s_table_manager(line: Line) -> None:
    """Ours does at its start what Faust's does, in the same order, but for the second that it sleeps."""

    def steps(method: Any) -> list[str]:
        calls = [
            node.value for node in ast.walk(ast.parse(dedent(inspect.getsource(method)))) if type(node) is ast.Await
        ]
        return [ast.unparse(call) for call in calls]

    assert isinstance(line.app.tables, PromptTableManager)
    assert steps(TableManager.on_start) == ["self.sleep(1.0)", *steps(PromptTableManager.on_start)]
