"""HTTP on a real broker: in through the sender, out through the reader of predictions, and the whole line at once."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer

from models.classification import Classification
from models.records import CompilerErrors, Feedback, Prediction, Record
from producers.http import LastingSender, ingest_routes
from producers.sender import Sender
from streams.broker import ports
from streams.follow import Follower
from streams.settings import Settings
from streams.topics import topic_name
from streams.web import recent
from streams.web.recent import Filter, PredictionRing, RecentPredictions
from streams.web.server import Count, Ingest, serving

CARGO = Path(__file__).parents[1] / "producers" / "data" / "cargo.json"
DEADLINE_S = 30.0


@asynccontextmanager
async def ingest(settings: Settings, count: Count, timeout_s: float = 10.0) -> AsyncIterator[Ingest]:
    def connect() -> Sender:
        return Sender(settings.broker or "", {}, "/jidoka/http")

    async with LastingSender(connect, timeout_s) as sender:
        yield Ingest(ingest_routes(sender, token=settings.token, count=count), lambda: sender.problem)


async def until(check: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Return the first true answer of ``check``; fail after a deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if found := await check():
            return found
        await asyncio.sleep(0.05)
    pytest.fail(f"not within {DEADLINE_S} s: {what}")


async def get(session: ClientSession, url: str) -> Any:
    """Return the JSON at ``url``, or nothing unless the status is 200."""
    async with session.get(url) as response:
        return orjson.loads(await response.read()) if response.status == 200 else None


async def on_topic(settings: Settings, kind: type[Record]) -> list[Any]:
    async with Follower(settings, kind, from_beginning=True) as follower:
        return [record async for record in follower.until_end()]


def prediction(number: int, project: str = "demo") -> Prediction:
    answer = Classification(
        index=0, message="m", category="TypeErrors", confidence=0.9, top=(), source="rule", reason="because"
    )
    return Prediction(
        id=f"f{number}.p",
        time=datetime(2026, 1, 2, tzinfo=UTC),
        project=project,
        failure_id=f"f{number}",
        model_version="1",
        root=0,
        classifications=(answer,),
    )


class TestIngestion:
    def test_posted_failures_and_feedback_are_on_their_topics(self, fresh_line: Settings) -> None:
        """What is posted is on its topic when the answer comes, keyed and complete."""

        async def post() -> tuple[list[str], list[CompilerErrors], list[Feedback]]:
            async with serving(fresh_line, ingest) as url, ClientSession() as session:
                await until(lambda: get(session, f"{url}/readyz"), "ready")
                log = f"{url}/v1/compiler-errors?project=acme/app&run=7"
                packed = {"Content-Encoding": "gzip"}
                async with session.post(log, data=gzip.compress(CARGO.read_bytes()), headers=packed) as response:
                    assert response.status == 202
                    ids = (await response.json())["failure_ids"]
                verdict = {"failure_id": ids[0], "index": 0, "category": "typeerrors", "project": "acme/app"}
                async with session.post(f"{url}/v1/feedback", json=verdict) as response:
                    assert response.status == 202
                return ids, await on_topic(fresh_line, CompilerErrors), await on_topic(fresh_line, Feedback)

        ids, failures, feedback = asyncio.run(post())
        assert [record.id for record in failures] == ids != []
        assert {(record.project, record.run) for record in failures} == {("acme/app", "7")}
        assert [(record.failure_id, record.category) for record in feedback] == [(ids[0], "TypeErrors")]

    def test_without_kafka_it_asks_to_come_again(self, tmp_path: Path) -> None:
        """When no broker is there, a post is answered with 503 within its limit, and the service stays alive."""
        settings = Settings(broker=f"127.0.0.1:{ports.any_free()}", data_dir=tmp_path, http_port=0)

        async def post() -> tuple[int, str, Any]:
            async with serving(settings, partial(ingest, timeout_s=1.0)) as url, ClientSession() as session:
                log = f"{url}/v1/compiler-errors?project=demo"
                async with session.post(log, data=CARGO.read_bytes()) as response:
                    return response.status, response.headers["Retry-After"], await get(session, f"{url}/healthz")

        began = time.monotonic()
        assert asyncio.run(post()) == (503, "5", {"status": "ok"})
        assert time.monotonic() - began < 5


class TestRecentPredictions:
    def follow(self, settings: Settings, work: Callable[[RecentPredictions, PredictionRing], Awaitable[None]]) -> None:
        async def run() -> None:
            ring = PredictionRing()
            async with RecentPredictions(settings, ring) as reader:
                await work(reader, ring)

        asyncio.run(run())

    async def produce(self, settings: Settings, *batches: tuple[list[bytes], bool]) -> None:
        """Send each batch in a transaction, and commit or abort it."""
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker, transactional_id=settings.app_id)
        await producer.start()
        for values, commit in batches:
            await producer.begin_transaction()
            for value in values:
                await producer.send_and_wait(topic_name(Prediction), value, partition=0)
            await (producer.commit_transaction if commit else producer.abort_transaction)()
        await producer.stop()

    def test_reads_back_and_follows_what_is_committed(
        self, fresh_line: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The last predictions of each partition are there at once, new ones come, aborted ones never do."""
        monkeypatch.setattr(recent, "PER_PARTITION", 5)

        async def work(reader: RecentPredictions, ring: PredictionRing) -> None:
            async def caught_up() -> bool:
                return reader.problem is None

            async def newest() -> bool:
                return ids()[:1] == ["f41"]

            def ids() -> list[str]:
                return [orjson.loads(raw)["failure_id"] for raw in ring.find(Filter(), 100)]

            await until(caught_up, "caught up")
            assert ids() == ["f9", "f8"]  # five back: the aborted one, two markers and these
            late = [
                ([b"no prediction"], True),
                ([prediction(40).to_bytes()], False),
                ([prediction(41).to_bytes()], True),
            ]
            await self.produce(fresh_line, *late)
            await until(newest, "the new one")
            assert ids() == ["f41", "f9", "f8"]
            assert ring.malformed == 1

        first = [prediction(number).to_bytes() for number in range(10)]
        asyncio.run(self.produce(fresh_line, (first, True), ([prediction(30).to_bytes()], False)))
        self.follow(fresh_line, work)

    def test_empty_topic_is_up_to_date(self, fresh_line: Settings) -> None:
        """With no prediction at all, the reader has soon caught up."""

        async def work(reader: RecentPredictions, ring: PredictionRing) -> None:
            async def caught_up() -> bool:
                return reader.problem is None

            await until(caught_up, "caught up")
            assert len(ring) == 0

        self.follow(fresh_line, work)


