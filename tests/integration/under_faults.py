"""Two workers on a broker of their own, put through faults while they work, and checked afterwards value by value."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from models.records import CompilerErrors, DeadLetter, Feedback, Prediction, parse
from models.snapshots import snapshot
from models.state import LineState
from streams.broker import EmbeddedBroker
from streams.restore import committed_offsets, read_all, restore_partitions
from streams.topics import MAX_MESSAGE_BYTES, topic_name
from tests.integration.chaos import Fault, Kind, Load, Message, Uninterrupted, difference, offsets_reached, plan
from tests.polling import poll

POLL_S = 0.1
ASK_S = 5.0
STALL_S = 120.0  # without a commit; the longest honest one is a broker that comes back with a worker's session to end
TAKE_OVER_S = 60.0
TOP_UP = 5_000  # builds more, when a fault would find nothing to disturb
VISIBLE_S = 30.0  # until the markers of the last transactions stand on all partitions
MOST_RECALLS = 3  # of a partition, in one run


@dataclass
class UnderFaults:
    """The line, what was pushed onto it, and what an uninterrupted run makes of that.

    ``line`` has two workers; whichever ends, by a fault or by itself, is started again at once, as the supervisor
    does. ``done`` tells each fault that was carried out, ``ended`` how often a worker ended by itself, by exit status.
    """

    line: Any
    broker: EmbeddedBroker
    seed: int
    load: Load
    draw: random.Random
    pushed: int = 0
    waves: int = 0
    done: list[str] = field(default_factory=list)
    ended: Counter[int] = field(default_factory=Counter)
    expected: dict[int, Uninterrupted] = field(default_factory=lambda: defaultdict(Uninterrupted))
    _values: dict[tuple[str, int], list[bytes | None]] = field(default_factory=lambda: defaultdict(list))
    _source: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))  # next offsets to compare
    _results: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    _reached: int = 0
    _reached_at: float = field(default_factory=time.monotonic)
    started: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start both workers; they need not be ready."""
        for name in ("first", "second"):
            self.line.worker(name).start(wait=False)

    # Pushing and progress

    def push(self, messages: Sequence[Message]) -> None:
        """Put messages onto their topics, each project's in order on the partition of its key."""
        asyncio.run(self._push(messages))
        self.pushed += len(messages)

    async def _push(self, messages: Sequence[Message]) -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=self.line.broker, enable_idempotence=True, linger_ms=20, max_batch_size=256 << 10
        ) as producer:
            waiting = [
                await producer.send(topic_name(one.kind), one.value, key=one.project.encode()) for one in messages
            ]
            places = [await one for one in waiting]
        for message, place in sorted(zip(messages, places, strict=True), key=lambda pair: pair[1].offset):
            self._values[place.topic, place.partition].append(message.value)

    def committed(self) -> int:
        """Return how many source records are committed; the last count known while the broker does not answer."""
        try:
            reached = offsets_reached(dict(asyncio.run(self._ask())))
        except (KafkaError, OSError, TimeoutError):
            return self._reached
        if reached > self._reached:
            self._reached, self._reached_at = reached, time.monotonic()
        return self._reached

    async def _ask(self) -> Any:
        return await asyncio.wait_for(committed_offsets(self.line.broker, {}, self.line.settings.app_id), ASK_S)

    def until(self, count: int) -> None:
        """Wait until ``count`` source records are committed; fails when nothing has been for ``STALL_S``."""
        self._reached_at = time.monotonic()
        while self.committed() < count:
            self.tend()
            assert time.monotonic() - self._reached_at < STALL_S, self.story("stalled")
            time.sleep(POLL_S)

    def tend(self) -> None:
        """Start again whichever worker has ended."""
        for worker in self.line.workers:
            if not worker.alive:
                self.ended[worker.process.returncode] += 1
                self.done.append(f"{self._clock()} {worker.name} ended by itself: {worker.process.returncode}")
                worker.start(wait=False)

    # Faults

    def wave(self, builds: int, said: int, kinds: Sequence[Kind]) -> None:
        """Push so many builds, let the faults happen while they are worked on; then feedback; then check everything.

        Feedback comes when the builds are committed: of records on two topics, nobody can say which is first.
        """
        start = self.pushed
        self.push(self.load.builds(builds))
        for fault in plan(self.draw, kinds, start, self.pushed):
            self.until(max(fault.at, self._reached + 1 if fault.settled else 0))
            self.carry_out(fault)
        self.until(self.pushed)
        if said:
            self.push(self.load.feedback(said))
            self.until(self.pushed)
        self.waves += 1
        self.check()

    def carry_out(self, fault: Fault) -> None:
        """Let a fault happen; there has to be work left that it can disturb."""
        worker = self.line.workers[fault.worker]
        end = time.monotonic() + fault.jitter_s
        poll(lambda: time.monotonic() >= end, deadline_s=2 * fault.jitter_s + 1, every_s=0.01)
        self.tend()
        if self.committed() == self.pushed:  # they were quicker than the plan
            self.push(self.load.builds(TOP_UP))
            self.until(self._reached + 1)
        lag = self.pushed - self.committed()
        assert lag > 0, self.story(f"nothing left to do at {fault}")
        self.done.append(f"{self._clock()} {fault.kind} {worker.name} at {self._reached}, {lag} to go")
        if fault.kind == "kill":
            self._kill(worker)
        elif fault.kind == "kill both":
            for one in self.line.workers:
                self._kill(one)
        elif fault.kind == "kill broker":
            self._kill_broker()
        elif fault.kind == "restart":
            self._restart(worker)
        else:
            self._suspend(worker)

    def _kill(self, worker: Any) -> None:
        worker.kill()
        assert worker.process.returncode == -signal.SIGKILL, self.story(f"{worker.name} was not alive")
        worker.start(wait=False)

    def _kill_broker(self) -> None:
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        poll(lambda: self.broker.pid is None)
        assert self.broker.start() == self.line.broker

    def _restart(self, worker: Any) -> None:
        """Ask a worker to leave, as a deployment does; one that was not up yet may end by the signal itself."""
        was_ready = worker.ready
        try:
            status = worker.stop()
        except subprocess.TimeoutExpired:
            raise AssertionError(self.story(f"{worker.name} did not stop within 30 s of SIGTERM")) from None
        assert status == 0 or not was_ready, self.story(f"{worker.name} ended with {status} when asked to stop")
        worker.start(wait=False)

    def _suspend(self, worker: Any) -> None:
        """Let a worker sleep until the other has taken over all it had: it wakes up as a zombie."""
        (other,) = [one for one in self.line.workers if one is not worker]
        worker.process.send_signal(signal.SIGSTOP)
        try:
            poll(lambda: self.tend() or len(other.partitions()) == self._partitions(), deadline_s=TAKE_OVER_S)
        finally:
            worker.process.send_signal(signal.SIGCONT)

    # Checking

    def check(self) -> None:
        """Compare all that has come out since the last check, and the models, with the uninterrupted run."""
        asyncio.run(self._check())

    async def _check(self) -> None:
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.line.broker,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        )
        async with reader:
            for number in range(self._partitions()):
                for kind in (CompilerErrors, Feedback):
                    await self._take_source(reader, topic_name(kind), number)
                await self._check_predictions(reader, number)
                await self._check_letters(reader, number)
                self.expected[number].forget_outputs()
        await self._check_models()

    async def _take_source(self, reader: AIOKafkaConsumer, topic: str, number: int) -> None:
        messages = await self._since(reader, self._source, topic, number)
        assert [one.value for one in messages] == self._values.pop((topic, number), []), self.story("source differs")
        self.expected[number].take(messages)

    async def _check_predictions(self, reader: AIOKafkaConsumer, number: int) -> None:
        wanted = self.expected[number].predictions
        messages = await self._since(reader, self._results, topic_name(Prediction), number, len(wanted))
        problem = difference([one.value for one in messages], wanted)
        assert not problem, self.story(f"predictions of partition {number}: {problem}")

    async def _check_letters(self, reader: AIOKafkaConsumer, number: int) -> None:
        wanted = self.expected[number].letters
        messages = await self._since(reader, self._results, topic_name(DeadLetter), number, len(wanted))
        letters = [parse(DeadLetter, one.value, MAX_MESSAGE_BYTES) for one in messages]
        found = [(one.source_topic, one.offset, _original(one)) for one in letters]
        assert found == wanted, self.story(f"dead letters of partition {number}: {found}, expected {wanted}")

    async def _since(
        self, reader: AIOKafkaConsumer, places: dict[tuple[str, int], int], topic: str, number: int, least: int = 0
    ) -> list[Any]:
        """Return the messages since the last check, once there are ``least``, or after ``VISIBLE_S`` what there is."""
        end = time.monotonic() + VISIBLE_S
        while True:
            found = [one async for one in read_all(reader, TopicPartition(topic, number), places[topic, number])]
            if len(found) >= least or time.monotonic() > end:
                break
            await asyncio.sleep(POLL_S)
        if found:
            places[topic, number] = found[-1].offset + 1
        return found

    async def _check_models(self) -> None:
        restored = await restore_partitions(
            range(self._partitions()),
            bootstrap=self.line.broker,
            options={},
            group=self.line.settings.app_id,
            fresh=LineState,
        )
        for number, partition in restored.items():
            state = self.expected[number].state
            _forget_recalls(partition.state, state)
            same = snapshot.base(partition.state) == snapshot.base(state)
            assert same, self.story(
                f"model of partition {number}: {partition.state.classifier.examples} examples, "
                f"{state.classifier.examples} expected; {partition.state.failures} failures, {state.failures} expected"
            )

    def _partitions(self) -> int:
        count: int = self.line.settings.partitions
        return count

    def _clock(self) -> str:
        return f"{time.monotonic() - self.started:6.1f} s"

    def story(self, what: str = "") -> str:
        """Return what happened so far, for whoever has to find out why it went wrong."""
        logs = "\n".join(f"--- {worker.log}\n{worker.tail()}" for worker in self.line.workers) if what else ""
        return "\n".join([f"seed {self.seed}: {what}", *self.done, f"{self._clock()} {self._reached} committed", logs])


def _forget_recalls(found: LineState, expected: LineState) -> None:
    """Take out of a state what the line's commands to itself left there.

    A halt lets an earlier base predict in shadow. Which one depends on when commits came, which no reference knows;
    that it changes nothing else is compared.
    """
    found.challenge, found.outcomes = None, []
    ids = set(expected.recent.contents()[1])
    commands = [number for number in found.recent.contents()[1] if number not in ids]
    assert len(commands) <= MOST_RECALLS
    for number in commands:
        del found.recent._seen[number]


def _original(letter: DeadLetter) -> bytes | None:
    return None if letter.value is None else base64.b64decode(letter.value)
