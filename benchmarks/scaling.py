"""How a line grows: partitions, workers, brokers for up to 100,000 builds/s. ``python -m benchmarks.scaling``.

A simulation, seeded, in three parts, printed as the tables of ``docs/scaling.md``:

* sizes, measured here: records, deltas, bases and restores on the bundled failures;
* skew: projects drawn from a Zipf distribution, put on partitions by Kafka's own hash of their names (murmur2);
* the cluster: what the load means in bytes, transactions and disks. What cannot be measured here is an option.
"""

from __future__ import annotations

import argparse
import gzip
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import orjson
from aiokafka.partitioner import murmur2
from numpy.typing import NDArray

from models.records import CompilerErrors, content_id, parse
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from streams.checkpoints import BASE_KEYS, DELTAS_PER_BASE, KEPT, Partition, restore

DEMO = Path(__file__).parent.parent / "producers" / "demo" / "failures.jsonl.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RATES = (100, 1_000, 10_000, 100_000)  # failed builds a second
PARTITIONS = (4, 16, 64, 256, 1024)
DRAWS = 20  # of which project has which name
DAY_S = 86_400
REPLICAS = 3
DAYS = {"compiler-errors": 14, "predictions": 30}  # as streams/topics.py keeps them
BASE64 = 4 / 3
WRITES_PER_TRANSACTION = 4  # to the transaction log: partitions added, offsets added, prepared, completed
MARKERS_PER_TRANSACTION = 3  # in predictions, model-checkpoints and __consumer_offsets


@dataclass(frozen=True)
class Sizes:
    """What was measured: bytes of records as they go on the topics, of checkpoints before base64; seconds of CPU."""

    builds: int
    diagnostics: int
    failure: float
    prediction: float
    step_s: float
    delta_per_build: dict[int, float]  # builds in the delta -> bytes
    states: list[tuple[int, int, int, float]]  # rows of the table in use, base, memory in bytes, seconds to restore


def bundled() -> list[CompilerErrors]:
    """Return the bundled failures: real diagnostics of transpiled programs."""
    with gzip.open(DEMO) as lines:
        return [parse(CompilerErrors, line) for line in lines]


def measure(records: list[CompilerErrors]) -> Sizes:
    """Run the records through the step and the checkpoints."""
    state = LineState()
    predictions = [one for record in records for one in step(state, record, NOW)]
    started = time.process_time()
    for record in renamed(records, 1):
        step(state, record, NOW)
    step_s = (time.process_time() - started) / len(records)
    snapshot.mark_saved(state)
    return Sizes(
        len(records),
        sum(len(record.diagnostics) for record in records),
        mean(len(record.to_bytes()) for record in records),
        mean(len(one.to_bytes()) for one in predictions),
        step_s,
        {count: _delta_per_build(state, records, count) for count in (1, 10, 100)},
        [_state(records, rows) for rows in (0, 1 << 15, 1 << 16, 1 << 18)],
    )


def renamed(records: list[CompilerErrors], turn: int) -> list[CompilerErrors]:
    """Return the records under other ids: the same content counts as new."""
    return [record.model_copy(update={"id": content_id(turn, record.id)}) for record in records]


def _delta_per_build(state: LineState, records: list[CompilerErrors], count: int) -> float:
    sizes = []
    for turn, start in enumerate(range(0, 300, count)):
        for record in renamed(records[start : start + count], 10_000 * count + turn):
            step(state, record, NOW)
        sizes.append(len(snapshot.delta(state)))
    return mean(sizes) / count


