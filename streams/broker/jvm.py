"""The broker's JVM as a child process: tools run to their end, the server watched over and stopped in order."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from streams.broker import config, jars, java, ownership, watchdog
from streams.broker.errors import BrokerError, failed, last_lines
from streams.broker.locking import FileLock

TOOL_LIMIT_S = 60.0


class Jvm:
    """Java with Kafka on its class path and ``home`` as its working directory."""

    def __init__(self, home: Path, log_file: Path, library: Path, heap_mb: int) -> None:
        self.home, self.log_file = home, log_file
        self.console_file = log_file.with_name(f"{log_file.stem}-console.log")
        self._temporary = home / "tmp"
        archive = java.class_archive(library)
        arguments = config.java_arguments(jars.classpath(library), heap_mb, self._temporary, archive)
        self._command = [str(java.executable()), *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Return the server's process number, ``None`` when it does not run."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def run_tool(self, what: str, name: str, *arguments: str) -> None:
        """Run one of Kafka's tools to its end; raise ``BrokerError`` about ``what`` when it fails."""
        command = [*self._command, name, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own runtime and arguments
                command,
                cwd=self.home,
                env=java.environment(),
                capture_output=True,
                timeout=TOOL_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BrokerError(f"{what}: {name} did not finish within {TOOL_LIMIT_S:.0f} s; try again") from error
        if done.returncode:
            lines = (done.stdout + done.stderr).decode(errors="replace").splitlines()
            raise failed(what, self.log_file, lines=lines)

    def start_server(self, properties: Mapping[str, str], lock: FileLock) -> None:
        """Start the broker with ``properties``; it holds ``lock`` for as long as it lives."""
        self.write_settings(config.SERVER_PROPERTIES, properties)
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.console_file.open("wb") as console:
            self._process = subprocess.Popen(  # noqa: S603 - our own runtime and arguments
                [*self._command, "kafka.Kafka", config.SERVER_PROPERTIES],
                cwd=self.home,
                env=java.environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: the broker is stopped last, in order
                pass_fds=(lock.descriptor,),
            )
        lock.write(ownership.describe(self._process.pid))
        self._watchdog = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", watchdog.__file__, str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def prepare_folders(self) -> None:
        """Give the JVM an empty folder for temporary files (native libraries), and log4j its settings."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir()
        log4j = config.log4j_properties(f"../{self.log_file.parent.name}/{self.log_file.name}")
        self.write_settings(config.LOG4J_PROPERTIES, log4j)

    def write_settings(self, name: str, properties: Mapping[str, str]) -> None:
        """Write a property file into ``home`` that only this user can read: it may hold passwords."""
        path = self.home / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(config.render(properties), "ascii")

    def new_lines(self) -> list[str]:
        """Return the end of what this run of the server wrote, to its log and to its console."""
        return last_lines(self.log_file, self._log_start) + last_lines(self.console_file)

    def ask_to_stop(self) -> None:
        """Ask the server to stop, without waiting for it; nothing happens when none runs."""
        if self._process is not None:
            self._process.terminate()

    def stop_server(self, timeout_s: float) -> None:
        """Ask the server to stop, wait, and force it after ``timeout_s``; nothing happens when none runs."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._dismiss_watchdog()

    def _dismiss_watchdog(self) -> None:
        if self._watchdog is None:
            return
        assert self._watchdog.stdin is not None  # noqa: S101 - a pipe, as asked for
        with contextlib.suppress(BrokenPipeError), self._watchdog.stdin as pipe:
            pipe.write(b"q")
        self._watchdog.wait()
        self._watchdog = None
