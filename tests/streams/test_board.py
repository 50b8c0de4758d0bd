"""The andon board without a browser: what it remembers, counts and says, and how it treats those who listen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from models.classification import Classification, Novelty
from models.records import AndonEvent, Prediction
from streams.metrics import HttpMetrics
from streams.web import board_routes
from streams.web.api import Reading, api_app
from streams.web.board import ROWS, Board
from streams.web.board_failures import FailureRing
from streams.web.board_lamp import BoardLamp
from streams.web.board_mix import MINUTES, Rate, mix, shares
from streams.web.board_workers import drift, scores
from streams.web.events import EventLog, TooManyClientsError
from streams.web.recent import Entry, PredictionRing
from tests.builders import NOW, build, diagnostic

MINUTE_MS = 60_000


def prediction(number: int, label: str = "TypeErrors", seen: int = 1, project: str = "demo") -> Prediction:
    novelty = Novelty(template=f"t{number}", seen=seen, first=NOW)
    answer = Classification(
        index=0,
        message=f"message {number}",
        category=label,
        confidence=0.9,
        top=(),
        source="rule",
        reason="because",
        novelty=novelty,
    )
    about = {"time": NOW, "project": project, "model_version": "1", "root": 0}
    return Prediction(id=f"p{number}", failure_id=f"f{number}", classifications=(answer,), **about)


def andon(kind: str = "ConceptDrift", severity: str = "warning", **fields: Any) -> bytes:
    lamp = {"warning": "amber", "halt": "red", "info": "green"}[severity]
    about = {"id": "e", "time": NOW, "project": "demo", "message": f"{kind} it is", "partition": 0, "lamp": lamp}
    return AndonEvent(**{"kind": kind, "severity": severity, **about, **fields}).to_bytes()


class Service:
    """A board on a server for the length of one conversation; ``run`` is not there: it is refreshed by hand."""

    def __init__(self, token: str | None = None) -> None:
        self.ring, self.token = PredictionRing(), SecretStr(token) if token else None

    def talk(self, conversation: Callable[[TestClient[Any, Any]], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            self.board = Board(self.ring, dict)
            self.board.note_reading(caught_up=True)
            reading = Reading(self.ring, HttpMetrics(), list, dict)
            app = api_app(reading, board_routes.board_routes(self.board, self.token), "127.0.0.1")
            async with TestClient(TestServer(app)) as client:
                return await conversation(client)

        return asyncio.run(run())

    def show(self, number: int, **fields: Any) -> None:
        self.ring.add(prediction(number, **fields).to_bytes(), number)


async def events(response: Any, number: int) -> list[tuple[str, Any, str]]:
    """Return the next events as (name, data, id); comments and the word on retrying are passed over."""
    found: list[tuple[str, Any, str]] = []
    async with asyncio.timeout(10):
        while len(found) < number:
            lines = (await response.content.readuntil(b"\n\n")).decode().splitlines()
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":") and ": " in line)
            if "event" in fields:
                found.append((fields["event"], orjson.loads(fields["data"]), fields.get("id", "")))
    return found


class TestStream:
    def test_begins_with_everything_then_goes_on(self) -> None:
        """A new client gets the whole picture, then what comes, each event with an id to come back with."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> Any:
            service.show(1)
            async with client.get("/v1/board/stream") as response:
                assert response.headers["Content-Type"] == "text/event-stream"
                first = await events(response, 1)
                service.show(2)
                return first + await events(response, 1)

        (first, whole, _), (second, live, live_id) = service.talk(follow)
        assert (first, second) == ("snapshot", "rows")
        assert [row["failure_id"] for row in whole["board"]["rows"]] == ["f1"]
        assert [row["failure_id"] for row in live["rows"]] == ["f2"]
        assert live_id == service.board.log.id_of(service.board.log.newest)

    def test_client_that_comes_back_gets_what_it_missed(self) -> None:
        """``Last-Event-ID`` brings what was missed, no more and no less; after a long absence, the whole picture."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> Any:
            service.show(1)
            async with client.get("/v1/board/stream") as response:
                ((_, _, last),) = await events(response, 1)
            service.show(2)
            service.show(3)
            async with client.get("/v1/board/stream", headers={"Last-Event-ID": last}) as response:
                missed = await events(response, 1)
            for number in range(4, 6 + ROWS):
                service.show(number)
            async with client.get("/v1/board/stream", params={"last": last}) as response:
                return missed + await events(response, 1)

        (name, missed, _), (later, _, _) = service.talk(follow)
        assert (name, [row["failure_id"] for row in missed["rows"]]) == ("rows", ["f2", "f3"])
        assert later == "snapshot"

    @pytest.mark.parametrize("last", ["", "x", "0-0", "-", "-1", "abcd-99999999999999999999", "é-1", "%00"])
    def test_foreign_id_begins_anew(self, last: str) -> None:
        """An id of another run of the service, or of nobody, gets the whole picture."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> Any:
            async with client.get("/v1/board/stream", params={"last": last}) as response:
                return await events(response, 1)

        assert service.talk(follow)[0][0] == "snapshot"

    def test_flood_comes_in_heaps(self) -> None:
        """A thousand updates at once become a few events with the newest rows; what is left out is counted."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> Any:
            async with client.get("/v1/board/stream") as response:
                await events(response, 1)
                for number in range(1_000):
                    service.show(number)
                return await events(response, 1)

        ((_, heap, _),) = service.talk(follow)
        assert [row["failure_id"] for row in heap["rows"]] == [f"f{number}" for number in range(1_000 - ROWS, 1_000)]
        assert heap["skipped"] == 1_000 - ROWS

    def test_quiet_stream_shows_that_it_lives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without news an event comes now and then, so that a page can tell silence from a lost connection."""
        monkeypatch.setattr(board_routes, "BEAT_S", 0.01)

        async def follow(client: TestClient[Any, Any]) -> Any:
            async with client.get("/v1/board/stream") as response:
                return await events(response, 3)

        assert [name for name, _, _ in Service().talk(follow)][1:] == ["beat", "beat"]

    def test_client_that_takes_nothing_is_dropped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who reads nothing for a while is disconnected, however much there would be to read."""
        monkeypatch.setattr(board_routes, "WRITE_S", 0.3)
        monkeypatch.setattr(board_routes, "PACE_S", 0.0)
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> None:
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.connect(("127.0.0.1", client.port))
                deaf.sendall(b"GET /v1/board/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                async with asyncio.timeout(20):
                    held = [0]
                    while held[-1] == 0 or service.board.log.clients:
                        service.show(len(held))
                        held.append(service.board.log.clients)
                        await asyncio.sleep(0)
            assert max(held) == 1

        service.talk(follow)
        assert service.board.log.clients == 0

    def test_one_client_too_many_is_refused(self) -> None:
        """Beyond the bound a client gets 503 and when to try again; a place that was left is free."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> Any:
            service.board.log = EventLog(max_clients=1)
            async with client.get("/v1/board/stream"), client.get("/v1/board/stream") as refused:
                assert refused.status == 503
                assert "Retry-After" in refused.headers
            async with asyncio.timeout(10):
                while service.board.log.clients:
                    service.board.log.wake()  # whoever has left is noticed at the next word
                    await asyncio.sleep(0)
            async with client.get("/v1/board/stream") as response:
                return response.status

        assert service.talk(follow) == 200

    def test_ends_with_the_service(self) -> None:
        """When the service ends, so do the streams, without waiting for a beat."""
        service = Service()

        async def follow(client: TestClient[Any, Any]) -> bytes:
            async with client.get("/v1/board/stream") as response:
                await events(response, 1)
                await service.board.close()
                async with asyncio.timeout(2):
                    rest: bytes = await response.content.read()
                    return rest

        assert service.talk(follow) == b""


