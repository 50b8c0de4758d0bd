"""Runs a command confined: limits on time, processor, memory and files, no network where the machine allows it.

Nothing goes through a shell. Output goes to files, so that a child that outlives its parent holds nobody up, and is
read back up to a bound. At its end, by itself or not, the whole process group is killed. Limits come from ``prlimit``
and the empty network from ``unshare`` (both util-linux); ``confinement`` tells which of the two this machine has.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PROBE_LIMIT_S = 10.0
KEPT_ENVIRONMENT = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Limits:
    """What a command may use; ``output_bytes`` bounds every file that it writes and what is read back of its output."""

    wall_s: float
    cpu_s: int
    memory_bytes: int
    output_bytes: int = 32 << 20
    open_files: int = 256


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit status, negative for a signal, and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes
    wall_s: float
    cpu_s: float
    timed_out: bool

    @property
    def crashed(self) -> bool:
        """Return whether a signal ended it that was not ours."""
        return self.status < 0 and not self.timed_out

    @property
    def errors(self) -> str:
        """Return standard error as text, whatever its bytes."""
        return self.stderr.decode("utf-8", "replace")


def confinement() -> str:
    """Return what holds a generated program here: ``limits and no network``, ``limits`` or ``time only``."""
    if not _prlimit():
        return "time only"
    return "limits and no network" if _without_network() else "limits"


def run(
    command: Sequence[str],
    folder: Path,
    limits: Limits,
    *,
    network: bool = True,
    environment: dict[str, str] | None = None,
) -> Ran:
    """Run ``command`` in ``folder`` and return how it ended; raises ``OSError`` where it cannot be started.

    ``network=False`` is for programs that somebody generated: they see no network, a fixed environment, and the
    folder as home and as the place for temporary files.
    """
    before = [*_prlimit_command(limits), *(() if network else _without_network())]
    values = _tool_environment() if network else _program_environment(folder)
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            [*before, *command],
            cwd=folder,
            env=values | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            timed_out = not _ends(process.pid, limits.wall_s)
        finally:
            _kill_group(process.pid)
            status, cpu_s = _reap(process)
        wall_s = time.monotonic() - begin
        return Ran(status, _read(stdout.fileno(), limits), _read(stderr.fileno(), limits), wall_s, cpu_s, timed_out)


def _ends(pid: int, limit_s: float) -> bool:
    """Wait until the process ends, without reaping it; return whether it did in time."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(limit_s * 1000))
    finally:
        os.close(descriptor)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _reap(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _read(descriptor: int, limits: Limits) -> bytes:
    return os.pread(descriptor, limits.output_bytes, 0)


def _prlimit_command(limits: Limits) -> list[str]:
    program = _prlimit()
    if not program:
        return []
    return [
        program,
        f"--cpu={limits.cpu_s}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.output_bytes}",
        f"--nofile={limits.open_files}",
        "--core=0",
        "--",
    ]


@lru_cache
def _prlimit() -> str | None:
    return shutil.which("prlimit")


@lru_cache
def _without_network() -> tuple[str, ...]:
    """Return what to put before a command so that it sees no network; nothing where that is not allowed.

    A container's seccomp profile or the distribution may forbid namespaces to users; then only the limits hold.
    """
    program = shutil.which("unshare")
    choices = [("--net",), ("--user", "--map-current-user", "--net"), ("--map-root-user", "--net")]
    for options in choices if program else []:
        command = (program or "", *options, "--")
        try:
            tried = subprocess.run(  # noqa: S603 - an argument list, no shell
                [*command, "true"], capture_output=True, timeout=PROBE_LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if tried.returncode == 0:
            return command
    return ()


def _tool_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "RUST_BACKTRACE": "0", "NO_COLOR": "1"}


def _program_environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
    }
