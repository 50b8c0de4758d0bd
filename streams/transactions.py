"""Consume, process, checkpoint, produce: all of it in one Kafka transaction per commit.

Faust's own ``exactly_once`` may commit in the middle of a batch and knows nothing of the model's state (measured; see
``docs/decisions/0003-transactions.md``). Five things make it hold, and each was seen to break without it:

* every send goes through the transactional producer of the *source* partition, to an explicit partition;
* a commit holds the gate that a batch holds, and first writes the checkpoints of the partitions that changed, so
  that predictions, model and offsets become visible together or not at all;
* a batch that did not come to its end (an error, a cancelled task) poisons the gate: nothing is committed after it;
* when a rebalance begins, the open transactions are given up: Faust keeps those of partitions that stay, and would
  commit their answers together with those of the records that are read again (seen: 11 of 6,000 answered twice);
* after the last commit of a consumer that stops, no batch begins: there is no transaction to take its answers.

Leans on, in faust-streaming 0.15: ``App._new_transport``, ``Consumer.commit`` as the only way to a commit,
``Producer.send(..., transactional_id=)``, ``Producer.stop_transaction``, ``Message.generation_id``, and the
transactional ids ``{app}-{group}-{partition}`` of its ``TransactionManager``. ``tests/streams/test_transactions.py``
fails when an upgrade changes one of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message

from models.cloudevents import headers
from models.records import Record
from streams.topics import topic_name

SOURCE_URI = "/jidoka/worker"


class Gate:
    """Held for one batch, or for one commit; ``poisoned`` once a batch broke off half way."""

    def __init__(self) -> None:
        self.poisoned = False
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Hold the gate for a batch; leaving by an exception poisons it."""
        async with self._lock:
            try:
                yield
            except BaseException:
                self.poisoned = True
                raise

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[bool]:
        """Hold the gate for a commit; yields whether there may be one."""
        async with self._lock:
            yield not self.poisoned


class TransactionalConsumer(driver.Consumer):
    """Faust's consumer, whose commits take the gate and write the checkpoints first."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Write the checkpoints of what changed and commit it with the offsets, or do nothing when poisoned."""
        app = cast("LineApp", self.app)
        async with app.gate.commit() as allowed:
            if not start_new_transaction:
                app.on_last_commit()
            if not allowed:
                return False
            await app.before_commit()
            done = bool(await super().commit(topics, start_new_transaction))
            if done:
                app.after_commit()
            return done


class TransactionalTransport(driver.Transport):
    """Faust's Kafka transport with the consumer above."""

    Consumer = TransactionalConsumer


async def _nothing_to_write() -> None:
    """Stand in until a line is attached."""


class LineApp(faust.App):
    """A Faust app with a gate; whoever keeps the state sets the hooks.

    All are called with the gate held: ``before_commit``, ``after_commit`` of one that succeeded, and
    ``on_last_commit`` at the one after which no transaction is open any more.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate = Gate()
        self.before_commit: Callable[[], Awaitable[None]] = _nothing_to_write
        self.after_commit: Callable[[], None] = lambda: None
        self.on_last_commit: Callable[[], None] = lambda: None

    def _new_transport(self) -> TransactionalTransport:
        return TransactionalTransport(self.conf.broker_consumer, self)

    async def emit(self, record: Record, key: bytes, source: TP) -> None:
        """Send ``record`` in the transaction of the source partition, to the partition with the same number."""
        await self.producer.send(
            topic_name(type(record)),
            key,
            record.to_bytes(),
            source.partition,
            None,
            headers(record, SOURCE_URI),
            transactional_id=self._transactional_id(source),
        )

    def is_current(self, message: Message) -> bool:
        """Return whether a message was fetched since the last rebalance; an older one has been fetched again."""
        return message.generation_id == self.consumer_generation_id

    async def give_up_transaction(self, source: TP) -> None:
        """Let go of the source partition's open transaction; the next producer of its id, wherever, aborts it."""
        await self.producer.stop_transaction(self._transactional_id(source))

    def _transactional_id(self, source: TP) -> str:
        return f"{self.conf.id}-{self.assignor.group_for_topic(source.topic)}-{source.partition}"
