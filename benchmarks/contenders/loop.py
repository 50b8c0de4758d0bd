"""(c): a loop by hand on confluent-kafka with jidoka's step: predictions, checkpoint and offsets in one transaction.

What it gives is what a worker gives while nothing fails. It restores nothing, handles no rebalance, writes no dead
letter, measures nothing and answers nobody's questions: it is the least that such a program must do.
"""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from benchmarks.contenders.options import options
from models.cloudevents import attributes, event_type, headers
from models.records import CompilerErrors, ModelCheckpoint, Prediction, parse
from models.state import LineState
from models.step import answer
from streams.checkpoints import Partition
from streams.topics import MAX_MESSAGE_BYTES, topic_name

COMMIT_S = 0.3  # the worker's default
BATCH, POLL_S = 256, 0.05
PREDICTIONS, SOURCE_URI = event_type(Prediction), "/jidoka/worker"  # as a worker's records say


class Loop:
    """Consumes, steps, produces, commits."""

    def __init__(self, bootstrap: str, source: str, sink: str, group: str) -> None:
        self.sink, self.stopping = sink, False
        self.partitions: dict[int, Partition] = {}
        self.saved: dict[int, float] = {}  # when each partition's last checkpoint was taken
        self.consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        self.consumer.subscribe([source])
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": f"{group}-0",
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "linger.ms": 5,
            }
        )
        self.producer.init_transactions()

    def run(self) -> None:
        """Run until ``stopping``; what is not committed by then is left."""
        self.producer.begin_transaction()
        due = time.monotonic() + COMMIT_S
        while not self.stopping:
            for message in self.consumer.consume(BATCH, POLL_S):
                self.take(message)
            self.producer.poll(0)
            if time.monotonic() > due:
                self.commit()
                due = time.monotonic() + COMMIT_S
        self.consumer.close()

    def take(self, message: Message) -> None:
        """Answer a build."""
        if message.error():
            raise RuntimeError(str(message.error()))
        number = message.partition()
        if number not in self.partitions:  # not setdefault: an empty model is megabytes, even to throw away
            self.partitions[number] = Partition(number, LineState())
        partition = self.partitions[number]
        record = parse(CompilerErrors, message.value())
        now = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        for one in answer(partition.state, record, now):
            event = attributes(one.id, PREDICTIONS, SOURCE_URI, one.time)
            self.send(self.sink, record.project.encode(), one.value, event, number)
        partition.advance(message.topic(), message.offset())

    def send(self, topic: str, key: bytes, value: bytes, event: list[tuple[str, bytes]], number: int) -> None:
        """Produce in the open transaction, with the headers that a worker's records have."""
        while True:
            try:
                self.producer.produce(topic, value, key, partition=number, headers=event)
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def commit(self) -> None:
        """Write the checkpoints that are due, then commit them with answers and offsets."""
        changed = [one for one in self.partitions.values() if one.dirty]
        if not changed:
            return
        for partition in changed:
            if not partition.due(time.monotonic() - self.saved.get(partition.number, 0.0)):
                continue
            self.saved[partition.number] = time.monotonic()
            for key, record in partition.checkpoint(datetime.now(UTC)):
                event = headers(record, SOURCE_URI)
                self.send(topic_name(ModelCheckpoint), key, record.to_bytes(), event, partition.number)
        places = [TopicPartition(topic, one.number, offset) for one in changed for topic, offset in one.offsets.items()]
        self.producer.send_offsets_to_transaction(places, self.consumer.consumer_group_metadata())
        self.producer.commit_transaction()
        self.producer.begin_transaction()


def main() -> None:
    """Run until a signal."""
    given = options()
    loop = Loop(given.bootstrap, given.source, given.sink, given.group)

    def stop(*_: object) -> None:
        loop.stopping = True

    signal.signal(signal.SIGTERM, stop)
    loop.run()


if __name__ == "__main__":
    main()
