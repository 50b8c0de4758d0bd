"""Makes the bundled failures anew: ``python -m producers.demo.build [--output F] [--jobs N] [--limit N]``.

The same tools give the same bytes on every run. Takes about seven minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from models.records import CompilerErrors
from producers.demo import failures_path
from producers.demo.compose import Program, programs
from producers.demo.toolchain import Outcome, Tools, find_tools, try_program, version_warnings
from producers.transpile.tools import ToolError


def outcomes(chosen: list[Program], tools: Tools, jobs: int) -> Iterator[Outcome]:
    """Yield what becomes of each program, in their order, ``jobs`` of them at a time."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            yield from pool.map(lambda program: try_program(program, tools), chosen)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write(path: Path, records: list[CompilerErrors]) -> None:
    """Write the records as gzipped JSON lines; neither the clock nor the file's name gets into the bytes."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        for record in records:
            packed.write(record.to_bytes() + b"\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 1 with a message on stderr."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    chosen = programs()
    if options.show:
        return _show(chosen, options.show, console)
    if options.limit is not None and options.output is None:
        console.print("--limit makes only a part: say with --output where to put it")
        return 1
    try:
        tools = find_tools()
        for warning in version_warnings(tools):
            console.print(f"warning: {warning}; the records will differ")
        results = _collect(chosen[: options.limit], tools, options.jobs, console)
    except ToolError as error:
        console.print(str(error))
        return 1
    output = options.output or failures_path()
    write(output, [result.failure for result in results if result.failure is not None])
    counts = Counter(result.kind for result in results)
    console.print(
        f"{len(results)} programs: {', '.join(f'{n} {kind}' for kind, n in sorted(counts.items()))} → {output}"
    )
    return 0


def _collect(chosen: list[Program], tools: Tools, jobs: int, console: Console) -> list[Outcome]:
    running = outcomes(chosen, tools, jobs)
    return list(track(running, "depyler, rustc", total=len(chosen), console=console))


def _show(known: list[Program], wanted: str, console: Console) -> int:
    source = next((program.source for program in known if program.id == wanted), None)
    if source is None:
        console.print(f"no program {wanted!r}; there are {known[0].id} to {known[-1].id}")
        return 1
    sys.stdout.write(source)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m producers.demo.build", description=__doc__)
    parser.add_argument("--output", type=Path, help="file to write; default: the bundled one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="programs tried at the same time")
    parser.add_argument("--limit", type=int, help="only the first N programs")
    parser.add_argument("--show", metavar="ID", help="print the Python program of a record's program_id and stop")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
