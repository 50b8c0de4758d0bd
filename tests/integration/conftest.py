"""A line to test: real worker processes, real compiler output, and what is on the topics."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Feedback, Prediction, Record, content_id, parse
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from producers.ci import Report, read
from streams.checkpoints import Partition
from streams.restore import restore_partitions
from streams.settings import Settings
from streams.supervisor import child_environment
from streams.topic_admin import delete_topics, ensure_topics
from streams.topics import MAX_MESSAGE_BYTES, topic_name
from tests.polling import poll

COMPILER_OUTPUT = Path(__file__).parent.parent / "producers" / "data"
WORKER_READY_S = 60.0
ANSWER_S = 60.0
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

R = TypeVar("R", bound=Record)


@dataclass
class Worker:
    """A worker process of a line; ``start`` may be called again after it ended."""

    settings: Settings
    name: str
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    command: Sequence[str] = ("-m", "streams.cli", "worker")

    @property
    def log(self) -> Path:
        return self.settings.data_dir / f"{self.name}.log"

    @property
    def announce(self) -> Path:
        return self.settings.data_dir / f"{self.name}.json"

    def start(self, *, wait: bool = True) -> Worker:
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.announce.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command, "--announce", str(self.announce)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(self.settings) | self.environment,
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        poll(self._ready_or_dead, deadline_s=WORKER_READY_S)
        assert self.alive, self.tail()

    def _ready_or_dead(self) -> bool:
        return not self.alive or self.ready

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        try:
            return bool(self.state()["ready"])
        except (OSError, ValueError):
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        return str(json.loads(self.announce.read_bytes())["url"])

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as response:  # noqa: S310 - our own worker
            body: bytes = response.read()
        return body

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.get("/v1/state"))
        return state

    def partition(self, number: int) -> dict[str, Any]:
        return next(one for one in self.state()["partitions"] if one["partition"] == number)

    def partitions(self) -> set[int]:
        try:
            state = self.state()
        except (OSError, ValueError):
            return set()
        return {one["partition"] for one in state["partitions"]} if state["ready"] else set()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self) -> int:
        """Ask the worker to stop, as a service manager does, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@dataclass
