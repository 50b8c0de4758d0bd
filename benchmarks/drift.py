"""Which detector sees a changed mix of error codes, how soon, and how often it cries wolf.

``python -m benchmarks.drift --corpus a.parquet b.parquet`` prints a table of detectors. Streams are drawn from the real
builds of each origin: ``iid`` one diagnostic at a time, ``bursty`` whole builds in which errors come as cascades,
``directories`` the builds of whole directories together. An event is a vote: a code counts once in a build. Changes
come after ``QUIET`` events and count as found within ``FOUND``; an alarm before them is a false one, and that run says
nothing of the delay. Delays are medians over all runs, those that found nothing at infinity. False alarms are counted
on streams without a change, from the end of the baseline on, and given per 100,000 events.

Nothing is tuned here: detectors calibrate themselves on their own streams. ``--part`` takes one half of the files, by a
hash of their names, so that whoever changes a default can do it on one half and report the other.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from math import inf, isfinite
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import figures
from benchmarks.drift_rivals import Detector, contenders
from benchmarks.drift_streams import KINDS, Build, Scenario, Source, changed, flow, read, scenarios

QUIET, FOUND = 4_000, 5_000  # events before a change, and after it
NULL_EVENTS = 40_000  # of a stream without a change, then another begins


class Run(NamedTuple):
    """A stream with a change: whether it was found, the delay in events and diagnostics, and the alarm before it."""

    found: bool
    events: float
    diagnostics: float
    false: bool


def follow(make: Callable[[], Detector], scenario: Scenario, kind: str, seed: int) -> Run:
    """Return what a new detector makes of one stream with a change."""
    draw = random.Random(f"{scenario.name} {kind} {seed}")  # noqa: S311 - a stream, not a secret
    detector, votes = make(), 0
    quiet = flow(scenario.before, kind, draw)
    while votes < QUIET:
        build = next(quiet)
        votes += len(set(build))
        detector.update(build)
        if detector.alarm:
            return Run(found=False, events=inf, diagnostics=inf, false=True)
    votes = diagnostics = 0
    for build in changed(scenario, kind, draw):
        votes += len(set(build))
        diagnostics += len(build)
        detector.update(build)
        if detector.alarm:
            return Run(found=True, events=votes, diagnostics=diagnostics, false=False)
        if votes >= FOUND:
            break
    return Run(found=False, events=inf, diagnostics=inf, false=False)


def false_alarms(make: Callable[[], Detector], source: Source, kind: str, events: int, seed: int) -> tuple[int, int]:
    """Return alarms and events of streams without a change; after an alarm, and now and then, a new one begins."""
    alarms = total = 0
    while total < events:
        draw = random.Random(f"{source.name} {kind} {seed} {total}")  # noqa: S311 - a stream, not a secret
        detector, votes = make(), 0
        for build in flow(source, kind, draw):
            votes += len(set(build))
            detector.update(build)
            if detector.alarm or votes >= NULL_EVENTS:
                break
        alarms += detector.alarm
        total += votes
    return alarms, total


def cost(make: Callable[[], Detector], builds: Sequence[Build]) -> float:
    """Return microseconds of processor time per build, the baseline not counted."""
    detector = make()
    for build in builds:
        detector.update(build)
        if getattr(detector, "votes", 2_000) >= 2_000:
            break
    for build in builds[:2_000]:
        detector.update(build)
    begin = time.process_time()
    for build in builds[:4_000]:
        detector.update(build)
    return (time.process_time() - begin) / min(4_000, len(builds)) * 1e6


def summary(runs: Sequence[Run]) -> dict[str, float | None]:
    """Return the share found and the median delays of the runs without a false alarm; ``None`` beyond ``FOUND``."""
    judged = [one for one in runs if not one.false]
    if not judged:
        return {"found": 0.0, "delay": None, "delay_diagnostics": None}
    delay, diagnostics = median(one.events for one in judged), median(one.diagnostics for one in judged)
    return {
        "found": sum(one.found for one in judged) / len(judged),
        "delay": delay if isfinite(delay) else None,
        "delay_diagnostics": diagnostics if isfinite(diagnostics) else None,
    }


def measure(
    make: Callable[[], Detector], sources: list[Source], changes: list[Scenario], seeds: int, events: int
) -> dict[str, Any]:
    """Return every figure of one detector; ``events`` is the length of each source's streams without a change."""
    found: dict[str, Any] = {}
    single: list[Run] = []
    scenes: dict[str, dict[str, Any]] = {}
    for kind in KINDS[:2]:
        runs = {one.name: [follow(make, one, kind, seed) for seed in range(seeds)] for one in changes}
        figures_of = summary([run for held in runs.values() for run in held])
        found[f"{kind}_found"], found[f"{kind}_delay"] = figures_of["found"], figures_of["delay"]
        found[f"{kind}_delay_diagnostics"] = figures_of["delay_diagnostics"]
        scenes[kind] = {name: summary(held) for name, held in runs.items()}
        if kind == "iid":
            single = [run for one in changes if one.kind == "new" and one.amount == 0.01 for run in runs[one.name]]
    found["new_category_delay"] = summary(single)["delay"]
    for kind in KINDS:
        counted = [false_alarms(make, one, kind, events, 1) for one in sources]
        found[f"false_alarms_{kind}"] = sum(one[0] for one in counted) / sum(one[1] for one in counted) * 100_000
    largest = max(sources, key=lambda one: len(one.builds))
    stream = flow(largest, "bursty", random.Random(7))  # noqa: S311 - a stream, not a secret
    found["microseconds"] = cost(make, [next(stream) for _ in range(8_000)])
    return {**found, "scenarios": scenes}


