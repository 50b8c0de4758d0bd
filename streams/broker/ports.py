"""Ports on the loopback."""

from __future__ import annotations

import socket
from collections.abc import Collection
from contextlib import ExitStack
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


def several_free(count: int, taken: Collection[int] = ()) -> list[int]:
    """Return that many different ports that were free a moment ago, none of ``taken`` among them."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            probe = stack.enter_context(socket.socket())  # kept open, or the next one might get the same
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
            if port not in taken:
                found.append(port)
    return found


def any_free() -> int:
    """Return a port that was free a moment ago."""
    return several_free(1)[0]


def choose(home: Path, wanted: int = 0, usual: int = USUAL_PORT) -> int:
    """Return ``wanted``, else the port of the last run, else ``usual``, else any: the first that is free."""
    choices = (wanted, last(home), usual)
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
