"""Ports on the loopback."""

from __future__ import annotations

import socket
from pathlib import Path

from streams.broker.config import HOST

USUAL_PORT = 9092
LAST_PORT = "port"  # file in the broker's home folder: clients find the broker again where it was


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the last run may linger
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def any_free() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def choose(home: Path, wanted: int = 0) -> int:
    """Return ``wanted``, else the port of the last run, else 9092, else any: the first that is free."""
    choices = (wanted, last(home), USUAL_PORT)
    return next((port for port in choices if port and is_free(port)), None) or any_free()


def last(home: Path) -> int:
    """Return the port of the last run, 0 when there was none."""
    try:
        port = int((home / LAST_PORT).read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 1 << 16 else 0


def remember(home: Path, port: int) -> None:
    """Keep ``port`` for the next run."""
    (home / LAST_PORT).write_text(str(port))
