"""Kafka's settings for small nodes on one machine, and the command line of its JVM; pure functions.

Every path here is relative to the broker's home folder, the JVM's working directory: Kafka splits ``log.dirs`` at
commas, log4j its file names at commas too, and Java reads property files as Latin-1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.broker import security as security_of
from streams.broker.security import Security
from streams.topics import MAX_MESSAGE_BYTES

HOST = "127.0.0.1"
DATA = "data"
FORMATTING = "data.new"  # storage while it is formatted; renamed to DATA when that is complete
SERVER_PROPERTIES = "server.properties"
LOG4J_PROPERTIES = "log4j2.properties"
MIB = 1 << 20
NO_SECURITY = Security()


@dataclass(frozen=True)
class Place:
    """Where one node of a cluster listens; ``secure_ports`` go with ``Security.listeners``."""

    node: int
    client_port: int
    controller_port: int
    secure_ports: tuple[int, ...] = ()


def server_properties(
    place: Place, cluster: Sequence[Place], security: Security = NO_SECURITY, data: str = DATA
) -> dict[str, str]:
    """Return the settings of one node: KRaft, broker and controller, on the loopback, quick to start, modest in memory.

    ``cluster``: all nodes, this one included. Whatever is stored is on three of them if there are three, and an
    acknowledged record on two at least.
    """
    replicas, least = str(min(3, len(cluster))), "2" if len(cluster) > 2 else "1"
    return {
        "process.roles": "broker,controller",
        "node.id": str(place.node),
        # Static voters: the controllers' ports may differ from run to run, a dynamic quorum would store them.
        "controller.quorum.voters": ",".join(f"{one.node}@{HOST}:{one.controller_port}" for one in cluster),
        **_listeners(place, security),
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(MAX_MESSAGE_BYTES),
        "default.replication.factor": replicas,
        "min.insync.replicas": least,
        "unclean.leader.election.enable": "false",
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "offsets.retention.minutes": str(365 * 24 * 60),  # a line that rests for a week must find its place again
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": least,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": least,
        "group.initial.rebalance.delay.ms": "0",
        "log.segment.bytes": str(128 * MIB),  # compaction and retention leave the active segment alone
        "log.index.size.max.bytes": str(MIB),
        "log.cleaner.dedupe.buffer.size": str(16 * MIB),  # of the heap; the default is 128 MiB
        # After kill -9 the controller refuses the next broker until the dead one's session ends; the default is 9 s.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }


def _listeners(place: Place, security: Security) -> dict[str, str]:
    secure = {security_of.listener_name(index): port for index, port in enumerate(place.secure_ports)}
    clients = {"CLIENT": place.client_port, **secure}
    advertised = ",".join(f"{name}://{HOST}:{port}" for name, port in clients.items())
    protocols = zip(secure, (listener.protocol for listener in security.listeners), strict=True)
    return {
        "listeners": f"{advertised},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": advertised,
        "listener.security.protocol.map": ",".join(
            ["CLIENT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{name}:{protocol}" for name, protocol in protocols)]
        ),
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        **security_of.properties(security),
    }


def log4j_properties(log_file: str) -> dict[str, str]:
    """Return log4j's settings: one log of at most 10 MB, with two older ones kept."""
    return {
        "status": "error",
        "rootLogger.level": "INFO",
        "rootLogger.appenderRef.file.ref": "file",
        "appender.file.type": "RollingFile",
        "appender.file.name": "file",
        "appender.file.fileName": log_file,
        "appender.file.filePattern": f"{log_file}.%i",
        "appender.file.layout.type": "PatternLayout",
        "appender.file.layout.pattern": "%d %p %m (%c)%n",
        "appender.file.policies.type": "Policies",
        "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
        "appender.file.policies.size.size": "10MB",
        "appender.file.strategy.type": "DefaultRolloverStrategy",
        "appender.file.strategy.max": "2",
    }


def render(properties: Mapping[str, str]) -> str:
    """Return ``properties`` as a Java property file; names and values here are plain ASCII."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def java_arguments(classpath: str, heap_mb: int, temporary: Path, archive: Path | None) -> list[str]:
    """Return the JVM's options: small, one collector thread, only the quick compiler (C1).

    ``archive``: class data shared between runs; 0.9 s faster (2.5 instead of 3.4 s on 2 cores).
    """
    return [
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",  # a broker without memory answers nobody but holds its port
        "-XX:-UsePerfData",
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        *([f"-XX:SharedArchiveFile={archive}"] if archive else []),
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={temporary}",  # native libraries are unpacked here; /tmp may be noexec
        f"-Dlog4j2.configurationFile={LOG4J_PROPERTIES}",
        "-cp",
        classpath,
    ]
