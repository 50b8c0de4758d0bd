"""Reading a partition's checkpoints from their end: what is older than the newest base is read only when needed.

The topic keeps much more than a restore needs: two bases and their deltas for good, those kept for a rollback, and all
that compaction has not reached yet. Read from the start, a model of 20 MB would take tens of seconds (measured).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.records import ModelCheckpoint, RecordError, parse
from streams.topics import MAX_MESSAGE_BYTES, topic_name

log = logging.getLogger(__name__)

POLL_MS = 300
STRETCH = 64  # offsets; most restores need one or two: a base, and after it at most a hundred deltas and their markers
Progress = Callable[[], None]


async def stretches(reader: AIOKafkaConsumer, number: int, progress: Progress) -> AsyncIterator[list[ModelCheckpoint]]:
    """Yield a partition's committed checkpoints from newest to oldest in stretches, each in the order of writing.

    Stretches double, so that reading all of them costs little more than reading from the start. Records that cannot be
    read are left out and named in the log.
    """
    place = TopicPartition(topic_name(ModelCheckpoint), number)
    reader.assign([place])
    first, end = (await reader.beginning_offsets([place]))[place], (await reader.end_offsets([place]))[place]
    length = STRETCH
    while end > first:
        start = max(first, end - length)
        yield await _read(reader, place, start, end, progress)
        end, length = start, 2 * length


async def _read(
    reader: AIOKafkaConsumer, place: TopicPartition, start: int, end: int, progress: Progress
) -> list[ModelCheckpoint]:
    found = []
    reader.seek(place, start)
    while await reader.position(place) < end:
        for record in (await reader.getmany(place, timeout_ms=POLL_MS)).get(place, []):
            if record.offset >= end:
                break
            progress()
            try:
                found.append(parse(ModelCheckpoint, record.value, MAX_MESSAGE_BYTES))
            except RecordError as error:
                text = "passed over: %s/%d offset %d: %s"
                log.error(text, place.topic, place.partition, record.offset, error)  # noqa: TRY400 - the text says it all
    return found
