"""The worker process: Faust, the line's agents and the operations endpoint, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import faust
import orjson
from aiohttp import web
from mode import Service

from streams import predecessor
from streams.app import build, build_programs
from streams.checkpoints import CODE_VERSION, RIVER_VERSION
from streams.held import Held
from streams.kafka import client_options, quiet_loggers
from streams.metrics import Metrics
from streams.programs import Work
from streams.published import fresh_state, newest_model
from streams.settings import Settings
from streams.startup import LOG_FORMAT, wait_for_broker
from streams.transactions import LineApp
from streams.watch import Watch
from streams.web.ops import ops_app

log = logging.getLogger(__name__)
CANCEL_LIMIT_S = 1.0


class OpsEndpoint(Service):
    """Serves a worker's operations endpoint, and says where in ``announce`` (a JSON file) once it listens."""

    def __init__(self, line: Held, watch: Watch, announce: Path | None) -> None:
        super().__init__()
        self.line, self.announce = line, announce
        self._runner = web.AppRunner(ops_app(line, watch), access_log=None)

    async def on_start(self) -> None:
        """Listen."""
        settings = self.line.settings
        await self._runner.setup()
        await web.TCPSite(self._runner, settings.http_host, settings.ops_port).start()
        host, port = self._runner.addresses[0][:2]
        log.info("operations endpoint at http://%s:%d", host, port)
        if self.announce:
            self.announce.write_bytes(orjson.dumps({"url": f"http://{host}:{port}"}))

    async def on_stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


class LineWorker(faust.Worker):
    """Faust's worker without the two seconds that it sleeps once everything has stopped."""

    def _shutdown_loop(self) -> None:
        """Cancel what still runs and close the event loop; the app has stopped, its work is committed."""
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self._gather_futures())
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=CANCEL_LIMIT_S))
        self.loop.close()
        if self.crash_reason:
            raise self.crash_reason from self.crash_reason


def run(settings: Settings, announce: Path | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT; then commit, leave the group and return."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    quiet_loggers()
    metrics = Metrics()
    metrics.model.info({"code": CODE_VERSION, "river": RIVER_VERSION, "learner": "hashed-logistic"})
    asyncio.run(wait_for_broker(settings))
    published = asyncio.run(newest_model(settings)) if settings.warm_start else None
    _serve(*build(settings, metrics, fresh_state(settings, published)), announce)


def run_programs(settings: Settings, announce: Path | None, work: Work) -> None:
    """Run a worker that does ``work`` with programs until SIGTERM or SIGINT; what is in hand then is left undone."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    quiet_loggers()
    asyncio.run(wait_for_broker(settings))
    _serve(*build_programs(settings, Metrics(), work), announce)


def _serve(app: LineApp, line: Held, announce: Path | None) -> None:
    """Run an app with its watch and its endpoint, in the place of the worker that announced itself there before."""
    settings = line.settings
    if announce:
        app.conf.broker_client_id = predecessor.new_client_id()
        note = announce.with_suffix(".member")
        predecessor.replace(
            note, app.conf.broker_client_id, settings.broker or "", client_options(settings), app.conf.id
        )
    watch = Watch(line, client_options(settings))
    services = (watch, OpsEndpoint(line, watch, announce))
    worker = LineWorker(app, *services, loglevel="INFO", redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:  # Faust ends every run with it; only a status other than 0 means anything
        if end.code:
            raise
