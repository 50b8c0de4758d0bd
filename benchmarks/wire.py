"""Kafka as the benchmarks use it, through librdkafka: the reader must cost less than what it measures."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from benchmarks.figures import Seen
from benchmarks.inputs import Input
from benchmarks.stage import BenchmarkError

try:
    from confluent_kafka import (
        OFFSET_BEGINNING,
        Consumer,
        KafkaError,
        KafkaException,
        Message,
        Producer,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError as error:  # a person can mend it
    raise SystemExit("confluent-kafka is missing: run `make bench-venv` and use .venv-bench/bin/python") from error

LIMIT_S = 30.0
MESSAGES = 10_000  # of one poll
MAX_BYTES = 16 << 20
QUIET = {"log_level": 2}  # librdkafka tells of every broken connection while the broker stops


def producer(bootstrap: str, **options: Any) -> Producer:
    """Return a producer with the partitioner that all of Kafka's other clients have."""
    return Producer(
        QUIET
        | {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "message.max.bytes": MAX_BYTES}
        | options
    )


def reader(bootstrap: str, topic: str, partitions: int, *, latest: bool = False) -> Consumer:
    """Return a ``read_committed`` reader of a whole topic."""
    consumer = Consumer(
        QUIET
        | {
            "bootstrap.servers": bootstrap,
            "group.id": f"reader-{uuid4()}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "latest" if latest else "earliest",
        }
    )
    places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)]
    if latest:
        for place in places:
            place.offset = consumer.get_watermark_offsets(place, LIMIT_S)[1]
    consumer.assign(places)
    return consumer


def create(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic."""
    admin = AdminClient(QUIET | {"bootstrap.servers": bootstrap})  # a name of its own: it must outlive its future
    config = {"max.message.bytes": str(MAX_BYTES)}
    admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(LIMIT_S)


def delete(bootstrap: str, topic: str) -> None:
    """Delete a topic; the broker removes its files later."""
    admin = AdminClient(QUIET | {"bootstrap.servers": bootstrap})
    admin.delete_topics([topic])[topic].result(LIMIT_S)


def delete_records(bootstrap: str, before: dict[tuple[str, int], int]) -> None:
    """Delete what stands before these offsets, by topic and partition."""
    admin = AdminClient(QUIET | {"bootstrap.servers": bootstrap})
    places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in before.items()]
    for future in admin.delete_records(places).values():
        future.result(LIMIT_S)


class Pushed(NamedTuple):
    """An input on a topic: by partition, the numbers of its builds in their order there."""

    given: Input
    order: dict[int, list[int]]


def push(bootstrap: str, topic: str, given: Input) -> Pushed:
    """Push an input; all of it is acknowledged."""
    order: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def delivered(number: int, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise BenchmarkError(f"the broker did not take the input: {error}")
        order[message.partition()].append((message.offset(), number))

    client = producer(bootstrap, **{"enable.idempotence": True, "linger.ms": 20})
    for number, line in enumerate(given.lines()):
        send(client, topic, line, given.projects[number].encode(), partial(delivered, number))
    client.flush(LIMIT_S)
    if sum(map(len, order.values())) != len(given.ids):
        raise BenchmarkError("not all of the input was acknowledged by the broker")
    return Pushed(given, {partition: [number for _, number in sorted(found)] for partition, found in order.items()})


def send(client: Producer, topic: str, value: bytes, key: bytes, on_delivery: Any = None) -> None:
    """Hand a message over; wait while the producer's queue is full."""
    while True:
        try:
            client.produce(topic, value, key, on_delivery=on_delivery)
        except BufferError:
            client.poll(0.1)
        else:
            client.poll(0)
            return


class Answers:
    """Counts a contender's committed answers and checks that they are those to the input, in its order.

    One answer of every poll and partition is looked into; all are counted.
    """

    def __init__(self, bootstrap: str, topic: str, partitions: int, pushed: Pushed) -> None:
        self._reader = reader(bootstrap, topic, partitions)
        self.pushed, self._given, self._order = pushed, pushed.given, pushed.order
        self._counts: dict[int, int] = defaultdict(int)
        self.count, self.diagnostics = 0, 0
        self.seen: list[Seen] = []
        self.cpu_s: Callable[[], float] = lambda: 0.0  # of the process that answers

    def poll(self, timeout_s: float = 0.05) -> int:
        """Take in what has become visible and return how much it was."""
        messages = self._reader.consume(MESSAGES, timeout_s)
        if not messages:
            return 0
        now = time.monotonic()
        last: dict[int, Message] = {}
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            partition = message.partition()
            number = self._order[partition][self._counts[partition]]
            self._counts[partition] += 1
            self.diagnostics += self._given.diagnostics[number]
            last[partition] = message
        for partition, message in last.items():
            self._check(message, self._given.ids[self._order[partition][self._counts[partition] - 1]])
        self.count += len(messages)
        self.seen.append(Seen(now, self.count, self.diagnostics, self.cpu_s()))
        return len(messages)

    def _check(self, message: Message, expected: str) -> None:
        found = orjson.loads(message.value())["failure_id"]
        if found != expected:
            raise BenchmarkError(f"answer {self.count} is for {found}, not for {expected}: lost, twice or out of order")

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()
