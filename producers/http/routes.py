"""``POST /v1/compiler-errors`` and ``POST /v1/feedback``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from aiohttp import web
from pydantic import SecretStr

from models.records import CompilerErrors, Feedback, Record, RecordError, content_id, parse
from producers.ci import Format, InputError, Report
from producers.http.body import authorise, inflate, receive
from producers.http.delivery import Delivery
from producers.http.limits import Limits
from producers.http.parsing import FailureReader, Query, failures
from producers.http.problems import Refusal, explained
from producers.http.traced import traced
from producers.sender import SenderError

log = logging.getLogger(__name__)

BATCH = 200  # records parsed before they are sent
RETRY_AFTER = {"Retry-After": "5"}
_FEEDBACK_CONTENT = ("project", "failure_id", "index", "category", "author", "comment")

Count = Callable[[str, int], None]
Clock = Callable[[], datetime]


def ingest_routes(
    sender: Delivery,
    *,
    token: SecretStr | None,
    limits: Limits | None = None,
    count: Count = lambda *_: None,
    clock: Clock = lambda: datetime.now(UTC),
) -> list[web.RouteDef]:
    """Return the routes by which failures and feedback come in.

    ``token``: what writers must present; none if it is ``None`` or empty. ``count(outcome, n)`` is told how many
    records were ``accepted``, ``rejected`` or ``undelivered``. Refusals are problem details (RFC 9457). Serve them
    with ``auto_decompress=False``: bodies are unpacked here, within limits and with refusals that say why.
    """
    intake = _Intake(sender, token, limits or Limits(), count, clock)
    return [
        web.post("/v1/compiler-errors", traced(explained(intake.compiler_errors)), expect_handler=_expect),
        web.post("/v1/feedback", traced(explained(intake.feedback)), expect_handler=_expect),
    ]


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """Answer ``Expect: 100-continue``, which curl sends before a large body, and refuse any other expectation."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return Refusal(417, "no expectation but 100-continue is met: leave the header Expect away").response()
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # of the answer itself nothing is sent yet
    return None


@dataclass
class _Intake:
    sender: Delivery
    token: SecretStr | None
    limits: Limits
    count: Count
    clock: Clock
    held: int = 0  # bodies in memory
    parsers: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.parsers = asyncio.Semaphore(self.limits.parsers)

    async def compiler_errors(self, request: web.Request) -> web.Response:
        """Take compiler output or records in; answer 202 when all that is good is on the topic."""
        authorise(request, self.token)
        query, report = Query.of(request.query), Report()
        with self._holding():
            body = await receive(request, self.limits, self.limits.body_bytes)
            async with self._parser():
                reader = await asyncio.to_thread(self._open, body, query, report)
                ids = await self._send_all(reader)
        self.count("rejected", report.rejections)
        _refuse_useless(reader, report, request)
        return _taken(_account(report) | {"failure_ids": ids})

    async def feedback(self, request: web.Request) -> web.Response:
        """Take one person's verdict in; equal content has an equal id, so that a retry adds nothing."""
        authorise(request, self.token)
        with self._holding():
            record = _feedback(await receive(request, self.limits, self.limits.feedback_bytes), self.clock())
            await self._deliver([record])
        return _taken({"accepted": 1, "id": record.id, "category": record.category})

    def _open(self, body: bytes, query: Query, report: Report) -> FailureReader:
        return failures(inflate(body, self.limits), query, self.clock(), self.limits.parse_s, report)

    async def _send_all(self, reader: FailureReader) -> list[str]:
        ids: list[str] = []
        try:
            while batch := await asyncio.to_thread(_next, reader, BATCH):
                await self._deliver(batch)
                ids += [record.id for record in batch[: self.limits.ids - len(ids)]]
        finally:
            reader.source.stop()
        return ids

    async def _deliver(self, records: Sequence[Record]) -> None:
        try:
            await self.sender.deliver(records)
        except SenderError as error:
            log.warning("%d records not delivered: %s", len(records), error)
            self.count("undelivered", len(records))
            raise Refusal(
                503,
                "Kafka did not take the records in time; send the same body again: equal content is learned only once",
                RETRY_AFTER,
            ) from None
        self.count("accepted", len(records))

    @contextmanager
    def _holding(self) -> Iterator[None]:
        if self.held >= self.limits.requests:
            raise Refusal(503, f"{self.held} requests are being taken in; try again in a moment", RETRY_AFTER)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    @asynccontextmanager
    async def _parser(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.limits.busy_s):
                await self.parsers.acquire()
        except TimeoutError:
            raise Refusal(503, "other logs are still being read; try again in a moment", RETRY_AFTER) from None
        try:
            yield
        finally:
            self.parsers.release()


def _next(reader: FailureReader, most: int) -> list[CompilerErrors]:
    try:
        return list(islice(reader.records, most))
    except InputError as error:
        raise Refusal(415, str(error)) from None
    except orjson.JSONEncodeError:
        raise Refusal(422, "a record is nested too deeply: its depth is about five") from None


def _account(report: Report) -> dict[str, Any]:
    return {
        "accepted": report.accepted,
        "diagnostics": report.diagnostics,
        "rejected": [{"line": line, "reason": reason} for line, reason in report.rejected],
        "rejections": report.rejections,
        "skipped": dict(report.skipped),
    }


def _refuse_useless(reader: FailureReader, report: Report, request: web.Request) -> None:
    """Raise ``Refusal`` when nothing in the body could be used; a build without failures is fine."""
    if report.usable and not (report.rejections and not report.accepted):
        return
    first = f": line {report.rejected[0][0]}: {report.rejected[0][1]}" if report.rejected else ""
    detail = f"nothing in the body is a failure that can be read, as {reader.format}{first}"
    if request.content_type == "application/x-www-form-urlencoded":
        detail += " (curl -d takes the line ends away: use --data-binary)"
    raise Refusal(422 if reader.format is Format.JSONL else 400, detail, **_account(report))


def _feedback(body: bytes, now: datetime) -> Feedback:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refusal(422, "the body is not a JSON object with failure_id, index, category and project")
    given = {name: document[name] for name in _FEEDBACK_CONTENT if name in document}
    try:
        identity = content_id(*(given.get(name) for name in _FEEDBACK_CONTENT))
        return parse(Feedback, orjson.dumps({**given, "id": identity, "time": now}))
    except (RecordError, orjson.JSONEncodeError) as error:
        raise Refusal(422, str(error)) from None


def _taken(answer: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=202, content_type="application/json")
