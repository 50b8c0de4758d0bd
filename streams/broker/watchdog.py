"""Ends the broker in order when the process that started it dies without a word, as after kill -9.

Runs as its own small process, with the standard library only: its standard input is a pipe whose other end only the
owner holds. A byte means that the owner stopped the broker itself; the end of the pipe means that the owner is gone.
PR_SET_PDEATHSIG would do less: it fires when the *thread* that started the child ends.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_S = 20.0


def alive(pid: int) -> bool:
    """Return whether there is such a process, as far as this user may know."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end(pid: int, grace_s: float = GRACE_S) -> None:
    """Ask the process to stop, and force it when it has not within ``grace_s``."""
    deadline = time.monotonic() + grace_s
    os.kill(pid, signal.SIGTERM)
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if alive(pid):
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Wait for the owner's word or its death."""
    pid = int(sys.argv[1])
    if os.read(0, 1) == b"" and alive(pid):
        end(pid)


if __name__ == "__main__":
    main()