class TestFailures:
    def test_failure_comes_with_its_prediction(self) -> None:
        """A failure is found by project and id, with its prediction; one of another project is not."""
        service = Service()

        async def ask(client: TestClient[Any, Any]) -> Any:
            service.board.failures.take(build("f1", diagnostic("mismatched types")).to_bytes())
            service.show(1)
            found = await (await client.get("/v1/failures/f1?project=demo")).json()
            other = await client.get("/v1/failures/f1?project=other")
            nameless = await client.get("/v1/failures/f1")
            return found, other.status, nameless.status

        found, other, nameless = service.talk(ask)
        assert found["failure"]["diagnostics"][0]["message"] == "mismatched types"
        assert found["prediction"]["failure_id"] == "f1"
        assert (other, nameless) == (404, 400)

    @pytest.mark.parametrize(
        ("header", "status"), [(None, 401), ("Bearer wrong", 401), ("Basic s3cret", 401), ("Bearer s3cret", 404)]
    )
    def test_code_needs_the_token(self, header: str | None, status: int) -> None:
        """Where a token is set, source code is shown to who has it; the rest of the board to all."""
        service = Service(token="s3cret")  # noqa: S106 - of a test

        async def ask(client: TestClient[Any, Any]) -> Any:
            headers = {"Authorization": header} if header else {}
            answer = await client.get("/v1/failures/f1?project=demo", headers=headers)
            return answer.status, (await client.get("/v1/board")).status

        assert service.talk(ask) == (status, 200)

    def test_ring_is_bounded(self) -> None:
        """The oldest failures go when there are too many, or too many bytes; the newest is always held."""
        raw = [build(f"f{number}", diagnostic("m")).to_bytes() for number in range(5)]
        ring = FailureRing(max_entries=2)
        tiny = FailureRing(max_bytes=1)
        for one in raw:
            ring.take(one)
            tiny.take(one)
        assert [ring.find("demo", f"f{number}") is not None for number in range(5)] == [False] * 3 + [True] * 2
        assert (len(tiny), tiny.bytes) == (1, len(raw[-1]))

    @given(st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"id": 1, "project": "p"}', b"{" * 2000]))
    def test_ring_passes_over_anything_else(self, raw: bytes) -> None:
        """What is no failure is neither held nor an error."""
        ring = FailureRing()
        ring.take(raw)
        ring.take(None)
        assert len(ring) == 0

    def test_broken_failure_is_not_shown(self) -> None:
        """A record with an id that breaks its schema is held, and not shown."""
        ring = FailureRing()
        ring.take(b'{"id": "f1", "project": "demo", "diagnostics": "none"}')
        assert ring.find("demo", "f1") is None


