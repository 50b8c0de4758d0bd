"""Follows a topic of the line from a little before its end, without a consumer group, committed records only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka import client_options
from streams.settings import Settings
from streams.topic_admin import describe_topics
from streams.topics import MAX_MESSAGE_BYTES, by_short_name

log = logging.getLogger(__name__)

POLL_MS = 300
POLL_RECORDS = 100  # taken in before other requests get their turn
RETRY_S = 1.0

Take = Callable[[bytes | None, int], None]  # a record's value and its time, milliseconds since 1970


class TopicReader:
    """Hands a topic's records to ``take`` while the context lasts, from the last ``back`` of each partition on.

    ``what`` names them for people. ``problem`` says why it is not up to date, if it is not; a broker that is gone is
    waited for. Partitions added later are seen after a restart. ``take`` must not raise on what a topic may hold.
    """

    def __init__(self, settings: Settings, topic: str, take: Take, *, back: int, what: str) -> None:
        self._settings, self._topic, self._take, self._back, self._what = settings, topic, take, back, what
        self.problem: str | None = f"the {what} are not yet read"

    async def __aenter__(self) -> Self:
        """Begin to read; does not wait for it."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                self.problem = f"the {self._what} cannot be read: {error}"
                log.warning("%s", self.problem)
            except Exception:
                self.problem = f"the {self._what} cannot be read: a fault in the reader, see the log"
                log.exception("%s", self.problem)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        places = await self._places()
        async with _consumer(self._settings) as consumer:
            ends = await _go_back(consumer, places, self._back)
            while True:
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
                for message in (message for batch in found.values() for message in batch):
                    self._take(message.value, message.timestamp)
                if self.problem and all([await consumer.position(place) >= end for place, end in ends.items()]):
                    self.problem = None

    async def _places(self) -> list[TopicPartition]:
        topic = by_short_name(self._topic)
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
