"""``jidoka web``: the HTTP interface as a process of its own, until a signal ends it."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streams.metrics import HttpMetrics
from streams.settings import Settings
from streams.web.api import Reading, Status, api_app
from streams.web.board import Board, following
from streams.web.board_routes import board_routes
from streams.web.middleware import is_loopback
from streams.web.recent import PredictionRing, RecentPredictions

log = logging.getLogger(__name__)

SHUTDOWN_S = 0.8  # for answers under way
USUAL_PORT = Settings.model_fields["http_port"].default


class WebError(ValueError):
    """The interface cannot be served like this; the text says which setting to change."""


class Ingest(NamedTuple):
    """How records come in: the routes, and what keeps them from working at the moment (``None``: nothing)."""

    routes: Sequence[web.RouteDef]
    problem: Callable[[], str | None]


Count = Callable[[str, int], None]
# ``streams`` does not import ``producers``: whoever knows both (the command line) passes this.
MakeIngest = Callable[[Settings, Count], AbstractAsyncContextManager[Ingest]]


def no_status() -> Mapping[str, Any]:
    """Return the status of a line of which nothing is known."""
    return {}


async def serve(
    settings: Settings, make_ingest: MakeIngest, status: Status = no_status, announce: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; raises as ``serving`` does. ``announce``: a JSON file that gets ``{"url": …}``."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings, make_ingest, status) as url:
        log.info("HTTP interface at %s", url)
        if announce:
            _announce(announce, url)
        await stop.wait()


@asynccontextmanager
async def serving(settings: Settings, make_ingest: MakeIngest, status: Status = no_status) -> AsyncIterator[str]:
    """Serve while the context lasts; give the address.

    Raises ``WebError`` for an address that others reach while no token is set, and for a port that is taken.
    """
    check_exposure(settings)
    logging.getLogger("aiohttp.server").addFilter(_brief)
    ring, metrics = PredictionRing(), HttpMetrics()
    board = Board(ring, status)
    async with (
        make_ingest(settings, metrics.count_records) as ingest,
        RecentPredictions(settings, ring) as recent,
        following(settings, board, lambda: recent.problem is None),
    ):
        board.problems.append(lambda: recent.problem)

        def problems() -> list[str]:
            return [one for one in (ingest.problem(), recent.problem) if one]

        routes = [*ingest.routes, *board_routes(board, settings.token)]
        app = api_app(Reading(ring, metrics, problems, status), routes, settings.http_host)
        app.on_shutdown.append(board.close)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, auto_decompress=False)
        await runner.setup()
        try:
            yield await _listen(runner, settings)
        finally:
            await runner.cleanup()


def _brief(record: logging.LogRecord) -> bool:
    """Let one line stand for what a client did wrong: a stack trace each would fill the disk for whoever likes."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        record.msg, record.args = "not HTTP, or cut off (%s)", (type(error).__name__,)
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
    return True


def check_exposure(settings: Settings) -> None:
    """Raise ``WebError`` when others than this machine could write without a token."""
    token = settings.token.get_secret_value() if settings.token else ""
    if not token and not is_loopback(settings.http_host):
        raise WebError(
            f"http_host {settings.http_host!r} can be reached from other machines, and without a token anyone there "
            "could write: set JIDOKA_TOKEN to a long random text, or JIDOKA_HTTP_HOST to 127.0.0.1"
        )


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE or settings.http_port != USUAL_PORT:
            raise WebError(_why_not(settings, error)) from None
        await web.TCPSite(runner, settings.http_host, 0).start()
        log.warning("port %d is taken; a free one is used instead", USUAL_PORT)
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why_not(settings: Settings, error: OSError) -> str:
    reason = "the port is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return (
        f"cannot listen at {settings.http_host}:{settings.http_port}: {reason}; set JIDOKA_HTTP_PORT (0: any free one) "
        "or JIDOKA_HTTP_HOST to an address of this machine"
    )


def _announce(path: Path, url: str) -> None:
    """Write the address so that a reader sees all of it or nothing."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(orjson.dumps({"url": url}))
    partial.replace(path)
