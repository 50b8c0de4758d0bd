"""How records come in and go out: by the chunk, not one by one.

Faust hands every record through conductor, channel, stream and acknowledgement by itself, which costs some 500 µs
each (measured; see ``docs/decisions/0007-batched-delivery.md``). Here one Faust message stands for a whole chunk of a
partition, as it was fetched, and answers leave as batches that are put together before they reach the producer. All
else is Faust's: groups, rebalances, agents, offsets, transactions.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast
from weakref import WeakSet

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.tuples import ConsumerMessage

CHUNKS_WAITING = 4  # fetched and not yet taken in
BUSY_WAIT_MS, IDLE_WAIT_MS = 10, 500  # of a fetch at the broker, for the first record: see ConsumerThread
BEHIND_WAIT_MS, BEHIND = 50, 256  # and while so many records wait here: stepping through them takes longer
LOOK_AGAIN_S = 0.1  # for chunks that were dropped, at a rebalance


@dataclass(frozen=True)
class Outgoing:
    """A message on its way out; its partition is that of the record it answers, unless it names one."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    partition: int | None = None


class Chunk(ConsumerMessage):
    """Consecutive records of one partition as one message of Faust; its offset is the last record's."""

    records: Sequence[ConsumerRecord[bytes, bytes]]

    @classmethod
    def of(cls, tp: TP, records: Sequence[ConsumerRecord[bytes, bytes]], generation: int) -> Chunk:
        """Return the chunk of ``records`` (at least one), fetched in this generation of the group."""
        last = records[-1]
        chunk = cls(tp.topic, tp.partition, last.offset, last.timestamp / 1000, 0, [], None, b"", None, tp=tp)
        chunk.generation_id = generation
        chunk.records = records
        return chunk


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches.

    aiokafka has one fetch under way per broker, for the partitions of which it holds no records; while that waits,
    nothing is fetched of the others. Faust lets it wait for 1.5 s, which made a median latency of 1.2 s (measured). So
    a fetch waits for a moment while records come, and long when none do: a worker with nothing to do sleeps. One that
    is behind holds records of its failures already, and asks for feedback alone: a hundred times a second, that was a
    tenth of its processor time.
    """

    def let_fetches_wait(self, milliseconds: int) -> None:
        """Let the fetches that begin from now on wait at the broker for so long."""
        if self._consumer is not None and self._consumer._fetcher is not None:
            self._consumer._fetcher._fetch_max_wait_ms = milliseconds


class ChunkConsumer(driver.Consumer):
    """Faust's consumer, delivering what was fetched of a partition as one chunk.

    Chunks of a partition are taken in order by one agent, so the newest acknowledged one tells the offset: there are
    no gaps to be kept. No more is fetched while ``CHUNKS_WAITING`` wait: a slow step makes lag, and not memory. Faust's
    own way to hold back is to pause partitions, and when all are paused it sleeps for a second (half of the time).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: WeakSet[Message] = WeakSet()
        self._taken = asyncio.Event()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Yield a chunk per partition of what has been fetched."""
        if self.behind:
            self._let_fetches_wait(BEHIND_WAIT_MS)
        await self._room()
        records, active = await self._wait_next_records(timeout)
        self._let_fetches_wait(BUSY_WAIT_MS if records else IDLE_WAIT_MS)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            try:
                await self.perform_seek()  # what was fetched just now is dropped
            except Exception as error:
                if self.app.consumer_generation_id == generation:
                    raise
                self.log.warning("could not seek, and the next rebalance does: %r", error)
            return
        for tp, found in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # a rebalance has begun: what is left will be fetched again
            if found and (active is None or tp in active or tp in self._buffered_partitions):
                chunk = Chunk.of(tp, found, generation)
                self._waiting.add(chunk)
                yield tp, chunk

    def _let_fetches_wait(self, milliseconds: int) -> None:
        cast("ConsumerThread", self._thread).let_fetches_wait(milliseconds)

    async def perform_seek(self) -> None:
        """Go back to what the group has committed, and where it has committed nothing, to the first record.

        Faust leaves the latter where they are: what was fetched and dropped while a rebalance began would be lost.
        """
        await super().perform_seek()
        if new := [place for place in self.assignment() if not self._read_offset[place]]:
            for place, first in (await self.earliest_offsets(*new)).items():
                await self._seek(place, first)

    @property
    def waiting(self) -> int:
        """Return how many chunks have been fetched and not yet taken in."""
        return len(self._waiting)

    @property
    def behind(self) -> bool:
        """Return whether so many records wait that fetches need not hurry."""
        return sum(len(cast("Chunk", one).records) for one in self._waiting) >= BEHIND

    async def _room(self) -> None:
        """Return when there is room for more, or no reason to wait any longer."""
        while len(self._waiting) >= CHUNKS_WAITING and self.flow_active and not self.should_stop:
            self._taken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._taken.wait()

    def ack(self, message: Message) -> bool:
        """Note that a chunk has been taken in."""
        self._waiting.discard(message)
        self._taken.set()
        return bool(super().ack(message))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no gaps: a chunk spans them."""

    def forget_acknowledged(self) -> None:
        """Forget which chunks were acknowledged and not committed.

        Faust forgets when a rebalance begins; the chunk that is taken in at that moment is acknowledged after. Its
        answers are aborted with their transaction, and the next commit would take its offset: 256 builds were lost.
        Chunks that a rebalance dropped wait no longer either: somebody may still hold the last one.
        """
        self._waiting.clear()
        self._taken.set()
        for tp in list(self._acked):
            self._acked[tp].clear()
            self._acked_index[tp].clear()

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the newest acknowledged chunk."""
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return int(newest) + 1


class BatchProducer(driver.Producer):
    """Faust's producer, which also sends whole batches, and ends the transactions of several partitions at once."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._sent: defaultdict[str, list[Awaitable[Any]]] = defaultdict(list)  # not yet acknowledged, by transaction

    async def send_batches(self, transactional_id: str, partition: int, outgoing: Iterable[Outgoing]) -> None:
        """Send messages in an open transaction, those of a topic in this order; a commit waits until all arrived.

        Raises ``ProducerSendError`` when the transaction has no producer any more (it was fenced, or given up).
        """
        producer = self._open(transactional_id)

        def place(one: Outgoing) -> tuple[str, int]:
            return one.topic, partition if one.partition is None else one.partition

        for (topic, number), messages in groupby(sorted(outgoing, key=place), key=place):
            for batch in _batches(producer, messages):
                self._sent[transactional_id].append(await producer.send_batch(batch, topic, partition=number))

    async def partition_of(self, transactional_id: str, topic: str, key: bytes) -> int:
        """Return the partition that Kafka's own partitioner gives a key on a topic.

        Raises ``ProducerSendError`` when the transaction has no producer any more.
        """
        numbers = sorted(await self._open(transactional_id).partitions_for(topic))
        return int(DefaultPartitioner()(key, numbers, numbers))

    def _open(self, transactional_id: str) -> AIOKafkaProducer:
        producer: AIOKafkaProducer | None = self._transaction_producers.get(transactional_id)
        if producer is None:
            raise ProducerSendError(f"no transaction is open under {transactional_id}")
        return producer

    async def commit_transactions(
        self,
        tid_to_offset_map: Mapping[str, Mapping[TP, int]],
        group_id: str,
        start_new_transaction: bool = True,
    ) -> None:
        """Commit each partition's transaction, all at the same time: each is some round trips.

        All have come to their end when it returns. Raises ``ProducerSendError`` when one could not be committed: it was
        fenced, or a batch of it was refused, without which it must not be.
        """
        commit = super().commit_transactions

        async def one(transactional_id: str, offsets: Mapping[TP, int]) -> None:
            await asyncio.gather(*self._sent.pop(transactional_id, []))
            await commit({transactional_id: offsets}, group_id, start_new_transaction)

        ends = await asyncio.gather(*(one(*item) for item in tid_to_offset_map.items()), return_exceptions=True)
        for transactional_id, end in zip(tid_to_offset_map, ends, strict=True):
            if isinstance(end, BaseException):
                raise ProducerSendError(f"transaction {transactional_id} was not committed: {end!r}") from end

    async def stop_transaction(self, transactional_id: str) -> None:
        """Stop a transaction's producer; nobody asks any more what became of its batches."""
        for sent in self._sent.pop(transactional_id, []):
            asyncio.ensure_future(sent).add_done_callback(_ignore)
        await super().stop_transaction(transactional_id)


def _batches(producer: AIOKafkaProducer, messages: Iterable[Outgoing]) -> Iterator[Any]:
    """Yield the messages as aiokafka's batches, each closed, so that it leaves at once."""
    batch: Any = producer.create_batch()
    for one in messages:
        if batch.append(timestamp=None, key=one.key, value=one.value, headers=one.headers) is None:  # full
            yield batch
            batch = producer.create_batch()
            batch.append(timestamp=None, key=one.key, value=one.value, headers=one.headers)
    batch.close()
    yield batch


def _ignore(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()  # looked at, so that asyncio does not complain of it
