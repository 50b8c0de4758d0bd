"""One broker per data folder: who holds it, and what to do about a broker whose owner died."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from streams.broker.errors import BrokerError
from streams.broker.jars import Progress
from streams.broker.locking import FileLock
from streams.runfile import process_start

ORPHAN_LIMIT_S = 30.0  # the watchdog gives an orphan 20 s before it forces it
POLL_S = 0.05


def describe(broker_pid: int | None = None) -> dict[str, Any]:
    """Return what this process writes into the lock: itself, and the broker once it runs."""
    return {
        "owner": os.getpid(),
        "owner_start": process_start(os.getpid()),
        "broker": broker_pid,
        "broker_start": process_start(broker_pid) if broker_pid else None,
    }


def take(home: Path, progress: Progress) -> FileLock:
    """Return the lock on ``home``, held; ends a broker there whose owner is gone.

    Raises ``BrokerError`` naming the process when a living one holds it.
    """
    lock = FileLock(home / "lock")
    deadline = time.monotonic() + ORPHAN_LIMIT_S
    asked: object = None
    while not lock.acquire():
        holder = lock.holder()
        if _lives(holder, "owner") or not holder or time.monotonic() > deadline:
            raise _held(home, holder)
        if _lives(holder, "broker") and asked != holder:
            asked = holder
            progress(f"Stopping the broker (process {holder['broker']}) that an ended jidoka left in {home}")
            os.kill(int(holder["broker"]), signal.SIGTERM)
        time.sleep(POLL_S)
    lock.write(describe())
    return lock


def _lives(holder: dict[str, Any], who: str) -> bool:
    pid = holder.get(who)
    return isinstance(pid, int) and process_start(pid) is not None and process_start(pid) == holder.get(f"{who}_start")


def _held(home: Path, holder: dict[str, Any]) -> BrokerError:
    pid = holder.get("owner") if _lives(holder, "owner") else holder.get("broker")
    who = f"process {pid}" if pid else "another process"
    return BrokerError(
        f"{home} already has a broker, run by {who}. Use that line (`jidoka status` shows it), stop it first"
        f"{f' (kill {pid})' if pid else ''}, or choose another data folder (--data-dir, JIDOKA_DATA_DIR)."
    )
