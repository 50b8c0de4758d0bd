"""One run of the batch job: commands of this program, one after the other, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from streams.broker.locking import FileLock
from streams.settings import Settings
from streams.supervisor import child_environment, last_lines

STEP_LIMIT_S = 6 * 3600.0
STOP_LIMIT_S = 10.0
NICENESS = 10  # workers go first
KEPT_RUNS = 5  # folders of models made

Command = list[str]  # arguments of `jidoka`


class JobError(RuntimeError):
    """A job that ended without a model; the text says which step, why, and where its log is."""


@dataclass
class Job:
    """Runs ``commands`` in order; what they print goes to one log. At most one runs in a data folder: a lock says so.

    The lock is inherited by the processes: one that outlives a killed scheduler still holds it.
    """

    settings: Settings
    commands: Sequence[Command]
    name: str = "batch"
    _process: asyncio.subprocess.Process | None = None
    _lock: FileLock = field(init=False)

    def __post_init__(self) -> None:
        self._lock = FileLock(self.settings.data_dir / "batch.lock")

    @property
    def log(self) -> Path:
        """Return the file that holds what the steps print."""
        return self.settings.data_dir / "logs" / f"{self.name}.log"

    def acquire(self) -> bool:
        """Take the folder's lock; whether nobody else has it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        return self._lock.acquire()

    async def run(self) -> None:
        """Run every step; raises ``JobError`` at the first that fails. Cancelled, it ends the step that runs."""
        try:
            for command in self.commands:
                await self._step(command)
        finally:
            self._lock.release()

    async def _step(self, command: Command) -> None:
        with self.log.open("ab") as log:
            log.write(f"\n$ jidoka {' '.join(command)}\n".encode())
            log.flush()
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "streams.cli", *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(self.settings),
                start_new_session=True,
                pass_fds=(self._lock.descriptor,),
            )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            async with asyncio.timeout(STEP_LIMIT_S):
                status = await process.wait()
        except TimeoutError:
            raise JobError(f"`jidoka {command[0]}` was not done after {STEP_LIMIT_S:.0f} s; see {self.log}") from None
        finally:
            await self._end(process)
        if status:
            raise JobError(f"`jidoka {command[0]}` ended with {status}: {last_lines(self.log)}; all of it: {self.log}")

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Stop a step that still runs, with all that it started."""
        if process.returncode is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
                return


def batch_commands(settings: Settings, now: datetime) -> list[Command]:
    """Return the steps of the batch job: train a teacher from the archive, distil a student, let it challenge."""
    runs = settings.data_dir / "batch"
    _forget_old(runs)
    folder = runs / f"{now:%Y%m%dT%H%M%S}"
    teacher, student = str(folder / "teacher"), str(folder / "student")
    archive = str(settings.archive)
    return [
        ["train", "--corpus", archive, "--labels", "all", "--output", teacher],
        ["distill", "--corpus", archive, "--labels", "all", "--teacher", teacher, "--output", student],
        ["models", "publish", student, "--name", f"student-{now:%Y%m%dT%H%M%S}", "--challenge"],
    ]


def _forget_old(runs: Path) -> None:
    found = sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []
    for path in found[: -KEPT_RUNS + 1]:
        shutil.rmtree(path, ignore_errors=True)
