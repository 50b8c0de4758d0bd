"""A log of hundreds of megabytes needs no more memory than a small one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

DATA = Path(__file__).parent / "data"
LARGE_BYTES = 320 << 20

# In a process of its own, because the peak of memory is the process's.
SCRIPT = """
import resource, sys, time
from datetime import datetime, UTC
from pathlib import Path
from producers.ci import Report, open_input, read
report, begin = Report(), time.process_time()
with open_input(Path(sys.argv[1])) as source:
    for record in read(source, project="demo", time=datetime.now(UTC), report=report):
        pass
seconds = time.process_time() - begin
print(report.accepted, report.diagnostics, report.exit_code)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, seconds)
"""


def write_log(path: Path, size: int) -> None:
    """Write a cargo log of at least ``size`` bytes: builds of many crates, three errors each, all different."""
    source = [orjson.loads(line) for line in (DATA / "rustc.json").read_bytes().splitlines()]
    errors = [message for message in source if message["spans"]]
    written = number = 0
    with path.open("wb") as log:
        while written < size:
            number += 1
            target = {"name": f"crate{number}", "kind": ["lib"]}
            shared = {
                "reason": "compiler-message",
                "package_id": f"path+file:///x/crate{number}#0.1.0",
                "target": target,
            }
            messages = [{**errors[(number + k) % len(errors)], "message": f"message {number} {k}"} for k in range(3)]
            lines = [
                *({**shared, "message": item} for item in messages),
                {"reason": "compiler-artifact", "target": target},
            ]
            for line in lines:
                written += log.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def measure(path: Path) -> tuple[list[int], int, float]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    counts, costs = done.stdout.splitlines()
    memory, seconds = costs.split()
    return [int(count) for count in counts.split()], int(memory), float(seconds)


@pytest.mark.scale
def test_memory_stays_flat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cargo log of over 300 MB takes at most 64 MB more than one of 1 MB."""
    small, large = tmp_path / "small.json", tmp_path / "large.json"
    write_log(small, 1 << 20)
    write_log(large, LARGE_BYTES)
    _, small_kib, _ = measure(small)
    (accepted, diagnostics, code), large_kib, seconds = measure(large)
    large.unlink()
    said = (
        f"\n{accepted} records, {diagnostics} diagnostics: {diagnostics / seconds:.0f} a second of CPU\n"
        f"peak memory: {small_kib >> 10} MB for 1 MB, {large_kib >> 10} MB for {LARGE_BYTES >> 20} MB\n"
    )
    with capsys.disabled():
        sys.stdout.write(said)
    assert code == 0
    assert diagnostics == 3 * accepted
    assert large_kib - small_kib < 64 << 10