class TestPageFiles:
    def test_every_file_may_load_nothing_foreign(self) -> None:
        """Page, style and scripts come with a strict policy, their type, and no sniffing, framing or referrer."""

        async def ask(client: TestClient[Any, Any]) -> Any:
            found = {}
            for path in ("/board", *(f"/board/{name}" for name in board_routes.assets())):
                async with client.get(path) as response:
                    found[path] = (response.status, dict(response.headers))
            async with client.get("/board/../server.py") as response:
                found["missing"] = (response.status, {})
            return found

        found = Service().talk(ask)
        assert found.pop("missing")[0] == 404
        assert {status for status, _ in found.values()} == {200}
        for _, headers in found.values():
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Frame-Options"] == "DENY"
        assert found["/board/board.js"][1]["Content-Type"] == "text/javascript; charset=utf-8"

    def test_people_are_taken_to_the_board(self) -> None:
        """The address that `jidoka up` prints leads a browser to the board, and tells programs what there is."""

        async def ask(client: TestClient[Any, Any]) -> Any:
            person = await client.get("/", headers={"Accept": "text/html,*/*"}, allow_redirects=False)
            program = await client.get("/")
            return person.status, person.headers["Location"], await program.text()

        status, location, text = Service().talk(ask)
        assert (status, location) == (303, "/board")
        assert "/board" in text


class TestState:
    def view(self, board: Board) -> dict[str, Any]:
        asyncio.run(board.refresh())
        state: dict[str, Any] = orjson.loads(board.state)
        return state

    def test_new_kinds_of_messages_are_told(self) -> None:
        """Messages of a kind that no build had before are listed, the newest first, each kind once."""
        service = Service()
        board = Board(service.ring, dict)
        for number, seen in ((1, 0), (2, 5), (3, 0), (3, 0)):
            service.show(number, seen=seen)
        assert [one["message"] for one in self.view(board)["fresh"]] == ["message 3", "message 1"]

    def test_what_is_read_back_is_not_shown_one_by_one(self) -> None:
        """While predictions are read back nothing is told; then everybody gets the whole picture, sorted by time."""
        service = Service()
        board = Board(service.ring, dict)
        service.show(2)
        service.show(1)
        run = board.log.run
        assert board.log.newest == 0
        board.note_reading(caught_up=True)
        assert board.log.run != run
        assert [row["failure_id"] for row in orjson.loads(board.snapshot())["rows"]] == ["f2", "f1"]
        service.show(3)
        assert board.log.newest == 1

    def test_unchanged_state_is_not_told_again(self) -> None:
        """Clients are told of a state when it changed, and only then."""
        board = Board(PredictionRing(), dict)
        self.view(board)
        before = board.changes
        board.lamp.take(andon())
        assert self.view(board)["lamp"]["colour"] == "amber"
        assert board.changes > before

    def test_memory_of_new_kinds_is_bounded(self) -> None:
        """A stream in which everything is new does not make the board grow."""
        service = Service()
        board = Board(service.ring, dict)
        for number in range(500):
            service.show(number, seen=0)
        assert len(board._fresh) <= 200
        assert self.view(board)["fresh"][0]["message"] == "message 499"


