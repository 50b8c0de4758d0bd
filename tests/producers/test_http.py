"""The ingestion routes, with a real server on the loopback and a sender in memory."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Feedback, Record
from producers.ci import Report
from producers.http import LastingSender, Limits, ingest_routes
from producers.http.body import inflate
from producers.http.parsing import Query, failures
from producers.http.problems import Refusal
from producers.sender import SenderError

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TOKEN = "s3cret"  # noqa: S105
FAILURES, FEEDBACK = "/v1/compiler-errors", "/v1/feedback"
TEXT = b"error[E0308]: mismatched types\n --> src/lib.rs:3:5\n  |\n3 |     1\n  |     ^ expected `String`\n\n"
VERDICT = {"failure_id": "f1", "index": 0, "category": "TypeErrors", "project": "demo"}
NAMELESS = {"diagnostics": [{"code": "E0308", "level": "error", "message": "mismatched types"}]}


@dataclass
class MemorySender:
    """Keeps what is delivered; ``failing`` refuses everything."""

    failing: bool = False
    records: list[Record] = field(default_factory=list)

    async def deliver(self, records: Sequence[Record]) -> None:
        if self.failing:
            raise SenderError("no Kafka at secret-host:9092")
        self.records += records


@dataclass(frozen=True)
class Answer:
    """A response with its body read."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


async def answer_of(response: ClientResponse) -> Answer:
    return Answer(response.status, response.headers, orjson.loads(await response.read()))


