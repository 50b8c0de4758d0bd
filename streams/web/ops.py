"""A worker's own endpoint: alive, ready, metrics, and the state of its partitions as JSON."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from faust.types import TP
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from models.state import LineState
from streams.line import Line
from streams.restore import SOURCES

LINE = web.AppKey("line", Line)


def ops_app(line: Line) -> web.Application:
    """Return the application with ``/healthz``, ``/readyz``, ``/metrics`` and ``/v1/state``."""
    app = web.Application()
    app[LINE] = line
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
    broken = request.app[LINE].app.gate.poisoned
    status = "a batch broke off: nothing is committed any more; start this worker again" if broken else "ok"
    return web.json_response({"status": status}, status=503 if broken else 200)


async def _ready(request: web.Request) -> web.Response:
    ready = request.app[LINE].restored.is_set()
    status = "ready" if ready else "partitions are not assigned or not yet restored"
    return web.json_response({"status": status}, status=200 if ready else 503)


async def _metrics(request: web.Request) -> web.Response:
    line = request.app[LINE]
    observe(line)
    return web.Response(body=generate_latest(line.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _state(request: web.Request) -> web.Response:
    line = request.app[LINE]
    partitions = [
        {"partition": number, "offsets": one.offsets} | describe(one.state)
        for number, one in sorted(line.partitions.items())
    ]
    body = {"ready": line.restored.is_set(), "lag": sum(lags(line).values()), "partitions": partitions}
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def describe(state: LineState) -> dict[str, Any]:
    """Return what a person wants to know of a partition's state, as JSON-able data."""
    scores = state.scores
    return {
        "model_version": state.model_version,
        "failures": state.failures,
        "repeats": state.repeats,
        "unmatched_feedback": state.unmatched_feedback,
        "dead_letters": state.dead_letters,
        "scored": scores.n,
        "accuracy": scores.accuracy,
        "rolling_accuracy": scores.rolling_accuracy,
        "macro_f1": scores.macro_f1,
        "baselines": scores.baselines,
        "weights": state.weights.mean(),
        "divergence": state.drift.value,
    }


def lags(line: Line) -> dict[tuple[str, int], int]:
    """Return how many records of each source partition wait, by (topic, partition), as far as is known."""
    consumer, found = line.app.consumer, {}
    for number, partition in line.partitions.items():
        for topic in SOURCES:
            end = consumer.highwater(TP(topic, number))
            if end is not None:
                found[topic, number] = max(0, end - partition.offsets.get(topic, 0))
    return found


def observe(line: Line) -> None:
    """Bring the gauges up to date; they are read far more seldom than they would be written."""
    metrics = line.metrics
    for gauge in metrics.by_partition():
        gauge.clear()  # a partition that has moved to another worker is that one's to report
    for (topic, number), lag in lags(line).items():
        metrics.lag.labels(topic=topic, partition=number).set(lag)
    for number, partition in line.partitions.items():
        _observe_partition(line, str(number), partition.state)


def _observe_partition(line: Line, number: str, state: LineState) -> None:
    metrics, scores = line.metrics, state.scores
    metrics.examples.labels(number).set(state.classifier.examples)
    metrics.origin.labels(number, state.origin).set(1)
    if scores.n:
        metrics.accuracy.labels(number).set(scores.accuracy)
        metrics.rolling.labels(number).set(scores.rolling_accuracy)
        metrics.macro_f1.labels(number).set(scores.macro_f1)
        for name, accuracy in scores.baselines.items():
            metrics.baseline.labels(number, name).set(accuracy)
    if state.drift.value is not None:
        metrics.divergence.labels(number).set(state.drift.value)
    for category, weight in state.weights.mean().items():
        metrics.weight.labels(number, category).set(weight)
