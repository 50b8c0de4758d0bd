"""How soon a line answers again after its worker died or was restarted: ``python -m benchmarks.recovery``.

A broker, workers and a trickle of builds; every partition's checkpoint holds a model of about ``--model-mb`` megabytes
(its base snapshot, compressed), made by learning builds of random words until enough rows of the weight table are in
use. Three cases, each ``--repeat`` times:

* ``takeover``: two workers, one is killed with -9 and stays dead;
* ``restart``: one worker, killed with -9 and started again by the supervisor;
* ``clean``: one worker, asked to stop (SIGTERM), awaited, started again; timed from the start.

Timed is the first committed prediction, seen by a ``read_committed`` reader, of a build pushed after the event to a
partition that the worker held; and the same for the last of its partitions.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.wide_model import build, wide_state, write_checkpoints
from models.records import CompilerErrors, Prediction
from models.snapshots import snapshot
from streams.broker import EmbeddedBroker, ports
from streams.settings import Settings
from streams.supervisor import Child, Supervisor
from streams.topic_admin import ensure_topics
from streams.topics import topic_name

CASES = {"takeover": 6.0, "restart": 6.0, "clean": 3.0}  # seconds: the target
WATCH_S = 0.5  # how often `jidoka up` looks after its processes
EVERY_S = 0.05  # between two rounds of one build to each partition
LIMIT_S = 60.0
# One for each of twenty categories: the wider the weight table, the larger the model.
STAGES = {  # what the worker's log says, in order
    "process and imports": r"operations endpoint at",
    "group joined": r"Executing _on_partitions_assigned",
    "restored": r"partitions \[.*\] restored in",
}


class Trickle:
    """Pushes a build to every partition again and again, and notes when its committed prediction is seen."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.draw = settings, random.Random(2)  # noqa: S311
        self.sent: dict[str, tuple[float, int]] = {}  # failure id -> (monotonic time, partition)
        self.seen: dict[str, float] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Trickle]:
        """Push and read until the context is left."""
        reader = AIOKafkaConsumer(
            topic_name(Prediction),
            bootstrap_servers=self.settings.broker,
            isolation_level="read_committed",
            auto_offset_reset="latest",
            fetch_max_wait_ms=50,
        )
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, enable_idempotence=True)
        async with reader, producer:
            await reader.seek_to_end()
            tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._push(producer))]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _push(self, producer: AIOKafkaProducer) -> None:
        number = 0
        while True:
            for partition in range(self.settings.partitions):
                number += 1
                record = build(number, self.draw, words=6).model_copy(update={"id": f"{id(self)}-{number}"})
                self.sent[record.id] = time.monotonic(), partition
                await producer.send(topic_name(CompilerErrors), record.to_bytes(), key=b"recovery", partition=partition)
            await asyncio.sleep(EVERY_S)

    async def _read(self, reader: AIOKafkaConsumer) -> None:
        async for message in reader:
            self.seen.setdefault(orjson.loads(message.value)["failure_id"], time.monotonic())

    def answered(self, since: float) -> dict[int, float]:
        """Return, by partition, when the first prediction of a build pushed after ``since`` was seen."""
        found: dict[int, float] = {}
        for failure, moment in list(self.seen.items()):
            sent, partition = self.sent.get(failure, (0.0, -1))
            if sent > since:
                found[partition] = min(moment, found.get(partition, moment))
        return found

    async def until_answered(self, since: float, partitions: set[int]) -> dict[int, float]:
        """Return what ``answered`` does, of these partitions, once each has an answer."""
        await until(lambda: partitions <= self.answered(since).keys())
        found = self.answered(since)
        return {number: found[number] for number in partitions}


async def until(predicate: Callable[[], bool]) -> None:
    """Return once ``predicate``, which may block for a moment, is true."""
    async with asyncio.timeout(LIMIT_S):
        while not await asyncio.to_thread(predicate):  # noqa: ASYNC110 - other processes set no event here
            await asyncio.sleep(0.005)


def shared(line: Supervisor) -> bool:
    """Return whether each worker holds partitions, and all are held."""
    shares = [held(child) for child in line.children]
    return all(shares) and len(set().union(*shares)) == line.settings.partitions


def held(child: Child) -> set[int]:
    """Return the partitions that a worker holds and has restored."""
    with urllib.request.urlopen(f"{child.url()}/v1/state", timeout=5) as response:  # noqa: S310 - our own worker
        state = json.loads(response.read())
    return {one["partition"] for one in state["partitions"]} if state["ready"] else set()


