"""The HTTP interface for readers: real servers on the loopback, predictions put into the ring by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from models.classification import Classification
from models.records import Prediction
from models.taxonomy import LABELS
from streams.broker import ports
from streams.metrics import HttpMetrics
from streams.settings import Settings
from streams.web import recent, server
from streams.web.api import INDEX, Reading, api_app
from streams.web.middleware import is_loopback
from streams.web.recent import Filter, PredictionRing, TooManyReadersError
from streams.web.server import Count, Ingest, WebError, serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOOPBACK = "127.0.0.1"


def prediction(number: int, project: str = "demo", label: str = "TypeErrors", parent: str | None = None) -> Prediction:
    answer = Classification(
        index=0,
        message="mismatched types",
        category=parent or label,
        subcategory=label if parent else None,
        confidence=0.9,
        top=(),
        source="rule",
        reason="because",
    )
    return Prediction(
        id=f"f{number}.p",
        time=NOW,
        project=project,
        failure_id=f"f{number}",
        model_version="1",
        root=0,
        classifications=(answer,),
    )


def ring_of(*predictions: Prediction) -> PredictionRing:
    ring = PredictionRing()
    for timestamp, one in enumerate(predictions):
        ring.add(one.to_bytes(), timestamp)
    return ring


def ids(records: list[bytes]) -> list[str]:
    return [orjson.loads(raw)["failure_id"] for raw in records]


@dataclass(frozen=True)
class Answer:
    """A response with its body read."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)


class Service:
    """The application on a server for the length of one conversation."""

    def __init__(self, ring: PredictionRing | None = None, host: str = LOOPBACK) -> None:
        self.ring, self.metrics, self.problems = ring or PredictionRing(), HttpMetrics(), [""][:0]
        self.host, self.routes = host, [web.post("/v1/feedback", _created), web.post("/v1/broken", _broken)]

    def talk(self, conversation: Callable[[TestClient[Any, Any]], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            reading = Reading(self.ring, self.metrics, lambda: self.problems, lambda: {"workers": 1, "at": NOW})
            app = api_app(reading, self.routes, self.host)
            async with TestClient(TestServer(app)) as client:
                return await conversation(client)

        return asyncio.run(run())

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        async def once(client: TestClient[Any, Any]) -> Answer:
            async with client.request(method, path, headers=headers) as response:
                return Answer(response.status, response.headers, await response.text())

        return self.talk(once)  # type: ignore[no-any-return]

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """Return a metric's values by those of its labels, in the order of the labels' names."""
        families = text_string_to_metric_families(self.ask("/metrics").text)
        found = [one for family in families for one in family.samples if one.name == name]
        return {tuple(value for _, value in sorted(one.labels.items())): one.value for one in found}


async def _created(_: web.Request) -> web.Response:
    return web.Response(status=202)


async def _broken(_: web.Request) -> web.Response:
    raise ZeroDivisionError("a secret of the program")


def assert_problem(answer: Answer, status: int) -> None:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert {"type", "title", "detail"} <= answer.json.keys()


@pytest.fixture
def service() -> Service:
    return Service(
        ring_of(
            prediction(1, "a"),
            prediction(2, "b", "TraitBounds"),
            prediction(3, "a", "ImportErrors", "StdlibMapping"),
            prediction(4, "a"),
        )
    )


class TestPredictions:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["f4", "f3", "f2", "f1"]),
            ("?limit=2", ["f4", "f3"]),
            ("?project=a", ["f4", "f3", "f1"]),
            ("?category=TypeErrors", ["f4", "f1"]),
            ("?category=typeerrors&project=a&limit=1", ["f4"]),
            ("?category=StdlibMapping", ["f3"]),
            ("?category=ImportErrors", ["f3"]),
            ("?category=Unknown", []),
            ("?failure_id=f2", ["f2"]),
            ("?project=nobody", []),
        ],
    )
    def test_are_found_newest_first(self, service: Service, query: str, found: list[str]) -> None:
        """Predictions come newest first, filtered by project, category (or subcategory) and failure."""
        answer = service.ask(f"/v1/predictions{query}")
        assert answer.status == 200
        assert [one["failure_id"] for one in answer.json["predictions"]] == found

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("?limit=0", ["1 to 500"]),
            ("?limit=501", ["1 to 500"]),
            ("?limit=x", ["1 to 500"]),
            ("?limit=%D9%A3", ["1 to 500"]),
            ("?category=TypErrors", ["did you mean TypeErrors?", *LABELS, "Unknown"]),
            ("?projct=a", ["project, category, failure_id, limit"]),
        ],
    )
    def test_bad_parameter_names_what_is_allowed(self, service: Service, query: str, words: list[str]) -> None:
        """A parameter that is not valid gets 400 and the allowed values."""
        answer = service.ask(f"/v1/predictions{query}")
        assert_problem(answer, 400)
        assert all(word in answer.json["detail"] for word in words)

    def test_one_is_found_by_its_failure(self, service: Service) -> None:
        """The answer to one failure is the record as it stands on the topic."""
        assert service.ask("/v1/predictions/f2").text.encode() == prediction(2, "b", "TraitBounds").to_bytes()

    def test_id_with_a_slash_is_found(self) -> None:
        """A producer's id may contain a slash."""
        odd = prediction(1).model_copy(update={"failure_id": "ci/run/7"})
        service = Service(ring_of(odd))
        assert (
            service.ask("/v1/predictions/ci/run/7").status == service.ask("/v1/predictions/ci%2Frun%2F7").status == 200
        )

    def test_unknown_failure_says_where_to_look(self, service: Service) -> None:
        """A failure without a prediction gets 404 and what to do."""
        answer = service.ask("/v1/predictions/nothing")
        assert_problem(answer, 404)
        assert "jidoka tail predictions" in answer.json["detail"]


