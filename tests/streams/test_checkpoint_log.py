"""A restore that reads back from the end finds what one that reads everything finds."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, ModelCheckpoint
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from streams import checkpoints
from streams.checkpoints import Partition, has_base, restore
from streams.restore import newest

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a base be due after a few deltas, and be cut into chunks."""
    monkeypatch.setattr(checkpoints, "DELTAS_PER_BASE", 6)
    monkeypatch.setattr(checkpoints, "CHUNK_BYTES", 400)


def written(count: int) -> list[ModelCheckpoint]:
    """Return the records of ``count`` checkpoints, a build learned before each."""
    partition, records = Partition(0, LineState()), []
    for number in range(count):
        diagnostic = Diagnostic(code="E0308", level="error", message=f"mismatched types {number % 7}")
        failure = CompilerErrors(id=f"f{number}", time=START, project="p", diagnostics=(diagnostic,))
        step(partition.state, failure, START)
        partition.advance("source", number)
        records += [record for _, record in partition.checkpoint(START)]
    return records


def cut(records: list[ModelCheckpoint], length: int) -> Iterator[list[ModelCheckpoint]]:
    """Yield the records from the last to the first in stretches that double."""
    end = len(records)
    while end > 0:
        yield records[max(0, end - length) : end]
        end, length = max(0, end - length), 2 * length


def read_back(records: list[ModelCheckpoint], length: int) -> tuple[Partition, int]:
    """Return the partition restored from the end, and how many stretches were read."""
    read = 0

    async def stretches() -> AsyncIterator[list[ModelCheckpoint]]:
        nonlocal read
        for stretch in cut(records, length):
            read += 1
            yield stretch

    return asyncio.run(newest(0, stretches(), LineState)), read


def damaged(record: ModelCheckpoint) -> ModelCheckpoint:
    return record.model_copy(update={"payload": base64.b64encode(b"other").decode()})


def facts(partition: Partition) -> tuple[object, ...]:
    """Return all of a partition that the next checkpoint depends on."""
    return (
        snapshot.base(partition.state),
        partition.offsets,
        partition.sequence,
        partition.base_sequence,
        partition.broken,
        partition.deltas,
    )


@pytest.mark.parametrize("length", [1, 5])
def test_it_finds_what_reading_everything_finds(length: int) -> None:
    """Whole or damaged anywhere, whatever the stretches: the partition is the one that all the records give."""
    draw = random.Random(length)  # noqa: S311 - a place to damage
    records = written(24)
    logs = [records, records[:1], []]
    for _ in range(4):
        places = {draw.randrange(len(records)) for _ in range(draw.randint(1, 4))}
        logs.append([damaged(one) if place in places else one for place, one in enumerate(records)])
        logs.append([one for place, one in enumerate(records) if place not in places])
    for log in logs:
        expected, _ = restore(0, log, LineState)
        found, _ = read_back(log, length)
        assert facts(found) == facts(expected)


def test_it_stops_at_the_newest_base() -> None:
    """What is older than the newest base is not read."""
    records = written(24)
    (start,) = [place for place, one in enumerate(records) if one.kind == "base" and one.chunk == 0][-1:]
    _, read = read_back(records, len(records) - start)
    assert read == 1
    _, read = read_back(records, len(records) - start - 1)
    assert read == 2


def test_a_base_counts_when_all_its_chunks_are_there() -> None:
    """A base that begins before the stretch is no base yet."""
    records = [one for one in written(1) if one.kind == "base"]
    assert len(records) > 1
    assert has_base(records)
    assert not has_base(records[1:])
    assert not has_base([])
