"""A worker that stopped consuming is found by what it does, ended, and started again; nothing is lost by it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from models.records import CompilerErrors
from streams.liveness import Place
from streams.offsets import BrokerOffsets, Offsets
from streams.supervisor import Supervisor
from streams.topics import topic_name
from streams.watch import STALLED
from tests.integration.faulty_worker import use_faulty_worker

pytestmark = pytest.mark.integration
ERRORS = topic_name(CompilerErrors)
LIMIT_S = 6.0
HANGS = {  # by the way: the exit status, and what the log says
    "await": (STALLED, f"records wait, none was taken in for 6 s: {ERRORS}/0 at offset"),
    "loop": (STALLED, "the event loop has been blocked for "),
    "interpreter": (1, "in hang"),
}


@pytest.fixture
def supervised(line: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a supervisor for ``line`` whose workers can be made to hang, and the list of what it tells."""
    use_faulty_worker(monkeypatch)
    told: list[str] = []
    settings = line.settings.model_copy(update={"stall_limit_s": LIMIT_S})
    with Supervisor(settings, 1, told.append, web=False) as supervisor:
        yield supervisor, told


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own worker
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def answers(line: Any) -> Counter[str]:
    return Counter(one.failure_id for one in line.predictions())


class TestAHangingWorker:
    @pytest.mark.parametrize("how", HANGS)
    def test_is_started_again(
        self, how: str, supervised: Any, line: Any, kit: Any, eventually: Callable[..., Any]
    ) -> None:
        """Its log says where and shows the stack, the supervisor starts it again, each record is answered once."""
        (supervisor, told), (status, words) = supervised, HANGS[how]
        failures = kit.make_failures(300)
        line.push(failures[:100])
        line.wait_until_answered(100)
        (line.settings.data_dir / "hang").write_text(how)
        line.push(failures[100:])

        def restarted() -> bool:
            supervisor.watch()
            return any(f"died (status {status})" in text for text in told)

        eventually(restarted, deadline_s=5 * LIMIT_S)
        log = supervisor.children[0].log.read_text()
        assert words in log
        assert "Current thread" in log or "Thread 0x" in log
        line.wait_until_answered(300)
        assert answers(line) == dict.fromkeys((failure.id for failure in failures), 1)
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(kit.in_process(failures))

    def test_says_so_before_it_ends(self, supervised: Any, line: Any, kit: Any, eventually: Callable[..., Any]) -> None:
        """From half of the limit on /readyz is 503 with the reason, and the metrics tell; before, all is well."""
        supervisor, _ = supervised
        url = supervisor.children[0].url()
        assert get(f"{url}/readyz")[0] == 200
        assert "jidoka_worker_stalled 0.0" in get(f"{url}/metrics")[1]
        (line.settings.data_dir / "hang").write_text("await")
        line.push(kit.make_failures(10))
        _, body = eventually(lambda: (found := get(f"{url}/readyz"))[0] == 503 and found, deadline_s=3 * LIMIT_S)
        assert json.loads(body)["status"].startswith(f"stalling: records wait, none was taken in for 3 s: {ERRORS}/0")
        text = get(f"{url}/metrics")[1]
        assert "jidoka_worker_stalled 1.0" in text
        assert f'jidoka_consumer_lag{{partition="0",topic="{ERRORS}"}} 10.0' in text


class TestNoFalseAlarm:
    def test_markers_are_not_records(self, line: Any, kit: Any, eventually: Callable[..., Any]) -> None:
        """A source topic that ends with a producer's transaction marker has no lag, and nobody waits for a record."""
        worker = line.worker().start()
        failures = kit.make_failures(5)

        async def send() -> None:
            async with AIOKafkaProducer(bootstrap_servers=line.broker, transactional_id="test-markers") as producer:
                for failure in failures:
                    async with producer.transaction():
                        await producer.send(ERRORS, failure.to_bytes(), key=b"k", partition=0)

        asyncio.run(send())
        line.wait_until_answered(5)
        found = ask(line, {(ERRORS, 0): 9})
        assert (found.end, found.log_end) == (9, 10)
        assert ask(line, {(ERRORS, 0): 8}).end == 10
        eventually(lambda: worker.state()["lag"] == 0)
        assert json.loads(worker.get("/readyz"))["status"] == "ready"


class TestLag:
    def test_is_right_before_the_first_commit(self, line: Any, kit: Any, eventually: Callable[..., Any]) -> None:
        """Lag counts from what the group has committed, before that from the first record there is, never from 0."""
        line.push(kit.make_failures(30))
        asyncio.run(expire(line, 10))
        found = ask(line, {})
        assert (found.start, found.end, found.committed) == (10, 30, 10)
        worker = line.worker().start()
        line.wait_until_answered(20)
        eventually(lambda: worker.state()["lag"] == 0)
        eventually(lambda: ask(line, {}).committed == 30)
        worker.kill()
        line.push(kit.make_failures(5, seed=2))
        found = ask(line, {})
        assert found.end - found.committed == 5


async def expire(line: Any, before: int) -> None:
    """Delete the records of partition 0 before an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=line.broker)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(ERRORS, 0): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


def ask(line: Any, positions: dict[Place, int]) -> Offsets:
    """Return what the broker says of partition 0, asked twice as a watch does, which looks again at what rests."""

    async def twice() -> Offsets:
        broker = BrokerOffsets(line.broker, {}, line.settings.app_id)
        try:
            for _ in range(2):
                found = await broker.read([(ERRORS, 0)], positions)
            return found[ERRORS, 0]
        finally:
            await broker.close()

    return asyncio.run(twice())
