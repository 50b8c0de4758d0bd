"""Consume, process, checkpoint, produce: all of it in one Kafka transaction per commit.

Faust's own ``exactly_once`` may commit in the middle of a batch and knows nothing of the model's state (measured; see
``docs/decisions/0003-transactions.md``). Five things make it hold, and each was seen to break without it:

* every send goes through the transactional producer of the *source* partition, to an explicit partition;
* a commit takes the checkpoints that are due when no batch is half way, and sends them before the offsets, so that
  predictions, model and offsets become visible together or not at all; a batch may be stepped through while a commit
  waits for Kafka, but its answers wait for the next transaction;
* a batch or a commit that did not come to its end (an error, a cancelled task) poisons the gate: nothing is committed
  after it;
* when a rebalance begins, the open transactions are given up: Faust keeps those of partitions that stay, and would
  commit their answers together with those of the records that are read again (seen: 11 of 6,000 answered twice);
* after the last commit of a consumer that stops, no batch begins: there is no transaction to take its answers.

What it leans on in faust-streaming 0.15 stands in ``tests/streams/test_transactions.py``, which fails when an upgrade
changes it. How batches come in and go out is ``streams/delivery.py``'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, cast

import faust
from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode import Service

from streams.delivery import BatchProducer, ChunkConsumer, Outgoing

# A commit costs round trips and checkpoints; a pause of this many times what it took follows, in which more comes
# together for the next one, however short the interval.
PAUSE_PER_COMMIT = 0.25


class Checkpoint(NamedTuple):
    """What has to be sent in the transaction of ``source``, and the offsets that it belongs to."""

    source: TP
    outgoing: Sequence[Outgoing]
    offsets: Mapping[TP, int]


class TakeCheckpoints(Protocol):
    """Return what a commit has to send, given whether it is the last one."""

    def __call__(self, *, last: bool) -> Sequence[Checkpoint]: ...  # noqa: D102 - said above


@dataclass
class Turn:
    """A commit's turn; ``allowed`` is whether there may be one."""

    allowed: bool
    _state: asyncio.Lock
    _held: bool = True

    def let_batches_go_on(self) -> None:
        """Let the next batch begin: what this commit writes of the state has been taken. Twice does no harm."""
        if self._held:
            self._held = False
            self._state.release()


class Gate:
    """Between batches, which change the state and then send, and commits; ``poisoned`` once a batch broke off half way.

    Two locks: the state's is held for a whole batch, and by a commit until its checkpoints are taken; the transaction's
    is held while a batch sends, and by a commit until it is done. The state's always comes first.
    """

    def __init__(self) -> None:
        self.poisoned = False
        self.revoking = False  # a rebalance has begun, and the transactions that it ends are not yet given up
        self._state, self._transaction = asyncio.Lock(), asyncio.Lock()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Hold the state for a batch; leaving by an exception poisons the gate."""
        async with self._state:
            try:
                yield
            except BaseException:
                self.poisoned = True
                raise

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Hold the transaction too, from within a batch: a commit that is under way comes to its end first."""
        async with self._transaction:
            yield

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[Turn]:
        """Hold state and transaction; yields the turn that may give the state back early."""
        await self._state.acquire()
        turn = Turn(not (self.poisoned or self.revoking), self._state)
        try:
            async with self._transaction:
                yield turn
        finally:
            turn.let_batches_go_on()


class TransactionalConsumer(ChunkConsumer):
    """A consumer whose commits take the gate and write the checkpoints first."""

    @Service.task
    async def _commit_handler(self) -> None:
        """Commit as soon as nothing waits to be answered, and every ``commit_interval_s`` while something does."""
        app = cast("LineApp", self.app)
        while not self.should_stop:
            await app.commit_due()
            started = time.monotonic()
            await self.commit()
            await self.sleep(PAUSE_PER_COMMIT * (time.monotonic() - started))

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Write the checkpoints of what changed and commit it with the offsets, or do nothing when poisoned."""
        app = cast("LineApp", self.app)
        async with app.gate.commit() as turn:
            if not start_new_transaction:
                app.on_last_commit()
            if not turn.allowed:
                return False
            checkpoints = app.take_checkpoints(last=not start_new_transaction)
            if start_new_transaction:
                turn.let_batches_go_on()
            try:
                for one in checkpoints:
                    await app.emit(one.source, one.outgoing)
                alone = self._without_offsets(checkpoints)
                done = bool(await super().commit(topics, start_new_transaction))
                if alone:
                    done = bool(await self._commit_offsets(alone, start_new_transaction)) or done
            except BaseException:
                app.gate.poisoned = True
                raise
            if done:
                app.after_commit()
            return done

    def _without_offsets(self, checkpoints: Iterable[Checkpoint]) -> dict[TP, int]:
        """Return the offsets of partitions that have a checkpoint to commit, and no chunk that came since the last one.

        Committing them again ends the transaction that the checkpoint is in; Faust ends those with new offsets only.
        """
        new = {place.partition for place, acked in self._acked.items() if acked}
        alone = [one.offsets for one in checkpoints if one.source.partition not in new]
        return {self._new_topicpartition(*place): at for offsets in alone for place, at in offsets.items()}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit nothing from here until the transactions are given up.

        Faust forgets first what was acknowledged, of all topics of a partition; what is acknowledged after would be
        committed alone, with the answers of all of them in its transaction.
        """
        cast("LineApp", self.app).gate.revoking = True
        await super().on_partitions_revoked(revoked)