class Service:
    """The routes on a server for the length of one conversation."""

    def __init__(self, token: str | None = None, limits: Limits | None = None) -> None:
        self.sender = MemorySender()
        self.counts: list[tuple[str, int]] = []
        self._token, self._limits = SecretStr(token) if token is not None else None, limits

    def talk(self, conversation: Callable[[TestClient[Any, Any]], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            app = web.Application()
            routes = ingest_routes(
                self.sender,
                token=self._token,
                limits=self._limits,
                count=lambda outcome, number: self.counts.append((outcome, number)),
                clock=lambda: NOW,
            )
            app.add_routes(routes)
            server = TestServer(app)
            await server.start_server(auto_decompress=False)
            async with TestClient(server) as client:
                return await conversation(client)

        return asyncio.run(run())

    def post(self, path: str, body: Any, params: Mapping[str, str] | None = None, **headers: str) -> Answer:
        async def once(client: TestClient[Any, Any]) -> Answer:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with client.post(path, data=body, params=params, headers=named) as response:
                return await answer_of(response)

        return self.talk(once)  # type: ignore[no-any-return]


@pytest.fixture
def service() -> Service:
    return Service()


def own_record(number: int = 1, project: str = "own") -> CompilerErrors:
    diagnostic = Diagnostic(code="E0308", level="error", message=f"mismatched types {number}")
    return CompilerErrors(id=f"r{number}", time=NOW, project=project, diagnostics=(diagnostic,))


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["status"] == status
    assert {"type", "title", "detail"} <= answer.body.keys()


class TestCompilerErrors:
    @pytest.mark.parametrize("file", ["cargo.json", "rustc.json", "rustc.txt", "cargo-mixed.json"])
    def test_real_compiler_output_is_taken(self, service: Service, file: str) -> None:
        """Output of cargo and rustc, JSON or text, becomes records of the project in the address."""
        answer = service.post(FAILURES, (DATA / file).read_bytes(), {"project": "acme/app", "run": "7", "commit": "c0"})
        assert answer.status == 202
        assert answer.body["accepted"] == len(service.sender.records) > 0
        assert answer.body["failure_ids"] == [record.id for record in service.sender.records]
        assert answer.body["rejected"] == []
        first = service.sender.records[0]
        assert isinstance(first, CompilerErrors)
        assert (first.project, first.run, first.commit, first.time) == ("acme/app", "7", "c0", NOW)
        assert answer.body["diagnostics"] >= len(first.diagnostics)

    def test_same_body_has_same_ids(self, service: Service) -> None:
        """A body posted twice gets the same failure ids, so that it is learned once."""
        first, second = (service.post(FAILURES, TEXT, {"project": "demo"}) for _ in range(2))
        assert first.body["failure_ids"] == second.body["failure_ids"] != []

    @pytest.mark.parametrize("shape", ["lines", "indented", "list"])
    def test_own_records_need_no_project(self, service: Service, shape: str) -> None:
        """Records that carry their project are taken as JSON lines, as one indented document and as a list."""
        documents = [orjson.loads(own_record(number).to_bytes()) for number in (1, 2)]
        body = {
            "lines": b"\n".join(orjson.dumps(one) for one in documents),
            "indented": orjson.dumps(documents[0], option=orjson.OPT_INDENT_2),
            "list": orjson.dumps(documents, option=orjson.OPT_INDENT_2),
        }[shape]
        answer = service.post(FAILURES, body)
        assert answer.status == 202
        assert service.sender.records == [own_record(1), own_record(2)][: 1 if shape == "indented" else 2]

    def test_record_without_project_is_rejected_by_line(self, service: Service) -> None:
        """Where neither address nor record names the project, that line is rejected and the others go through."""
        body = orjson.dumps(NAMELESS) + b"\n\n" + own_record().to_bytes()
        answer = service.post(FAILURES, body)
        assert answer.status == 202
        assert [one["line"] for one in answer.body["rejected"]] == [1]
        assert "?project=" in answer.body["rejected"][0]["reason"]
        assert service.sender.records == [own_record()]

    @pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b" ", b"\r\n"])
    def test_nameless_project_reaches_no_topic(self, service: Service, prefix: bytes) -> None:
        """No disguise of the first line lets a record without a project through."""
        answer = service.post(FAILURES, prefix + orjson.dumps(NAMELESS) + b"\r\n")
        assert_problem(answer, 422)
        assert service.sender.records == []

    def test_bad_line_does_not_stop_the_others(self, service: Service) -> None:
        """A broken line between good ones is reported with its number; the good ones are delivered and counted."""
        body = own_record(1).to_bytes() + b'\n{"diagnostics": nonsense\n' + own_record(2).to_bytes()
        answer = service.post(FAILURES, body)
        assert answer.status == 202
        assert answer.body["accepted"] == 2
        assert [one["line"] for one in answer.body["rejected"]] == [2]
        assert sorted(service.counts) == [("accepted", 2), ("rejected", 1)]

    def test_successful_build_is_no_mistake(self, service: Service) -> None:
        """A build that did not fail is accepted with nothing in it."""
        answer = service.post(FAILURES, (DATA / "cargo-success.json").read_bytes(), {"project": "demo"})
        assert (answer.status, answer.body["accepted"], service.sender.records) == (202, 0, [])

    def test_answer_names_at_most_the_limit_of_ids(self) -> None:
        """More failures than the limit are all delivered; the answer names only the first of them."""
        service = Service(limits=Limits(ids=3))
        body = b"\n".join(own_record(number).to_bytes() for number in range(450))
        answer = service.post(FAILURES, body)
        assert answer.body["accepted"] == len(service.sender.records) == 450
        assert answer.body["failure_ids"] == ["r0", "r1", "r2"]


