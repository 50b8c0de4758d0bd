"""What the broker itself says of source partitions, asked by clients of our own: first, last and committed offsets.

Faust's own ``consumer.highwater`` is known only after a fetch: a worker that never fetches would have no lag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.liveness import Place
from streams.topics import MAX_MESSAGE_BYTES

PROBES = 8  # partitions read at one time, to tell records from markers
PROBE_MS = 500
CLOSE_LIMIT_S = 2.0


@dataclass(frozen=True)
class Offsets:
    """Of one partition, as a ``read_committed`` reader sees it: first offset, end, and what the group has committed.

    ``end`` is that of the records, ``log_end`` that of the log, which may have a producer's markers after them.
    """

    start: int
    end: int
    log_end: int
    committed: int

    def clamp(self, offset: int) -> int:
        """Return ``offset`` within the log: records may have expired, a topic may have been made anew."""
        return max(self.start, min(offset, self.log_end))


class BrokerOffsets:
    """Asks the broker; connects on the first question, and again on the first one after ``close``."""

    def __init__(self, bootstrap: str, options: Mapping[str, Any], group: str) -> None:
        self._bootstrap, self._options, self._group = bootstrap, options, group
        self._reader: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._last: dict[Place, tuple[int, int]] = {}
        self._empty: dict[Place, tuple[tuple[int, int], bool]] = {}

    async def read(self, places: Sequence[Place], positions: Mapping[Place, int]) -> dict[Place, Offsets]:
        """Return the offsets of ``places``; where no record follows a position that rests, it is the end.

        A producer's transactions leave markers in the log that no reader ever gets. Raises ``KafkaError``, ``OSError``.
        """
        reader, admin = await self._clients()
        there = await reader.topics()  # of one that is not, the offsets would be waited for without end
        asked = [TopicPartition(*place) for place in places if place[0] in there]
        committed = await admin.list_consumer_group_offsets(self._group)
        starts, ends = await reader.beginning_offsets(asked), await reader.end_offsets(asked)
        found = {}
        for place in asked:
            start, end = starts[place], ends[place]
            meta = committed.get(place)
            at = meta.offset if meta and meta.offset >= 0 else start
            found[place.topic, place.partition] = Offsets(start, end, end, max(start, min(at, end)))
        empty = await self._only_markers(found, positions)
        return {place: replace(one, end=positions[place]) if place in empty else one for place, one in found.items()}

    async def _only_markers(self, found: Mapping[Place, Offsets], positions: Mapping[Place, int]) -> set[Place]:
        """Return the places that have an end beyond their position, but no record to read."""
        spans = {p: (positions[p], o.end) for p, o in found.items() if o.end > positions.get(p, o.end)}
        resting = [place for place, span in spans.items() if self._last.get(place) == span]
        unknown = [place for place in resting if self._empty.get(place, ((), False))[0] != spans[place]]
        for place in unknown[:PROBES]:
            self._empty[place] = spans[place], await self._is_empty(TopicPartition(*place), *spans[place])
        self._last = spans
        return {place for place in resting if self._empty.get(place) == (spans[place], True)}

    async def _clients(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        if self._reader is None or self._admin is None:
            self._reader = self._new_reader()
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, **self._options)
            await self._reader.start()
            await self._admin.start()
        return self._reader, self._admin

    def _new_reader(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            **self._options,
        )

    async def _is_empty(self, place: TopicPartition, start: int, end: int) -> bool:
        """Return whether a reader gets from ``start`` to ``end`` without a record.

        By a client of its own: after ``unsubscribe`` aiokafka's fetcher ignores being cancelled, and would not stop.
        """
        async with self._new_reader() as reader:
            reader.assign([place])
            reader.seek(place, start)
            records = await reader.getmany(place, timeout_ms=PROBE_MS, max_records=1)
            return not records.get(place) and bool(await reader.position(place) >= end)

    def brokers(self) -> list[str]:
        """Return the addresses by which the cluster names its brokers, once it has told."""
        if self._reader is None:
            return []
        cluster = self._reader._client.cluster  # nothing public tells
        return sorted(f"{one.host}:{one.port}" for one in cluster.brokers() if isinstance(one.nodeId, int))

    async def close(self) -> None:
        """Give up the connections."""
        reader, admin, self._reader, self._admin = self._reader, self._admin, None, None
        for closing in (reader and reader.stop(), admin and admin.close()):
            with suppress(KafkaError, OSError, TimeoutError):
                if closing:
                    await asyncio.wait_for(closing, CLOSE_LIMIT_S)
