"""Processes beside the workers (archive, training): one loop, an endpoint for health, a signal that ends both."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streams.kafka import quiet_loggers
from streams.settings import Settings
from streams.startup import LOG_FORMAT, wait_for_broker

log = logging.getLogger(__name__)


class Service(Protocol):
    """What such a process does: ``work`` until ``stopping`` is set; ``ready`` says whether it does it now."""

    registry: CollectorRegistry

    @property
    def ready(self) -> bool:
        """Return whether it does its work now."""

    async def work(self, stopping: asyncio.Event) -> None:
        """Do it; an exception ends the process, and whoever watches it starts it again."""


def run(settings: Settings, announce: Path | None, make: Callable[[], Service]) -> None:
    """Run a service until SIGTERM or SIGINT; what it has in hand is finished or given up cleanly first."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    quiet_loggers()
    asyncio.run(_run(settings, announce, make()))


async def _run(settings: Settings, announce: Path | None, service: Service) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await _unless(stopping, wait_for_broker(settings))
    runner = web.AppRunner(_endpoint(service), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.http_host, settings.ops_port).start()
        host, port = runner.addresses[0][:2]
        if announce:
            _tell(announce, f"http://{host}:{port}")
        if not stopping.is_set():
            await service.work(stopping)
    finally:
        await runner.cleanup()


def _tell(announce: Path, url: str) -> None:
    announce.write_bytes(orjson.dumps({"url": url}))


async def _unless(stopping: asyncio.Event, waiting: Awaitable[None]) -> None:
    """Wait for the one or the other; raises what the second raises."""
    work, end = asyncio.ensure_future(waiting), asyncio.ensure_future(stopping.wait())
    await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
    if work.done():
        work.result()
    else:
        work.cancel()


def _endpoint(service: Service) -> web.Application:
    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        there = service.ready
        return web.json_response({"status": "ready" if there else "not yet"}, status=200 if there else 503)

    async def metrics(request: web.Request) -> web.Response:
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(service.registry), headers={"Content-Type": kind})

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)])
    return app