class TestLamp:
    def colour(self, *raw: bytes | None, unknown: str | None = None, seen: tuple[str, ...] = ()) -> Any:
        lamp = BoardLamp()
        for one in raw:
            lamp.take(one)
        return lamp.view(unknown, seen)

    def test_is_green_until_something_is_lit(self) -> None:
        """No event, no light."""
        assert self.colour() == {"colour": "green", "why": [], "more": 0}

    def test_is_that_of_the_worst_partition(self) -> None:
        """The lamp is red while any partition is; it goes back when that one does."""
        events = [andon("ModelDegradation", "halt"), andon(partition=1)]
        assert self.colour(*events)["colour"] == "red"
        resumed = andon("ModelDegradation", "halt", transition="resumed", lamp="green")
        assert self.colour(*events, resumed)["colour"] == "amber"

    def test_halt_is_told_before_warnings(self) -> None:
        """Reasons come with halts first; those that are over are gone, those that somebody looks after say whose."""
        events = [
            andon("ModelDegradation", "halt"),
            andon(partition=1),
            andon("LagGrowing", partition=1),
            andon("LagGrowing", partition=1, transition="cleared", lamp="amber"),
            andon(partition=1, transition="acknowledged", author="ada"),
        ]
        why = self.colour(*events)["why"]
        assert [(one["kind"], one.get("acknowledged")) for one in why] == [
            ("ModelDegradation", None),
            ("ConceptDrift", "ada"),
        ]

    def test_event_without_partition_counts_by_its_severity(self) -> None:
        """What concerns no partition lights the lamp by its severity, until it is over."""
        lit = andon("TrainingFailure", "halt", partition=None, lamp=None)
        over = andon("TrainingFailure", "halt", partition=None, lamp=None, transition="resumed")
        assert self.colour(lit)["colour"] == "red"
        assert self.colour(lit, over)["colour"] == "green"

    def test_what_cannot_be_known_is_not_green(self) -> None:
        """Where events cannot be read the lamp is unknown; what is known to be red stays red."""
        assert self.colour(unknown="no broker")["colour"] == "unknown"
        assert self.colour(andon("ModelDegradation", "halt"), unknown="no broker")["colour"] == "red"

    def test_silent_worker_is_amber(self) -> None:
        """What the board sees by itself is a warning with its reason."""
        shown = self.colour(seen=("worker 7 does not answer",))
        assert (shown["colour"], shown["why"][0]["text"]) == ("amber", "worker 7 does not answer")

    def test_passes_over_anything_else_and_stays_small(self) -> None:
        """What is no event is passed over; a thousand conditions are held as two hundred, and five are shown."""
        events = [andon(signal=f"s{number}") for number in range(1_000)]
        shown = self.colour(None, b"", b"no json", *events)
        assert (len(shown["why"]), shown["more"]) == (5, 195)