class TestWholeLine:
    @contextmanager
    def process(self, settings: Settings, command: str) -> Iterator[Path]:
        """Run ``jidoka COMMAND``; give the file in which it says where it listens; it has to end with status 0."""
        announce = settings.data_dir / f"{command}.json"
        environment = os.environ | {
            "JIDOKA_BROKER": settings.broker or "",
            "JIDOKA_APP_ID": settings.app_id,
            "JIDOKA_DATA_DIR": str(settings.data_dir),
            "JIDOKA_HTTP_PORT": "0",
            "JIDOKA_TOKEN": "s3cret",
            "JIDOKA_WARM_START": "false",
        }
        line = [sys.executable, "-m", "streams.cli", command, "--announce", str(announce)]
        log = announce.with_suffix(".log")
        with log.open("wb") as errors, subprocess.Popen(line, env=environment, stderr=errors) as running:
            try:
                yield announce
            finally:
                running.send_signal(signal.SIGTERM)
                running.wait(DEADLINE_S)
                said = log.read_text()
                sys.stderr.write(said)  # pytest shows it when the test fails
        assert running.returncode == 0
        assert "s3cret" not in said

    async def converse(self, url: str) -> dict[str, Any]:
        async with ClientSession(headers={"Authorization": "Bearer s3cret"}) as session:
            await until(lambda: get(session, f"{url}/readyz"), "ready")
            async with session.get(f"{url}/v1/predictions/stream?project=acme/app") as stream:
                await stream.content.readuntil(b"\n\n")
                log = f"{url}/v1/compiler-errors?project=acme/app"
                async with session.post(log, data=CARGO.read_bytes()) as response:
                    failure = (await response.json())["failure_ids"][0]
                found = await until(lambda: get(session, f"{url}/v1/predictions/{failure}"), "a prediction")
                event = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), DEADLINE_S)
            listed = await get(session, f"{url}/v1/predictions?project=acme/app")
            assert found in listed["predictions"]
            assert b"event: prediction\ndata: {" in event
            assert await get(session, f"{url}/v1/status")
            return dict(found)

    def test_posted_build_is_answered(self, fresh_line: Settings, eventually: Callable[..., Any]) -> None:
        """A build posted to ``jidoka web`` is classified by ``jidoka worker`` and read back, listed and streamed."""
        fresh_line.data_dir.mkdir(parents=True)
        with self.process(fresh_line, "worker"), self.process(fresh_line, "web") as announce:
            written = eventually(lambda: announce.exists() and announce.read_bytes(), deadline_s=DEADLINE_S)
            answer = asyncio.run(self.converse(orjson.loads(written)["url"]))
        assert answer["project"] == "acme/app"
        assert answer["classifications"][0]["category"]