class TestRefusals:
    def test_missing_project_says_where_to_put_it(self, service: Service) -> None:
        """Compiler output without a project is refused with the parameter's name."""
        answer = service.post(FAILURES, TEXT)
        assert_problem(answer, 400)
        assert "?project=owner/name" in answer.body["detail"]

    @pytest.mark.parametrize(
        ("params", "word"),
        [
            ({"project": "a\r\nX-Injected: 1"}, "project"),
            ({"project": "../../etc"}, "project"),
            ({"project": "x" * 200}, "project"),
            ({"project": "ü"}, "project"),
            ({"project": ""}, "project"),
            ({"project": "a", "run": "x" * 257}, "run"),
            ({"project": "a", "commit": "x" * 257}, "commit"),
            ({"project": "a", "format": "xml"}, "cargo, rustc, text, jsonl"),
            ({"project": "a", "format": "parquet"}, "cargo, rustc, text, jsonl"),
            ({"project": "a", "warnings": "maybe"}, "1, true, yes"),
            ({"project": "a", "projct": "b"}, "project, run, commit, format"),
        ],
    )
    def test_bad_parameter_names_what_is_allowed(self, service: Service, params: dict[str, str], word: str) -> None:
        """A parameter that is not valid is refused by name, and nothing of it becomes a header."""
        answer = service.post(FAILURES, TEXT, params)
        assert_problem(answer, 400)
        assert word in answer.body["detail"]
        assert "X-Injected" not in answer.headers
        assert service.sender.records == []

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b" \n\t\n", 400),
            (b"\xef\xbb\xbf\n", 400),
            (b"[]", 400),
            (b"nothing here is compiler output\n", 400),
            (bytes(range(256)) * 40, 415),
            (b"PAR1" + b"\0" * 100, 415),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, 415),
            (b"\xff\xfee\0r\0r\0o\0r\0", 415),
            (b'{"hello": "world"}', 415),
            (b'{"diagnostics": []}', 422),
            (b'{"diagnostics": ' + b"[" * 900 + b"]" * 900 + b"}", 422),
            (b'{"diagnostics": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422),
            (b"[" * 900 + b"]" * 900, 400),
            (b'{"diagnostics": "\xff\xfe"}', 422),
            (b'{"schema_version": 99, "diagnostics": [1]}', 422),
            (gzip.compress(gzip.compress(TEXT)), 415),
            (gzip.compress(TEXT)[:-12], 400),
            (b"\x1f\x8b and then nonsense", 400),
        ],
    )
    def test_hostile_body_gets_a_reason(self, service: Service, body: bytes, status: int) -> None:
        """What is no compiler output is refused with a problem document that says why."""
        answer = service.post(FAILURES, body, {"project": "demo"})
        assert_problem(answer, status)
        assert service.sender.records == []

    def test_invalid_utf8_in_text_is_repaired(self, service: Service) -> None:
        """A log with a few bytes that are no UTF-8 is still read."""
        answer = service.post(FAILURES, TEXT.replace(b"types", b"ty\xffpes"), {"project": "demo"})
        assert (answer.status, answer.body["accepted"]) == (202, 1)

    def test_lost_line_ends_are_explained(self, service: Service) -> None:
        """When curl -d has taken the line ends away, the answer says which option to use."""
        body = (own_record(1).to_bytes() + b"\n" + own_record(2).to_bytes()).replace(b"\n", b"")
        answer = service.post(FAILURES, body, Content_Type="application/x-www-form-urlencoded")
        assert_problem(answer, 422)
        assert "--data-binary" in answer.body["detail"]

    def test_forms_and_unknown_encodings_are_refused(self, service: Service) -> None:
        """An upload form and an encoding that is not taken get 415 and the way to do it."""
        form = service.post(FAILURES, b"--x--", {"project": "demo"}, Content_Type="multipart/form-data; boundary=x")
        assert_problem(form, 415)
        assert "--data-binary" in form.body["detail"]
        packed = service.post(FAILURES, TEXT, {"project": "demo"}, Content_Encoding="compress")
        assert_problem(packed, 415)
        assert "gzip" in packed.body["detail"]


