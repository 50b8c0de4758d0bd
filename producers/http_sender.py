"""Records over HTTP: posted in batches of JSON lines to a web interface, with retries."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import aiohttp

from models.records import Record
from producers.trace import trace_headers

BATCH_BYTES = 1 << 20
ATTEMPTS = 5
FIRST_PAUSE_S = 0.5  # doubled with every attempt
TIMEOUT_S = 60.0
RETRIED = (429, 502, 503, 504)


class HttpSenderError(RuntimeError):
    """The web interface did not take the records; the text says what it answered."""


class HttpSender:
    """Sends records to ``POST /v1/compiler-errors``; an async context manager like ``producers.sender.Sender``.

    Posting a batch again is safe: equal ids are not learned twice.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = f"{url.rstrip('/')}/v1/compiler-errors"
        self._headers = {"Content-Type": "application/x-ndjson"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        self._headers |= {name: value.decode() for name, value in trace_headers()}
        self._batch: list[bytes] = []
        self._bytes = 0

    async def __aenter__(self) -> Self:
        """Open the session; nothing is sent yet."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Post what is left (unless leaving for an error), and close."""
        try:
            if kind is None:
                await self._post()
        finally:
            await self._session.close()

    async def send(self, record: Record) -> None:
        """Add ``record`` to the batch; a full batch is posted. Raises ``HttpSenderError``."""
        line = record.to_bytes()
        self._batch.append(line)
        self._bytes += len(line)
        if self._bytes >= BATCH_BYTES:
            await self._post()

    async def _post(self) -> None:
        if not self._batch:
            return
        body, self._batch, self._bytes = b"\n".join(self._batch) + b"\n", [], 0
        for attempt in range(ATTEMPTS):
            problem, final = await self._try(body)
            if problem is None:
                return
            if final or attempt == ATTEMPTS - 1:
                raise HttpSenderError(f"{self._url}: {problem}")
            await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)

    async def _try(self, body: bytes) -> tuple[str | None, bool]:
        """Return what went wrong (nothing: it was taken) and whether trying again is useless."""
        try:
            async with self._session.post(self._url, data=body, headers=self._headers) as response:
                if response.status < 300:
                    return None, True
                if response.status == 401:
                    return "the token is missing or wrong: set JIDOKA_TOKEN to the one the web interface has", True
                text = (await response.text())[:500]
                return f"{response.status} {response.reason}: {text}", response.status not in RETRIED
        except aiohttp.InvalidURL:
            return "no address of a web interface; it looks like http://127.0.0.1:8787", True
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"no answer ({type(error).__name__}); is the address right, is the web interface up?", False