HEAD = (
    "detector",
    "iid found",
    "delay",
    "bursty found",
    "delay",
    "new 1 %",
    "false: iid",
    "bursty",
    "dirs",
    "µs/build",
)


def rows(measured: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Yield the lines of the table."""
    for name, one in measured.items():
        delays = [one["iid_delay"], one["bursty_delay"], one["new_category_delay"]]
        shown = ["-" if delay is None else f"{delay:.0f}" for delay in delays]
        alarms = [f"{one[f'false_alarms_{kind}']:.2f}" for kind in KINDS]
        yield [
            name, f"{one['iid_found']:.3f}", shown[0], f"{one['bursty_found']:.3f}", shown[1], shown[2], *alarms,
            f"{one['microseconds']:.1f}",
        ]  # fmt: skip


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(prog="benchmarks.drift", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", nargs="+", type=Path, required=True, help="Parquet files of the corpus schema")
    parser.add_argument("--seeds", type=int, default=5, help="streams per scenario (default 5)")
    parser.add_argument("--events", type=int, default=200_000, help="events without a change, per source and kind")
    parser.add_argument("--quick", action="store_true", help="one seed, 20,000 events, the default detector alone")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these detectors (default: all)")
    parser.add_argument("--part", type=int, choices=(0, 1), help="one half of the files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    args = arguments(argv)
    held = contenders()
    names = args.only or (["jidoka"] if args.quick else list(held))
    if unknown := sorted(set(names) - set(held)):
        print(f"no detector {', '.join(unknown)}; there are: {', '.join(held)}", file=sys.stderr)
        return 2
    try:
        sources = read(args.corpus, args.part or 0, 1 if args.part is None else 2)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if not sources:
        print("no origin in the corpus has 600 diagnostics in 50 files: nothing to draw streams from", file=sys.stderr)
        return 2
    seeds, events = (1, min(20_000, args.events)) if args.quick else (args.seeds, args.events)
    changes, measured = scenarios(sources), {}
    for name in names:
        make, price = held[name]
        print(f"{name}: {len(changes)} changes, {len(sources)} sources", file=sys.stderr, flush=True)
        some = changes[:: max(1, price // 4)]
        measured[name] = measure(make, sources, some, max(1, seeds // price), max(5_000, events // price))
    print(json.dumps(measured, indent=2) if args.json else figures.table(HEAD, rows(measured)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