def _state(records: list[CompilerErrors], rows: int) -> tuple[int, int, int, float]:
    """Return what a partition's state costs that answered 1,200 builds and has at least ``rows`` rows in use."""
    partition = Partition(0, LineState())
    for turn in (1, 2):
        for record in renamed(records, turn):
            step(partition.state, record, NOW)
    classifier, draw = partition.state.classifier, np.random.default_rng(1)
    used = draw.choice(1 << classifier.bits, rows, replace=False)
    for label in range(23 - len(classifier.labels)):
        classifier._column(f"label-{label}")
    classifier.weights[used, : len(classifier.labels)] = draw.normal(size=(rows, len(classifier.labels)))
    classifier.squares[used] = 1.0
    written = [record for _, record in partition.checkpoint(NOW)]
    seconds = []
    for _ in range(3):
        started = time.process_time()
        restore(0, written, LineState)
        seconds.append(time.process_time() - started)
    held = sum(len(one.prediction) + 8 * one.features for one in partition.state.recent.contents()[0])
    memory = classifier.weights.nbytes + classifier.squares.nbytes + held
    return int((classifier.squares > 0).sum()), partition.base_bytes, memory, min(seconds)


@cache
def hashes(projects: int) -> NDArray[np.int64]:
    """Return the hash of each of many project names, as Kafka's clients make it."""
    names = (f"org-{number % 997}/project-{number}".encode() for number in range(projects))
    return np.array([murmur2(name) & 0x7FFFFFFF for name in names], np.int64)


def shares(projects: int, exponent: float, largest: float) -> NDArray[np.float64]:
    """Return each project's share of the builds; one above ``largest`` is cut into equal keys."""
    weights = np.arange(1, projects + 1, dtype=np.float64) ** -exponent
    weights /= weights.sum()
    large, rest = weights[weights > largest], weights[weights <= largest]
    pieces = np.ceil(large / largest).astype(np.int64)
    return np.concatenate([np.repeat(large / pieces, pieces), rest])[:projects]


def hottest(share: NDArray[np.float64], partitions: int, seed: int) -> float:
    """Return the share of the fullest partition: median over draws of which project has which name."""
    draw = np.random.default_rng(seed)
    home = hashes(len(share)) % partitions
    return float(median(np.bincount(draw.permutation(home), share, partitions).max() for _ in range(DRAWS)))


