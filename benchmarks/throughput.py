"""Throughput, same input, same machine, one run: ``make bench-throughput CORPUS="a.parquet b.parquet"``.

Contenders, each in a process of its own, one after the other, again and again:

* ``a``        naive Faust agent + river, jidoka's features; this is 1.0
* ``a-words``  the same with a newcomer's features: the words of the message
* ``b``        Quix Streams + river, jidoka's features
* ``c``        hand-written confluent-kafka transactional loop with jidoka's step: the same guarantees
* ``d``        jidoka: a worker process, exactly once

The input is in the topic before a contender starts. Timed is from the first to the last committed answer that a
``read_committed`` reader sees; the first answers themselves are not counted, so starting and restoring are not in it.
A contender is stopped after ``--seconds`` or at the end of the input; slower ones get through less of it, and the order
is drawn, so that every beginning is like the whole.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil

from benchmarks import figures, inputs, stage, wire
from benchmarks.figures import Rate
from benchmarks.inputs import Input
from models.records import CompilerErrors, Prediction
from streams.settings import Settings
from streams.topics import topic_name

CONTENDERS = {  # name -> module and further options; jidoka is a worker
    "a": ("naive_faust", ("--features", "same")),
    "a-words": ("naive_faust", ("--features", "words")),
    "b": ("quix", ("--features", "same")),
    "c": ("loop", ()),
    "d": None,
}
SHORT = ("a", "a-words", "b")  # their rates hardly vary, so they get half the time
TARGETS = {"real": [("d", "a", 25.0), ("d", "c", 0.9)], "single": [("d", "a", 4.0), ("d", "c", 0.9)]}
INPUTS = ("real", "single")
SOURCE, SINK = topic_name(CompilerErrors), topic_name(Prediction)
FIRST_ANSWER_S, NEXT_ANSWER_S = 90.0, 30.0


def prepare(files: list[Path], folder: Path, name: str, diagnostics: int) -> Input:
    """Write an input: builds as they are (``real``), or one diagnostic in each (``single``)."""
    documents = inputs.corpus(files)
    if name == "single":
        documents = list(inputs.singles(documents))
    return inputs.write(name, folder / f"{name}.jsonl", inputs.passes(documents), diagnostics)


@contextmanager
def running(settings: Settings, name: str, run: str) -> Iterator[tuple[Popen[bytes], Path, str]]:
    """Run a contender as group ``run``; yield its process, its log, and the topic that it writes to."""
    stage.fresh_topics(settings)
    own, bootstrap, chosen = settings.model_copy(update={"app_id": run}), settings.broker or "", CONTENDERS[name]
    if chosen is None:
        with stage.worker(own) as process:
            yield process, stage.log_of(own, "worker-1"), SINK
        return
    module, options = chosen
    sink, folder = f"answers-{run}", str(own.data_dir / run)
    wire.create(bootstrap, sink, settings.partitions)
    places = ("--bootstrap", bootstrap, "--source", SOURCE, "--sink", sink, "--group", run, "--folder", folder)
    with stage.contender(own, module, *places, *options) as process:
        yield process, stage.log_of(own, module), sink
    wire.delete(bootstrap, sink)


def measure(settings: Settings, name: str, run: str, pushed: wire.Pushed, seconds: float) -> Rate:
    """Run a contender on the pushed input for so many seconds and return its rate."""
    with running(settings, name, run) as (process, log, sink):
        answers = wire.Answers(settings.broker or "", sink, settings.partitions, pushed)
        answers.cpu_s = cpu_clock(process.pid)
        try:
            collect(answers, process, log, seconds)
        finally:
            answers.close()
    return figures.rate(name, answers.seen)


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return what tells how much processor time a process has taken (seconds)."""
    looked_at = psutil.Process(pid)
    return lambda: sum(looked_at.cpu_times()[:2])


