"""Putting the HTTP interface together: ``streams`` serves, ``producers`` takes records in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from producers.http import LastingSender, ingest_routes
from producers.sender import Sender
from streams import runfile
from streams.kafka import client_options, quiet_loggers
from streams.settings import Settings
from streams.web.server import Ingest, serve


def run_web(settings: Settings, announce: Path | None) -> None:
    """Serve until a signal; raises ``ValueError`` or ``OSError`` with a text for people."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    quiet_loggers()

    def status() -> Mapping[str, Any]:
        running = runfile.read(settings.data_dir)
        return {"broker": settings.broker, "workers": running.workers if running else []}

    asyncio.run(serve(settings, _ingest, status, announce))


@asynccontextmanager
async def _ingest(settings: Settings, count: Callable[[str, int], None]) -> AsyncIterator[Ingest]:
    def connect() -> Sender:
        return Sender(settings.broker or "", client_options(settings), "/jidoka/http")

    async with LastingSender(connect) as sender:
        routes = ingest_routes(sender, token=settings.token, count=count)
        yield Ingest(routes, lambda: sender.problem)
