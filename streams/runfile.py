"""The run file: how every command finds the line that is up in a data folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = "run.json"


@dataclass
class RunFile:
    """A line that is up: the process that runs it, its broker, its web address and its workers.

    ``workers``: one ``{"pid": int, "url": str}`` each.
    """

    pid: int
    broker: str
    web: str | None = None
    workers: list[dict[str, Any]] = field(default_factory=list)


def process_start(pid: int) -> str | None:
    """Return what tells the process from a later one with the same number; ``None`` when there is no such process.

    A process that has ended but was not collected by its parent does not count.
    """
    if Path("/proc/self/stat").exists():
        return _start_from_proc(pid)
    return _start_from_psutil(pid)


def _start_from_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold spaces and parentheses
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _start_from_psutil(pid: int) -> str | None:
    try:
        import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with jgo; only needed where there is no /proc
    except ImportError:
        return "unknown" if _exists(pid) else None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write(data_dir: Path, run: RunFile) -> None:
    """Write the run file so that a reader sees all of it or the former one.

    Raises ``ProcessLookupError`` when the process it names is not running.
    """
    started = process_start(run.pid)
    if started is None:
        raise ProcessLookupError(f"no process {run.pid} to write a run file for")
    data_dir.mkdir(parents=True, exist_ok=True)
    partial = data_dir / f"{NAME}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(run) | {"started": started}, indent=1))
    partial.replace(data_dir / NAME)


def read(data_dir: Path) -> RunFile | None:
    """Return the line that is up, ``None`` when there is none: no file, an unreadable one, or its process is gone."""
    try:
        value = json.loads((data_dir / NAME).read_bytes())
        started = value.pop("started")
        run = RunFile(**value)
        alive = process_start(int(run.pid)) == started
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return run if alive else None


def remove(data_dir: Path) -> None:
    """Remove the run file; nothing happens when there is none."""
    (data_dir / NAME).unlink(missing_ok=True)