@contextmanager
def watched(line: Supervisor) -> Iterator[None]:
    """Let the supervisor look after the line as ``jidoka up`` does."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(WATCH_S):
            line.watch()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def measure(case: str, line: Supervisor, trickle: Trickle) -> dict[str, Any]:
    """Carry out one case on a line that is up, and return its figures in seconds."""
    victim, *others = line.children
    partitions = await asyncio.to_thread(held, victim)
    witness = others[0] if case == "takeover" else victim
    mark = witness.log.stat().st_size
    await trickle.until_answered(time.monotonic(), set(range(line.settings.partitions)))
    if victim.process is None:
        raise RuntimeError(f"{victim.name} does not run")
    begun = time.monotonic()
    stopping = None
    if case == "clean":
        victim.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(victim.process.wait)
        stopping, begun = time.monotonic() - begun, time.monotonic()
        offset = time.time() - time.monotonic()
        victim.start()
    else:
        offset = time.time() - time.monotonic()
        os.kill(victim.process.pid, signal.SIGKILL)
    guard = watched(line) if case == "restart" else contextlib.nullcontext()
    with guard:
        answered = await trickle.until_answered(begun, partitions)
    return {
        "first_s": min(answered.values()) - begun,
        "last_s": max(answered.values()) - begun,
        "partitions": len(partitions),
        "stop_s": stopping,
        "stages_s": stages(witness.log.read_bytes()[mark:].decode(errors="replace"), begun + offset),
    }


def stages(log: str, begun: float) -> dict[str, float]:
    """Return when the log tells of each stage, in seconds after ``begun`` (UNIX time)."""
    found = {}
    for name, pattern in STAGES.items():
        for text in log.splitlines():
            stamp = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})", text)
            if stamp and re.search(pattern, text):
                at = time.mktime(time.strptime(stamp[1], "%Y-%m-%d %H:%M:%S")) + int(stamp[2]) / 1000
                found[name] = round(at - begun, 2)  # the last one counts
    return found


async def run_case(case: str, settings: Settings) -> dict[str, Any]:
    """Return the figures of one run, on workers of its own."""
    workers = 2 if case == "takeover" else 1
    line = await asyncio.to_thread(Supervisor(settings, workers, lambda _text: None, web=False).__enter__)
    try:
        await until(lambda: shared(line))
        async with Trickle(settings).running() as trickle:
            return await measure(case, line, trickle)
    finally:
        await asyncio.to_thread(line.stop)


def describe(result: dict[str, Any]) -> str:
    """Return one run's figures for people."""
    parts = ", ".join(f"{name} at {seconds:.1f}" for name, seconds in result["stages_s"].items())
    stop = f"stopped in {result['stop_s']:.1f} s; " if result["stop_s"] is not None else ""
    return (
        f"{stop}first new prediction after {result['first_s']:.2f} s, all {result['partitions']} partitions "
        f"after {result['last_s']:.2f} s ({parts})"
    )


async def run(arguments: argparse.Namespace, settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the figures of all cases."""
    await ensure_topics(settings.broker or "", settings)
    state = await asyncio.to_thread(wide_state, arguments.model_mb)
    size = len(snapshot.base(state))
    await write_checkpoints(settings, state)
    rows = int((state.classifier.squares > 0).sum())
    tell(f"each of {settings.partitions} partitions has a checkpoint of {size / 1e6:.1f} MB ({rows} rows in use)")
    cases = {}
    for case in arguments.case or CASES:
        results = []
        for _ in range(arguments.repeat):
            results.append(await run_case(case, settings))
            tell(f"{case}: {describe(results[-1])}")
        first = [one["first_s"] for one in results]
        cases[case] = {
            "target_s": CASES[case],
            "median_first_s": round(statistics.median(first), 3),
            "worst_first_s": round(max(first), 3),
            "runs": results,
        }
    return {"snapshot_bytes": size, "rows": rows, "partitions": settings.partitions, "cases": cases}


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; default: 3")
    parser.add_argument("--model-mb", type=float, default=20, help="megabytes of each partition's base snapshot")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    if arguments.partitions < 2 and "takeover" in (arguments.case or CASES):
        parser.error("--partitions 1: two workers cannot share it; give 2 or more, or --case restart --case clean")
    with tempfile.TemporaryDirectory(prefix="jidoka-recovery-") as name:
        folder = Path(name)
        with EmbeddedBroker(folder / "broker", port=ports.any_free()) as broker:
            settings = Settings(
                broker=broker.bootstrap,
                data_dir=folder / "line",
                partitions=arguments.partitions,
                app_id="jidoka-recovery",
                http_port=0,
                warm_start=False,
            )
            figures = asyncio.run(run(arguments, settings, lambda text: print(text, file=sys.stderr)))
    if arguments.json:
        print(json.dumps(figures, indent=1))
        return
    for case, one in figures["cases"].items():
        reached = "reached" if one["worst_first_s"] <= one["target_s"] else "MISSED"
        print(
            f"{case:9} first new prediction: median {one['median_first_s']:.2f} s, worst {one['worst_first_s']:.2f} s; "
            f"target {one['target_s']:.0f} s {reached}"
        )


if __name__ == "__main__":
    main()
