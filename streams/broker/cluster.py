"""The embedded cluster: one broker or three, started together, waited for until they answer, stopped in order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.broker import config, jars, ports, storage
from streams.broker.config import HOST, Place
from streams.broker.errors import BrokerError
from streams.broker.jars import Progress
from streams.broker.node import Node, PortTakenError
from streams.broker.security import Security

SIZES = (1, 3)  # two would be no safer than one: a majority of controllers must live
HEAP_MB = {1: 512, 3: 256}  # three with two workers fit into 4 GB
READY_LIMIT_S = {1: 60.0, 3: 120.0}  # 3 and 9 s on two idle cores; seen: 40 s for three on busy ones
STOP_LIMIT_S = 20.0
POLL_S = 0.05
PORT_ATTEMPTS = 3


class EmbeddedCluster:
    """Real Apache Kafka (KRaft) as child processes for one data folder: one broker, or three that hold every record.

    A single broker keeps its data in ``data_dir/kafka`` between runs and its log in ``data_dir/logs/kafka.log``; three
    have ``kafka-1`` to ``kafka-3``. They listen on 127.0.0.1 only. The children end with their parent, also after
    kill -9, and are not touched by Ctrl-C in the terminal: call ``stop``, or use the object as a context manager.

    ``port``: the one to listen on (three: and the next two); 0: that of the last run, else 9092. A port that is taken
    is replaced by a free one.
    ``heap_mb``: the most that each JVM's heap may grow to; the process itself takes up to about 200 MB more.
    ``security``: listeners with TLS and logins besides the plain one.

    Raises ``BrokerError`` for another number of brokers than one or three.
    """

    def __init__(
        self,
        data_dir: Path,
        brokers: int = 1,
        *,
        port: int = 0,
        heap_mb: int | None = None,
        security: Security = config.NO_SECURITY,
    ) -> None:
        if brokers not in SIZES:
            raise BrokerError(f"a cluster of {brokers} brokers: there can be one, or three, of which one may fail")
        self.data_dir = data_dir.absolute()
        numbers = range(1, brokers + 1)
        names = ["kafka"] if brokers == 1 else [f"kafka-{number}" for number in numbers]
        self.nodes = [Node(self.data_dir, name, number, security) for name, number in zip(names, numbers, strict=True)]
        self._wanted_port, self._heap_mb = port, heap_mb or HEAP_MB[brokers]
        self._security = security
        self._cluster_id = ""
        self._up = False

    @property
    def bootstrap(self) -> str:
        """Return ``127.0.0.1:PORT`` of each broker, joined by commas.

        Raises ``BrokerError`` before they were started and after they were stopped.
        """
        self._must_be_up()
        return ",".join(node.address for node in self.nodes)

    def secure_bootstrap(self, index: int) -> str:
        """Return the same for ``security.listeners[index]``."""
        self._must_be_up()
        return ",".join(f"{HOST}:{node.place.secure_ports[index]}" for node in self.nodes)

    @property
    def pids(self) -> list[int | None]:
        """Return each broker's process number, ``None`` for one that does not run (any more)."""
        return [node.pid for node in self.nodes]

    def start(self, progress: Progress | None = None) -> str:
        """Start the brokers and return their addresses once all have answered a metadata request.

        ``progress`` gets a line of text at every stage, and all along the download of Kafka. Brokers that run are left
        as they are; those that died are started anew.

        Raises ``BrokerError`` with the cause, the lines of the log that matter and what to do.
        """
        try:
            if self._up and any(self.pids):
                self.revive()
                self._await_ready()
            else:
                self.stop()
                self._start(progress or (lambda _text: None))
        except OSError as error:
            self.stop()
            raise BrokerError(f"cannot run a broker in {self.data_dir}: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self.bootstrap

    def revive(self) -> list[Node]:
        """Start each broker that died, where it was and without waiting for it; return those."""
        self._must_be_up()
        dead = [node for node in self.nodes if node.pid is None]
        for node in dead:
            node.launch()
        return dead

    def stop(self, timeout_s: float = STOP_LIMIT_S) -> None:
        """Ask the brokers to stop, wait, and force them after ``timeout_s``; nothing happens when none runs."""
        self._up = False
        deadline = time.monotonic() + timeout_s
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _must_be_up(self) -> None:
        if not self._up:
            raise BrokerError("the embedded broker is not running; call start() first")

    def _start(self, report: Progress) -> None:
        begun = time.monotonic()
        self._refuse_another_size()
        for node in self.nodes:
            node.take(report)
        library = jars.fetch(report)
        for node in self.nodes:
            node.use(library, self._heap_mb)
        self._cluster_id = self._prepare_storage(report)
        self._run(report)
        self._up = True
        report(f"Kafka is ready on {self.bootstrap} ({time.monotonic() - begun:.1f} s)")

    def _refuse_another_size(self) -> None:
        """Data of one broker would be lost on three that know nothing of it, and the other way round."""
        ours = {node.name for node in self.nodes}
        strangers = [path for path in self.data_dir.glob("kafka*") if path.name not in ours]
        if any(storage.in_use(path) for path in strangers):
            there, wanted = ("three brokers", "one") if len(ours) == 1 else ("one broker", "three")
            number = 3 if len(ours) == 1 else 1
            raise BrokerError(
                f"{self.data_dir} holds the data of {there}, not of {wanted}; start it with `jidoka up --brokers "
                f"{number}`, or choose another data folder (--data-dir, JIDOKA_DATA_DIR)"
            )

    def _prepare_storage(self, report: Progress) -> str:
        known = (storage.kept_cluster_id(node.home) for node in self.nodes)
        fallback = next((found for found in known if found), None) or storage.new_cluster_id()
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            ids: list[str] = list(pool.map(lambda node: node.prepare_storage(fallback, report), self.nodes))
        if len(set(ids)) > 1:
            raise BrokerError(
                f"the brokers' folders in {self.data_dir} belong to different clusters ({', '.join(ids)}); "
                "put them back as they were, or choose another data folder (--data-dir, JIDOKA_DATA_DIR)"
            )
        return ids[0]

    def _run(self, report: Progress) -> None:
        for attempts_left in reversed(range(PORT_ATTEMPTS)):
            places = self._places(first=attempts_left == PORT_ATTEMPTS - 1)
            report(f"Starting Kafka on {', '.join(f'{HOST}:{place.client_port}' for place in places)}")
            for node, place in zip(self.nodes, places, strict=True):
                node.launch(place, places)
            try:
                self._await_ready()
                break
            except PortTakenError:
                if not attempts_left:
                    raise
                for node in self.nodes:
                    node.halt()
        for node in self.nodes:
            ports.remember(node.home, node.place.client_port)

    def _places(self, *, first: bool) -> list[Place]:
        """Choose ports, all of them different; after a ``first`` attempt none that was chosen with care then."""
        each = 1 + len(self._security.listeners)
        taken: set[int] = set()
        places = []
        for index, node in enumerate(self.nodes):
            wanted = self._wanted_port + index if self._wanted_port else 0
            port = ports.choose(node.home, wanted, ports.USUAL_PORT + index) if first else ports.any_free()
            if port in taken:
                port = ports.several_free(1, taken)[0]
            controller, *secure = ports.several_free(each, taken | {port})
            taken |= {port, controller, *secure}
            places.append(Place(node.number, port, controller, tuple(secure)))
        return places

    def _await_ready(self) -> None:
        limit_s = READY_LIMIT_S[len(self.nodes)]
        deadline = time.monotonic() + limit_s
        waiting = self.nodes
        while waiting := [node for node in waiting if not node.answers(self._cluster_id, len(self.nodes))]:
            if time.monotonic() > deadline:
                port = waiting[0].place.client_port
                raise waiting[0].trouble(f"Kafka did not answer on port {port} within {limit_s:.0f} s")
            time.sleep(POLL_S)


class EmbeddedBroker(EmbeddedCluster):
    """A cluster of one broker."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        heap_mb: int | None = None,
        security: Security = config.NO_SECURITY,
    ) -> None:
        super().__init__(data_dir, 1, port=port, heap_mb=heap_mb, security=security)
        self.home, self.log_file = self.nodes[0].home, self.nodes[0].log_file

    @property
    def pid(self) -> int | None:
        """Return the broker's process number, ``None`` when it does not run (any more)."""
        return self.nodes[0].pid
