"""Restoring a partition: its checkpoints are read, its offsets compared with what the group has committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from models.records import CompilerErrors, Feedback, Model, ModelCheckpoint, ModelCommand, RecordError, parse
from models.state import LineState
from models.step import answer
from streams.andon import refuse
from streams.checkpoint_log import POLL_MS, Progress, stretches
from streams.checkpoints import Partition, has_base, restore
from streams.commands import CommandError, Name, Needs, Shelf, obey, wanted
from streams.topics import MAX_MESSAGE_BYTES, topic_name

log = logging.getLogger(__name__)

READERS = 4  # partitions that are restored at the same time
Source = CompilerErrors | Feedback | ModelCommand
SOURCES: dict[str, type[Source]] = {topic_name(kind): kind for kind in (CompilerErrors, Feedback, ModelCommand)}
Committed = Mapping[tuple[str, int], int]
Missed = tuple[int, int, str, bytes]  # timestamp in ms, offset, topic, value


@asynccontextmanager
async def _reader(bootstrap: str, options: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    # With the default auto_offset_reset ("latest") the reset races with seek_to_beginning, and the state is silently
    # empty (measured).
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        **options,
    )
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def read_all(
    reader: AIOKafkaConsumer, place: TopicPartition, start: int | None = None, end: int | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Yield the committed records of a partition from ``start`` (default: the first) to ``end`` (default: now)."""
    reader.assign([place])
    stop = end if end is not None else (await reader.end_offsets([place]))[place]
    if start is None:
        await reader.seek_to_beginning(place)
    else:
        reader.seek(place, start)
    while await reader.position(place) < stop:
        for record in (await reader.getmany(place, timeout_ms=POLL_MS)).get(place, []):
            if record.offset < stop:
                yield record


async def committed_offsets(bootstrap: str, options: Mapping[str, Any], group: str) -> Committed:
    """Return the group's committed offsets by (topic, partition)."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **options)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {(place.topic, place.partition): meta.offset for place, meta in offsets.items() if meta.offset >= 0}


async def restore_partitions(
    numbers: Iterable[int],
    *,
    bootstrap: str,
    options: Mapping[str, Any],
    group: str,
    fresh: Callable[[], LineState],
    progress: Progress = lambda: None,
) -> dict[int, Partition]:
    """Return the state of each partition as of the group's committed offsets; ``progress`` hears of every record read.

    Where the checkpoints end earlier (there is one a second at most, or one was damaged), the source records since are
    stepped through again, in the order of their timestamps, and their outputs, which were sent long ago, are dropped.
    """
    committed = await committed_offsets(bootstrap, options, group)
    free = asyncio.Semaphore(READERS)

    async def one(number: int) -> Partition:
        async with free, _reader(bootstrap, options) as reader:
            partition = await newest(number, stretches(reader, number, progress), fresh)
            await _catch_up(reader, partition, committed, progress)
            return partition

    return {partition.number: partition for partition in await asyncio.gather(*map(one, numbers))}


async def newest(
    number: int, newest_first: AsyncIterator[list[ModelCheckpoint]], fresh: Callable[[], LineState]
) -> Partition:
    """Return a partition as its checkpoints say, reading back from the newest to the first base that is usable.

    Putting them together is left to a thread: health is told meanwhile.
    """
    records: list[ModelCheckpoint] = []
    async for older in newest_first:
        records = older + records
        if has_base(records):
            partition, problems = await asyncio.to_thread(restore, number, records, fresh)
            if not problems:
                return partition
    partition, problems = await asyncio.to_thread(restore, number, records, fresh)
    for problem in problems:
        log.error("passed over: %s; the log since is replayed", problem)
    return partition


async def read_checkpoints(bootstrap: str, options: Mapping[str, Any], number: int) -> list[ModelCheckpoint]:
    """Return what a partition's committed checkpoints are now; those that cannot be read are left out."""
    async with _reader(bootstrap, options) as reader:
        return await _all(reader, number)


