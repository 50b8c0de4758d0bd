"""The HTTP interface for readers: predictions, health, metrics, status; with the routes of the producers beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from models.taxonomy import UNKNOWN, parse_label
from streams.metrics import HttpMetrics
from streams.web.middleware import add_headers, guarding, observing, problem
from streams.web.recent import Filter, PredictionRing, Reader, TooManyReadersError

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
HEARTBEAT_S = 15.0  # a comment on a quiet stream: proxies keep it, and a client that is gone is noticed
WRITE_S = 10.0  # a client that takes nothing for so long is dropped
FILTERS = ("project", "category", "failure_id")

INDEX = """\
jidoka: compile failures in, classifications out

POST /v1/compiler-errors?project=owner/name   compiler output (cargo, rustc, text) or records, also gzipped
POST /v1/feedback                             {"failure_id", "index", "category", "project", "author", "comment"}
GET  /v1/predictions?project=&category=&failure_id=&limit=50   newest first
GET  /v1/predictions/{failure_id}             the answer to one failure
GET  /v1/predictions/stream                   as they come (server-sent events; the same filters)
GET  /v1/failures/{failure_id}?project=       a failure with its diagnostics, and its prediction
GET  /board                                   the andon board, for a browser
GET  /v1/board  /v1/board/stream              what it shows, once and as it changes
GET  /v1/status                               the line that is up
GET  /healthz  /readyz  /metrics
"""

Problems = Callable[[], list[str]]
Status = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """What the readers' routes answer from.

    ``problems`` says what keeps the service from being ready; ``status`` is called in a thread.
    """

    ring: PredictionRing
    metrics: HttpMetrics
    problems: Problems
    status: Status


READING = web.AppKey("reading", Reading)


def api_app(reading: Reading, ingest: Sequence[web.RouteDef], host: str) -> web.Application:
    """Return the application; ``host`` is the address it will be bound to."""
    app = web.Application(middlewares=[observing(reading.metrics), guarding(host)])
    app[READING] = reading
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.add_routes(
        [
            *ingest,
            web.get("/", _index),
            web.get("/healthz", _alive),
            web.get("/readyz", _ready),
            web.get("/metrics", _metrics),
            web.get("/v1/status", _status),
            web.get("/v1/predictions", _predictions),
            web.get("/v1/predictions/stream", _stream, allow_head=False),
            web.get("/v1/predictions/{failure_id:.+}", _prediction),
        ]
    )
    return app


async def _end_streams(app: web.Application) -> None:
    app[READING].ring.end_readers()


async def _index(request: web.Request) -> web.Response:
    """Tell programs what there is, and take people to the board."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": "/board"})
    return web.Response(text=INDEX)


async def _alive(_: web.Request) -> web.Response:
    return _json({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    problems = request.app[READING].problems()
    if problems:
        return problem(503, "; ".join(problems), {"Retry-After": "1"})
    return _json({"status": "ready"})


async def _metrics(request: web.Request) -> web.Response:
    reading = request.app[READING]
    reading.metrics.held.set(len(reading.ring))
    reading.metrics.malformed.set(reading.ring.malformed)
    body = generate_latest(reading.metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _status(request: web.Request) -> web.Response:
    return _json(await asyncio.to_thread(request.app[READING].status))


async def _predictions(request: web.Request) -> web.Response:
    wanted, limit = _filter(request, (*FILTERS, "limit")), _limit(request.query.get("limit"))
    found = request.app[READING].ring.find(wanted, limit)
    return web.Response(body=b'{"predictions":[' + b",".join(found) + b"]}", content_type="application/json")


async def _prediction(request: web.Request) -> web.Response:
    ring = request.app[READING].ring
    found = ring.find(Filter(failure_id=request.match_info["failure_id"]), 1)
    if not found:
        return problem(
            404,
            f"no prediction for this failure_id among the last {len(ring)}; a failure just sent is answered within a "
            "second or two, an old one is on the topic (`jidoka tail predictions --from-beginning`)",
        )
    return web.Response(body=found[0], content_type="application/json")


async def _stream(request: web.Request) -> web.StreamResponse:
    wanted, ring = _filter(request, FILTERS), request.app[READING].ring
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    try:
        with ring.reader() as queue:
            await response.prepare(request)
            await response.write(b": jidoka predictions\n\n")
            await _copy(queue, wanted, response)
    except TooManyReadersError as error:
        return problem(503, f"{error}; try again later", {"Retry-After": "30"})
    except (TimeoutError, ConnectionResetError):
        if request.transport:
            request.transport.abort()
    return response


async def _copy(queue: Reader, wanted: Filter, response: web.StreamResponse) -> None:
    """Write what is asked for until the queue ends; raises ``TimeoutError`` when the client takes nothing."""
    while True:
        try:
            entry = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
        except TimeoutError:
            await asyncio.wait_for(response.write(b": still here\n\n"), WRITE_S)
            continue
        if entry is None:
            return
        if wanted.matches(entry):
            event = b"event: prediction\ndata: " + entry.raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"
            await asyncio.wait_for(response.write(event), WRITE_S)


def _filter(request: web.Request, allowed: Sequence[str]) -> Filter:
    query = request.query
    for name in query:
        if name not in allowed:
            raise web.HTTPBadRequest(text=f"no parameter {name[:40]!r}; there are {', '.join(allowed)}")
    return Filter(query.get("project"), _label(query.get("category")), query.get("failure_id"))


def _label(text: str | None) -> str | None:
    if text is None or text.strip().lower() == UNKNOWN.lower():
        return text and UNKNOWN
    try:
        return parse_label(text)
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"category {error}, {UNKNOWN}") from None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
        raise web.HTTPBadRequest(text=f"limit {text[:40]!r}: allowed is a number from 1 to {MAX_LIMIT}")
    return int(text)


def _json(value: Mapping[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(value, default=str), content_type="application/json")
