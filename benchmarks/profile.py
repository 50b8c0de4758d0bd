"""Where a worker's time goes: ``make bench-profile``; py-spy looks at it, or at ``--contender c``, under full load.

The input is in the topic before; the profile begins with the first committed answer. Time in which a thread waits is
not counted. The figures say how much of a processor the process had meanwhile.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

from benchmarks import figures, layers, stage, throughput, wire
from benchmarks.layers import Shares

RATE_HZ = 200
FUNCTIONS = 25


def record(pid: int, path: Path, seconds: float) -> Popen[bytes]:
    """Start py-spy on a process; it looks without stopping it."""
    program = Path(sys.executable).with_name("py-spy")
    if not program.exists():
        raise stage.BenchmarkError(f"no {program}: run `make bench-venv` and use .venv-bench/bin/python")
    what = ["--pid", str(pid), "--duration", f"{seconds:.0f}", "--rate", str(RATE_HZ), "--output", str(path)]
    command = [str(program), "record", "--format", "raw", "--full-filenames", "--nonblocking", *what]
    return Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - our own arguments


def watch(
    process: Popen[bytes], log: Path, answers: wire.Answers, path: Path, seconds: float
) -> tuple[Shares, dict[str, float]]:
    """Profile a process from its first answer on; return where its time went, and what it did meanwhile."""
    while not answers.poll():
        stage.check_alive(process, log)
    cpu_s = throughput.cpu_clock(process.pid)
    busy, begun, before = cpu_s(), time.monotonic(), answers.diagnostics
    profiler = record(process.pid, path, seconds)
    try:
        while profiler.poll() is None:
            answers.poll()
            stage.check_alive(process, log)
    finally:
        profiler.kill()
        said = profiler.communicate()[0].decode(errors="replace").strip()
    took = time.monotonic() - begun
    if profiler.returncode:
        raise stage.BenchmarkError(f"py-spy: {said[-500:]}")
    did = {"cpu": (cpu_s() - busy) / took, "diagnostics_per_s": (answers.diagnostics - before) / took}
    return layers.shares(layers.stacks(path.read_text().splitlines())), did


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures."""
    machine = figures.machine()
    with tempfile.TemporaryDirectory(prefix="jidoka-bench-input-") as folder:
        given = throughput.prepare(arguments.corpus, Path(folder), arguments.input, arguments.diagnostics)
        path = arguments.raw or Path(folder) / "raw.txt"
        with stage.broker(arguments.partitions) as settings:
            pushed = wire.push(settings.broker or "", throughput.SOURCE, given)
            with throughput.running(settings, arguments.contender, "profile") as (process, log, sink):
                answers = wire.Answers(settings.broker or "", sink, settings.partitions, pushed)
                try:
                    found, did = watch(process, log, answers, path, arguments.seconds)
                finally:
                    answers.close()
    what = {"contender": arguments.contender, "partitions": arguments.partitions, "input": given.describe()}
    return {"machine": machine, **what, **did, **found._asdict()}


def report(found: dict[str, Any]) -> str:
    """Return the figures as text."""
    head = f"({found['contender']}) on {found['input']}"
    did = (
        f"{found['samples']} samples; {found['cpu']:.0%} of a processor and {found['diagnostics_per_s']:,.0f} "
        "diagnostics/s while py-spy looked"
    )
    parts = [figures.describe(found["machine"], found["partitions"]), head, did, ""]
    parts.append(figures.table(("layer", "share"), [(name, f"{share:.1%}") for name, share in found["layers"]]))
    for title, key in (("function, itself", "own"), ("function, with what it calls", "total")):
        rows = [(name, f"{share:.1%}") for name, share in found[key][:FUNCTIONS]]
        parts += ["", figures.table((title, "share"), rows)]
    return "\n".join(parts)


def main() -> None:
    """Read the command line, run, print."""
    parser = stage.parser("profile", __doc__)
    parser.add_argument("--contender", choices=list(throughput.CONTENDERS), default="d")
    parser.add_argument("--input", choices=throughput.INPUTS, default="real")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--diagnostics", type=int, default=300_000, help="pushed before")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep the raw profile, e.g. for a flame graph")
    stage.main(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
