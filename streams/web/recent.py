"""The newest predictions, kept in memory: what the HTTP interface answers readers with."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.records import Prediction, RecordError, parse
from streams.kafka import client_options
from streams.settings import Settings
from streams.topic_admin import describe_topics
from streams.topics import MAX_MESSAGE_BYTES, by_short_name

log = logging.getLogger(__name__)

PER_PARTITION = 1_000  # read back at the start
MAX_ENTRIES = 10_000
MAX_BYTES = 64 << 20
MAX_READERS = 64  # live streams at once
READER_QUEUE = 256  # predictions; a reader that is further behind is dropped
POLL_MS = 300
POLL_RECORDS = 100  # parsed before other requests get their turn
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One prediction as it stands on the topic, and what it can be found by; ``labels`` are its categories."""

    raw: bytes
    timestamp: int
    failure_id: str
    project: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader asks for; ``None`` is anything. A category matches if any diagnostic of the build has it."""

    project: str | None = None
    label: str | None = None
    failure_id: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Return whether ``entry`` is asked for."""
        return (
            (self.project is None or entry.project == self.project)
            and (self.failure_id is None or entry.failure_id == self.failure_id)
            and (self.label is None or self.label in entry.labels)
        )


Reader = asyncio.Queue[Entry | None]  # ``None`` ends it


class TooManyReadersError(RuntimeError):
    """So many live readers are served already that one more is refused."""


class PredictionRing:
    """The newest predictions by id, bounded in number and bytes; a repeated one replaces its former copy."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._readers: set[Reader] = set()
        self.bytes = self.malformed = self.dropped_readers = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, raw: bytes | None, timestamp: int) -> None:
        """Take in a record of the topic; one that is no prediction is counted in ``malformed``."""
        try:
            prediction = parse(Prediction, raw, MAX_MESSAGE_BYTES)
        except RecordError as error:
            self.malformed += 1
            log.warning("passed over a record among the predictions: %s", error)
            return
        entry = _entry(prediction, raw or b"", timestamp)
        self._drop(prediction.id)
        self._entries[prediction.id] = entry
        self.bytes += len(entry.raw)
        while len(self._entries) > self._max_entries or (self.bytes > self._max_bytes and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))
        self._tell(entry)

    def find(self, wanted: Filter, limit: int) -> list[bytes]:
        """Return at most ``limit`` records, newest first."""
        matching = (entry for entry in reversed(self._entries.values()) if wanted.matches(entry))
        return [entry.raw for entry in heapq.nlargest(limit, matching, key=lambda entry: entry.timestamp)]

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Give a queue of the predictions from now on; raises ``TooManyReadersError``."""
        if len(self._readers) >= MAX_READERS:
            raise TooManyReadersError(f"{MAX_READERS} readers follow already")
        queue = Reader(READER_QUEUE + 1)  # one place is for the end
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    def end_readers(self) -> None:
        """Tell all readers that nothing more will come."""
        for queue in list(self._readers):
            self._end(queue)

    def _tell(self, entry: Entry) -> None:
        for queue in list(self._readers):
            if queue.qsize() < READER_QUEUE:
                queue.put_nowait(entry)
            else:
                self.dropped_readers += 1
                self._end(queue)

    def _end(self, queue: Reader) -> None:
        self._readers.discard(queue)
        queue.put_nowait(None)

    def _drop(self, key: str) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self.bytes -= len(gone.raw)


def _entry(prediction: Prediction, raw: bytes, timestamp: int) -> Entry:
    answers = prediction.classifications
    labels = {one.category for one in answers} | {one.subcategory for one in answers if one.subcategory}
    return Entry(raw, timestamp, prediction.failure_id, prediction.project, frozenset(labels))


class RecentPredictions:
    """Follows the predictions into a ring while the context lasts; no consumer group, committed records only.

    Starts at the last ``PER_PARTITION`` of each partition. ``problem`` says why it is not up to date, if it is not;
    a broker that is gone is waited for. Partitions added later are seen after a restart.
    """

    def __init__(self, settings: Settings, ring: PredictionRing) -> None:
        self._settings, self._ring = settings, ring
        self.problem: str | None = "the predictions are not yet read"

    async def __aenter__(self) -> Self:
        """Begin to read; does not wait for it."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading, and end the ring's readers."""
        self._ring.end_readers()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                self.problem = f"the predictions cannot be read: {error}"
                log.warning("%s", self.problem)
            except Exception:
                self.problem = "the predictions cannot be read: a fault in the reader, see the log"
                log.exception("%s", self.problem)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        places = await self._places()
        async with _consumer(self._settings) as consumer:
            ends = await _go_back(consumer, places, PER_PARTITION)
            while True:
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
                for message in (message for batch in found.values() for message in batch):
                    self._ring.add(message.value, message.timestamp)
                if self.problem and all([await consumer.position(place) >= end for place, end in ends.items()]):
                    self.problem = None

    async def _places(self) -> list[TopicPartition]:
        topic = by_short_name("predictions")
        (state,) = await describe_topics(self._settings.broker or "", self._settings, [topic])
        if not state.partitions:
            raise ConnectionError(f"no topic {topic.name}; `jidoka topics create` makes it")
        return [TopicPartition(topic.name, number) for number in range(state.partitions)]


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    options: dict[str, Any] = client_options(settings)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        **options,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _go_back(consumer: AIOKafkaConsumer, places: list[TopicPartition], records: int) -> dict[TopicPartition, int]:
    """Set the consumer ``records`` before the end of each place, as far as there are any; return the ends."""
    consumer.assign(places)
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    for place in places:
        consumer.seek(place, max(begins[place], ends[place] - records))
    return {place: int(ends[place]) for place in places}
