"""The processes of a line on one machine: broker, workers, web; started in order, watched, stopped in order."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from streams import runfile
from streams.broker import EmbeddedCluster
from streams.broker.node import Node
from streams.runfile import RunFile
from streams.settings import Settings
from streams.web.server import check_exposure

READY_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0
POLL_S = 0.05
MAX_RESTARTS = 5  # of one process within RESTART_WINDOW_S; a record that kills the step would kill it forever
RESTART_WINDOW_S = 60.0


class LineError(RuntimeError):
    """A process of the line did not come up or does not stay up; the text names its log file."""


@dataclass
class Child:
    """One process of the line; its output goes to ``log``, its address comes back in ``announce``."""

    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: list[float] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """Return the file that holds what the process prints."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def announce(self) -> Path:
        """Return the file in which the process says where it listens."""
        return self.folder / f"{self.name}.json"

    def start(self) -> None:
        """Start the process; it stops by itself when this one dies, because its standard input ends."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.announce.unlink(missing_ok=True)
        self._close_input()
        arguments = [sys.executable, "-m", "streams.cli", *self.command]
        arguments += ["--attached", "--announce", str(self.announce), "--data-dir", str(self.folder)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops the rest in order
            )

    def url(self) -> str | None:
        """Return where the process listens, once it has said so."""
        try:
            return str(json.loads(self.announce.read_bytes())["url"])
        except (OSError, ValueError, KeyError):
            return None

    def alive(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self, deadline: float) -> None:
        """Wait for a process that was asked to stop, until ``deadline`` (monotonic); then force it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close_input()
        self.announce.unlink(missing_ok=True)

    def _close_input(self) -> None:
        if self.process and self.process.stdin:
            self.process.stdin.close()


