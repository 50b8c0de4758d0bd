"""The line inside a worker: the partitions it holds, and the way of a record from bytes to committed answer."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from faust.types import TP, EventT

from models.records import CompilerErrors, Feedback, Prediction, RecordError, parse
from models.state import LineState
from models.step import step
from streams.checkpoints import Partition
from streams.dead_letters import dead_letter
from streams.metrics import Metrics
from streams.restore import SOURCES, arrival, restore_partitions
from streams.settings import Settings
from streams.transactions import LineApp

log = logging.getLogger(__name__)

FAILED = 70  # exit status (EX_SOFTWARE): a step failed in a way nobody foresaw


class Line:
    """What the agents share: partitions by number, restored before their first record, written at every commit."""

    def __init__(self, app: LineApp, settings: Settings, metrics: Metrics, fresh: Callable[[], LineState]) -> None:
        self.app, self.settings, self.metrics, self.fresh = app, settings, metrics, fresh
        self.partitions: dict[int, Partition] = {}
        self.restored = asyncio.Event()
        self._uncommitted: list[float] = []  # arrival times (UNIX seconds) of failures answered but not yet committed
        app.before_commit, app.after_commit, app.on_last_commit = self.write_checkpoints, self.note_commit, self.pause

    def pause(self) -> None:
        """Let no further batch begin until partitions have been taken over."""
        self.restored.clear()

    async def release(self) -> None:
        """Let go of all partitions: a rebalance has begun, and what was not committed will be read again."""
        async with self.app.gate.commit():
            self.pause()
            for number in self.partitions:
                await self.app.give_up_transaction(TP(next(iter(SOURCES)), number))
            self.partitions.clear()
            self._uncommitted.clear()

    async def take_over(self, assigned: Iterable[TP], options: Mapping[str, Any]) -> None:
        """Restore the assigned partitions; records wait until this is done."""
        numbers = sorted({place.partition for place in assigned if place.topic in SOURCES})
        started = time.monotonic()
        self.partitions = await restore_partitions(
            numbers,
            bootstrap=self.settings.broker or "",
            options=options,
            group=self.app.conf.id,
            fresh=self.fresh,
        )
        log.info("partitions %s restored in %.1f s", numbers, time.monotonic() - started)
        self.restored.set()

    async def process(self, events: Sequence[EventT[Any]], kind: type[CompilerErrors] | type[Feedback]) -> None:
        """Take a batch in: all of it, or the process ends and the transaction with it; never skip and acknowledge.

        What was fetched before the last rebalance is dropped: it has been, or will be, fetched again.
        """
        await self.restored.wait()
        async with self.app.gate.batch():
            if not self.restored.is_set():
                return  # while this batch waited for the gate, a rebalance or the end began
            events = [event for event in events if self.app.is_current(event.message)]
            for event in events:
                try:
                    await self._take(event, kind)
                except Exception:
                    message = event.message
                    log.critical(
                        "cannot go on: %s/%d offset %d", message.topic, message.partition, message.offset, exc_info=True
                    )
                    logging.shutdown()
                    os._exit(FAILED)
            for event in events:
                event.ack()

    async def _take(self, event: EventT[Any], kind: type[CompilerErrors] | type[Feedback]) -> None:
        message = event.message
        source = TP(message.topic, message.partition)
        partition = self.partitions[message.partition]
        now = arrival(message.timestamp)
        try:
            record = parse(kind, message.value)
        except RecordError as error:
            partition.state.dead_letters += 1
            self.metrics.dead_letters.labels(topic=kind.topic).inc()
            await self.app.emit(dead_letter(message, str(error), now), message.key or b"", source)
        else:
            for output in self._step(partition.state, record, now):
                await self.app.emit(output, record.project.encode(), source)
            if kind is CompilerErrors:
                self._uncommitted.append(now.timestamp())
        partition.advance(message.topic, message.offset)

    def _step(self, state: LineState, record: CompilerErrors | Feedback, now: datetime) -> list[Prediction]:
        repeats, unmatched, started = state.repeats, state.unmatched_feedback, time.perf_counter()
        outputs = step(state, record, now)
        self.metrics.step.observe(time.perf_counter() - started)
        if isinstance(record, Feedback):
            self.metrics.feedback.labels(matched=str(state.unmatched_feedback == unmatched).lower()).inc()
        else:
            self.metrics.failures.labels(repeat=str(state.repeats > repeats).lower()).inc()
        for answer in (answer for output in outputs for answer in output.classifications):
            self.metrics.classifications.labels(category=answer.category, source=answer.source).inc()
        return outputs

    async def write_checkpoints(self) -> None:
        """Send the checkpoints of the partitions that changed, in the transaction that is about to be committed."""
        now = datetime.now(UTC)
        source = next(iter(SOURCES))
        for partition in [one for one in self.partitions.values() if one.dirty]:
            for key, record in partition.checkpoint(now):
                self.metrics.checkpoint_bytes.inc(len(record.payload))
                await self.app.emit(record, key, TP(source, partition.number))

    def note_commit(self) -> None:
        """Count a commit and observe how long its failures were on their way."""
        self.metrics.commits.inc()
        now, self._uncommitted, arrived = time.time(), [], self._uncommitted
        for timestamp in arrived:
            self.metrics.end_to_end.observe(max(0.0, now - timestamp))