class TransactionalTransport(driver.Transport):
    """Faust's Kafka transport with our consumer and producer."""

    Consumer = TransactionalConsumer
    Producer = BatchProducer


class PromptTableManager(TableManager):
    """Faust's table manager without the second that it waits for tables at every start: there are none."""

    async def on_start(self) -> None:
        """Go on at once to what follows."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class LineApp(faust.App):
    """A Faust app with a gate; whoever keeps the state sets the hooks.

    All are called with the gate held: ``take_checkpoints`` returns what a commit has to send; ``after_commit`` follows
    one that succeeded, ``on_last_commit`` begins the one after which no transaction is open.
    """

    def __init__(self, *args: Any, commit_interval_s: float = 0.3, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate = Gate()
        self.commit_interval_s = commit_interval_s
        self.take_checkpoints: TakeCheckpoints = lambda *, last: ()  # noqa: ARG005
        self.after_commit: Callable[[], None] = lambda: None
        self.on_last_commit: Callable[[], None] = lambda: None
        self._caught_up = asyncio.Event()

    def _new_transport(self) -> TransactionalTransport:
        return TransactionalTransport(self.conf.broker_consumer, self)

    @property
    def waiting(self) -> int:
        """Return how many chunks have been fetched and not yet taken in."""
        return cast("ChunkConsumer", self.consumer).waiting

    def commit_soon(self) -> None:
        """Ask for a commit now rather than when the interval is over: nothing waits to join it."""
        self._caught_up.set()

    async def commit_due(self) -> None:
        """Return when a commit was asked for, at the latest after the interval."""
        try:
            async with asyncio.timeout(self.commit_interval_s):
                await self._caught_up.wait()
        except TimeoutError:
            pass
        self._caught_up.clear()

    async def emit(self, source: TP, outgoing: Iterable[Outgoing]) -> None:
        """Send in the transaction of the source partition, in this order, to the partitions with the same number."""
        producer = cast("BatchProducer", self.producer)
        await producer.send_batches(self._transactional_id(source), source.partition, outgoing)

    async def by_key(self, source: TP, one: Outgoing) -> Outgoing:
        """Return a message with the partition that its key has on its topic, whatever the source's number is."""
        producer = cast("BatchProducer", self.producer)
        number = await producer.partition_of(self._transactional_id(source), one.topic, one.key)
        return replace(one, partition=number)

    def end_offset(self, place: TP) -> int | None:
        """Return the offset after the newest record of a partition, as far as fetching has told."""
        try:
            end: int | None = self.consumer.highwater(place)
        except (IllegalStateError, AssertionError):  # aiokafka asserts that the partition is assigned
            return None  # it is being taken away
        return end

    def is_current(self, message: Message) -> bool:
        """Return whether a message was fetched since the last rebalance; an older one has been fetched again."""
        return message.generation_id == self.consumer_generation_id

    async def give_up_transaction(self, source: TP) -> None:
        """Let go of the source partition's open transaction; the next producer of its id, wherever, aborts it."""
        await self.producer.stop_transaction(self._transactional_id(source))

    def forget_acknowledged(self) -> None:
        """Forget what was taken in but not committed: the transactions with its answers have been given up."""
        cast("ChunkConsumer", self.consumer).forget_acknowledged()
        self.gate.revoking = False

    def _transactional_id(self, source: TP) -> str:
        return f"{self.conf.id}-{self.assignor.group_for_topic(source.topic)}-{source.partition}"
