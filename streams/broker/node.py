"""One broker of a cluster: its folder, its lock, its storage and its JVM."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from streams.broker import config, ownership, ports, security, storage
from streams.broker.config import Place
from streams.broker.errors import BrokerError, failed
from streams.broker.jars import Progress
from streams.broker.jvm import Jvm
from streams.broker.locking import FileLock
from streams.broker.security import Security
from streams.kafka import describe_cluster, run_anywhere

PROBE_LIMIT_S = 5.0
MIN_FREE_BYTES = 200 << 20


class PortTakenError(BrokerError):
    """Somebody took the port between our look and Kafka's."""


class Node:
    """A Kafka node, broker and controller in one, in ``data_dir/name``; its log is ``data_dir/logs/name.log``."""

    def __init__(self, data_dir: Path, name: str, number: int, security: Security) -> None:
        self.home, self.log_file = data_dir / name, data_dir / "logs" / f"{name}.log"
        self.name, self.number = name, number
        self.place = Place(number, 0, 0)
        self._security = security
        self._cluster: Sequence[Place] = ()
        self._jvm: Jvm | None = None
        self._lock: FileLock | None = None

    @property
    def pid(self) -> int | None:
        """Return the process number of the JVM, ``None`` when it does not run (any more)."""
        return self._jvm.pid if self._jvm else None

    @property
    def address(self) -> str:
        """Return ``127.0.0.1:PORT`` of the plain listener."""
        return f"{config.HOST}:{self.place.client_port}"

    def take(self, report: Progress) -> None:
        """Make the folders and hold their lock; raises ``BrokerError`` when another process has it."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self._check_space()
        self._lock = ownership.take(self.home, report)

    def _check_space(self) -> None:
        """Raise ``BrokerError`` when Kafka would find no room, or no folder: it would die without a word that helps."""
        try:
            free = shutil.disk_usage(self.home).free
        except OSError as error:
            raise BrokerError(
                f"the broker's folder {self.home} is gone: {error.strerror}; start the line anew"
            ) from None
        if free < MIN_FREE_BYTES:
            raise BrokerError(
                f"only {free >> 20} MB are free for {self.home}, Kafka needs at least {MIN_FREE_BYTES >> 20} MB; "
                "free some space or choose another data folder (JIDOKA_DATA_DIR)"
            )

    def use(self, library: Path, heap_mb: int) -> None:
        """Take Kafka from ``library``, and put what its settings name beside them."""
        self._jvm = Jvm(self.home, self.log_file, library, heap_mb)
        self._jvm.prepare_folders()
        for name, source in security.files(self._security).items():
            (self.home / name).touch(mode=0o600)
            (self.home / name).write_bytes(source.read_bytes())

    def prepare_storage(self, fallback_id: str, report: Progress) -> str:
        """Format the storage unless that was done before, new one with ``fallback_id``; return its cluster id."""
        return storage.prepare(self.home, lambda cluster_id: self._format(cluster_id, report), fallback_id)

    def _format(self, cluster_id: str, report: Progress) -> None:
        report(f"Formatting the storage of {self.name}")
        place = Place(self.number, *range(ports.USUAL_PORT, ports.USUAL_PORT + 2))
        settings = config.server_properties(place, [place], data=config.FORMATTING)
        self._running.write_settings("format.properties", settings)
        what = f"could not format Kafka's storage in {self.home}"
        arguments = ["format", "-t", cluster_id, "-c", "format.properties", *security.format_arguments(self._security)]
        self._running.run_tool(what, "kafka.tools.StorageTool", *arguments)

    def launch(self, place: Place | None = None, cluster: Sequence[Place] = ()) -> None:
        """Start the JVM, at ``place`` among the nodes of ``cluster``, else where it was; one that died is cleared."""
        if place is not None:
            self.place, self._cluster = place, cluster
        self._running.stop_server(0)
        self._check_space()
        assert self._lock is not None  # noqa: S101 - taken before
        properties = config.server_properties(self.place, self._cluster, self._security)
        self._running.start_server(properties, self._lock)

    def answers(self, cluster_id: str, brokers: int) -> bool:
        """Return whether the node answers a metadata request, and knows of so many brokers that are up.

        Raises ``PortTakenError`` when another cluster answers, ``BrokerError`` when the JVM has ended.
        """
        if self.pid is None:
            raise self.ended()
        try:
            socket.create_connection((config.HOST, self.place.client_port), timeout=1).close()
            cluster = run_anywhere(lambda: describe_cluster(self.address, {}, PROBE_LIMIT_S))
        except OSError:
            return False
        if cluster.id != cluster_id:
            raise PortTakenError(
                f"port {self.place.client_port} is answered by another Kafka cluster ({cluster.id}); "
                "run the command again"
            )
        return cluster.brokers >= brokers

    def ended(self) -> BrokerError:
        """Return the error for a JVM that has ended: its cause and last words."""
        error = self.trouble(f"Kafka ended while starting ({self.name})")
        taken = any("Address already in use" in line for line in self._running.new_lines())
        return PortTakenError(str(error)) if taken else error

    def trouble(self, what: str) -> BrokerError:
        """Return an error about ``what`` with the cause and the lines of the log that matter."""
        return failed(what, self.log_file, self._running.console_file, lines=self._running.new_lines())

    def ask_to_stop(self) -> None:
        """Ask the JVM to stop, without waiting."""
        if self._jvm is not None:
            self._jvm.ask_to_stop()

    def halt(self) -> None:
        """End the JVM at once; the folder stays ours."""
        self._running.stop_server(0)

    def stop(self, timeout_s: float) -> None:
        """Ask the JVM to stop, force it after ``timeout_s``, and free the folder; twice does no harm."""
        if self._jvm is not None:
            self._jvm.stop_server(timeout_s)
            self._jvm = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def _running(self) -> Jvm:
        assert self._jvm is not None  # noqa: S101 - after use()
        return self._jvm
