"""Three brokers on one machine: one or two of them killed while the line works."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from models.records import CompilerErrors, Prediction
from producers.sender import Sender
from streams import doctor
from streams.broker import EmbeddedCluster
from streams.follow import Follower
from streams.kafka import patiently
from streams.settings import Settings
from streams.supervisor import Supervisor
from streams.topics import topic_name

pytestmark = pytest.mark.integration
FAILURES = 300
PROJECTS = ("test/one", "test/two", "test/three", "test/four")
Eventually = Callable[..., Any]


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> Iterator[Supervisor]:
    """Give a line with three brokers and one worker, as ``jidoka up --brokers 3`` starts it."""
    settings = Settings(broker=None, data_dir=tmp_path_factory.mktemp("three"), warm_start=False, partitions=2)
    with Supervisor(settings, 1, said.append, web=False, brokers=3) as up:
        yield up


def cluster_of(line: Supervisor) -> EmbeddedCluster:
    assert line.broker is not None
    return line.broker


def partitions(line: Supervisor, topic: str) -> list[dict[str, Any]]:
    """Return leader, replicas and those in sync of each partition, as the cluster tells them."""

    async def ask() -> list[dict[str, Any]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=line.settings.broker)
        await admin.start()
        try:
            (found,) = await patiently(lambda: admin.describe_topics([topic]), 10)
        finally:
            await admin.close()
        return list(found["partitions"])

    return asyncio.run(ask())


def in_sync(line: Supervisor) -> set[int]:
    found = [place for topic in (CompilerErrors, Prediction) for place in partitions(line, topic_name(topic))]
    return {len(place["isr"]) for place in found}


def push(line: Supervisor, records: list[CompilerErrors], once_connected: Callable[[], object] = int) -> int:
    """Send with the real sender and return how many were acknowledged."""

    async def send() -> int:
        async with Sender(line.settings.broker or "", {}, "/test") as sender:
            await asyncio.to_thread(once_connected)
            for record in records:
                await sender.send(record)
            await sender.flush()
            return sender.acknowledged

    return asyncio.run(send())


def answers(line: Supervisor) -> Counter[str]:
    """Return how often each failure was answered, counting only what is committed."""

    async def read() -> Counter[str]:
        async with Follower(line.settings, Prediction, from_beginning=True) as follower:
            return Counter([prediction.failure_id async for prediction in follower.until_end()])

    return asyncio.run(read())


def make(kit: SimpleNamespace, seed: int) -> list[CompilerErrors]:
    return [one for project in PROJECTS for one in kit.make_failures(FAILURES // 4, seed=seed, project=project)]


def kill(cluster: EmbeddedCluster, number: int) -> None:
    pid = cluster.nodes[number - 1].pid
    assert pid
    os.kill(pid, signal.SIGKILL)


def test_a_leader_dies_and_nothing_is_lost(
    line: Supervisor, said: list[str], kit: SimpleNamespace, eventually: Eventually
) -> None:
    """The broker that leads is killed under load: every failure is answered once, and the broker comes back."""
    cluster, failures = cluster_of(line), make(kit, 1)
    assert push(line, failures[:100]) == 100
    eventually(lambda: sum(answers(line).values()) >= 50, deadline_s=30)
    assert in_sync(line) == {3}
    leader = partitions(line, topic_name(CompilerErrors))[0]["leader"]
    sending = threading.Thread(target=push, args=(line, failures[100:200]))
    sending.start()
    kill(cluster, leader)
    eventually(lambda: cluster.nodes[leader - 1].pid is None)
    check = doctor.broker(line.settings, None)
    assert (check.status, cluster.nodes[leader - 1].address in check.detail) == ("warn", True)
    sending.join(60)
    assert not sending.is_alive()
    assert push(line, failures[200:]) == 100
    eventually(lambda: len(answers(line)) == FAILURES, deadline_s=45)
    line.watch()
    assert f"kafka-{leader} died; starting it again" in said[-1]
    eventually(lambda: in_sync(line) == {3}, deadline_s=30)
    assert set(answers(line).values()) == {1}


def test_two_dead_make_lag_and_no_loss(line: Supervisor, kit: SimpleNamespace, eventually: Eventually) -> None:
    """With two of three dead nothing is acknowledged; once they are back, everything sent is answered once."""
    cluster, failures = cluster_of(line), make(kit, 2)
    before = len(answers(line))
    eventually(lambda: in_sync(line) == {3}, deadline_s=30)
    acknowledged: list[int] = []

    def kill_two() -> None:
        for number in (1, 2):
            kill(cluster, number)
        eventually(lambda: cluster.pids[:2] == [None, None])

    sending = threading.Thread(target=lambda: acknowledged.append(push(line, failures, kill_two)))
    sending.start()
    eventually(lambda: cluster.pids[:2] == [None, None])
    sending.join(3)
    assert sending.is_alive(), f"acknowledged by one broker of three: {acknowledged}"
    line.watch()
    sending.join(45)
    assert acknowledged == [FAILURES]
    eventually(lambda: len(answers(line)) == before + FAILURES, deadline_s=45)
    assert set(answers(line).values()) == {1}