class Line:
    """A line with topics of its own to test against; ``number`` helps to address one partition."""

    settings: Settings
    workers: list[Worker] = field(default_factory=list)

    @property
    def broker(self) -> str:
        assert self.settings.broker
        return self.settings.broker

    def worker(self, name: str = "worker", command: Sequence[str] = (), **environment: str) -> Worker:
        worker = Worker(self.settings, name, environment=environment)
        worker.command = command or worker.command
        self.workers.append(worker)
        return worker

    def send(self, kind: type[Record], values: Sequence[bytes | None], partition: int = 0) -> list[int]:
        """Put raw values on a topic's partition and return their offsets."""
        return asyncio.run(self._send(topic_name(kind), [(None, value) for value in values], partition))

    def send_keyed(self, kind: type[Record], pairs: Sequence[tuple[bytes, bytes | None]], partition: int) -> list[int]:
        return asyncio.run(self._send(topic_name(kind), pairs, partition))

    def push(self, records: Sequence[Record], partition: int = 0) -> list[int]:
        return self.send(type(records[0]), [record.to_bytes() for record in records], partition)

    async def _send(self, topic: str, pairs: Sequence[tuple[bytes | None, bytes | None]], partition: int) -> list[int]:
        async with AIOKafkaProducer(
            bootstrap_servers=self.broker, max_request_size=MAX_MESSAGE_BYTES, linger_ms=5
        ) as producer:
            waiting = [
                await producer.send(topic, value, key=key or b"test", partition=partition) for key, value in pairs
            ]
            return [(await one).offset for one in waiting]

    def messages(self, kind: type[Record], partition: int | None = None) -> list[Any]:
        """Return all committed messages of a topic as they stand on it now."""
        return asyncio.run(self._messages(topic_name(kind), partition))

    async def _messages(self, topic: str, partition: int | None) -> list[Any]:
        reader = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.broker,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        )
        async with reader, asyncio.timeout(60):
            places = [TopicPartition(topic, number) for number in self._numbers(reader, partition)]
            ends = await reader.end_offsets(places)
            found = []
            while any([await reader.position(place) < end for place, end in ends.items()]):
                for batch in (await reader.getmany(*places, timeout_ms=100)).values():
                    found += batch
        return found

    def _numbers(self, reader: AIOKafkaConsumer, partition: int | None) -> list[int]:
        return [partition] if partition is not None else sorted(place.partition for place in reader.assignment())

    def records(self, kind: type[R], partition: int | None = None) -> list[R]:
        return [parse(kind, message.value, MAX_MESSAGE_BYTES) for message in self.messages(kind, partition)]

    def predictions(self) -> list[Prediction]:
        return self.records(Prediction)

    def wait_until_answered(self, count: int, *, deadline_s: float = ANSWER_S) -> list[Prediction]:
        """Return the committed predictions once there are at least ``count``."""

        def enough() -> list[Prediction]:
            found = self.predictions()
            return found if len(found) >= count else []

        return poll(enough, deadline_s=deadline_s, every_s=0.2)

    def restored(self, number: int = 0) -> Partition:
        """Return a partition as the next worker would find it."""
        found = asyncio.run(
            restore_partitions([number], bootstrap=self.broker, options={}, group=self.settings.app_id, fresh=LineState)
        )
        return found[number]

    def stop(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.kill()


@contextmanager
def new_line(broker: str, folder: Path, **changes: Any) -> Iterator[Line]:
    """Make all topics anew and yield a line with a group of its own; its workers are ended after."""
    settings = Settings(
        broker=broker,
        app_id=f"jidoka-{uuid.uuid4().hex[:12]}",
        data_dir=folder / "data",
        http_port=0,
        warm_start=False,
        **changes,
    )

    async def renew() -> None:
        await delete_topics(broker, settings)
        await ensure_topics(broker, settings)

    asyncio.run(renew())
    line = Line(settings)
    try:
        yield line
    finally:
        line.stop()


@pytest.fixture
def line(broker: str, tmp_path: Path) -> Iterator[Line]:
    """Give a line of the test's own, without a worker; the state of a new partition is empty."""
    with new_line(broker, tmp_path) as made:
        yield made


@cache
def real_diagnostics() -> tuple[Diagnostic, ...]:
    """Return the diagnostics in the recorded outputs of cargo, rustc and clippy."""
    found: list[Diagnostic] = []
    for name in ("cargo.json", "clippy.json", "rustc.json"):
        path = COMPILER_OUTPUT / name
        with path.open("rb") as source:
            for record in read(source, name=name, project="p", time=LONG_AGO, warnings=True, report=Report()):
                found += record.diagnostics
    return tuple(found)


def make_failures(count: int, *, seed: int = 1, project: str = "test/one") -> list[CompilerErrors]:
    """Return ``count`` failed compilations: real diagnostics in seeded combinations, names varied."""
    draw = random.Random(seed)  # noqa: S311 - test data
    pool = real_diagnostics()
    made = []
    for number in range(count):
        chosen = [
            one.model_copy(update={"message": f"{one.message} {draw.choice('abcdefgh')}{draw.randrange(9)}"})
            for one in draw.sample(pool, draw.randint(1, 3))
        ]
        made.append(
            CompilerErrors(
                id=content_id(project, seed, number), time=LONG_AGO, project=project, diagnostics=tuple(chosen)
            )
        )
    return made


def in_process(records: Sequence[CompilerErrors | Feedback], state: LineState | None = None) -> LineState:
    """Return the state after the same records went through the same step, without Kafka."""
    state = state or LineState()
    for record in records:
        step(state, record, LONG_AGO)
    return state


def fingerprint(state: LineState) -> str:
    """Return a hash of the whole state, but for the time of day at which predictions were made and kinds first met."""
    copy = LineState()
    snapshot.apply(copy, snapshot.base(state))
    recents, ids = copy.recent.contents()
    timeless = [one._replace(prediction=_without_time(one.prediction)) for one in recents]
    copy.recent = type(copy.recent)()
    copy.recent.extend(timeless, ids)
    met = copy.templates.dump()
    met["templates"] = [[*kind[:-1], ""] for kind in met["templates"]]
    copy.templates = type(copy.templates)()
    copy.templates.extend(met)
    return sha256(snapshot.base(copy)).hexdigest()


def _without_time(prediction: bytes) -> bytes:
    document = orjson.loads(prediction)
    document.pop("time")
    for one in document["classifications"]:
        one["novelty"].pop("first")
    return orjson.dumps(document)


def timeless(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as data, but for the times at which it was made and its kinds were first met."""
    times: Any = {"time": True, "classifications": {"__all__": {"novelty": {"first"}}}}
    return prediction.model_dump(mode="json", exclude=times)


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Give the tests the functions of this file: it cannot be imported."""
    return SimpleNamespace(
        make_failures=make_failures,
        in_process=in_process,
        fingerprint=fingerprint,
        timeless=timeless,
        new_line=new_line,
    )
