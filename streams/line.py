"""The line inside a worker: the partitions it holds, and the way of a record from bytes to committed answer."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from faust.types import TP, EventT

from models.records import ModelCommand
from models.state import LineState
from streams.batch import Batch, outgoing
from streams.checkpoints import Partition
from streams.commands import Shelf
from streams.delivery import Chunk
from streams.garbage import settle
from streams.kafka import client_options
from streams.metrics import Metrics
from streams.restore import SOURCES, Source, read_shelf, restore_partitions
from streams.settings import Settings
from streams.transactions import Checkpoint, LineApp
from streams.web.learned import describe, observe_partition

log = logging.getLogger(__name__)

TURN_S = 0.01  # of stepping, then the event loop has its turn: answers leave, and health is told, within a chunk
FAILED = 70  # exit status (EX_SOFTWARE): a step failed in a way nobody foresaw


class Line:
    """What the agents share: partitions by number, restored before their first record, written at every commit."""

    def __init__(self, app: LineApp, settings: Settings, metrics: Metrics, fresh: Callable[[], LineState]) -> None:
        self.app, self.settings, self.metrics, self.fresh = app, settings, metrics, fresh
        self.sources = tuple(SOURCES)
        self.partitions: dict[int, Partition] = {}
        self._saved: dict[int, float] = {}  # when each partition's last checkpoint was taken (seconds, monotonic)
        self.restored = asyncio.Event()
        self._restoring: asyncio.Task[None] | None = None
        self._crashing: asyncio.Future[None] | None = None  # kept, or it might be collected half way
        self.signs = 0  # of progress while partitions are taken over: a long restore is no stall
        # Failures answered but not yet committed: when they came in (UNIX seconds), and their trace if it is kept.
        self._uncommitted: list[tuple[float, str | None]] = []
        app.take_checkpoints, app.after_commit, app.on_last_commit = self.take_checkpoints, self.note_commit, self.pause

    def pause(self) -> None:
        """Let no further batch begin until partitions have been taken over; a restore under way is given up."""
        self.restored.clear()
        if self._restoring is not None:
            self._restoring.cancel()
            self._restoring = None

    async def release(self) -> None:
        """Let go of all partitions: a rebalance has begun, and what was not committed will be read again."""
        async with self.app.gate.commit():
            self.pause()
            for number in self.partitions:
                await self.app.give_up_transaction(TP(next(iter(SOURCES)), number))
            self.app.forget_acknowledged()
            self.partitions.clear()
            self._saved.clear()
            self._uncommitted.clear()

    def begin_take_over(self, assigned: Iterable[TP], options: Mapping[str, Any]) -> None:
        """Start to restore the assigned partitions; records wait until this is done.

        The rebalance must not wait: aiokafka sends no heartbeat until its callback returns, so a restore longer than
        the session would end the membership, and the next one too, for ever (seen with 4 models of 20 MB).
        """
        self.pause()
        self._restoring = asyncio.create_task(self._take_over(assigned, options))
        self._restoring.add_done_callback(self._end_if_failed)

    def _end_if_failed(self, restoring: asyncio.Task[None]) -> None:
        if not restoring.cancelled() and (error := restoring.exception()) is not None:
            self._crashing = asyncio.ensure_future(self.app.crash(error))

    async def _take_over(self, assigned: Iterable[TP], options: Mapping[str, Any]) -> None:
        self._note_sign()
        numbers = sorted({place.partition for place in assigned if place.topic in SOURCES})
        started = time.monotonic()
        self.partitions = await restore_partitions(
            numbers,
            bootstrap=self.settings.broker or "",
            options=options,
            group=self.app.conf.id,
            fresh=self.fresh,
            progress=self._note_sign,
        )
        settle()
        log.info("partitions %s restored in %.1f s", numbers, time.monotonic() - started)
        self.restored.set()

    def _note_sign(self) -> None:
        self.signs += 1

    async def process(self, event: EventT[Any], kind: type[Source]) -> None:
        """Take a chunk in: all of it, or the process ends and the transaction with it; never skip and acknowledge.

        Whoever asked may be cancelled (Faust cancels agents at a stop and at a rebalance): the chunk is finished
        first, so that its transaction is whole.
        """
        await self.restored.wait()
        await asyncio.shield(asyncio.ensure_future(self._process(event, kind)))

    async def _process(self, event: EventT[Any], kind: type[Source]) -> None:
        chunk = cast("Chunk", event.message)
        async with self.app.gate.batch():
            if not (self.restored.is_set() and self.app.is_current(chunk)):
                return  # a rebalance or the end began while this chunk waited: it has been, or will be, fetched again
            try:
                batch = await self._step_through(chunk, kind)
                async with self.app.gate.sending():
                    if self.app.gate.poisoned:
                        return  # the commit that was under way failed: the process ends
                    await self.app.emit(chunk.tp, batch.outgoing)
                    self._uncommitted += batch.arrivals
                    event.ack()
            except Exception:
                place = f"{chunk.topic}/{chunk.partition} offset {self._at(chunk)}"
                log.critical("cannot go on: %s", place, exc_info=True)
                logging.shutdown()
                os._exit(FAILED)
        batch.count(self.metrics)
        if not self.app.waiting:
            self.app.commit_soon()

    async def _step_through(self, chunk: Chunk, kind: type[Source]) -> Batch:
        """Take the records in; now and then the event loop has its turn."""
        shelf = await self._shelf(chunk) if kind is ModelCommand else None
        batch = Batch(self.partitions[chunk.partition], kind, shelf)
        turn = time.monotonic() + TURN_S
        for record in chunk.records:
            batch.take(record)
            if time.monotonic() > turn:
                await asyncio.sleep(0)
                turn = time.monotonic() + TURN_S
        return batch

    async def _shelf(self, chunk: Chunk) -> Shelf:
        values = [record.value for record in chunk.records]
        return await read_shelf(self.settings.broker or "", client_options(self.settings), chunk.partition, values)

    def _at(self, chunk: Chunk) -> int:
        """Return the offset of the record that a chunk has come to."""
        first: int = chunk.records[0].offset
        return max(first, self.partitions[chunk.partition].offsets.get(chunk.topic, first))

    def take_checkpoints(self, *, last: bool = False) -> list[Checkpoint]:
        """Return the checkpoints that are due, to be sent in the transaction that is committed.

        With the ``last`` commit all partitions that changed are saved, so that nothing has to be stepped through again.
        """
        now, source, taken = datetime.now(UTC), next(iter(SOURCES)), []
        at = time.monotonic()
        for number, partition in self.partitions.items():
            if partition.due(math.inf if last else at - self._saved.get(number, -math.inf)):
                records = partition.checkpoint(now)
                self._saved[number] = at
                self.metrics.checkpoint_bytes.inc(sum(len(record.payload) for _, record in records))
                offsets = {TP(topic, number): offset for topic, offset in partition.offsets.items()}
                taken.append(
                    Checkpoint(TP(source, number), [outgoing(record, key) for key, record in records], offsets)
                )
        return taken

    def describe(self) -> dict[str, Any]:
        """Return what ``/v1/state`` says: each partition with what it has learned."""
        held = sorted(self.partitions.items())
        return {
            "partitions": [{"partition": number, "offsets": one.offsets} | describe(one.state) for number, one in held]
        }

    def observe(self) -> None:
        """Bring the gauges of the partitions up to date."""
        for number, partition in self.partitions.items():
            observe_partition(self.metrics, str(number), partition.state)

    def note_commit(self) -> None:
        """Count a commit and observe how long its failures were on their way."""
        self.metrics.commits.inc()
        now, self._uncommitted, arrived = time.time(), [], self._uncommitted
        for timestamp, trace in arrived:
            example = {"trace_id": trace} if trace else None
            self.metrics.end_to_end.observe(max(0.0, now - timestamp), example)