class TestSize:
    LIMITS = Limits(body_bytes=50_000, inflated_bytes=200_000)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_large_body_is_refused(self, chunked: bool) -> None:
        """More than the limit is refused, whether its length was told or not."""
        body = TEXT * 1_000

        async def pieces() -> Any:
            for start in range(0, len(body), 8_192):
                yield body[start : start + 8_192]

        service = Service(limits=self.LIMITS)
        assert_problem(service.post(FAILURES, pieces() if chunked else body, {"project": "demo"}), 413)
        assert service.sender.records == []

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", None])
    def test_compressed_body_is_taken(self, encoding: str | None) -> None:
        """A gzipped file and a body with Content-Encoding may be larger than the limit once unpacked."""
        body = TEXT * 1_000
        packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body)
        headers = {"Content_Encoding": encoding} if encoding else {}
        answer = Service(limits=self.LIMITS).post(FAILURES, packed, {"project": "demo"}, **headers)
        assert (answer.status, answer.body["accepted"]) == (202, 1)

    @pytest.mark.parametrize("encoding", ["gzip", None])
    def test_gzip_bomb_is_refused(self, encoding: str | None) -> None:
        """A small body that would unpack to a large one is refused at the bound."""
        bomb = gzip.compress(b"\n" * 20_000_000)
        assert len(bomb) < self.LIMITS.body_bytes
        headers = {"Content_Encoding": encoding} if encoding else {}
        assert_problem(Service(limits=self.LIMITS).post(FAILURES, bomb, {"project": "demo"}, **headers), 413)

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_bomb_costs_no_more_than_is_taken(self, encoding: str) -> None:
        """Unpacking ends at the bound: a bomb of 200 MB takes a few megabytes."""
        limits = Limits(body_bytes=1_000_000, inflated_bytes=1_000_000)
        body = b"\n" * 200_000_000
        bomb = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
        del body
        tracemalloc.start()
        try:
            answer = Service(limits=limits).post(FAILURES, bomb, {"project": "demo"}, Content_Encoding=encoding)
            _, highest = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert_problem(answer, 413)
        assert highest < 20_000_000

    @pytest.mark.parametrize(
        ("body", "encoding", "status"),
        [
            (gzip.compress(TEXT) + gzip.compress(TEXT), "gzip", 202),
            (zlib.compress(TEXT, wbits=-15), "deflate", 202),
            (gzip.compress(TEXT)[:-4], "gzip", 400),
            (zlib.compress(TEXT)[:-4], "deflate", 400),
            (zlib.compress(TEXT) + b"more", "deflate", 400),
            (gzip.compress(TEXT) + b"more", "gzip", 400),
            (b"\xff" * 50, "deflate", 400),
            (TEXT, "br", 415),
            (TEXT, "gzip, gzip", 415),
            (b"", "gzip", 400),
        ],
    )
    def test_encodings(self, service: Service, body: bytes, encoding: str, status: int) -> None:
        """Joined gzip files and bare deflate are taken; what is cut off, longer than it says or unknown is refused."""
        answer = service.post(FAILURES, body, {"project": "demo"}, Content_Encoding=encoding)
        assert answer.status == status
        if status != 202:
            assert_problem(answer, status)

    @pytest.mark.parametrize(("expected", "status"), [("100-continue", 202), ("a-miracle", 417)])
    def test_expectations(self, service: Service, expected: str, status: int) -> None:
        """What curl expects before it sends a large body is met; any other expectation is refused and explained."""
        answer = service.post(FAILURES, TEXT, {"project": "demo"}, Expect=expected)
        assert answer.status == status
        if status != 202:
            assert_problem(answer, status)

    def test_damaged_content_encoding_is_refused(self, service: Service) -> None:
        """A body that is not what its Content-Encoding says gets a 400."""
        response = service.talk(
            lambda client: client.post(f"{FAILURES}?project=demo", data=TEXT, headers={"Content-Encoding": "gzip"})
        )
        assert response.status == 400

    def test_slow_reading_is_cut_off(self) -> None:
        """When reading a body takes longer than it may, the rest is reported as rejected, with the reason."""
        service = Service(limits=Limits(parse_s=-1.0))
        answer = service.post(FAILURES, TEXT, {"project": "demo", "format": "text"})
        assert_problem(answer, 415)
        assert "took longer" in answer.body["detail"]

    def test_stopped_reading_keeps_what_was_read(self) -> None:
        """When time is up in the middle, the records so far stand and the rest is one rejection."""
        report, body = Report(), b"\n".join(own_record(number).to_bytes() for number in range(5_000))
        reader = failures(body, Query(), NOW, 20.0, report)
        first = next(reader.records)
        reader.source.stop()
        rest = list(reader.records)
        assert first == own_record(0)
        assert 0 < len(rest) < 4_999
        assert report.rejections == 1
        assert "took longer than 20 s" in report.rejected[0][1]

    def test_slow_client_is_not_waited_for(self) -> None:
        """A body that does not arrive in time gets 408."""

        async def trickle() -> Any:
            yield TEXT
            await asyncio.Event().wait()

        async def slow(client: TestClient[Any, Any]) -> int:
            async with client.post(f"{FAILURES}?project=demo", data=trickle()) as response:
                return response.status

        assert Service(limits=Limits(receive_s=0.1)).talk(slow) == 408


