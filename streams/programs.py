"""The synthetic line inside a worker: programs are put through a transpiler, and what comes of them goes out.

A program takes from half a second to a minute, so it is worked on in a thread, outside the gate: commits, heartbeats
and health go on. Only what came of it is sent and acknowledged within the gate. Whatever ends before that (a kill, a
rebalance, a regular stop) leaves nothing on the topics; the program is read again and done again, by whoever holds the
partition then. ``docs/decisions/0025-programs-as-agents.md`` says why it is made so.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from aiokafka import ConsumerRecord
from faust.types import TP, EventT

from models.cloudevents import event_type, headers
from models.records import CompilerErrors, Program, Record, RecordError, parse
from streams.dead_letters import dead_letter, letter_key
from streams.delivery import Chunk, Outgoing
from streams.line import FAILED
from streams.metrics import Metrics
from streams.program_metrics import outcome_of_all
from streams.restore import arrival, committed_offsets
from streams.settings import Settings
from streams.topics import topic_name
from streams.transactions import LineApp

log = logging.getLogger(__name__)

Work = Callable[[Program], Sequence[Record]]
"""What is done with a program: the records that come of it, the same ids each time. Raises ``RecordError`` for one that
cannot be done at all; any other error ends the worker."""

SOURCE_URI = "/jidoka/worker/transpile"
SIGN_S = 1.0  # between two signs of life while a program is worked on
LONGEST_S = 2400.0  # of one program, after which it gives no sign: crates that are built first take up to 1800
T = TypeVar("T")


@dataclass
class Place:
    """A partition of the programs, and the next offset to take in."""

    offsets: dict[str, int] = field(default_factory=dict)


class Programs:
    """What the agent of a transpiling worker works with; it has no state to restore but the group's own offsets."""

    def __init__(self, app: LineApp, settings: Settings, metrics: Metrics, work: Work) -> None:
        self.app, self.settings, self.metrics, self._work = app, settings, metrics, work
        self.sources = (topic_name(Program),)
        self.partitions: dict[int, Place] = {}
        self.restored = asyncio.Event()
        self.signs = 0
        self._since: float | None = None  # when the program in hand was begun (seconds, monotonic)
        self._done: Counter[str] = Counter()  # programs by outcome, since the worker started
        self._taking_over: asyncio.Task[None] | None = None
        self._crashing: asyncio.Future[None] | None = None  # kept, or it might be collected half way
        metrics.programs.begin_at_zero()
        app.after_commit, app.on_last_commit = metrics.commits.inc, self.pause

    def pause(self) -> None:
        """Let no program begin until partitions have been taken over."""
        self.restored.clear()
        if self._taking_over is not None:
            self._taking_over.cancel()
            self._taking_over = None

    async def release(self) -> None:
        """Let go of all partitions: a rebalance has begun, and what was not committed will be read again."""
        async with self.app.gate.commit():
            self.pause()
            for number in self.partitions:
                await self.app.give_up_transaction(TP(self.sources[0], number))
            self.app.forget_acknowledged()
            self.partitions.clear()

    def begin_take_over(self, assigned: Iterable[TP], options: Mapping[str, Any]) -> None:
        """Ask where the group stands in the assigned partitions; records wait until that is known."""
        self.pause()
        self._taking_over = asyncio.create_task(self._take_over(assigned, options))
        self._taking_over.add_done_callback(self._end_if_failed)

    def _end_if_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashing = asyncio.ensure_future(self.app.crash(error))

    async def _take_over(self, assigned: Iterable[TP], options: Mapping[str, Any]) -> None:
        (topic,) = self.sources
        committed = await committed_offsets(self.settings.broker or "", options, self.app.conf.id)
        numbers = sorted({place.partition for place in assigned if place.topic == topic})
        self.partitions = {
            number: Place({topic: committed[topic, number]} if (topic, number) in committed else {})
            for number in numbers
        }
        self.signs += 1
        log.info("partitions %s of %s", numbers, topic)
        self.restored.set()

    async def process(self, event: EventT[Any]) -> None:
        """Take a chunk in: all of it, or the process ends; whoever asked may be cancelled meanwhile."""
        await self.restored.wait()
        await asyncio.shield(asyncio.ensure_future(self._process(event)))

    async def _process(self, event: EventT[Any]) -> None:
        chunk = cast("Chunk", event.message)
        try:
            taken = [await self._take(record) for record in chunk.records if self._is_ours(chunk)]
            async with self.app.gate.batch():
                if not self._is_ours(chunk):
                    return  # somebody else has this partition now, or this worker after a rebalance: it is read again
                async with self.app.gate.sending():
                    if self.app.gate.poisoned:
                        return  # the commit that was under way failed: the process ends
                    await self._send(chunk.tp, [one for _, outgoing in taken for one in outgoing])
                    event.ack()
            self.partitions[chunk.partition].offsets[chunk.topic] = chunk.offset + 1
        except Exception:
            log.critical("cannot go on: %s/%s offset %s", chunk.topic, chunk.partition, chunk.offset, exc_info=True)
            logging.shutdown()
            os._exit(FAILED)
        for count, _ in taken:
            count()
        self.app.commit_soon()

    def _is_ours(self, chunk: Chunk) -> bool:
        return self.restored.is_set() and self.app.is_current(chunk)

    async def _take(self, message: ConsumerRecord[bytes, bytes]) -> tuple[Callable[[], None], list[Outgoing]]:
        """Return what one message comes to: how to count it, and what goes out."""
        try:
            program = parse(Program, message.value)
            records = await self._in_a_thread(lambda: self._work(program))
        except RecordError as error:
            letter = dead_letter(message, str(error), arrival(message.timestamp / 1000))
            return self._count_letter, [_outgoing(letter, letter_key(message))]
        return lambda: self._count(program, records), [_outgoing(one, program.project.encode()) for one in records]

    def _count_letter(self) -> None:
        self.metrics.dead_letters.labels(self.sources[0]).inc()

    def _count(self, program: Program, records: Sequence[Record]) -> None:
        self.metrics.programs.count(program, records)
        self._done.update(outcome_of_all(records))

    async def _send(self, source: TP, outgoing: Sequence[Outgoing]) -> None:
        """Send: failures to the partition of their project, all else to the one with the source's number."""
        errors = topic_name(CompilerErrors)
        placed = [await self.app.by_key(source, one) if one.topic == errors else one for one in outgoing]
        await self.app.emit(source, placed)

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, done in a thread that a stopping process does not wait for."""
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        threading.Thread(target=_run, args=(work, loop, done), daemon=True).start()
        self._since = time.monotonic()
        try:
            while not done.done():
                if self.in_hand_s < LONGEST_S:
                    self.signs += 1
                await asyncio.wait([done], timeout=SIGN_S)
            return cast("T", done.result())
        finally:
            self._since = None

    @property
    def in_hand_s(self) -> float:
        """Return how long the program in hand has taken so far; 0 when there is none."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def describe(self) -> dict[str, Any]:
        """Return what ``/v1/state`` says; partitions without a model are not among ``partitions``."""
        held = [{"partition": number, "offsets": one.offsets} for number, one in sorted(self.partitions.items())]
        return {"partitions": [], "programs": {"partitions": held, "done": self._done, "in_hand_s": self.in_hand_s}}

    def observe(self) -> None:
        """Bring the gauges up to date."""
        self.metrics.programs.in_hand.set(self.in_hand_s)


def _run(work: Callable[[], Any], loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
        _tell(loop, done, error, failed=True)
    else:
        _tell(loop, done, result, failed=False)


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], what: Any, *, failed: bool) -> None:
    def settle() -> None:
        if not done.done():
            (done.set_exception if failed else done.set_result)(what)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop is closed: the process ends
        return


def _outgoing(record: Record, key: bytes) -> Outgoing:
    return Outgoing(event_type(type(record)), key, record.to_bytes(), headers(record, SOURCE_URI))
