"""Server-sent events to many clients out of one bounded memory: a client has a place in it and no queue of its own.

Format and reconnection: WHATWG HTML, "Server-sent events". A client that is slow finds what it missed dropped and
counted; one that takes nothing at all is disconnected by whoever writes to it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

CAPACITY = 512  # items kept for clients that lag or come back
MAX_CLIENTS = 64


class TooManyClientsError(RuntimeError):
    """So many clients are served already that one more is refused."""


class Missed(NamedTuple):
    """What a client has not had: the newest items, oldest first, and how many older ones it will never get."""

    items: list[bytes]
    skipped: int


class EventLog:
    """Numbered items, the oldest dropped; an id names the run and the number, so that a client can come back.

    ``restart`` begins another run: what clients have is void, they need a whole picture again. Use it from one event
    loop only.
    """

    def __init__(self, capacity: int = CAPACITY, max_clients: int = MAX_CLIENTS) -> None:
        self._items: deque[bytes] = deque(maxlen=capacity)
        self._max_clients = max_clients
        self.run, self.newest, self.clients, self.closed = "", 0, 0, False
        self._changed = asyncio.Event()
        self.restart()

    def restart(self) -> None:
        """Begin another run, whose ids no client has."""
        self.run = secrets.token_hex(4)
        self._items.clear()
        self.wake()

    def append(self, item: bytes) -> None:
        """Add an item and wake the clients."""
        self._items.append(item)
        self.newest += 1
        self.wake()

    def close(self) -> None:
        """Let all clients end."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Let every client look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, limit_s: float) -> bool:
        """Return whether there was something new to look at within ``limit_s`` from now."""
        changed = self._changed
        try:
            await asyncio.wait_for(changed.wait(), limit_s)
        except TimeoutError:
            return False
        return True

    def since(self, number: int, most: int) -> Missed:
        """Return what came after item ``number``, at most ``most`` of it."""
        behind = max(0, self.newest - number)
        wanted = min(behind, most, len(self._items))
        items = [self._items[place] for place in range(len(self._items) - wanted, len(self._items))]
        return Missed(items, behind - wanted)

    def id_of(self, number: int) -> str:
        """Return the id under which a client has everything up to item ``number``."""
        return f"{self.run}-{number}"

    def number_of(self, event_id: str) -> int | None:
        """Return what a client with this last id has had; ``None`` when that was another run, or is no id."""
        run, _, number = event_id.partition("-")
        if run != self.run or not (number.isascii() and number.isdecimal() and len(number) < 19):
            return None
        return int(number) if int(number) <= self.newest else None

    @contextmanager
    def client(self) -> Iterator[None]:
        """Take a client's place for as long as the context lasts; raises ``TooManyClientsError``."""
        if self.clients >= self._max_clients:
            raise TooManyClientsError(f"{self._max_clients} boards are open already")
        self.clients += 1
        try:
            yield
        finally:
            self.clients -= 1


def event(name: str, data: bytes, event_id: str | None = None) -> bytes:
    """Return an event on the wire; ``data`` is JSON as ``orjson`` writes it, which has no line ends."""
    head = b"id: %b\n" % event_id.encode() if event_id else b""
    return b"%bevent: %b\ndata: %b\n\n" % (head, name.encode(), data)
