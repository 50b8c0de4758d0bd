"""Ten thousand hostile records on the topics that a worker reads, and as many requests: nothing stalls or is lost.

The seed is printed when a test fails; ``JIDOKA_FUZZ_SEED`` sets another one, ``JIDOKA_FUZZ_COUNT`` another number.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from models.records import (
    CompilerErrors,
    DeadLetter,
    Feedback,
    Model,
    ModelCheckpoint,
    ModelCommand,
    Prediction,
    Record,
    RecordError,
    parse,
)
from models.snapshots import snapshot
from models.taxonomy import LABELS
from streams.dead_letters import CUT
from streams.restore import SOURCES
from streams.supervisor import child_environment
from streams.topics import MAX_MESSAGE_BYTES, topic_name
from tests.builders import small_state
from tests.fuzzing import CODECS, Fuzzer, Raw, Request, RequestFuzzer, in_batches, send_raw

pytestmark = pytest.mark.integration
SEED = int(os.environ.get("JIDOKA_FUZZ_SEED", "20260101"))
COUNT = int(os.environ.get("JIDOKA_FUZZ_COUNT", "10000"))  # records over a worker's topics, and requests
PARTITIONS = 4
MAX_RSS_KB = 700_000  # of a worker or the web interface, at its highest
DATA = Path(__file__).parents[1] / "producers" / "data"
GOLDEN = Path(__file__).parents[1] / "golden" / "records"
CLIENTS = 8  # connections at once
PROBLEM = "application/problem+json"

Place = tuple[str, int, int]  # topic, partition, offset
T = TypeVar("T")


@pytest.fixture(autouse=True)
def tell_the_seed() -> None:
    sys.stdout.write(f"JIDOKA_FUZZ_SEED={SEED}\n")


def valid_records(kit: Any, kind: type[Record]) -> list[bytes]:
    """Return good records of a source topic, some of them feedback on the failures of the same seed."""
    failures = kit.make_failures(60, seed=SEED, project="test/fuzz")
    if kind is CompilerErrors:
        return [failure.to_bytes() for failure in failures]
    if kind is not Feedback:
        return [(GOLDEN / f"{kind.topic}.v{kind.version}.json").read_bytes()]
    common = {"time": datetime.now(UTC), "project": "test/fuzz", "index": 0}
    return [
        Feedback.model_validate(
            common | {"id": f"said-{number}", "failure_id": failure.id, "category": LABELS[number % len(LABELS)]}
        ).to_bytes()
        for number, failure in enumerate(failures)
    ]


def send_compacted(broker: str, kind: type[Record], records: Iterable[Raw], partitions: int = PARTITIONS) -> None:
    """Send the records to a compacted topic, where a broker takes none without a key."""
    send_all(broker, topic_name(kind), [one if one.key else replace(one, key=b"none") for one in records], partitions)


def send_all(broker: str, topic: str, records: Sequence[Raw], partitions: int = PARTITIONS) -> dict[Place, Raw]:
    """Send the records, in batches to random partitions, with any compression; return where each stands."""
    draw = random.Random(SEED)  # noqa: S311 - test data
    found: dict[Place, Raw] = {}

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=broker, max_request_size=MAX_MESSAGE_BYTES) as producer:
            for batch in in_batches(records, draw):
                number = draw.randrange(partitions)
                first = await send_raw(producer, topic, number, batch, draw.choice(CODECS))
                found.update({(topic, number, first + index): one for index, one in enumerate(batch)})

    asyncio.run(send())
    return found


def is_readable(kind: type[Record], value: bytes | None) -> bool:
    try:
        parse(kind, value)
    except RecordError:
        return False
    return True


def highest_rss_kb(pid: int) -> int:
    """Return the most memory that a process has held so far."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[0])


def assert_calm(log: str) -> None:
    """Assert that a log holds neither a stack trace nor the end of a worker."""
    assert "Traceback" not in log, log[-4000:]
    assert "CRITICAL" not in log


def assert_well(worker: Any, pid: int) -> None:
    """Assert that this is still the same process, small and without a stack trace."""
    assert (worker.alive, worker.pid) == (True, pid), worker.tail()
    assert highest_rss_kb(pid) < MAX_RSS_KB
    assert_calm(worker.log.read_text(errors="replace"))


def assert_answers(line: Any, kit: Any, eventually: Callable[..., Any]) -> None:
    """Assert that valid records on every partition are answered."""
    fresh = {
        number: kit.make_failures(10, seed=number + 1, project=f"test/after{number}") for number in range(PARTITIONS)
    }
    for number, failures in fresh.items():
        line.push(failures, partition=number)
    wanted = {failure.id for failures in fresh.values() for failure in failures}
    eventually(lambda: wanted <= {one.failure_id for one in line.predictions()}, deadline_s=30, every_s=0.3)