class TestMix:
    def entries(self, *kinds: str) -> list[Entry]:
        return [Entry(b"", number, "f", "p", frozenset({kind}), (kind,)) for number, kind in enumerate(kinds)]

    def test_build_votes_once_for_each_kind(self) -> None:
        """Forty errors of one kind are one vote: a cascade is one build."""
        assert shares([("A", "B"), ("A",)]) == {"A": 2 / 3, "B": 1 / 3}

    def test_baseline_of_the_workers_is_compared_with(self) -> None:
        """With a baseline, each category has its share now and then, those of either largest first."""
        shown = mix(self.entries("A", "A", "B", "A"), {"B": 0.9, "C": 0.1})
        assert shown is not None
        assert shown["against"] == "baseline"
        assert [(one["label"], one["now"], one["before"]) for one in shown["rows"]] == [
            ("B", 0.25, 0.9),
            ("A", 0.75, 0.0),
            ("C", 0.0, 0.1),
        ]

    def test_without_one_the_builds_before_are(self) -> None:
        """Without a baseline the newest 500 builds are compared with those before them, once there are enough."""
        entries = self.entries(*["A"] * 500, *["B"] * 200)
        shown, few = mix(entries, None), mix(entries[:600], None)
        assert shown is not None
        assert few is not None
        assert (shown["against"], shown["rows"][0]) == ("before", {"label": "A", "now": 1.0, "before": 0.0})
        assert few["against"] is None
        assert mix([], None) is None

    def test_rare_ones_are_put_together(self) -> None:
        """Beyond eight categories the rest is one line, and nothing is lost of the sum."""
        shown = mix(self.entries(*"ABCDEFGHIJKL"), None)
        assert shown is not None
        assert len(shown["rows"]) == 9
        assert sum(one["now"] for one in shown["rows"]) == pytest.approx(1, abs=0.01)

    def test_rate_counts_each_build_once(self) -> None:
        """Builds are counted by minute; what is read again after a broken connection is not counted again."""
        rate = Rate()
        for minute in (0, 29, 29, 30):
            rate.add(minute * MINUTE_MS + 1)
        rate.begin_again()
        for minute in (29, 30):
            rate.add(minute * MINUTE_MS + 1)
        rate.add(30 * MINUTE_MS + 2)
        shown = rate.view(30 * MINUTE_MS + 5)
        assert (len(shown), shown[-2:], sum(shown)) == (MINUTES, [2, 2], 4)

    def test_rate_forgets(self) -> None:
        """A year of minutes is held as an hour of them."""
        rate = Rate()
        for minute in range(10_000):
            rate.add(minute * MINUTE_MS)
        assert len(rate._counts) <= 2 * MINUTES


class TestWorkers:
    def part(self, **fields: Any) -> dict[str, Any]:
        return {"scored": 100, "accuracy": 0.9, "rolling_accuracy": 0.8, "baselines": {"majority": 0.5}, **fields}

    def test_scores_are_weighted_by_what_was_scored(self) -> None:
        """A partition with more builds counts for more; one without any does not count."""
        whole = scores([self.part(), self.part(scored=300, accuracy=0.5, baselines={"majority": 0.1}), {"scored": 0}])
        assert whole is not None
        assert whole["model"] == pytest.approx(0.6)
        assert whole["baselines"] == pytest.approx({"majority": 0.2})
        assert scores([{"scored": 0}]) is None

    def test_baselines_of_partitions_become_one(self) -> None:
        """The baselines of partitions are mixed by their builds; the divergence shown is the largest."""
        one = {"baseline": {"A": 1.0}, "builds": 300, "divergence": 0.1, "threshold": 0.2}
        other = {"baseline": {"B": 1.0}, "builds": 100, "divergence": 0.3, "threshold": 0.4}
        views = [{"overall": {"categories": part}} for part in (one, other)]
        told = drift([{"drift": views[0]}, {"andon": {"drift": views[1]}}])
        assert told == {"baseline": {"A": 0.75, "B": 0.25}, "divergence": 0.3, "threshold": 0.4}

    def test_worker_that_tells_nothing_is_no_fault(self) -> None:
        """A worker of another version, without drift, leaves it out."""
        assert drift([{"failures": 3}, {"drift": None, "divergence": None}]) is None
        assert drift([{"divergence": 0.2}]) == {"baseline": None, "divergence": 0.2, "threshold": None}


class TestLog:
    @given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 8), st.integers(1, 40))
    def test_nobody_gets_anything_twice(self, heaps: list[int], most: int, capacity: int) -> None:
        """Whatever comes, and however seldom a client looks: each item once or counted as skipped, in order."""

        async def run() -> None:
            log, had, got, skipped, sent = EventLog(capacity), 0, [], 0, 0
            for heap in heaps:
                for _ in range(heap):
                    log.append(b"%d" % sent)
                    sent += 1
                missed = log.since(had, most)
                had, skipped = log.newest, skipped + missed.skipped
                got += [int(item) for item in missed.items]
            assert got == sorted(set(got))
            assert len(got) + skipped == sent

        asyncio.run(run())

    def test_places_are_bounded_and_come_back(self) -> None:
        """One client too many is refused; a client that leaves makes room."""

        async def run() -> None:
            log = EventLog(max_clients=1)
            with log.client(), pytest.raises(TooManyClientsError), log.client():
                pass
            with log.client():
                assert log.clients == 1

        asyncio.run(run())