async def read_shelf(bootstrap: str, options: Mapping[str, Any], number: int, values: Iterable[bytes | None]) -> Shelf:
    """Return what the commands of a partition among ``values`` speak of, as far as it is there now."""
    needs = wanted(values)
    if not any(needs):
        return Shelf()  # a reader that is stopped before it has read anything cancels whoever stops it (seen)
    async with _reader(bootstrap, options) as reader:
        return await _shelf(reader, number, needs)


async def _shelf(reader: AIOKafkaConsumer, number: int, needs: Needs, progress: Progress = lambda: None) -> Shelf:
    return Shelf(
        await _all(reader, number, progress) if needs.checkpoints else [],
        await _models(reader, needs.models, progress) if needs.models else {},
    )


async def _models(reader: AIOKafkaConsumer, names: set[Name], progress: Progress) -> dict[Name, Model]:
    """Return the published models of these names; of one that stands there twice, the later. No others are held."""
    topic, found = topic_name(Model), {}
    if topic not in await reader.topics():  # the consumer would wait for it without end
        return {}
    async for record in read_all(reader, TopicPartition(topic, 0)):  # it has one partition
        progress()
        try:
            model = parse(Model, record.value, MAX_MESSAGE_BYTES)
        except RecordError:
            continue
        if (name := (model.name, model.sha256)) in names:
            found[name] = model
    return found


async def _all(reader: AIOKafkaConsumer, number: int, progress: Progress = lambda: None) -> list[ModelCheckpoint]:
    newest_first = [stretch async for stretch in stretches(reader, number, progress)]
    return [record for stretch in reversed(newest_first) for record in stretch]


async def _catch_up(
    reader: AIOKafkaConsumer,
    partition: Partition,
    committed: Committed,
    progress: Progress,
) -> None:
    """Step through what the group has committed beyond the partition's offsets."""
    missed: list[list[Missed]] = []
    for topic in SOURCES:
        end, start = committed.get((topic, partition.number)), partition.offsets.get(topic)
        if start is not None and (end is None or end < start):
            text = "%s/%d: the group's offset is %s, the checkpoint's %d: the records between are answered again"
            log.warning(text, topic, partition.number, end, start)
        if end is None or (start is not None and start >= end):
            continue
        place = TopicPartition(topic, partition.number)
        found = read_all(reader, place, start, end)
        missed.append([(record.timestamp, record.offset, topic, record.value or b"") async for record in found])
        partition.offsets[topic] = end  # not dirty: a checkpoint goes with the next record, in a commit of its own
    commands = [value for of_topic in missed for _, _, topic, value in of_topic if SOURCES[topic] is ModelCommand]
    shelf = await _shelf(reader, partition.number, wanted(commands), progress)
    # Those of a topic stay in its order, whatever their senders' clocks said: it is the order that they came in.
    for timestamp, offset, topic, value in merge(*missed, key=lambda one: one[0]):
        await asyncio.sleep(0)  # heartbeats and signals do not wait for a long replay
        progress()
        _step_silently(partition, (topic, offset), value, timestamp, shelf)
        partition.state.watch.take_events()  # they were sent when it was first read
    if count := sum(map(len, missed)):
        log.info("partition %d: replayed %d records to rebuild its model", partition.number, count)


def _step_silently(partition: Partition, place: tuple[str, int], value: bytes, ms: int, shelf: Shelf) -> None:
    kind = SOURCES[place[0]]
    try:
        record = parse(kind, value)
        if isinstance(record, ModelCommand):
            obey(partition, record, shelf)
    except (RecordError, CommandError):
        refuse(partition, *place, arrival(ms / 1000))  # it was sent to the dead letters when it was first read
        return
    if not isinstance(record, ModelCommand):
        answer(partition.state, record, arrival(ms / 1000))


def arrival(seconds: float | None) -> datetime:
    """Return a message's timestamp (UNIX seconds) as the step's clock, so that a record read again steps the same way.

    Whoever wrote the message may have set any number: one that is no date counts as the start of the epoch.
    """
    try:
        return datetime.fromtimestamp(seconds or 0.0, UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0.0, UTC)
