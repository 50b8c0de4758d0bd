"""A model of a given size in every partition's checkpoints, for the recovery benchmark."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, ModelCheckpoint
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from streams.checkpoints import DELTAS_PER_BASE, Partition
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

MAX_BUILDS = 6_000  # learned to fill the weight table
CODES = (
    *("E0001", "E0007", "E0010", "E0013", "E0026", "E0029", "E0033", "E0034", "E0040", "E0045"),
    *("E0067", "E0074", "E0088", "E0116", "E0133", "E0251", "E0422", "E0593", "E0625", "E0798"),
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def build(number: int, draw: random.Random, words: int, diagnostics: int = 1) -> CompilerErrors:
    """Return a failed compilation whose messages are random words."""

    def message() -> str:
        return " ".join("".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(words))

    made = tuple(Diagnostic(level="error", code=draw.choice(CODES), message=message()) for _ in range(diagnostics))
    return CompilerErrors(id=f"build-{number}", time=NOW, project="recovery", diagnostics=made)


def wide_state(megabytes: float) -> LineState:
    """Return a state whose base snapshot has at least so many megabytes, if the weight table can hold it."""
    state, draw, number = LineState(), random.Random(1), 0  # noqa: S311 - synthetic text
    while True:
        for _ in range(200):
            number += 1
            step(state, build(number, draw, words=200, diagnostics=4), NOW)
        size = len(snapshot.base(state))
        print(f"  {number} builds learned: a snapshot of {size / 1e6:.1f} MB", file=sys.stderr)
        if size >= megabytes * 1e6 or number >= MAX_BUILDS:
            return state


def checkpoints(state: LineState) -> list[tuple[bytes, ModelCheckpoint]]:
    """Return what a worker writes in a while: two bases and the deltas after each, one build learned before each."""
    partition, draw, written = Partition(0, state), random.Random(3), []  # noqa: S311 - synthetic text
    for number in range(DELTAS_PER_BASE * 3 // 2):
        step(state, build(-number, draw, words=40), NOW)
        written += partition.checkpoint(datetime.now(UTC))
    return written


async def write_checkpoints(settings: Settings, state: LineState) -> None:
    """Give every partition ``state`` as its checkpoints."""
    written = await asyncio.to_thread(checkpoints, state)
    async with AIOKafkaProducer(
        bootstrap_servers=settings.broker, max_request_size=MAX_MESSAGE_BYTES, enable_idempotence=True
    ) as producer:
        for number in range(settings.partitions):
            for key, record in written:
                value = record.model_copy(update={"partition": number}).to_bytes()
                key_here = b"%d/%s" % (number, key.partition(b"/")[2])
                await producer.send(topic_name(ModelCheckpoint), value, key=key_here, partition=number)
            await producer.flush()
