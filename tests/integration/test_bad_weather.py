"""Bad weather: a broker that is away or cannot write, a clock that goes back, names that do not resolve.

What needs root (a disk that is really full, or read-only) is a tried procedure in ``dashboards/RUNBOOK.md``.
"""

from __future__ import annotations

import asyncio
import json
import resource
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from models.records import CompilerErrors, parse
from streams.broker import EmbeddedBroker, ports
from streams.topics import topic_name
from tests.integration.faulty_worker import use_faulty_worker

pytestmark = pytest.mark.integration
ERRORS = topic_name(CompilerErrors)
LIMIT_S = 8.0
BACK_S = 60.0  # for a broker to start and a worker to find it, on a busy machine
Eventually = Callable[..., Any]


@pytest.fixture
def own(
    request: pytest.FixtureRequest, tmp_path: Path, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[EmbeddedBroker, Any]]:
    """Give a broker of the test's own, to be mistreated, and a line on it whose workers can be made faulty.

    The parameter is the stall limit in seconds.
    """
    use_faulty_worker(monkeypatch)
    with (
        EmbeddedBroker(tmp_path / "broker", port=ports.any_free()) as broker,
        kit.new_line(
            broker.bootstrap, tmp_path, stall_limit_s=getattr(request, "param", LIMIT_S), broker_wait_s=3.0
        ) as line,
    ):
        yield broker, line


def readiness(worker: Any) -> str:
    try:
        return str(json.loads(worker.get("/readyz"))["status"])
    except urllib.error.HTTPError as error:
        with error:
            return str(json.loads(error.read())["status"])


def ids(line: Any) -> list[str]:
    return [one.failure_id for one in line.predictions()]


class TestBrokerAway:
    def test_a_worker_waits_and_goes_on(self, own: Any, kit: Any, eventually: Eventually) -> None:
        """A broker that is away for longer than the stall limit restarts nobody; /readyz says so; nothing is lost."""
        broker, line = own
        failures = kit.make_failures(400)
        worker = line.worker().start()
        line.push(failures[:200])
        line.wait_until_answered(200)
        pid, gone = worker.pid, time.monotonic()
        broker.stop()
        eventually(lambda: readiness(worker) == "waiting: the broker does not answer", deadline_s=BACK_S)
        eventually(lambda: time.monotonic() - gone > 1.5 * LIMIT_S, deadline_s=2 * LIMIT_S)
        assert "jidoka_broker_up 0.0" in worker.get("/metrics").decode()
        assert broker.start() == line.broker
        line.push(failures[200:])
        line.wait_until_answered(400, deadline_s=BACK_S)
        eventually(lambda: readiness(worker) == "ready", deadline_s=BACK_S)
        assert (worker.alive, worker.pid) == (True, pid)
        log = worker.log.read_text()
        assert "does not answer" in log
        assert "the broker answers again, after" in log
        assert log.count("Unable connect") < 10  # it was 785
        assert ids(line) == [one.id for one in failures]

    @pytest.mark.parametrize("own", [3 * LIMIT_S], indirect=True)  # a busy machine takes longer to find the broker
    def test_a_broker_that_cannot_write(self, own: Any, kit: Any, eventually: Eventually) -> None:
        """While Kafka cannot write, the worker waits and says so; with room again all goes on, once each.

        The limit on the size of files stands in for the full disk: Kafka meets an I/O error of the same kind.
        """
        broker, line = own
        failures = kit.make_failures(400)
        worker = line.worker().start()
        line.push(failures[:200])
        line.wait_until_answered(200)
        assert broker.pid
        hard = resource.prlimit(broker.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (16 << 10, hard))
        with suppress(KafkaError, TimeoutError):  # refused, or never answered
            asyncio.run(asyncio.wait_for(push_at(line, failures[200:], time.time()), 5))
        eventually(lambda: readiness(worker) == "waiting: the broker does not answer", deadline_s=BACK_S)
        broker.stop()
        assert broker.start() == line.broker
        stored = {parse(CompilerErrors, message.value).id for message in line.messages(CompilerErrors)}
        line.push([one for one in failures if one.id not in stored])
        eventually(lambda: len(ids(line)) >= 400, deadline_s=BACK_S, every_s=0.3)
        assert sorted(ids(line)) == sorted(one.id for one in failures)
        assert worker.alive