def skew_rows(options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of the table of the fullest partition."""
    cases = ((exponent, largest) for exponent in (0.8, 1.0, 1.2) for largest in (1.0, options.largest))
    for exponent, largest in cases:
        share = shares(options.projects, exponent, largest)
        row = [f"{exponent}", "as they are" if largest == 1 else f"cut at {largest:.2%}", f"{share.max():.2%}"]
        for partitions in PARTITIONS:
            top = hottest(share, partitions, options.seed)
            row.append(f"{top:.2%} ({top * partitions:.1f}x)")
        yield row


def cluster_rows(sizes: Sizes, options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of the table of what a load needs, a column for each rate."""
    columns = [_column(sizes, options, rate) for rate in RATES]
    for name in columns[0]:
        yield [name, *(column[name] for column in columns)]


def _column(sizes: Sizes, options: argparse.Namespace, rate: int) -> dict[str, str]:
    workers = math.ceil(rate / (options.worker * options.load))
    share = shares(options.projects, 1.0, options.largest)
    partitions, top = _partitions(options, share, rate, workers)
    per_partition = rate / partitions
    # A commit takes what has come; one that is not at its limit commits when it has caught up, at most every interval.
    commits = min(1 / options.interval, per_partition)
    delta = _interpolated(sizes.delta_per_build, per_partition / commits)
    base = options.base * 1e6
    bases = base / max(DELTAS_PER_BASE / commits, 60) * partitions
    checkpoints = (rate * delta + bases) * BASE64
    incoming = rate * sizes.failure + rate * sizes.prediction + checkpoints
    disk = rate * DAY_S * (sizes.failure * DAYS["compiler-errors"] + sizes.prediction * DAYS["predictions"]) * REPLICAS
    held = partitions * base * BASE64 * (BASE_KEYS + 2 * len(KEPT)) * REPLICAS
    transactions = partitions * commits
    return {
        "partitions": f"{partitions:,}",
        "workers (processes, one core each)": f"{workers:,}",
        "fullest partition, builds/s": f"{top * rate:,.0f} ({top * rate / options.worker:.0%} of a worker)",
        "written by clients, MB/s": f"{incoming / 1e6:,.1f}",
        "of that checkpoints, MB/s": f"{checkpoints / 1e6:,.1f}",
        f"written to disks ({REPLICAS} replicas), MB/s": f"{incoming * REPLICAS / 1e6:,.1f}",
        "read by workers and replicas, MB/s": f"{(rate * sizes.failure + incoming * (REPLICAS - 1)) / 1e6:,.1f}",
        "kept on disks, TB (14 and 30 days)": f"{disk / 1e12:,.1f}",
        "kept checkpoints, GB": f"{held / 1e9:,.1f}",
        "transactions/s": f"{transactions:,.0f}",
        "writes to the transaction log/s, markers/s": (
            f"{transactions * WRITES_PER_TRANSACTION:,.0f}, {transactions * MARKERS_PER_TRANSACTION:,.0f}"
        ),
        "brokers for disks and network": f"{max(3, math.ceil(incoming * REPLICAS / 1e6 / options.broker)):,}",
        "memory of a worker, GB": f"{options.memory * partitions / workers / 1000 + 0.2:,.1f}",
    }


def _partitions(options: argparse.Namespace, share: NDArray[np.float64], rate: int, workers: int) -> tuple[int, float]:
    """Return the smallest power of two with 4 partitions a worker whose fullest one fits into a worker, and it."""
    partitions = 4
    while True:
        top = hottest(share, partitions, options.seed)
        enough = partitions >= 4 * workers and top * rate <= options.worker * options.load
        if enough or partitions >= 1 << 14:
            return partitions, top
        partitions *= 2


def _interpolated(known: dict[int, float], builds: float) -> float:
    return float(np.interp(math.log(max(builds, 1)), [math.log(one) for one in known], list(known.values())))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def size_tables(sizes: Sizes) -> str:
    """Return the measured sizes as two tables."""
    deltas = ", ".join(f"{size / 1000:.1f} kB ({count})" for count, size in sizes.delta_per_build.items())
    rows = [
        ["failed builds, diagnostics", f"{sizes.builds}, {sizes.diagnostics}"],
        ["a `compiler-errors` record", f"{sizes.failure / 1000:.1f} kB"],
        ["its `predictions` record", f"{sizes.prediction / 1000:.1f} kB"],
        ["a delta, per build (builds in one commit)", deltas],
        ["a step, on this machine", f"{sizes.step_s * 1e3:.2f} ms of CPU a build"],
    ]
    states = [
        [f"{rows_:,}", f"{base / 1e6:.1f} MB", f"{memory / 1e6:.0f} MB", f"{seconds:.2f} s"]
        for rows_, base, memory, seconds in sizes.states
    ]
    head = ["rows in use of 262,144", "base", "memory", "CPU seconds to restore"]
    return table(["measured on the bundled failures", ""], rows) + "\n\n" + table(head, states)


def arguments() -> argparse.ArgumentParser:
    """Return the options, each an assumption that the tables rest on."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--largest", type=float, default=0.001, help="share above which a project is cut into keys")
    parser.add_argument("--worker", type=float, default=830, help="builds/s that one worker process carries")
    parser.add_argument("--load", type=float, default=0.6, help="share of that to plan with")
    parser.add_argument("--interval", type=float, default=0.3, help="seconds between two commits of a busy partition")
    parser.add_argument("--base", type=float, default=3.0, help="MB of a partition's base")
    parser.add_argument("--memory", type=float, default=60, help="MB of a partition's state in a worker")
    parser.add_argument("--broker", type=float, default=200, help="MB/s that one broker writes, replicas included")
    parser.add_argument("--json", action="store_true", help="the measured sizes as JSON")
    return parser


def main() -> None:
    """Print the tables."""
    options = arguments().parse_args()
    sizes = measure(bundled())
    if options.json:
        sys.stdout.write(orjson.dumps(sizes, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")
        return
    partitions = [f"{one:,} partitions" for one in PARTITIONS]
    skew: list[Any] = ["Zipf exponent", "projects", "largest key", *partitions]
    rates = ["failed builds/s", *(f"{rate:,}" for rate in RATES)]
    parts = [
        size_tables(sizes),
        table(skew, list(skew_rows(options))),
        table(rates, list(cluster_rows(sizes, options))),
    ]
    sys.stdout.write("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