class Supervisor:
    """Starts a line and keeps it up; use as a context manager, ``settings`` then names the broker.

    ``brokers``: how many to start (one or three) where the settings name none; three keep every record on three.
    ``roles``: what else runs beside the workers, one process each (``archive``, ``train``).
    """

    def __init__(
        self,
        settings: Settings,
        workers: int,
        progress: Callable[[str], None],
        *,
        web: bool = True,
        brokers: int = 1,
        roles: Sequence[str] = (),
    ) -> None:
        self.settings, self.progress, self._roles = settings, progress, roles
        self.broker: EmbeddedCluster | None = None
        self._wanted, self._web, self._brokers = workers, web, brokers
        self.children: list[Child] = []
        self._deaths: dict[str, list[float]] = {}  # by the broker's name
        self._told: RunFile | None = None

    def __enter__(self) -> Supervisor:
        """Start everything and return when all of it is ready; raises ``LineError`` or ``BrokerError``."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.stop()

    def _start(self) -> None:
        self._refuse_a_second_line()
        if self._web:
            check_exposure(self.settings)
        if self.settings.broker is None:
            self._refuse_security()
            self.broker = EmbeddedCluster(self.settings.data_dir, self._brokers)
            found: dict[str, Any] = {"broker": self.broker.start(self.progress)}
            if self._brokers > 1:
                found["replication"] = self._brokers
            self.settings = self.settings.model_copy(update=found)
        self.progress("Creating the topics that are missing")
        self._ensure_topics()
        self.children = [self._worker(number, "worker") for number in range(self._wanted)]
        self.children += [self._worker(self._wanted + place, role) for place, role in enumerate(self._roles)]
        if self._web:
            self.children.append(self._child("web", ["web", "--port", str(self.settings.http_port)]))
        self.progress(f"Starting {', '.join(child.name for child in self.children)}")
        for child in self.children:
            child.start()
        for child in self.children:
            self._wait_until_ready(child)
        self.write_run_file()

    def _refuse_a_second_line(self) -> None:
        running = runfile.read(self.settings.data_dir)
        if running is not None:
            raise LineError(
                f"a line is up in {self.settings.data_dir} already (process {running.pid}); stop it, or give this one "
                "a folder of its own with --data-dir"
            )

    def _refuse_security(self) -> None:
        if self.settings.security_protocol != "PLAINTEXT":
            raise LineError(
                f"JIDOKA_SECURITY_PROTOCOL is {self.settings.security_protocol}, but the broker started here takes "
                "plain connections, from this machine only; set JIDOKA_BROKER to your cluster, or unset the settings"
            )

    def _ensure_topics(self) -> None:
        from streams.topic_admin import TopicError, ensure_topics  # noqa: PLC0415

        try:
            asyncio.run(ensure_topics(self.settings.broker or "", self.settings))
        except (TopicError, ConnectionError) as error:
            raise LineError(str(error)) from error

    def _worker(self, number: int, role: str) -> Child:
        """Return the process with this number, from 0; a fixed operations port is counted up from the first one's."""
        unique = f"{role}-{number + 1}" if role in ("worker", "transpile") else role  # of the others there is one
        child = self._child(unique, ["worker", *(["--role", role] if role != "worker" else [])])
        if self.settings.ops_port:
            child.environment["JIDOKA_OPS_PORT"] = str(self.settings.ops_port + number)
        return child

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name, command, child_environment(self.settings), self.settings.data_dir)

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline:
            if not child.alive():
                raise LineError(f"{child.name} ended while starting: {last_lines(child.log)}; all of it: {child.log}")
            if (url := child.url()) and answers(f"{url}/readyz"):
                return
            time.sleep(POLL_S)
        raise LineError(f"{child.name} was not ready within {READY_LIMIT_S:.0f} s; see {child.log}")

    def write_run_file(self) -> None:
        """Tell the other commands where everything is, if that has changed."""
        workers: list[dict[str, Any]] = [
            {"pid": child.process.pid if child.process else None, "url": child.url()}
            for child in self.children
            if child.name.startswith(("worker-", "transpile-"))
        ]
        run = RunFile(os.getpid(), self.settings.broker or "", self.web_url, workers)
        if run != self._told:
            runfile.write(self.settings.data_dir, run)
            self._told = run

    @property
    def web_url(self) -> str | None:
        """Return where the web interface listens."""
        return next((child.url() for child in self.children if child.name == "web"), None)

    def watch(self) -> None:
        """Start again what has died; raises ``LineError`` when it dies again and again."""
        if self.broker is not None:
            for node in self.broker.revive():
                self._tell_death(self.broker, node)
        for child in self.children:
            if not child.alive():
                self._restart(child)
        self.write_run_file()

    def _tell_death(self, cluster: EmbeddedCluster, node: Node) -> None:
        """Workers and web wait for a broker that was started again, or use the others, and go on by themselves."""
        self._deaths[node.name] = recent([*self._deaths.get(node.name, []), time.monotonic()])
        deaths = len(self._deaths[node.name])
        who = "the broker" if len(cluster.nodes) == 1 else f"the broker {node.name}"
        if deaths > MAX_RESTARTS:
            raise LineError(f"{who} died {deaths} times in a minute; see {node.log_file}")
        self.progress(f"{who} died; starting it again, see {node.log_file}")

    def _restart(self, child: Child) -> None:
        child.restarts = recent([*child.restarts, time.monotonic()])
        status = child.process.returncode if child.process else None
        if len(child.restarts) > MAX_RESTARTS:
            why = f"{last_lines(child.log)}; all of it: {child.log}"
            raise LineError(f"{child.name} died {len(child.restarts)} times in a minute: {why}")
        self.progress(f"{child.name} died (status {status}); starting it again, see {child.log}")
        child.start()

    def stop(self) -> None:
        """Stop workers and web together, then the broker; nothing is left running. Doing it twice does no harm."""
        children, self.children = self.children, []
        broker, self.broker = self.broker, None
        for child in children:
            if child.alive() and child.process:
                child.process.terminate()
        deadline = time.monotonic() + STOP_LIMIT_S
        for child in children:
            child.stop(deadline)
        if broker is not None:
            broker.stop()
        if children:
            runfile.remove(self.settings.data_dir)


def recent(moments: list[float]) -> list[float]:
    """Return those of the last ``RESTART_WINDOW_S``."""
    return [moment for moment in moments if time.monotonic() - moment < RESTART_WINDOW_S]


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment that gives a child process these settings; secrets go this way, not by arguments."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIDOKA_")}
    for name, value in settings.model_dump(exclude_none=True).items():
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        environment[f"JIDOKA_{name.upper()}"] = str(plain)
    environment.setdefault("MALLOC_ARENA_MAX", "2")  # glibc's heaps, else one per thread: memory stays flat (measured)
    return environment


def answers(url: str) -> bool:
    """Return whether ``url`` (on this machine) answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - http to our own child
            return bool(response.status == 200)
    except OSError:
        return False


def last_lines(log: Path, count: int = 3) -> str:
    """Return the last lines of a log that say something, on one line; what was merely routine only if nothing else."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    telling = [line for line in lines if "[INFO]" not in line and " INFO " not in line] or lines
    return " | ".join(telling[-count:]) or "it printed nothing"
