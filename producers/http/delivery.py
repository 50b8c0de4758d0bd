"""The sender behind the routes: connected once for all requests, replaced when Kafka failed it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from models.records import Record
from producers.http.limits import Limits
from producers.sender import SenderError

log = logging.getLogger(__name__)

RETRY_S = 1.0
CLOSE_S = 1.0  # a broker that is gone must not keep the process from ending


class Delivery(Protocol):
    """What the routes need: all of the records acknowledged, or ``SenderError``."""

    async def deliver(self, records: Sequence[Record]) -> None:
        """Return when every record is acknowledged; raises ``SenderError`` when that takes too long or fails."""


class SenderLike(Protocol):
    """``producers.sender.Sender``, or what stands in for it."""

    async def send(self, record: Record) -> None:
        """Hand a record over."""

    async def flush(self) -> None:
        """Return when all are acknowledged."""


Connect = Callable[[], AbstractAsyncContextManager[SenderLike]]


class LastingSender:
    """Keeps a sender connected for as long as the context lasts, whatever the broker does meanwhile.

    A ``Sender`` that failed stays failed: it is dropped and another one connected, in the background, again and
    again. ``problem`` says why there is none at the moment.
    """

    def __init__(self, connect: Connect, timeout_s: float = Limits.deliver_s) -> None:
        self._connect, self._timeout_s = connect, timeout_s
        self._current: tuple[SenderLike, AbstractAsyncContextManager[SenderLike]] | None = None
        self._connected, self._missing = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem: str | None = "not yet connected to Kafka"

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for it."""
        self._missing.set()
        self._start(self._keep_connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, within about ``CLOSE_S``."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._current is not None:
            await _close(self._current[1])

    async def deliver(self, records: Sequence[Record]) -> None:
        """See ``Delivery``; waits for a connection when there is none, all within ``timeout_s``."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connected.wait()
                await self._send(records)
        except TimeoutError:
            raise SenderError(self.problem or f"Kafka did not acknowledge within {self._timeout_s:.0f} s") from None

    async def _send(self, records: Sequence[Record]) -> None:
        assert self._current is not None  # noqa: S101 - what the event says
        mine = self._current
        try:
            for record in records:
                await mine[0].send(record)
            await mine[0].flush()
        except BaseException:  # also when time is up: what waits in it would fail a later request
            self._drop(mine)
            raise

    def _drop(self, failed: tuple[SenderLike, AbstractAsyncContextManager[SenderLike]]) -> None:
        if self._current is failed:
            self._current, self.problem = None, "Kafka did not take the last records"
            self._connected.clear()
            self._missing.set()
            self._start(_close(failed[1]))

    async def _keep_connected(self) -> None:
        while True:
            await self._missing.wait()
            context = self._connect()
            try:
                sender = await context.__aenter__()
            except SenderError as error:
                self._note(str(error))
                await asyncio.sleep(RETRY_S)
                continue
            self._current, self.problem = (sender, context), None
            self._missing.clear()
            self._connected.set()

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _close(context: AbstractAsyncContextManager[SenderLike]) -> None:
    """Leave a sender's context as after an error: without waiting for records that nobody waits for any more."""
    with contextlib.suppress(SenderError, TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await context.__aexit__(asyncio.CancelledError, None, None)
