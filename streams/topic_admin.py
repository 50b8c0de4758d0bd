"""Creating and describing the line's topics on a cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from streams.kafka import client_options, patiently, silenced
from streams.settings import Settings
from streams.topics import TOPICS, Topic

REQUEST_LIMIT_S = 30.0
VISIBLE_LIMIT_S = 15.0
OFFSETS_LIMIT_S = 15.0  # a partition without a leader keeps the reader asking for so long
POLL_S = 0.05


class TopicError(RuntimeError):
    """The topics of the line cannot be made or do not fit the settings; the text says what to do."""


@dataclass(frozen=True)
class TopicState:
    """A topic on the cluster; offsets by partition, ``latest`` being that of the next record.

    A topic that does not exist has no partitions.
    """

    name: str
    partitions: int
    earliest: dict[int, int] = field(default_factory=dict)
    latest: dict[int, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Return the number of offsets in use: records, transaction markers, and gaps that compaction left."""
        return sum(end - self.earliest.get(partition, 0) for partition, end in self.latest.items())


async def ensure_topics(bootstrap: str, settings: Settings, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
    """Create the topics that are missing and return all of them; existing ones are left as they are.

    Done once every partition has a leader. Processes that do this at the same time do not disturb each other.

    Raises ``TopicError`` when an existing topic has another number of partitions than the settings ask for, or when
    the cluster refuses to create one; ``ConnectionError`` when it does not answer.
    """
    async with _admin(bootstrap, settings) as admin:
        counts = await _partition_counts(admin, topics)
        _check_partitions(counts, settings, topics)
        await _create(admin, settings, [topic for topic in topics if topic.name not in counts])
        await _until_visible(admin, settings, topics)
    return await describe_topics(bootstrap, settings, topics)


async def describe_topics(bootstrap: str, settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[TopicState]:
    """Return the state of each of ``topics``, in their order.

    Raises ``ConnectionError`` when the cluster does not answer.
    """
    topics = list(topics)
    async with _admin(bootstrap, settings) as admin:
        counts = await _partition_counts(admin, topics)
    places = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    earliest, latest = await _offsets(bootstrap, settings, places)
    return [_state(topic.name, counts.get(topic.name, 0), earliest, latest) for topic in topics]


async def delete_topics(bootstrap: str, settings: Settings, topics: Sequence[Topic] = TOPICS) -> None:
    """Delete ``topics`` with all their records, and wait until the cluster knows none of them any more.

    Raises ``TopicError`` when the cluster refuses, ``ConnectionError`` when it does not answer.
    """
    async with _admin(bootstrap, settings) as admin:
        there = list(await _partition_counts(admin, topics))
        if there:
            answer = await admin.delete_topics(there, timeout_ms=int(REQUEST_LIMIT_S * 1000))
            for name, code, *_ in answer.topic_error_codes:
                if code:
                    raise TopicError(f"the cluster does not delete {name}: {for_code(code).__name__}")
        await _until(lambda: _gone(admin, topics), "deleted topics are still there")


def wanted_partitions(topic: Topic, settings: Settings) -> int:
    """Return how many partitions ``topic`` must have."""
    return settings.partitions if topic.partitioned else 1


@asynccontextmanager
async def _admin(bootstrap: str, settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    limit_ms = int(REQUEST_LIMIT_S * 1000)
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=limit_ms, **client_options(settings))
    try:
        await client.start()
        yield client
    except KafkaError as error:
        raise ConnectionError(f"Kafka at {bootstrap}: {error}") from error
    finally:
        await client.close()


async def _partition_counts(admin: AIOKafkaAdminClient, topics: Iterable[Topic]) -> dict[str, int]:
    """Ask for all topics there are: asking for one by name may create it, with whatever the cluster's defaults are."""
    names = {topic.name for topic in topics}
    return {
        found["topic"]: len(found["partitions"])
        for found in await patiently(admin.describe_topics, VISIBLE_LIMIT_S)
        if found["topic"] in names and not found["error_code"]
    }


def _check_partitions(counts: dict[str, int], settings: Settings, topics: Iterable[Topic]) -> None:
    wrong = [
        (topic, counts[topic.name])
        for topic in topics
        if counts.get(topic.name, wanted_partitions(topic, settings)) != wanted_partitions(topic, settings)
    ]
    if not wrong:
        return
    lines = [f"  {topic.name} has {count}, not {wanted_partitions(topic, settings)}" for topic, count in wrong]
    existing = {count for topic, count in wrong if topic.partitioned}
    way_out = (
        f"Set JIDOKA_PARTITIONS={existing.pop()} to work with the topics as they are"
        if len(existing) == 1 and all(topic.partitioned for topic, _ in wrong)
        else "Delete these topics to have them made anew"
    )
    raise TopicError(
        f"topics with another number of partitions than the settings ask for (partitions={settings.partitions}):\n"
        + "\n".join(lines)
        + "\n  Predictions, feedback and checkpoints must be split like compiler-errors: one project, one partition.\n"
        f"  {way_out}; or use a cluster of its own. Adding partitions later would tear projects from their history."
    )


async def _create(admin: AIOKafkaAdminClient, settings: Settings, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    kept = {"min.insync.replicas": "2"} if settings.replication > 2 else {}  # one may fail, and nothing is lost
    new = [
        NewTopic(
            topic.name, wanted_partitions(topic, settings), settings.replication, topic_configs=topic.config | kept
        )
        for topic in topics
    ]
    answer = await admin.create_topics(new, timeout_ms=int(REQUEST_LIMIT_S * 1000))
    for name, code, message, *_ in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):  # somebody else makes the same topics now
            raise TopicError(
                f"the cluster does not create {name}: {for_code(code).__name__}: {message or 'no reason given'}\n"
                f"  Asked for: {settings.partitions} partitions, replication {settings.replication} "
                "(JIDOKA_PARTITIONS, JIDOKA_REPLICATION)."
            )


async def _until_visible(admin: AIOKafkaAdminClient, settings: Settings, topics: Sequence[Topic]) -> None:
    await _until(lambda: _led(admin, settings, topics), "not every partition has a leader")


async def _led(admin: AIOKafkaAdminClient, settings: Settings, topics: Iterable[Topic]) -> bool:
    found = {
        entry["topic"]: entry
        for entry in await patiently(admin.describe_topics, VISIBLE_LIMIT_S)
        if not entry["error_code"]
    }
    return all(
        topic.name in found
        and len(found[topic.name]["partitions"]) == wanted_partitions(topic, settings)
        and all(partition["leader"] >= 0 for partition in found[topic.name]["partitions"])
        for topic in topics
    )


async def _gone(admin: AIOKafkaAdminClient, topics: Iterable[Topic]) -> bool:
    return not await _partition_counts(admin, topics)


async def _until(condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    deadline = time.monotonic() + VISIBLE_LIMIT_S
    while not await condition():
        if time.monotonic() > deadline:
            raise TopicError(f"{otherwise} after {VISIBLE_LIMIT_S:.0f} s; look at the cluster's log")
        await asyncio.sleep(POLL_S)


async def _offsets(
    bootstrap: str, settings: Settings, places: Sequence[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    if not places:
        return {}, {}
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        request_timeout_ms=int(OFFSETS_LIMIT_S * 1000),
        **client_options(settings),
    )
    try:
        await reader.start()
        reader.assign(places)  # without it, the reader finds each topic's leaders one metadata request after the other
        reader.pause(*places)  # offsets only, no records
        with silenced("aiokafka"):  # a new leader may refuse for a moment: the reader warns, and asks again
            return await reader.beginning_offsets(places), await reader.end_offsets(places)
    except KafkaError as error:
        raise ConnectionError(f"Kafka at {bootstrap}: {error}") from error
    finally:
        await reader.stop()


def _state(
    name: str, partitions: int, earliest: dict[TopicPartition, int], latest: dict[TopicPartition, int]
) -> TopicState:
    places = [TopicPartition(name, number) for number in range(partitions)]
    return TopicState(
        name,
        partitions,
        {place.partition: earliest[place] for place in places},
        {place.partition: latest[place] for place in places},
    )