class TestToken:
    @pytest.mark.parametrize(
        "header",
        [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic s3cret", "Bearer s3cret2", "Bearer \xff", TOKEN],
    )
    @pytest.mark.parametrize("path", [FAILURES, FEEDBACK])
    def test_without_it_nothing_is_taken(self, header: str | None, path: str, caplog: pytest.LogCaptureFixture) -> None:
        """A missing or wrong token gets 401 with the scheme to use, before the body is looked at."""
        service = Service(token=TOKEN)
        headers = {} if header is None else {"Authorization": header}
        answer = service.post(path, TEXT, {"project": "demo"}, **headers)
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert service.sender.records == []
        assert TOKEN not in caplog.text + str(answer.body)

    @pytest.mark.parametrize("header", ["Bearer s3cret", "bearer s3cret", "Bearer  s3cret"])
    def test_with_it_records_are_taken(self, header: str) -> None:
        """The right token opens the door, whatever the case of the scheme."""
        answer = Service(token=TOKEN).post(FAILURES, TEXT, {"project": "demo"}, Authorization=header)
        assert answer.status == 202


class TestFeedback:
    def test_verdict_is_taken(self, service: Service) -> None:
        """A verdict becomes a record with the category's proper name and an id of its content."""
        document = {**VERDICT, "category": "typeerrors", "author": "ada", "comment": "sure", "extra": 1}
        answer = service.post(FEEDBACK, orjson.dumps(document))
        (record,) = service.sender.records
        assert isinstance(record, Feedback)
        assert answer.status == 202
        assert (record.category, record.author, record.time, record.id) == ("TypeErrors", "ada", NOW, answer.body["id"])
        again = service.post(FEEDBACK, orjson.dumps(document))
        assert again.body["id"] == answer.body["id"]

    def test_wrong_category_names_the_nearest(self, service: Service) -> None:
        """A category that does not exist gets the nearest one and all allowed."""
        answer = service.post(FEEDBACK, orjson.dumps({**VERDICT, "category": "TypErrors"}))
        assert_problem(answer, 422)
        assert "did you mean TypeErrors?" in answer.body["detail"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"not json", 400),
            (b"[1]", 422),
            (b"{}", 422),
            (orjson.dumps({**VERDICT, "index": -1}), 422),
            (orjson.dumps({**VERDICT, "index": 100}), 422),
            (orjson.dumps({**VERDICT, "project": "a b"}), 422),
            (orjson.dumps({**VERDICT, "failure_id": "a\nb"}), 422),
            (b'{"comment": ' + b"[" * 600 + b"]" * 600 + b"}", 422),
            (b" " * 70_000, 413),
        ],
    )
    def test_bad_verdict_gets_a_reason(self, service: Service, body: bytes, status: int) -> None:
        """What is no verdict is refused with a problem document, and nothing is sent."""
        assert_problem(service.post(FEEDBACK, body), status)
        assert service.sender.records == []


class TestOverload:
    def test_kafka_away_asks_to_come_again(self, service: Service) -> None:
        """When Kafka does not take the records, the answer is 503 with Retry-After, without the cluster's address."""
        service.sender.failing = True
        answer = service.post(FAILURES, TEXT, {"project": "demo"})
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert "secret-host" not in answer.body["detail"]
        assert service.counts == [("undelivered", 1)]

    @pytest.mark.parametrize("limits", [Limits(requests=0), Limits(parsers=0, busy_s=0.05)])
    def test_too_much_at_once_asks_to_come_again(self, limits: Limits) -> None:
        """With no room for another body or parser, the answer is 503 with Retry-After."""
        answer = Service(limits=limits).post(FAILURES, TEXT, {"project": "demo"})
        assert_problem(answer, 503)
        assert "Retry-After" in answer.headers


