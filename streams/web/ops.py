"""A worker's own endpoint: alive, ready, metrics, and the state of its partitions as JSON.

``/healthz`` asks whether to start the worker again: 503 only when it is stalled or can commit nothing any more (it
then ends itself; no answer at all within seconds means the same). ``/readyz`` asks whether it does its work now: 503
with the reason also while it joins its group or restores, while it may be stalled, and while the broker is away.
"""

from __future__ import annotations

import orjson
from aiohttp import web
from faust.types import TP
from prometheus_client.exposition import choose_encoder

from streams.held import Held
from streams.watch import Watch

LINE: web.AppKey[Held] = web.AppKey("line")
WATCH = web.AppKey("watch", Watch)


def ops_app(line: Held, watch: Watch) -> web.Application:
    """Return the application with ``/healthz``, ``/readyz``, ``/metrics`` and ``/v1/state``."""
    app = web.Application()
    app[LINE], app[WATCH] = line, watch
    app.add_routes(
        [
            web.get("/healthz", _alive),
            web.get("/readyz", _ready),
            web.get("/metrics", _metrics),
            web.get("/v1/state", _state),
        ]
    )
    return app


async def _alive(request: web.Request) -> web.Response:
    verdict = request.app[WATCH].verdict
    if request.app[LINE].app.gate.poisoned:
        return _status("a batch broke off: nothing is committed any more; start this worker again")
    return _status(f"stalled: {verdict.reason}") if verdict.state == "stalled" else _status("ok", 200)


async def _ready(request: web.Request) -> web.Response:
    verdict = request.app[WATCH].verdict
    if verdict.state != "ok":
        return _status(f"{verdict.state}: {verdict.reason}")
    if not request.app[LINE].restored.is_set():
        return _status("partitions are not assigned or not yet restored")
    return _status("ready", 200)


def _status(text: str, status: int = 503) -> web.Response:
    return web.json_response({"status": text}, status=status)


async def _metrics(request: web.Request) -> web.Response:
    line = request.app[LINE]
    observe(line, request.app[WATCH])
    # OpenMetrics for who asks for it, as Prometheus does: it alone has exemplars.
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(line.metrics.registry), headers={"Content-Type": content_type})


async def _state(request: web.Request) -> web.Response:
    line, watch = request.app[LINE], request.app[WATCH]
    body = {
        "ready": line.restored.is_set(),
        "liveness": {"state": watch.verdict.state, "reason": watch.verdict.reason},
        "lag": sum(lags(line, watch).values()),
    } | line.describe()
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def lags(line: Held, watch: Watch) -> dict[tuple[str, int], int]:
    """Return how many records of each source partition wait, by (topic, partition), as far as is known.

    The watch has asked the broker some seconds ago; what was fetched since then may reach further.
    """
    found = watch.lags()
    for place, at in watch.positions().items():
        known, end = watch.offsets.get(place), line.app.end_offset(TP(*place))
        if end is not None and (known is None or end > known.log_end):
            found[place] = max(0, end - at)
    return found


def observe(line: Held, watch: Watch) -> None:
    """Bring the gauges up to date; they are read far more seldom than they would be written."""
    metrics, verdict = line.metrics, watch.verdict
    metrics.stalled.set(verdict.state in {"stalling", "stalled"})
    metrics.idle.set(verdict.idle_s)
    metrics.broker_up.set(watch.broker_answers)
    for gauge in metrics.by_partition():
        gauge.clear()  # a partition that has moved to another worker is that one's to report
    for (topic, number), lag in lags(line, watch).items():
        metrics.lag.labels(topic=topic, partition=number).set(lag)
    line.observe()
