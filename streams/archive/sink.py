"""The archive's process: a consumer group that writes each offset of the topics into one file.

How far a partition is archived is said by its files alone, which appear whole: whatever dies in between, the next
writer reads on from the last file's end. The group's offsets follow, for those who measure lag.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter

from models.archive.tables import TABLES
from streams.archive.hand import Hand, resume
from streams.kafka import client_options
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

log = logging.getLogger(__name__)

POLL_MS = 500
FETCHED = 2_000  # records at a time
SESSION_TIMEOUT_MS = 15_000
BY_TOPIC = {topic_name(table.record): table for table in TABLES}


class Sink(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Writes the tables of the archive; a ``sidecar.Service``."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.registry = CollectorRegistry()
        labels = ("table",)
        self._rows = Counter("jidoka_archive_rows", "Rows written", labels, registry=self.registry)
        self._files = Counter("jidoka_archive_files", "Files written", labels, registry=self.registry)
        self._hands: dict[TopicPartition, Hand] = {}
        self._joined = False

    @property
    def ready(self) -> bool:
        """Return whether partitions were assigned, none of them too: others may hold them all."""
        return self._joined

    async def work(self, stopping: asyncio.Event) -> None:
        """Write until told to stop; then write what is in hand."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker,
            group_id=f"{self.settings.app_id}-archive",
            group_instance_id=_instance(self.folder),
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            **client_options(self.settings),
        )
        self._consumer.subscribe(sorted(BY_TOPIC), listener=self)
        await self._consumer.start()
        try:
            while not stopping.is_set():
                found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=FETCHED)
                for place, messages in found.items():
                    self._take(place, messages)
                await self._write(hand for hand in self._hands.values() if hand.due(self.settings.archive_interval_s))
            await self._write(self._hands.values())
        finally:
            await self._consumer.stop()

    def _take(self, place: TopicPartition, messages: Iterable[object]) -> None:
        hand = self._hands.get(place)
        for message in messages if hand is not None else ():
            if message.offset >= hand.end:  # type: ignore[attr-defined, union-attr]
                hand.take(message)  # type: ignore[union-attr]

    async def _write(self, hands: Iterable[Hand]) -> None:
        """Write what each has in hand, then tell the group; whoever reads the files needs no group."""
        done = {}
        for hand in list(hands):
            rows = await asyncio.to_thread(hand.write)
            self._rows.labels(hand.table.name).inc(rows)
            self._files.labels(hand.table.name).inc()
            done[TopicPartition(topic_name(hand.table.record), hand.partition)] = hand.end
        done = {place: end for place, end in done.items() if place in self._consumer.assignment()}
        if done:
            try:
                await self._consumer.commit(done)
            except KafkaError as error:  # a rebalance is under way, or the broker is: the files say how far it is
                log.warning("the group was not told: %s", error)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Write what is in hand: the next owner goes on after it."""
        await self._write([self._hands[place] for place in revoked if place in self._hands])
        self._hands.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take position where the files of each partition end."""
        places = list(assigned)
        first = await self._consumer.beginning_offsets(places) if places else {}
        last = await self._consumer.end_offsets(places) if places else {}
        for place in places:
            table = BY_TOPIC[place.topic]
            hand = await asyncio.to_thread(resume, self.folder, table, place.partition, first[place], last[place])
            self._hands[place] = hand
            self._consumer.seek(place, hand.end)
        self._joined = True
        log.info("archiving %d partitions into %s", len(places), self.folder)


def _instance(folder: Path) -> str:
    """Return the member's lasting name: started again it takes its partitions at once."""
    return f"archive-{sha256(f'{socket.gethostname()} {folder}'.encode()).hexdigest()[:16]}"