def collect(answers: wire.Answers, process: Popen[bytes], log: Path, seconds: float) -> None:
    """Count answers for ``seconds`` from the first on, or until all are there."""
    deadline, builds = time.monotonic() + FIRST_ANSWER_S, len(answers.pushed.given.ids)
    while answers.count < builds:
        if answers.poll():
            deadline = time.monotonic() + NEXT_ANSWER_S
        now = time.monotonic()
        if answers.seen and now > answers.seen[0].at + seconds:
            return
        if now > deadline:
            raise stage.BenchmarkError(f"no answer for a long time after {answers.count} of {builds}; log: {log}")
        stage.check_alive(process, log)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of all inputs."""
    found: dict[str, Any] = {"machine": figures.machine(), "partitions": arguments.partitions, "inputs": {}}
    with tempfile.TemporaryDirectory(prefix="jidoka-bench-input-") as folder:
        for name in arguments.input:
            given = prepare(arguments.corpus, Path(folder), name, arguments.diagnostics)
            stage.tell(f"{name}: {given.describe()}")
            with stage.broker(arguments.partitions, commit_interval_s=arguments.commit_interval) as settings:
                rates = repeats(arguments, settings, wire.push(settings.broker or "", SOURCE, given))
            compared = figures.compare(rates, "a" if "a" in arguments.contender else arguments.contender[0])
            found["inputs"][name] = {"input": given.describe(), "contenders": compared}
    return found


def repeats(arguments: argparse.Namespace, settings: Settings, pushed: wire.Pushed) -> list[Rate]:
    """Return the rates of all contenders, in turn."""
    rates, what = [], pushed.given.name
    for number, name in product(range(arguments.repeat), arguments.contender):
        seconds = arguments.seconds / (2 if name in SHORT else 1)
        one = measure(settings, name, f"{what}-{number}-{name}", pushed, seconds)
        stage.tell(
            f"{what} {number + 1}/{arguments.repeat} {name:8} {one.diagnostics_per_s:8,.0f} diagnostics/s "
            f"{one.builds_per_s:8,.0f} builds/s over {one.seconds:.1f} s; {one.diagnostics_per_cpu_s:8,.0f} per CPU s"
        )
        rates.append(one)
    return rates


def report(found: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [figures.describe(found["machine"], found["partitions"])]
    for name, one in found["inputs"].items():
        lines += ["", f"{name}: {one['input']}"]
        head = ("contender", "diagnostics/s: min", "median", "max", "builds/s", "ratio", "per CPU s", "CPU ratio")
        rows = [
            (
                contender,
                *(f"{result['diagnostics_per_s'][which]:,.0f}" for which in ("min", "median", "max")),
                f"{result['builds_per_s']['median']:,.0f}",
                f"{result['ratio']:.2f}",
                f"{result['diagnostics_per_cpu_s']['median']:,.0f}",
                f"{result['cpu_ratio']:.2f}",
            )
            for contender, result in one["contenders"].items()
        ]
        lines.append(figures.table(head, rows))
        lines += verdicts(one["contenders"], TARGETS[name])
    return "\n".join(lines)


def verdicts(compared: dict[str, Any], targets: list[tuple[str, str, float]]) -> list[str]:
    """Return a line for each target whose contenders ran."""
    lines = []
    for faster, slower, target in targets:
        by_time = figures.ratio(compared, faster, slower)
        by_cpu = figures.ratio(compared, faster, slower, "cpu_ratio")
        if by_time is not None and by_cpu is not None:
            verdict = "reached" if by_time >= target else "MISSED"
            lines.append(f"{faster} / {slower}: {by_time:.2f} (by CPU {by_cpu:.2f}), target {target}: {verdict}")
    return lines


def main() -> None:
    """Read the command line, run, print."""
    parser = stage.parser("throughput", __doc__)
    parser.add_argument("--contender", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--input", nargs="+", choices=INPUTS, default=list(INPUTS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="of measuring (c) and (d); half of it for the others")
    parser.add_argument("--diagnostics", type=int, default=300_000, help="in each input")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--commit-interval", type=float, default=0.3, help="of (d), seconds")
    stage.main(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