class TestRing:
    def test_is_bounded_in_number(self) -> None:
        """Beyond the limit the oldest go."""
        ring = PredictionRing(max_entries=3)
        for number in range(10):
            ring.add(prediction(number).to_bytes(), number)
        assert ids(ring.find(Filter(), 100)) == ["f9", "f8", "f7"]

    def test_is_bounded_in_bytes(self) -> None:
        """Beyond the limit of bytes the oldest go; one that is larger than the limit is still held alone."""
        size = len(prediction(1).to_bytes())
        ring = PredictionRing(max_bytes=2 * size)
        for number in range(5):
            ring.add(prediction(number).to_bytes(), number)
        assert (len(ring), ring.bytes) == (2, 2 * size)
        tiny = PredictionRing(max_bytes=1)
        tiny.add(prediction(1).to_bytes(), 1)
        assert len(tiny) == 1

    def test_repeated_prediction_is_held_once(self) -> None:
        """A failure answered again takes the place of its former answer, at the new time."""
        ring = ring_of(prediction(1), prediction(2), prediction(1))
        assert ids(ring.find(Filter(), 9)) == ["f1", "f2"]
        assert ring.bytes == len(prediction(1).to_bytes()) + len(prediction(2).to_bytes())

    def test_order_is_that_of_time(self) -> None:
        """Partitions read one after the other are merged by their records' times."""
        ring = PredictionRing()
        for number, timestamp in ((1, 10), (2, 30), (3, 20)):
            ring.add(prediction(number).to_bytes(), timestamp)
        assert ids(ring.find(Filter(), 9)) == ["f2", "f3", "f1"]

    @pytest.mark.parametrize("raw", [None, b"", b"no json", b"{}", b"[]", b"\xff", b'{"schema_version": 9}'])
    def test_malformed_record_is_counted(self, raw: bytes | None) -> None:
        """What is no prediction is passed over and counted."""
        ring = ring_of(prediction(1))
        ring.add(raw, 5)
        assert (len(ring), ring.malformed) == (1, 1)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=60))
    def test_bounds_hold_whatever_comes(self, stream: list[tuple[int, int]]) -> None:
        """Number and bytes stay within bounds and consistent for any order of ids and times."""
        ring = PredictionRing(max_entries=7, max_bytes=2_000)
        for number, timestamp in stream:
            ring.add(prediction(number).to_bytes(), timestamp)
            held = ring.find(Filter(), 100)
            assert len(held) == len(ring) <= 7
            assert ring.bytes == sum(map(len, held)) <= 2_000

    def test_slow_reader_is_dropped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A reader whose queue is full gets an end instead of more memory; the others go on."""
        monkeypatch.setattr(recent, "READER_QUEUE", 2)
        ring = PredictionRing()
        with ring.reader() as slow, ring.reader() as quick:
            for number in range(4):
                ring.add(prediction(number).to_bytes(), number)
                assert quick.get_nowait()
            assert [slow.get_nowait() is None for _ in range(3)] == [False, False, True]
            assert slow.empty()
        assert ring.dropped_readers == 1

    def test_readers_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One reader too many is refused; a place that was left is free again."""
        monkeypatch.setattr(recent, "MAX_READERS", 1)
        ring = PredictionRing()
        with ring.reader(), pytest.raises(TooManyReadersError), ring.reader():
            pass
        with ring.reader():
            pass


