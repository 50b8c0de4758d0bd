"""What our line costs beside a loop by hand: ``python -m benchmarks.transpile [--programs N] [--corpus F|FOLDER]``.

By hand: ``depyler transpile``, ``rustc -o``, the program, and ``python`` on the same, for each program. Ours:
transpile (no cache) and verify, confined, each function on 48 inputs beside the program's own output. The two take
turns program by program, so that what else the machine does hits both. Told as ratios of wall-clock time and of
processor time (with all children), and how much faster two workers are than one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from producers.transpile.inputs import open_inputs
from producers.transpile.pipeline import in_parallel
from producers.transpile.tools import find
from producers.transpile.transpiler import Depyler, run_transpiler
from producers.verify.oracle import verify

TEMPLATES = (
    "def scale(a: int, b: int) -> int:\n    return a * {n} + b\n\n\n",
    "def clamp(a: int) -> int:\n    if a > {n}:\n        return {n}\n    return a\n\n\n",
    "def evens(xs: list[int]) -> list[int]:\n    return [x for x in xs if x % {n} == 0]\n\n\n",
    'def label(text: str) -> str:\n    return text.upper() + "{n}"\n\n\n',
    "def power(a: int) -> int:\n    x = a\n    for i in range({n}):\n        x = x + i\n    return x\n\n\n",
)
MAIN = 'def main() -> None:\n    print({n})\n\n\nif __name__ == "__main__":\n    main()\n'


def built_in(count: int) -> list[str]:
    """Return ``count`` distinct programs of two functions and a main."""
    chosen = ((TEMPLATES[n % len(TEMPLATES)], TEMPLATES[(n + 1) % len(TEMPLATES)], MAIN) for n in range(count))
    return ["".join(part.replace("{n}", str(at + 2)) for part in parts) for at, parts in enumerate(chosen)]


def by_hand(source: str) -> None:
    """Do what a person would: four commands in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.py").write_text(source)
        for command in (
            [find("depyler"), "transpile", "x.py"],
            [find("rustc"), "--edition=2021", "x.rs", "-o", "x"],
            ["./x"],
            [sys.executable, "x.py"],
        ):
            subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
            if command[1:2] == ["--edition=2021"] and not (Path(folder) / "x").exists():
                return


def ours(source: str) -> str:
    """Transpile and verify; return the answer."""
    made = run_transpiler(Depyler(), source)
    return verify(source, made.rust, cargo_toml=made.cargo_toml).answer if made.rust is not None else "not transpiled"


def cost(work: Callable[[str], object], source: str) -> tuple[float, float]:
    """Return wall-clock and processor seconds of ``work``, children included."""
    begin, before = time.monotonic(), _processor()
    work(source)
    return time.monotonic() - begin, _processor() - before


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def beside_by_hand(sources: Iterable[str]) -> None:
    """Print the cost of both, taking turns."""
    hand, mine = [0.0, 0.0], [0.0, 0.0]
    count = 0
    for count, source in enumerate(sources, start=1):
        pair = [(by_hand, hand), (ours, mine)]
        for work, total in pair if count % 2 else reversed(pair):
            wall, processor = cost(work, source)
            total[0] += wall
            total[1] += processor
    for name, at in (("wall clock", 0), ("processor", 1)):
        print(
            f"{name}: by hand {hand[at] / count * 1000:.0f} ms, ours {mine[at] / count * 1000:.0f} ms a program; "
            f"ratio {mine[at] / hand[at]:.3f}"
        )


def two_beside_one(sources: list[str], rounds: int = 2) -> None:
    """Print how many programs a second two workers do beside one, in turns."""
    spent = {1: 0.0, 2: 0.0}
    for _ in range(rounds):
        for workers in spent:
            begin = time.monotonic()
            list(in_parallel(ours, sources, workers))
            spent[workers] += time.monotonic() - begin
    rate = {workers: len(sources) * rounds / seconds for workers, seconds in spent.items()}
    print(f"one worker {rate[1]:.2f}, two {rate[2]:.2f} programs/s; ratio {rate[2] / rate[1]:.2f}")


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--corpus", type=Path, help="programs to take instead of the built-in ones")
    options = parser.parse_args()
    sources = built_in(options.programs)
    if options.corpus:
        sources = [one.text for one, _ in zip(open_inputs(options.corpus), range(options.programs), strict=False)]
    ours(sources[0])  # warm: versions asked, crates looked for, network namespaces tried
    beside_by_hand(sources)
    two_beside_one(sources[:12])


if __name__ == "__main__":
    main()
