"""What runs in the sandbox is bounded: time, memory, files, network; and nothing of it is left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from producers.sandbox import Limits, confinement, run
from tests.polling import poll

LIMITS = Limits(wall_s=20, cpu_s=10, memory_bytes=1 << 30, output_bytes=1 << 20)


def python(source: str) -> list[str]:
    """Return the command that runs ``source``."""
    return [sys.executable, "-S", "-c", source]


def test_output_and_status_come_back(tmp_path: Path) -> None:
    """Exit status, standard output and standard error are those of the command."""
    ran = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), tmp_path, LIMITS)
    assert (ran.status, ran.stdout, ran.stderr, ran.timed_out) == (3, b"out\n", b"err\n", False)


def test_a_hang_ends_with_its_time(tmp_path: Path) -> None:
    """What takes too long is killed and told apart from a crash."""
    begin = time.monotonic()
    ran = run(["sleep", "60"], tmp_path, Limits(wall_s=0.2, cpu_s=10, memory_bytes=1 << 30))
    assert (ran.timed_out, ran.crashed) == (True, False)
    assert time.monotonic() - begin < 10


def test_children_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """A child that the command leaves behind is killed with the command's process group."""
    source = "import subprocess as s; print(s.Popen(['sleep', '600']).pid, flush=True)"
    pid = int(run(python(source), tmp_path, LIMITS).stdout)
    assert poll(lambda: not _alive(pid))


def test_a_crash_is_told(tmp_path: Path) -> None:
    """A command that a signal ends has crashed."""
    assert run(python("import os; os.abort()"), tmp_path, LIMITS, network=False).crashed


def test_memory_is_bounded(tmp_path: Path) -> None:
    """More memory than allowed is not given."""
    ran = run(python("x = bytearray(4 << 30)"), tmp_path, LIMITS, network=False)
    assert b"MemoryError" in ran.stderr


def test_processor_time_is_bounded(tmp_path: Path) -> None:
    """A busy loop ends with its processor time, long before the wall clock's limit."""
    ran = run(python("while True: pass"), tmp_path, Limits(wall_s=60, cpu_s=1, memory_bytes=1 << 30))
    assert ran.crashed
    assert ran.cpu_s < 10


def test_files_are_bounded(tmp_path: Path) -> None:
    """A file grows to the limit and no further."""
    run(python("open('big', 'wb').write(b'x' * (4 << 20))"), tmp_path, LIMITS, network=False)
    assert (tmp_path / "big").stat().st_size <= LIMITS.output_bytes


def test_generated_programs_see_no_network(tmp_path: Path) -> None:
    """Without network there is no way out, not even to this machine, wherever the machine can take it away."""
    source = "import socket; s = socket.socket(); s.settimeout(2); s.connect(('127.0.0.1', 9)); print('out')"
    names = "import socket; print([name for _, name in socket.if_nameindex() if name != 'lo'])"
    assert b"out" not in run(python(source), tmp_path, LIMITS, network=False).stdout
    if confinement() == "limits and no network":
        assert run(python(names), tmp_path, LIMITS, network=False).stdout == b"[]\n"


def test_generated_programs_see_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated program sees neither tokens nor the user's home."""
    monkeypatch.setenv("JIDOKA_TOKEN", "secret")
    ran = run(python("import os; print(os.environ)"), tmp_path, LIMITS, network=False)
    assert b"secret" not in ran.stdout
    assert str(Path.home()).encode() + b"'" not in ran.stdout


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