class TestStream:
    async def lines(self, response: Any, count: int) -> list[bytes]:
        async with asyncio.timeout(10):
            return [await response.content.readline() for _ in range(count)]

    def test_gives_what_is_asked_for_as_it_comes(self) -> None:
        """A live reader gets the predictions that match, as server-sent events, and the end of the service."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> list[bytes]:
            async with client.get("/v1/predictions/stream?project=a") as response:
                assert response.headers["Content-Type"] == "text/event-stream"
                seen = await self.lines(response, 2)
                for number, project in enumerate("bab"):
                    service.ring.add(prediction(number, project).to_bytes(), number)
                seen += await self.lines(response, 3)
                service.ring.end_readers()
                return [*seen, await response.content.read()]

        comment, _, event, data, blank, rest = service.talk(follow)
        assert comment.startswith(b": ")
        assert (event, blank, rest) == (b"event: prediction\n", b"\n", b"")
        assert data.removeprefix(b"data: ").rstrip() == prediction(1, "a").to_bytes()

    def test_quiet_stream_shows_that_it_lives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without predictions a comment comes now and then."""
        monkeypatch.setattr("streams.web.api.HEARTBEAT_S", 0.01)

        async def follow(client: TestClient[Any, Any]) -> list[bytes]:
            async with client.get("/v1/predictions/stream") as response:
                return await self.lines(response, 4)

        assert Service().talk(follow)[2] == b": still here\n"

    def test_one_reader_too_many_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When all places for live readers are taken, the answer is 503 with Retry-After."""
        monkeypatch.setattr(recent, "MAX_READERS", 0)
        answer = Service().ask("/v1/predictions/stream")
        assert_problem(answer, 503)
        assert "Retry-After" in answer.headers

    def test_bad_parameter_is_refused(self) -> None:
        """The stream takes filters only."""
        assert_problem(Service().ask("/v1/predictions/stream?limit=3"), 400)


class TestOperations:
    def test_alive_and_ready(self, service: Service) -> None:
        """Alive at once; ready when nothing is in the way, else 503 with the reasons."""
        assert service.ask("/healthz").json == {"status": "ok"}
        assert service.ask("/readyz").json == {"status": "ready"}
        service.problems = ["not yet connected to Kafka", "the predictions are not yet read"]
        answer = service.ask("/readyz")
        assert_problem(answer, 503)
        assert answer.json["detail"] == "not yet connected to Kafka; the predictions are not yet read"
        assert service.ask("/healthz").status == 200

    def test_status_is_what_was_given(self, service: Service) -> None:
        """The status is what the given function returns, dates as text."""
        assert service.ask("/v1/status").json == {"workers": 1, "at": "2026-01-02T00:00:00+00:00"}

    def test_index_lists_every_route(self, service: Service) -> None:
        """The start page names every address that is served."""
        reading = Reading(service.ring, HttpMetrics(), list, dict)
        resources = api_app(reading, [], LOOPBACK).router.resources()
        paths = {resource.canonical for resource in resources} - {"/"}
        assert service.ask("/").text == INDEX
        assert [path for path in paths if path not in INDEX] == []

    def test_metrics_have_bounded_labels(self, service: Service) -> None:
        """Requests are counted by the route's template, a known method and the status, never by path."""
        for path in ("/v1/predictions/f1", "/v1/predictions/zzz", "/no/such/path", "/no/other"):
            service.ask(path)
        service.ask("/healthz", method="PROPFIND")
        service.metrics.count_records("accepted", 3)
        requests = service.samples("jidoka_http_requests_total")
        assert requests["GET", "/v1/predictions/{failure_id}", "200"] == 1
        assert requests["GET", "/v1/predictions/{failure_id}", "404"] == 1
        assert requests["GET", "none", "404"] == 2
        assert requests["other", "none", "405"] == 1
        assert service.samples("jidoka_http_request_seconds_count")["/v1/predictions/{failure_id}",] == 2
        assert service.samples("jidoka_http_records_total")["accepted",] == 3
        assert service.samples("jidoka_http_recent_predictions") == {(): 4}

    def test_headers_keep_browsers_from_guessing(self, service: Service) -> None:
        """Every answer, refusals included, forbids sniffing and caching and does not name the software's version."""
        for path in ("/", "/v1/predictions", "/nothing", "/v1/predictions?limit=x"):
            headers = service.ask(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"
            assert headers["Server"] == "jidoka"

    def test_unknown_address_and_method_are_explained(self, service: Service) -> None:
        """404 says where the list is; 405 says what the address takes."""
        assert "GET /" in service.ask("/nothing").json["detail"]
        answer = service.ask("/v1/feedback")
        assert_problem(answer, 405)
        assert answer.headers["Allow"] == "POST"

    def test_fault_of_the_program_tells_nothing(self, service: Service, caplog: pytest.LogCaptureFixture) -> None:
        """An unforeseen error is a 500 without details for the client, and with them in the log."""
        answer = service.ask("/v1/broken", method="POST")
        assert_problem(answer, 500)
        assert "secret" not in answer.text
        assert "a secret of the program" in caplog.text


class TestForeignPages:
    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost:1"])
    def test_other_pages_cannot_post(self, service: Service, origin: str) -> None:
        """A request that a foreign web page made is refused."""
        assert_problem(service.ask("/v1/feedback", "POST", {"Origin": origin}), 403)

    def test_own_pages_can(self, service: Service) -> None:
        """A page of this very service may use it."""

        async def same(client: TestClient[Any, Any]) -> int:
            origin = f"http://{client.host}:{client.port}"
            async with client.post("/v1/feedback", headers={"Origin": origin}) as response:
                return response.status

        assert service.talk(same) == 202

    @pytest.mark.parametrize("name", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "[", "", "a b"])
    def test_foreign_names_are_refused_on_loopback(self, service: Service, name: str) -> None:
        """A foreign name that leads to the loopback (DNS rebinding) is refused."""
        assert service.ask("/v1/predictions", headers={"Host": name}).status in {400, 421}

    @pytest.mark.parametrize("name", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:9"])
    def test_names_of_the_loopback_are_taken(self, service: Service, name: str) -> None:
        """All names of this machine's loopback are good."""
        assert service.ask("/v1/predictions", headers={"Host": name}).status == 200

    def test_any_name_is_good_elsewhere(self) -> None:
        """Bound to an address that others reach, the service may have any name."""
        assert Service(host="0.0.0.0").ask("/", headers={"Host": "jidoka.example"}).status == 200  # noqa: S104

    @pytest.mark.parametrize(
        ("host", "loopback"),
        [
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("localhost", True),
            ("0.0.0.0", False),  # noqa: S104
            ("::", False),
            ("10.0.0.1", False),
            ("", False),
            ("localhost.evil.example", False),
        ],
    )
    def test_loopback_is_told(self, host: str, loopback: bool) -> None:
        """Only what no other machine reaches counts as loopback."""
        assert is_loopback(host) is loopback


@asynccontextmanager
async def no_ingest(_: Settings, __: Count) -> AsyncIterator[Ingest]:
    yield Ingest([], lambda: None)


def settings_for(tmp_path: Path, **given: Any) -> Settings:
    return Settings(broker=f"127.0.0.1:{ports.any_free()}", data_dir=tmp_path, **given)


class TestServing:
    def serve(self, settings: Settings) -> tuple[str, int, int]:
        async def run() -> tuple[str, int, int]:
            async with (
                serving(settings, no_ingest) as url,
                ClientSession() as session,
                session.get(f"{url}/healthz") as alive,
                session.get(f"{url}/readyz") as ready,
            ):
                return url, alive.status, ready.status

        return asyncio.run(run())

    def test_is_alive_but_not_ready_without_kafka(self, tmp_path: Path) -> None:
        """Without a broker the service listens, is alive, and says that it is not ready."""
        url, alive, ready = self.serve(settings_for(tmp_path, http_port=0))
        assert url.startswith("http://127.0.0.1:")
        assert (alive, ready) == (200, 503)

    def test_taken_usual_port_is_left_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the default port is taken, a free one is used."""
        with socket.create_server((LOOPBACK, 0)) as holder:
            port = holder.getsockname()[1]
            monkeypatch.setattr(server, "USUAL_PORT", port)
            url, alive, _ = self.serve(settings_for(tmp_path, http_port=port))
        assert alive == 200
        assert not url.endswith(f":{port}")

    def test_taken_port_that_was_asked_for_is_an_error(self, tmp_path: Path) -> None:
        """When a port that somebody chose is taken, the error names it and the setting."""
        with socket.create_server((LOOPBACK, 0)) as holder:
            port = holder.getsockname()[1]
            with pytest.raises(WebError, match=f"{port}: the port is taken.*JIDOKA_HTTP_PORT"):
                self.serve(settings_for(tmp_path, http_port=port))

    @pytest.mark.parametrize("token", [None, ""])
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
    def test_open_address_needs_a_token(self, tmp_path: Path, host: str, token: str | None) -> None:
        """An address that others reach is refused without a token, with the setting's name."""
        with pytest.raises(WebError, match="JIDOKA_TOKEN"):
            self.serve(settings_for(tmp_path, http_host=host, http_port=0, token=token))

    def test_signal_ends_it_within_two_seconds(self, tmp_path: Path, eventually: Callable[..., Any]) -> None:
        """The process announces its address, and SIGTERM ends it cleanly and soon, live readers or not."""
        announce = tmp_path / "web.json"
        assert asyncio.run(self.terminated(announce, eventually)) == 0

    async def terminated(self, announce: Path, eventually: Callable[..., Any]) -> int:
        code = (
            "import asyncio, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
            "from test_web_api import no_ingest, settings_for; from streams.web.server import serve\n"
            "path = Path(sys.argv[1]); own = settings_for(path.parent, http_port=0)\n"
            "asyncio.run(serve(own, no_ingest, announce=path))"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(announce), str(Path(__file__).parent), cwd=Path(__file__).parents[2]
        )
        try:
            found = await asyncio.to_thread(eventually, lambda: announce.exists() and announce.read_bytes())
            url = orjson.loads(found)["url"]
            async with ClientSession() as session, session.get(f"{url}/v1/predictions/stream") as response:
                await response.content.readline()
                began = time.monotonic()
                os.kill(process.pid, signal.SIGTERM)
                async with asyncio.timeout(10):
                    status = await process.wait()
            assert time.monotonic() - began < 2
            return status
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
