"""The board in a real Chromium: a service without Kafka in one event loop with the browser, fed with real failures."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from models.records import AndonEvent, CompilerErrors, Prediction, Record, parse
from models.step import step
from models.warm_start import warm_state
from producers.http import ingest_routes
from streams.metrics import HttpMetrics
from streams.web.api import Reading, api_app
from streams.web.board import Board
from streams.web.board_routes import board_routes
from streams.web.learned import describe
from streams.web.recent import PredictionRing

FAILURES = Path(__file__).parents[2] / "producers" / "demo" / "failures.jsonl.gz"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = "install Chromium (Debian: apt-get install chromium), or set JIDOKA_CHROMIUM to one; `.ci/run` installs it"
DEADLINE_MS = 15_000
NEW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def _chromium() -> str:
    """Return the browser; without one the tests are skipped with what to install, and fail in CI."""
    found = os.environ.get("JIDOKA_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Chromium here: {HOW}")
    return found


@cache
def answered() -> tuple[list[tuple[CompilerErrors, Prediction]], dict[str, Any]]:
    """Return the bundled failures with what the model answers, and what a worker says of its state after them."""
    state, found = warm_state(), []
    with gzip.open(FAILURES) as lines:
        for line in lines:
            record = parse(CompilerErrors, line)
            found += [(record, one) for one in step(state, record, NEW)]
    return found, describe(state)


@dataclass
class Service:
    """The HTTP interface on a port, without Kafka: what the topics would bring is given by hand."""

    token: str | None = None
    ring: PredictionRing = field(default_factory=PredictionRing)
    problems: list[str] = field(default_factory=list)
    delivered: list[Record] = field(default_factory=list)
    workers: list[Mapping[str, Any]] = field(default_factory=list)
    port: int = 0
    clock_ms: int = 0

    async def deliver(self, records: Sequence[Record]) -> None:
        self.delivered += records

    async def start(self) -> None:
        self.board = Board(self.ring, lambda: {"workers": self.workers})
        self.board.problems.append(lambda: next(iter(self.problems), None))
        secret = SecretStr(self.token) if self.token else None
        routes = [*ingest_routes(self, token=secret), *board_routes(self.board, secret)]
        reading = Reading(self.ring, HttpMetrics(), lambda: self.problems, lambda: {"workers": self.workers})
        app = api_app(reading, routes, "127.0.0.1")
        app.on_shutdown.append(self.board.close)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self._running = asyncio.create_task(self.board.run(lambda: True))

    async def stop(self) -> None:
        self._running.cancel()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/board"

    def show(self, failure: CompilerErrors, prediction: Prediction, at_ms: int | None = None) -> None:
        """Let a failure and its answer come from the topics."""
        self.clock_ms = at_ms or max(self.clock_ms + 1, int(datetime.now(UTC).timestamp() * 1000))
        self.board.failures.take(failure.to_bytes())
        self.ring.add(prediction.to_bytes(), self.clock_ms)

    def light(self, event: AndonEvent) -> None:
        self.board.lamp.take(event.to_bytes())


@asynccontextmanager
async def worker_of(state: Mapping[str, Any], lag: int) -> AsyncIterator[Mapping[str, Any]]:
    """Serve what a worker says of itself, and give its entry of the run file."""

    async def say(_: web.Request) -> web.Response:
        body = {"ready": True, "liveness": {"state": "ok", "reason": ""}, "lag": lag, "partitions": [state]}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/v1/state", say)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield {"pid": 1, "url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
    finally:
        await runner.cleanup()


Scene = Callable[[Any, Service], Awaitable[Any]]


class Stage:
    """A Chromium, and an event loop in a thread of its own where it, the services and the scenes live.

    In a thread, because a test must find no running loop; one browser for all tests, because it takes seconds to start.
    """

    def __init__(self, browser: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._browser = self._run(self._open(browser))

    def close(self) -> None:
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, browser: str) -> Any:
        from playwright.async_api import async_playwright

        self._playwright = await async_playwright().start()
        args = ["--no-sandbox", "--disable-dev-shm-usage"]
        return await self._playwright.chromium.launch(executable_path=browser, args=args)

    async def _shut(self) -> None:
        await self._browser.close()
        await self._playwright.stop()

    def __call__(
        self, scene: Scene, *, service: Service | None = None, faults: Sequence[str] = (), **options: Any
    ) -> Any:
        """Open a service's board in a fresh page and play a scene there."""
        return self._run(self._play(scene, service or Service(), faults, options))

    async def _play(self, scene: Scene, service: Service, faults: Sequence[str], options: Mapping[str, Any]) -> Any:
        await service.start()
        try:
            return await self.visit(service.url, lambda page: scene(page, service), faults, **options)
        finally:
            await service.stop()

    async def visit(
        self, url: str, scene: Callable[[Any], Awaitable[Any]], faults: Sequence[str] = (), **options: Any
    ) -> Any:
        """Play a scene on a page; nothing may go wrong in it but what has one of ``faults`` in its text."""
        context = await self._browser.new_context(**options)
        try:
            page = await context.new_page()
            page.set_default_timeout(DEADLINE_MS)
            seen: list[str] = []
            page.on("console", lambda said: seen.append(said.text) if said.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: seen.append(str(error)))
            await page.goto(url)
            result = await scene(page)
            assert not [one for one in seen if not any(known in one for known in faults)]
            return result
        finally:
            await context.close()

    def at(self, url: str, scene: Callable[[Any], Awaitable[Any]], faults: Sequence[str] = (), **options: Any) -> Any:
        """Play a scene on the page at ``url``."""
        return self._run(self.visit(url, scene, faults, **options))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Give a browser to play scenes in."""
    pytest.importorskip("playwright", reason="no playwright here: make test installs it (pip install -e .[dev])")
    made = Stage(_chromium())
    yield made
    made.close()


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """Give the tests what is made in this file: it cannot be imported."""
    return SimpleNamespace(answered=answered, worker_of=worker_of, Service=Service)