class TestFuzz:
    FRAGMENTS = (
        TEXT,
        own_record().to_bytes(),
        (DATA / "rustc.json").read_bytes()[:20_000],
        b'{"reason":"compiler-message","message":',
        b'"diagnostics":',
        b'{"$message_type":"diagnostic","spans":',
        b"\x1f\x8b\x08",
        b"\0",
        b"\xff",
        b"\n",
        b"{",
        b"]",
        b"null",
        b'"level":"error","message":1}',
        b"error: ",
        b" --> ",
        b"PAR1",
        "\u2028".encode(),
    )

    def test_no_body_breaks_the_server(self) -> None:
        """Whatever is posted, in whatever format it is said to be, the answer is never a server error."""
        service = Service()
        body = st.lists(st.sampled_from(self.FRAGMENTS) | st.binary(max_size=40), max_size=8).map(b"".join)
        params = st.fixed_dictionaries(
            {},
            optional={
                "project": st.sampled_from(["demo", "a/b", "\ud7ff", "\n", "%00"]),
                "format": st.sampled_from(["auto", "cargo", "rustc", "text", "jsonl", "", "x"]),
                "run": st.text(max_size=5),
                "warnings": st.sampled_from(["1", "maybe"]),
            },
        )

        async def converse(client: TestClient[Any, Any]) -> None:
            @settings(max_examples=300, deadline=None)
            @given(body, params, st.sampled_from([FAILURES, FEEDBACK]), st.booleans())
            def attack(sent: bytes, query: dict[str, str], path: str, packed: bool) -> None:
                data = gzip.compress(sent) if packed else sent
                future = asyncio.run_coroutine_threadsafe(status_of(client, path, data, query), loop)
                assert future.result(30) in {202, 400, 413, 415, 422}

            loop = asyncio.get_running_loop()
            await asyncio.to_thread(attack)

        service.talk(converse)
        assert all(record.project in {"demo", "a/b", "own"} for record in service.sender.records)

    @settings(max_examples=50, deadline=None)
    @given(st.binary(max_size=300), st.integers(0, 10_000))
    def test_inflating_is_bounded(self, data: bytes, most: int) -> None:
        """Unpacking gives the content or a refusal, never more than the bound."""
        packed = gzip.compress(data * 50)
        if len(data) * 50 > most:
            with pytest.raises(Refusal, match="at most"):
                inflate(packed, Limits(inflated_bytes=most))
        elif data[:2] != b"\x1f\x8b":
            assert inflate(packed, Limits(inflated_bytes=most)) == data * 50


async def status_of(client: TestClient[Any, Any], path: str, data: bytes, query: dict[str, str]) -> int:
    async with client.post(path, data=data, params=query) as response:
        return response.status


class TestLastingSender:
    """The connection behind the routes, to a Kafka that comes and goes."""

    class Line:
        """Counts connections; ``fail_connecting`` and ``fail_sending`` times it refuses."""

        def __init__(self, fail_connecting: int = 0, fail_sending: int = 0) -> None:
            self.fail_connecting, self.fail_sending = fail_connecting, fail_sending
            self.connections = self.closed = 0
            self.sent: list[Record] = []

        @asynccontextmanager
        async def connect(self) -> Any:
            if self.fail_connecting:
                self.fail_connecting -= 1
                raise SenderError("no Kafka")
            self.connections += 1
            try:
                yield self
            finally:
                self.closed += 1

        async def send(self, record: Record) -> None:
            if self.fail_sending:
                self.fail_sending -= 1
                raise SenderError("lost")
            self.sent.append(record)

        async def flush(self) -> None:
            await asyncio.sleep(0) if not self.sent else None

    def deliver(self, line: Line, times: int, timeout_s: float = 5.0) -> list[str | None]:
        async def run() -> list[str | None]:
            results: list[str | None] = []
            async with LastingSender(line.connect, timeout_s) as sender:
                for number in range(times):
                    try:
                        await sender.deliver([own_record(number)])
                        results.append(sender.problem)
                    except SenderError as error:
                        results.append(str(error))
            return results

        return asyncio.run(run())

    def test_one_connection_serves_all(self) -> None:
        """While nothing fails, one connection is opened, and closed at the end."""
        line = self.Line()
        assert self.deliver(line, 3) == [None] * 3
        assert (line.connections, line.closed, len(line.sent)) == (1, 1, 3)

    def test_failed_sender_is_replaced(self) -> None:
        """After a failure the next records go through a new connection."""
        line = self.Line(fail_sending=1)
        assert self.deliver(line, 2) == ["lost", None]
        assert (line.connections, line.closed, len(line.sent)) == (2, 2, 1)

    def test_kafka_that_comes_late_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A delivery waits for the connection as long as it may."""
        monkeypatch.setattr("producers.http.delivery.RETRY_S", 0.01)
        line = self.Line(fail_connecting=2)
        assert self.deliver(line, 1) == [None]

    def test_kafka_that_stays_away_is_told_in_time(self) -> None:
        """Without Kafka a delivery fails at its time limit, with the reason."""
        assert self.deliver(self.Line(fail_connecting=1_000), 1, timeout_s=0.1) == ["no Kafka"]
