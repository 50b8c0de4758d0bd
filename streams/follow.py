"""Following a topic: its committed records of one kind, from now on or from the beginning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.records import Record, RecordError, parse
from streams.kafka import client_options
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

POLL_MS = 200
R = TypeVar("R", bound=Record)


class Follower(Generic[R]):
    """Reads one topic without a consumer group; an async context manager.

    Only committed records are seen (``read_committed``). Those that cannot be read are counted in ``unreadable``.
    """

    def __init__(self, settings: Settings, kind: type[R], *, from_beginning: bool = False) -> None:
        self.kind, self.unreadable = kind, 0
        self._from_beginning = from_beginning
        self._topic = topic_name(kind)
        self._places: list[TopicPartition] = []
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Connect and take position; raises ``ConnectionError`` when the topic does not exist."""
        await self._check_topic()
        self._consumer = self._new_consumer(self._topic)  # without a group: all its partitions
        try:
            await self._consumer.start()
            self._places = sorted(self._consumer.assignment())
            if not self._from_beginning:
                # seek_to_end() would race with the reset to "earliest", and old records might come (seen)
                for place, end in (await self._consumer.end_offsets(self._places)).items():
                    self._consumer.seek(place, end)
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    def _new_consumer(self, *topics: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self._settings.broker,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            **client_options(self._settings),
        )

    async def _check_topic(self) -> None:
        """Raise ``ConnectionError`` when the topic is not there: a consumer of it would wait for it without end."""
        probe = self._new_consumer()
        try:
            await probe.start()
            if self._topic not in await probe.topics():
                raise ConnectionError(f"no topic {self._topic}; run `jidoka topics create`")
        finally:
            await probe.stop()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def forever(self) -> AsyncIterator[R]:
        """Yield records as they come; never ends by itself."""
        while True:
            for record in await self._poll():
                yield record

    async def until_end(self) -> AsyncIterator[R]:
        """Yield the records up to what is committed now."""
        ends = await self._consumer.end_offsets(self._places)
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            for record in await self._poll():
                yield record

    async def _poll(self) -> list[R]:
        found = await self._consumer.getmany(timeout_ms=POLL_MS)
        return list(self._parsed(message.value for batch in found.values() for message in batch))

    def _parsed(self, values: Iterator[bytes | None]) -> Iterator[R]:
        for value in values:
            try:
                yield parse(self.kind, value, MAX_MESSAGE_BYTES)
            except RecordError:
                self.unreadable += 1