class TestClock:
    def test_a_clock_that_jumps_back_changes_nothing(self, own: Any, kit: Any, eventually: Eventually) -> None:
        """The worker's clock and the records' timestamps go back an hour: order and model are those of a steady clock.

        No metric is negative, and nobody takes it for a stall.
        """
        _, line = own
        failures = kit.make_failures(300)
        worker = line.worker().start()
        asyncio.run(push_at(line, failures[:150], time.time()))
        line.wait_until_answered(150)
        (line.settings.data_dir / "clock").write_text("-3600")
        asyncio.run(push_at(line, failures[150:], time.time() - 3600))
        line.wait_until_answered(300)
        assert ids(line) == [one.id for one in failures]
        values = text_string_to_metric_families(worker.get("/metrics").decode())
        assert [one for family in values for one in family.samples if one.value < 0] == []
        eventually(lambda: readiness(worker) == "ready")  # one question to the broker may be lost at the jump
        assert worker.stop() == 0
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(kit.in_process(failures))


async def push_at(line: Any, failures: list[CompilerErrors], seconds: float) -> None:
    """Put failures on partition 0 as a producer whose clock says ``seconds`` (UNIX)."""
    async with AIOKafkaProducer(bootstrap_servers=line.broker) as producer:
        for one in failures:
            await producer.send(ERRORS, one.to_bytes(), key=b"k", partition=0, timestamp_ms=int(seconds * 1000))


class TestNames:
    def test_a_name_that_does_not_resolve_at_first(self, own: Any, kit: Any, eventually: Eventually) -> None:
        """A worker that cannot resolve its broker says so and tries again; once it resolves, it works."""
        _, line = own
        line.settings = line.settings.model_copy(update={"broker_wait_s": BACK_S})
        name = line.settings.data_dir / "no-dns"
        line.settings.data_dir.mkdir(exist_ok=True)
        name.touch()
        worker = line.worker().start(wait=False)
        eventually(lambda: worker.log.exists() and "trying again in" in worker.tail(), deadline_s=BACK_S)
        assert line.broker in worker.tail()
        name.unlink()
        worker.wait_until_ready()
        line.push(kit.make_failures(10))
        line.wait_until_answered(10)

    def test_a_name_that_never_resolves(self, own: Any) -> None:
        """After ``broker_wait_s`` the worker ends with 2, and the last line of its log names the broker."""
        _, line = own
        line.settings = line.settings.model_copy(update={"broker": "broker.invalid:9092"})
        worker = line.worker().start(wait=False)
        assert worker.process.wait(BACK_S) == 2
        log = worker.log.read_text()
        assert "Traceback" not in log
        assert "trying again in" in log
        assert "broker.invalid:9092" in log.splitlines()[-1]

    def test_names_fail_while_the_broker_restarts(self, own: Any, kit: Any, eventually: Eventually) -> None:
        """A resolver that fails later is felt when connections are made anew; the worker waits and goes on."""
        broker, line = own
        failures = kit.make_failures(100)
        worker = line.worker().start()
        line.push(failures[:50])
        line.wait_until_answered(50)
        (line.settings.data_dir / "no-dns").touch()
        broker.stop()
        assert broker.start() == line.broker
        eventually(lambda: readiness(worker) == "waiting: the broker does not answer", deadline_s=BACK_S)
        (line.settings.data_dir / "no-dns").unlink()
        line.push(failures[50:])
        line.wait_until_answered(100, deadline_s=BACK_S)
        assert worker.alive
        assert ids(line) == [one.id for one in failures]
