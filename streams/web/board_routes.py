"""The andon board over HTTP: its page, its events, and one failure with everything that is known of it.

The page is a few files without a build step, served from memory; it may load nothing else (Content-Security-Policy).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from pydantic import SecretStr

from models.records import Prediction, RecordError, parse
from streams.topics import MAX_MESSAGE_BYTES
from streams.web.board import ROWS, Board
from streams.web.events import TooManyClientsError, event
from streams.web.middleware import problem
from streams.web.recent import Filter

BEAT_S = 5.0  # an event on a quiet stream: the page takes silence for a lost connection, and proxies keep it open
PACE_S = 0.1  # between two events to one client, so that a flood comes in heaps
WRITE_S = 10.0  # a client that takes nothing for so long is dropped
RETRY_MS = 1_000

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY"}


class Asset(NamedTuple):
    """A file of the page."""

    body: bytes
    content_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return the files of the page by name."""
    found = sorted(path for path in STATIC.iterdir() if path.suffix in TYPES)
    return {path.name: Asset(path.read_bytes(), TYPES[path.suffix]) for path in found}


@cache
def version() -> str:
    """Return what tells these files from others: a page that finds another version loads itself anew."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + b"\0" + asset.body)
    return digest.hexdigest()[:16]


def board_routes(board: Board, token: SecretStr | None) -> list[web.RouteDef]:
    """Return the routes of the board; ``token`` is asked of those who want to see source code, if there is one."""
    routes = _Routes(board, token.get_secret_value() if token else "")
    return [
        web.get("/board", routes.page),
        web.get("/board/{name}", routes.asset),
        web.get("/v1/board", routes.snapshot),
        web.get("/v1/board/stream", routes.stream, allow_head=False),
        web.get("/v1/failures/{failure_id:.+}", routes.failure),
    ]


class _Routes:
    def __init__(self, board: Board, token: str) -> None:
        self._board, self._token = board, token

    async def page(self, _: web.Request) -> web.Response:
        return _file(assets()["board.html"])

    async def asset(self, request: web.Request) -> web.Response:
        asset = assets().get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return _file(asset)

    async def snapshot(self, _: web.Request) -> web.Response:
        await self._board.refresh()
        return web.Response(body=self._snapshot(), content_type="application/json")

    def _snapshot(self) -> bytes:
        whole = {"version": version(), "token": bool(self._token), "board": orjson.Fragment(self._board.snapshot())}
        return orjson.dumps(whole)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the whole picture, or what was missed since ``Last-Event-ID``; then what comes."""
        headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        last = request.headers.get("Last-Event-ID") or request.query.get("last", "")
        try:
            with self._board.log.client():
                await response.prepare(request)
                await response.write(b"retry: %d\n\n" % RETRY_MS)
                await self._feed(response, last)
        except TooManyClientsError as error:
            return problem(503, f"{error}; close one, or try again later", {"Retry-After": "30"})
        except (TimeoutError, ConnectionResetError):
            if request.transport:
                request.transport.abort()
        return response

    async def _feed(self, response: web.StreamResponse, last: str) -> None:
        """Write until the board closes; raises ``TimeoutError`` when the client takes nothing."""
        log, run, had, told = self._board.log, "", log_number(self._board, last), -1
        if had is not None:
            run = log.run
        while not log.closed:
            if run != log.run or had is None:
                run, had, told = log.run, log.newest, self._board.changes
                await _write(response, event("snapshot", self._snapshot(), log.id_of(had)))
            if log.newest > had:
                missed, had = log.since(had, ROWS), log.newest
                rows = b'{"skipped":%d,"rows":[%b]}' % (missed.skipped, b",".join(missed.items))
                await _write(response, event("rows", rows, log.id_of(had)))
            if told != self._board.changes:
                told = self._board.changes
                await _write(response, event("state", self._board.state))
            await asyncio.sleep(PACE_S)
            if run == log.run and log.newest == had and told == self._board.changes and not log.closed:
                await self._wait(response)

    async def _wait(self, response: web.StreamResponse) -> None:
        if not await self._board.log.changed(BEAT_S):
            await _write(response, event("beat", b"{}"))

    async def failure(self, request: web.Request) -> web.Response:
        """Return a failure with its prediction; as much as is held of the two."""
        if self._token and not _bears(request, self._token):
            return problem(401, "source code is shown to who has the token", {"WWW-Authenticate": "Bearer"})
        project, failure_id = request.query.get("project", ""), request.match_info["failure_id"]
        if not project:
            return problem(400, "which project? Add ?project=owner/name to the address: ids count within a project")
        failure = self._board.failures.find(project, failure_id)
        found = self._board.ring.find(Filter(project=project, failure_id=failure_id), 1)
        if failure is None and not found:
            return problem(404, "this failure is no longer held here; `jidoka tail compiler-errors --from-beginning`")
        body = {"failure": failure and failure.model_dump(mode="json", exclude_none=True), "prediction": _whole(found)}
        return web.Response(body=orjson.dumps(body), content_type="application/json")


def log_number(board: Board, last: str) -> int | None:
    """Return what a client with this last id has had; nothing when it has to begin anew."""
    number = board.log.number_of(last)
    return None if number is None or board.log.newest - number > ROWS else number


def _whole(found: Sequence[bytes]) -> dict[str, Any] | None:
    try:
        return parse(Prediction, found[0], MAX_MESSAGE_BYTES).model_dump(mode="json", exclude_none=True)
    except (IndexError, RecordError):
        return None


def _bears(request: web.Request, token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode("utf-8", "surrogateescape"), token.encode()
    )


def _file(asset: Asset) -> web.Response:
    return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8", headers=PAGE_HEADERS)


async def _write(response: web.StreamResponse, data: bytes) -> None:
    await asyncio.wait_for(response.write(data), WRITE_S)
