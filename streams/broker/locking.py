"""Locks between processes: a file whose lock the system frees when its last holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class FileLock:
    """An exclusive lock on a file that also says who holds it.

    Stale locks do not exist: the system frees the lock with the last process that has the file open. Children inherit
    the lock when they are given ``descriptor``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def acquire(self) -> bool:
        """Take the lock if it is free; return whether it is ours now."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self.descriptor = descriptor
        return True

    def write(self, holder: dict[str, Any]) -> None:
        """Say who holds the lock."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(holder).encode(), 0)

    def holder(self) -> dict[str, Any]:
        """Return what the holder wrote; empty when it has not written yet."""
        try:
            value = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def release(self) -> None:
        """Free the lock; nothing happens when it is not held."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@contextmanager
def waiting_for(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock at ``path``; wait for another holder without limit, after calling ``on_wait`` once."""
    lock = FileLock(path)
    if not lock.acquire():
        on_wait()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        lock.descriptor = descriptor
    try:
        yield
    finally:
        lock.release()
