"""Programs per second, and memory, of ``jidoka generate`` beside hypothesmith: ``python -m benchmarks.generate``.

Every run of ours is the whole command, from its start to the file's last byte: imports, duplicates, ids, Parquet.
hypothesmith (random Python from the grammar, or from libcst's nodes) only draws its programs, in one process, as it
can; they parse, and are not meant to run. Rates for one core are of processor time. Memory is the largest resident size
of any one process; a run with a fifth of the programs stands beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import stage
from producers.generate.kinds import LEVELS
from producers.generate.request import STRATEGIES

WARM_UP = 20  # programs of a rival that are not counted
CODE = "import sys; from streams.cli import main; main()"


def ours(strategy: str, level: str, count: int, depth: int, processes: int) -> dict[str, Any]:
    """Return the rates and the memory of one run of the command."""
    with tempfile.TemporaryDirectory(prefix="jidoka-bench-") as folder:
        path = Path(folder) / "programs.parquet"
        command = [sys.executable, "-c", CODE, "generate", "--output", str(path), "--strategy", strategy]
        command += ["--count", str(count), "--max-depth", str(depth), "--processes", str(processes), "--json"]
        command += ["--level", level] if strategy != "curriculum" else []
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise stage.BenchmarkError(f"generate --strategy {strategy} ended with status {process.returncode}")
        size = path.stat().st_size
    return {
        "what": f"{strategy}, {level}" if strategy != "curriculum" else strategy,
        "programs": count,
        "depth": depth,
        "processes": processes,
        "per_s": count / wall_s,
        "per_cpu_s": count / (usage.ru_utime + usage.ru_stime),
        "memory_mb": usage.ru_maxrss / 1024,
        "bytes": size / count,
    }


def rival(name: str, seconds: float) -> dict[str, Any] | None:
    """Return the rate of one of hypothesmith's strategies, or nothing where it is not installed."""
    try:
        import hypothesmith
        from hypothesis import HealthCheck, Phase, given, settings
    except ImportError:
        return None
    counted = {"programs": 0, "chars": 0, "from": 0.0}
    begin = time.process_time()

    class _EnoughError(Exception):
        pass

    @settings(
        max_examples=10**9,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(getattr(hypothesmith, name)())
    def draw(source: str) -> None:
        counted["programs"] += 1
        counted["chars"] += len(source)
        if counted["programs"] == WARM_UP:
            counted["from"] = time.process_time()
        if time.process_time() - begin > seconds:
            raise _EnoughError

    with suppress(_EnoughError):
        draw()
    spent = time.process_time() - (counted["from"] or begin)
    return {
        "what": f"hypothesmith {metadata.version('hypothesmith')}, {name}",
        "programs": counted["programs"],
        "processes": 1,
        "per_cpu_s": max(0, counted["programs"] - WARM_UP) / spent,
        "chars": counted["chars"] / max(1, counted["programs"]),
    }


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, one after the other."""
    count, cores, depth = arguments.count, arguments.processes, arguments.max_depth
    plan = [("random", "basic", count // 5, cores), ("random", "basic", count, cores)]
    plan += [("random", level, count // 5, cores) for level in LEVELS[1:]]
    plan += [(strategy, "basic", count // 20, 1) for strategy in STRATEGIES]
    found = []
    for strategy, level, programs, processes in plan:
        stage.tell(f"{programs:,} programs, {strategy}, {level}")
        found.append(ours(strategy, level, programs, depth, processes))
    rivals = [rival(name, arguments.rival_s) for name in ("from_grammar", "from_node")]
    return {"ours": found, "rivals": [one for one in rivals if one], "cores": os.cpu_count()}


def report(figures: dict[str, Any]) -> str:
    """Return the figures as tables."""
    console = Console(width=110, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123 - nothing is written
    table = Table("programs", "what", "processes", "per s", "per s of processor", "largest MB", "bytes each", box=None)
    for one in figures["ours"]:
        rates = (f"{one['per_s']:,.0f}", f"{one['per_cpu_s']:,.0f}", f"{one['memory_mb']:.0f}", f"{one['bytes']:.0f}")
        table.add_row(f"{one['programs']:,}", one["what"], str(one["processes"]), *rates)
    for one in figures["rivals"]:
        table.add_row(
            f"{one['programs']:,}", one["what"], "1", "", f"{one['per_cpu_s']:,.1f}", "", f"{one['chars']:.0f}"
        )
    console.print(table)
    return console.export_text()


def _arguments() -> argparse.Namespace:
    parser = stage.parser("generate", __doc__)
    parser.add_argument("--count", type=int, default=100_000, help="programs of the largest run")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--rival-s", type=float, default=30.0, help="seconds for each rival")
    return parser.parse_args()


if __name__ == "__main__":
    stage.main(_arguments(), run, report)