def jidoka(line: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams.cli", *arguments]
    return subprocess.run(
        command, env=child_environment(line.settings), capture_output=True, text=True, timeout=60, check=False
    )


def contents(letters: Sequence[DeadLetter]) -> set[tuple[str, int, str | None, str | None]]:
    """Return what would be sent again: topic, partition, key and value; nothing at all is sent as an empty value."""
    return {
        (one.source_topic, one.partition, one.key, one.value if one.key is not None else one.value or "")
        for one in letters
    }


class TestTopics:
    def test_every_record_is_processed_or_a_dead_letter(self, line: Any, kit: Any, eventually: Any) -> None:
        """Of 10,000 hostile records on the source topics those that can be read are answered, the others kept.

        The dead letters hold the very bytes, may be listed and sent again, and then stand where they stood, under
        their key; the worker is the same one all the time, and answers valid records on every partition after.
        """
        worker = line.worker().start()
        pid = worker.pid
        sent: dict[Place, Raw] = {}
        for number, (topic, kind) in enumerate(SOURCES.items()):
            fuzzer = Fuzzer(SEED + number, valid_records(kit, kind))
            sent |= send_all(line.broker, topic, list(fuzzer.records(COUNT // len(SOURCES))))
        # A topic without a limit of its own takes messages that are nearly all key.
        sent |= send_all(line.broker, topic_name(Feedback), [Raw(b"rubbish", key=b"k" * (MAX_MESSAGE_BYTES - 65_536))])
        readable = {place for place, one in sent.items() if is_readable(SOURCES[place[0]], one.value)}
        assert len(sent) // 20 < len(readable) < len(sent) // 2  # the input is hostile, but not hopeless

        eventually(lambda: taken_in(worker), deadline_s=60, every_s=0.2)
        commands = {place for place in readable if place[0] == topic_name(ModelCommand)}  # to go back to nowhere
        refused = sent.keys() - readable | commands
        letters = eventually(lambda: enough(line.records(DeadLetter), len(refused)), deadline_s=30, every_s=0.5)
        assert len(letters) == len(refused)
        assert {(one.source_topic, one.partition, one.offset) for one in letters} == refused
        assert all(holds(letter, sent[letter.source_topic, letter.partition, letter.offset]) for letter in letters)
        failures = [place for place in readable if place[0] == topic_name(CompilerErrors)]
        answers = eventually(lambda: enough(line.messages(Prediction), len(failures)), deadline_s=30, every_s=0.5)
        assert Counter(message.partition for message in answers) == Counter(place[1] for place in failures)

        self.redrive(line, worker, letters, eventually)
        assert_answers(line, kit, eventually)
        assert_well(worker, pid)

    def redrive(self, line: Any, worker: Any, letters: Sequence[DeadLetter], eventually: Callable[..., Any]) -> None:
        listed = jidoka(line, "dead-letters", "list", "--json")
        assert (listed.returncode, listed.stdout.count("\n")) == (0, len(letters)), listed.stderr
        whole = [letter for letter in letters if not letter.reason.endswith(CUT)]
        again = jidoka(line, "dead-letters", "redrive", "--all")
        distinct = contents(whole)
        assert f"sent again: {len(distinct)}\n" in again.stdout, again.stderr
        assert (again.returncode, "Traceback" in again.stderr) == (1, False)  # some were too large to be kept whole
        eventually(lambda: taken_in(worker), deadline_s=60, every_s=0.2)
        wanted = len(letters) + len(distinct)
        found = eventually(lambda: enough(line.records(DeadLetter), wanted), deadline_s=30, every_s=0.5)
        known = {letter.id for letter in letters}
        assert contents([letter for letter in found if letter.id not in known]) == distinct


def enough(found: list[T], count: int) -> list[T]:
    """Return what was found once it is as much as that, else nothing."""
    return found if len(found) >= count else []


def taken_in(worker: Any) -> bool:
    """Return whether a worker has come to the end of all its topics; fails when it has ended."""
    assert worker.alive, worker.tail()
    state = worker.state()
    return bool(state["ready"]) and state["lag"] == 0


def holds(letter: DeadLetter, sent: Raw) -> bool:
    """Return whether a letter has the bytes that were sent, or the beginning of too many, and says so."""
    found = [None if text is None else base64.b64decode(text) for text in (letter.key, letter.value)]
    if letter.reason.endswith(CUT):
        return all(
            (whole or b"").startswith(part or b"") for whole, part in zip((sent.key, sent.value), found, strict=True)
        )
    return found == [sent.key, sent.value]


class TestRubbishAtTheStart:
    def test_a_worker_starts_over_it(self, line: Any, kit: Any, eventually: Any) -> None:
        """10,000 hostile records among checkpoints and published models keep no worker from starting."""
        failures = kit.make_failures(5, project="test/before")
        worker = line.worker("first").start()
        line.push(failures)
        line.wait_until_answered(5)
        assert worker.stop() == 0
        written = [message.value for message in line.messages(ModelCheckpoint)]
        send_compacted(line.broker, ModelCheckpoint, Fuzzer(SEED, written).records(COUNT // 2))
        send_compacted(line.broker, Model, Fuzzer(SEED + 1, [published()]).records(COUNT // 2), partitions=1)
        worker = line.worker("second", JIDOKA_WARM_START="true").start()
        pid = worker.pid
        assert_answers(line, kit, eventually)
        assert_well(worker, pid)
        assert "passed over" in worker.log.read_text(errors="replace")


def published() -> bytes:
    """Return a model as it is published."""
    packed = snapshot.base(small_state())
    return Model(
        id="m",
        time=datetime.now(UTC),
        project="jidoka",
        name="small",
        sha256=hashlib.sha256(packed).hexdigest(),
        payload=base64.b64encode(packed).decode(),
    ).to_bytes()


class Web:
    """``jidoka web`` as a process; ``ask`` sends raw requests."""

    def __init__(self, line: Any) -> None:
        self.announce, self.log = line.settings.data_dir / "web.json", line.settings.data_dir / "web.log"
        line.settings.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "web", "--announce", str(self.announce)],
                env=child_environment(line.settings),
                stdout=log,
                stderr=log,
            )

    def started(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.announce.exists()

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(json.loads(self.announce.read_bytes())["url"])
        return str(url.hostname), int(url.port or 0)

    async def ask(self, request: Request) -> tuple[int, str, bytes]:
        """Return status, content type and body of the answer; status 0 when there was none."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(request.wire)
            if request.cut:
                writer.write_eof()
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                return await asyncio.wait_for(_response(reader), 30)
            return 0, "", b""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _response(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(re.findall(r"(?im)^([\w-]+):\s*(.*?)\r$", head))
    body = await reader.readexactly(int(fields.get("Content-Length", 0)))
    return int(head.split()[1]), fields.get("Content-Type", ""), body


@pytest.fixture
def web(line: Any, eventually: Any) -> Iterator[Web]:
    made = Web(line)
    try:
        eventually(made.started, deadline_s=30)
        yield made
    finally:
        made.process.terminate()
        made.process.wait(30)


class TestHttp:
    def test_every_request_is_taken_or_explained(self, line: Any, kit: Any, web: Web) -> None:
        """10,000 hostile requests are each answered with 2xx, or a 4xx problem document that says why.

        What the answers call accepted is on the topics, all of it; the process is the same one, small, and calm.
        """
        kinds = (CompilerErrors, Feedback)
        records, feedback = (Fuzzer(SEED + 7, valid_records(kit, kind)) for kind in kinds)
        logs = [path.read_bytes() for path in sorted(DATA.glob("*")) if path.suffix in (".json", ".txt")]
        requests = list(RequestFuzzer(SEED, records, feedback, logs).requests(COUNT))
        answers = asyncio.run(ask_all(web, requests))
        strange = [
            (one.wire[:300], answer)
            for one, answer in zip(requests, answers, strict=True)
            if not explained(one, answer)
        ]
        assert not strange, (len(strange), strange[:3])
        statuses = Counter(status for status, _, _ in answers)
        assert statuses[202] > COUNT // 20
        assert {400, 401, 403, 408, 413, 415, 422} - {401, 408} <= statuses.keys()
        accepted = sum(orjson.loads(body)["accepted"] for status, _, body in answers if status == 202)
        assert accepted == sum(len(line.messages(kind)) for kind in kinds)
        assert web.process.poll() is None
        assert highest_rss_kb(web.process.pid) < MAX_RSS_KB
        assert_calm(web.log.read_text(errors="replace"))


async def ask_all(web: Web, requests: Sequence[Request]) -> list[tuple[int, str, bytes]]:
    answers: list[tuple[int, str, bytes]] = [(0, "", b"")] * len(requests)
    waiting = iter(range(len(requests)))

    async def client() -> None:
        for number in waiting:
            answers[number] = await web.ask(requests[number])

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answers


def explained(request: Request, answer: tuple[int, str, bytes]) -> bool:
    """Return whether a request was answered as it should be; what is no HTTP is refused before it is a request."""
    status, kind, body = answer
    if request.cut and status == 0:
        return True  # the client had gone
    if not request.proper:
        return 400 <= status < 500
    if 200 <= status < 300:
        return True
    return 400 <= status < 500 and kind.startswith(PROBLEM) and bool(orjson.loads(body)["detail"])
