"""Latency from push to committed prediction: ``make bench-latency``; arrivals do not wait for answers.

Builds arrive as a Poisson process (or evenly) at ``--rate`` builds a second; both times are taken in this process: just
before a build is handed to the producer, and when a ``read_committed`` reader has its prediction. The first
``--warm-up`` seconds are left out. Builds that are not answered soon after the last push count with the time they have
waited by then.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import orjson

from benchmarks import figures, inputs, stage, wire
from models.records import CompilerErrors, Prediction
from streams.settings import Settings
from streams.topics import topic_name

RATES, TARGET_RATE = (50.0, 200.0, 400.0), 200.0
TARGETS_MS = {"p50": 60.0, "p99": 250.0}
LAST_ANSWERS_S = 15.0
POLL_S = 0.1

Builds = Iterator[inputs.Document]


class Receiver:
    """Notes when each build's committed prediction arrives."""

    def __init__(self, settings: Settings) -> None:
        topic = topic_name(Prediction)
        self._reader = wire.reader(settings.broker or "", topic, settings.partitions, latest=True)
        self.arrived: dict[str, float] = {}
        self.twice = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._reader.poll(POLL_S)
            if message is None or message.error():
                continue
            now = time.monotonic()
            failure = orjson.loads(message.value())["failure_id"]
            self.twice += failure in self.arrived
            self.arrived.setdefault(failure, now)


def offer(settings: Settings, builds: Builds, moments: Iterator[float]) -> tuple[dict[str, float], float]:
    """Push a build at each moment; return when each was, by id, and by how much the worst was late (seconds)."""
    client = wire.producer(settings.broker or "", **{"enable.idempotence": True, "linger.ms": 0})
    sent: dict[str, float] = {}
    begun, late = time.monotonic(), 0.0
    for moment, build in zip(moments, builds, strict=False):
        value, key = inputs.line(build), build["project"].encode()
        wait = begun + moment - time.monotonic()
        if wait > 0:
            client.poll(0)
            time.sleep(wait)
        late = max(late, -wait)
        sent[build["id"]] = time.monotonic()
        wire.send(client, topic_name(CompilerErrors), value, key)
    client.flush(wire.LIMIT_S)
    return sent, late


def measure(settings: Settings, builds: Builds, rate: float, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the latencies at one rate, in milliseconds."""
    moments = inputs.arrivals(rate, arguments.warm_up + arguments.seconds, even=arguments.even)
    with Receiver(settings) as receiver:
        begun = time.monotonic()
        sent, late = offer(settings, builds, moments)
        deadline = time.monotonic() + LAST_ANSWERS_S
        while sent.keys() - receiver.arrived.keys() and time.monotonic() < deadline:
            time.sleep(POLL_S)
        arrived, twice, end = dict(receiver.arrived), receiver.twice, time.monotonic()
    counted = {failure: at for failure, at in sent.items() if at > begun + arguments.warm_up}
    took = [1000 * delay for delay in figures.delays(counted, arrived, end)]
    found = {f"p{share}": round(figures.percentile(took, share / 100), 1) for share in (50, 90, 99)}
    counts = {"builds": len(counted), "unanswered": len(sent.keys() - arrived.keys()), "twice": twice}
    return {"rate": rate, **found, "max": round(max(took), 1), **counts, "latest_send_ms": round(1000 * late, 1)}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of all intervals and rates."""
    documents = inputs.corpus(arguments.corpus)
    results = []
    machine = figures.machine()
    for interval in arguments.commit_interval:
        with (
            stage.broker(arguments.partitions, commit_interval_s=interval) as settings,
            stage.worker(settings),
        ):
            builds = inputs.passes(documents)
            for rate in sorted(arguments.rate):
                one = {"commit_interval_s": interval} | measure(settings, builds, rate, arguments)
                stage.tell(str(one))
                results.append(one)
                if one["unanswered"]:
                    stage.tell("it is behind: what comes next would wait for this; no more rates")
                    break
    return {"machine": machine, "partitions": arguments.partitions, "even": arguments.even, "results": results}


def report(found: dict[str, Any]) -> str:
    """Return the figures as text."""
    head = ("builds/s", "interval s", "p50 ms", "p90", "p99", "max", "builds", "unanswered", "twice", "latest send ms")
    names = ("rate", "commit_interval_s", "p50", "p90", "p99", "max", "builds", "unanswered", "twice", "latest_send_ms")
    lines = [figures.describe(found["machine"], found["partitions"])]
    lines.append(figures.table(head, [[one[name] for name in names] for one in found["results"]]))
    for one, (name, target) in itertools.product(found["results"], TARGETS_MS.items()):
        if one["rate"] == TARGET_RATE:
            verdict = "reached" if one[name] <= target else "MISSED"
            lines.append(f"{name} at {TARGET_RATE:.0f} builds/s: {one[name]} ms, target {target:.0f}: {verdict}")
    return "\n".join(lines)


def main() -> None:
    """Read the command line, run, print."""
    parser = stage.parser("latency", __doc__)
    parser.add_argument("--rate", nargs="+", type=float, default=list(RATES), help="builds per second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=10, help="seconds before that")
    parser.add_argument("--even", action="store_true", help="arrivals at equal distances instead of a Poisson process")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--commit-interval", nargs="+", type=float, default=[0.3], help="the worker's, seconds")
    stage.main(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
