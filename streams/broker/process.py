"""The embedded broker: started, waited for until it answers, and stopped in order."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.broker import config, jars, ownership, ports, storage
from streams.broker.errors import BrokerError, failed
from streams.broker.jars import Progress
from streams.broker.jvm import Jvm
from streams.broker.locking import FileLock
from streams.kafka import describe_cluster, run_anywhere

READY_LIMIT_S = 60.0
PROBE_LIMIT_S = 5.0
POLL_S = 0.05
MIN_FREE_BYTES = 200 << 20
PORT_ATTEMPTS = 3


class _PortTakenError(BrokerError):
    """Somebody took the port between our look and Kafka's."""


class EmbeddedBroker:
    """A real Apache Kafka node (KRaft) as a child process, for one data folder.

    Its data stay in ``data_dir/kafka`` between runs, its log is ``data_dir/logs/kafka.log``. It listens on 127.0.0.1
    only. The child ends with its parent, also after kill -9, and is not touched by Ctrl-C in the terminal: call
    ``stop``, or use the object as a context manager.

    ``port``: the one to listen on; 0: that of the last run, else 9092. A port that is taken is replaced by a free one.
    ``heap_mb``: the most that the JVM's heap may grow to; the process itself takes up to about 200 MB more.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, heap_mb: int = 512) -> None:
        self.home = data_dir.absolute() / "kafka"
        self.log_file = data_dir.absolute() / "logs" / "kafka.log"
        self._wanted_port, self._heap_mb = port, heap_mb
        self._address = ""
        self._jvm: Jvm | None = None
        self._lock: FileLock | None = None

    @property
    def bootstrap(self) -> str:
        """Return ``127.0.0.1:PORT`` of the running broker.

        Raises ``BrokerError`` before it was started and after it was stopped.
        """
        if not self._address:
            raise BrokerError("the embedded broker is not running; call start() first")
        return self._address

    @property
    def pid(self) -> int | None:
        """Return the broker's process number, ``None`` when it does not run (any more)."""
        return self._jvm.pid if self._jvm else None

    def start(self, progress: Progress | None = None) -> str:
        """Start the broker and return its address once it has answered a metadata request.

        ``progress`` gets a line of text at every stage, and all along the download of Kafka. A running broker is left
        as it is; one that died is started anew.

        Raises ``BrokerError`` with the cause, the lines of the log that matter and what to do.
        """
        if self._address and self.pid:
            return self._address
        self.stop()
        try:
            self._address = self._start(progress or (lambda _text: None))
        except OSError as error:
            self.stop()
            raise BrokerError(f"cannot run a broker in {self.home.parent}: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self._address

    def stop(self, timeout_s: float = 20) -> None:
        """Ask the broker to stop, wait, and force it after ``timeout_s``; nothing happens when none runs."""
        self._address = ""
        if self._jvm is not None:
            self._jvm.stop_server(timeout_s)
            self._jvm = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, report: Progress) -> str:
        begun = time.monotonic()
        self._make_folders()
        self._lock = ownership.take(self.home, report)
        self._jvm = Jvm(self.home, self.log_file, jars.fetch(report), self._heap_mb)
        self._jvm.prepare_folders()
        cluster_id = storage.prepare(self.home, lambda new_id: _format(self._jvm, new_id, report))
        address = self._run(self._jvm, self._lock, cluster_id, report)
        report(f"Kafka is ready on {address} ({time.monotonic() - begun:.1f} s)")
        return address

    def _make_folders(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.home).free
        if free < MIN_FREE_BYTES:
            raise BrokerError(
                f"only {free >> 20} MB are free for {self.home}, Kafka needs at least {MIN_FREE_BYTES >> 20} MB; "
                "free some space or choose another data folder (JIDOKA_DATA_DIR)"
            )

    def _run(self, jvm: Jvm, lock: FileLock, cluster_id: str, report: Progress) -> str:
        port = ports.choose(self.home, self._wanted_port)
        for attempts_left in reversed(range(PORT_ATTEMPTS)):
            report(f"Starting Kafka on {config.HOST}:{port}")
            jvm.start_server(config.server_properties(port, ports.any_free()), lock)
            try:
                _await_ready(jvm, port, cluster_id)
                break
            except _PortTakenError:
                if not attempts_left:
                    raise
                jvm.stop_server(0)
                port = ports.any_free()
        ports.remember(self.home, port)
        return f"{config.HOST}:{port}"


def _format(jvm: Jvm | None, cluster_id: str, report: Progress) -> None:
    assert jvm is not None  # noqa: S101 - for the type checker
    report("Formatting Kafka's storage")
    settings = jvm.home / "format.properties"
    properties = config.server_properties(ports.USUAL_PORT, ports.USUAL_PORT + 1, config.FORMATTING)
    settings.write_text(config.render(properties), "ascii")
    what = f"could not format Kafka's storage in {jvm.home}"
    jvm.run_tool(what, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", settings.name)


def _await_ready(jvm: Jvm, port: int, cluster_id: str) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while not _answers(port, cluster_id):
        if jvm.pid is None:
            raise _ended(jvm)
        if time.monotonic() > deadline:
            raise _with_log(f"Kafka did not answer on port {port} within {READY_LIMIT_S:.0f} s", jvm)
        time.sleep(POLL_S)


def _ended(jvm: Jvm) -> BrokerError:
    error = _with_log("Kafka ended while starting", jvm)
    taken = any("Address already in use" in line for line in jvm.new_lines())
    return _PortTakenError(str(error)) if taken else error


def _with_log(what: str, jvm: Jvm) -> BrokerError:
    return failed(what, jvm.log_file, jvm.console_file, lines=jvm.new_lines())


def _answers(port: int, cluster_id: str) -> bool:
    """Return whether this very cluster answers a metadata request; raise when another one does."""
    try:
        socket.create_connection((config.HOST, port), timeout=1).close()
        cluster = run_anywhere(lambda: describe_cluster(f"{config.HOST}:{port}", {}, PROBE_LIMIT_S))
    except OSError:
        return False
    if cluster.id != cluster_id:
        raise _PortTakenError(f"port {port} is answered by another Kafka cluster ({cluster.id}); run the command again")
    return cluster.brokers > 0
