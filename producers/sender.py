"""Records onto their topics: an idempotent Kafka producer with a bounded number of sends under way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from models.cloudevents import event_type, headers
from models.records import Record
from producers.trace import trace_headers

CONNECT_TIMEOUT_S = 10.0
DELIVERY_TIMEOUT_MS = 30_000
LINGER_MS = 20  # measured: 1.2 times the throughput of 0
BATCH_BYTES = 256 << 10
MAX_REQUEST_BYTES = 16 << 20  # what the topics take
MAX_IN_FLIGHT = 1_000  # records handed over and not yet acknowledged


class SenderError(RuntimeError):
    """Kafka did not take a record; the text says what to do. Records acknowledged before stay on the topic."""


class Sender:
    """Sends records; an async context manager.

    ``client_options`` are aiokafka's security arguments, ``source`` is the events' ``ce_source`` (``/jidoka/push``).
    A record is keyed by its ``message_key``: mostly its project, whose records so stay in order on one partition.
    ``send`` returns once the record is handed over and waits while ``MAX_IN_FLIGHT`` are under way; a failure shows at
    the next ``send``, at ``flush``, or on leaving the context.

    >>> async def push(records):
    ...     async with Sender("127.0.0.1:9092", {}, "/jidoka/push") as sender:
    ...         for record in records:
    ...             await sender.send(record)
    """

    def __init__(self, bootstrap: str, client_options: Mapping[str, Any], source: str) -> None:
        self._bootstrap, self._options, self._source = bootstrap, dict(client_options), source
        self._producer: AIOKafkaProducer | None = None
        self._free = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._waiting: set[asyncio.Future[Any]] = set()
        self._known_topics: set[str] = set()
        self._failure: BaseException | None = None
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        """Connect; raises ``SenderError`` if the broker is not reachable within ``CONNECT_TIMEOUT_S``."""
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is raised, once and in our words
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
            request_timeout_ms=DELIVERY_TIMEOUT_MS,
            **self._options,
        )
        try:
            await asyncio.wait_for(producer.start(), CONNECT_TIMEOUT_S)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._stop(producer)
            if isinstance(error, ClusterAuthorizationFailedError):  # idempotent writing: whoever may write to anything
                raise SenderError(f"not allowed to write to any topic at {self._bootstrap}: ask for an ACL") from None
            raise SenderError(
                f"no Kafka at {self._bootstrap} within {CONNECT_TIMEOUT_S:.0f} s ({error or 'no answer'}); start it "
                "with `jidoka up`, or set JIDOKA_BROKER and the security settings of your cluster"
            ) from None
        self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until everything is acknowledged (unless leaving for an error), and disconnect."""
        producer, self._producer = self._producer, None
        try:
            if kind is None:
                await self.flush()
        finally:
            if producer is not None:
                await self._stop(producer)

    async def send(self, record: Record) -> None:
        """Hand ``record`` over; raises ``SenderError`` if it is too large, its topic is missing, or a send failed."""
        if self._producer is None:
            raise SenderError("the sender is not connected; use it as `async with Sender(…) as sender`")
        self._raise_failure()
        topic = event_type(type(record))
        await self._check_topic(self._producer, topic)
        await self._free.acquire()
        try:
            waiting = await self._producer.send(
                topic,
                record.to_bytes(),
                key=record.message_key.encode(),
                headers=[*headers(record, self._source), *trace_headers()],
            )
        except (KafkaError, OSError) as error:
            self._free.release()
            raise self._explained(error, record) from None
        self._waiting.add(waiting)
        waiting.add_done_callback(self._done)

    async def flush(self) -> None:
        """Return when all that was sent is acknowledged; raises ``SenderError`` if something was not."""
        if self._waiting:
            await asyncio.wait(set(self._waiting))
            await asyncio.sleep(0)  # the callbacks of the last ones
        self._raise_failure()

    async def _check_topic(self, producer: AIOKafkaProducer, topic: str) -> None:
        if topic in self._known_topics:
            return
        try:
            await asyncio.wait_for(producer.partitions_for(topic), CONNECT_TIMEOUT_S)
        except (KafkaError, OSError, TimeoutError) as error:
            if isinstance(error, TopicAuthorizationFailedError):
                raise SenderError(f"not allowed to write to {topic}: ask for the ACL Write on it") from None
            raise SenderError(
                f"no topic {topic} at {self._bootstrap}: run `jidoka topics create` (or `jidoka up`)"
            ) from None
        self._known_topics.add(topic)

    def _done(self, waiting: asyncio.Future[Any]) -> None:
        self._waiting.discard(waiting)
        self._free.release()
        error = asyncio.CancelledError() if waiting.cancelled() else waiting.exception()
        if error is None:
            self.acknowledged += 1
        else:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if isinstance(self._failure, TopicAuthorizationFailedError):
            topic = self._failure.args[0] if self._failure.args else "that topic"
            raise SenderError(f"not allowed to write to {topic}: ask for the ACL Write on it") from None
        if self._failure is not None:
            raise SenderError(
                f"{self._bootstrap} did not acknowledge a record ({_named(self._failure)}); {self.acknowledged} were. "
                "Pushing the same input again is safe: equal content has equal ids"
            ) from None

    def _explained(self, error: Exception, record: Record) -> SenderError:
        if isinstance(error, MessageSizeTooLargeError):
            size = len(record.to_bytes())
            return SenderError(f"record {record.id} has {size} bytes: at most {MAX_REQUEST_BYTES} go in a message")
        return SenderError(f"record {record.id} could not be sent to {self._bootstrap}: {_named(error)}")

    @staticmethod
    async def _stop(producer: AIOKafkaProducer) -> None:
        try:
            await asyncio.wait_for(producer.stop(), CONNECT_TIMEOUT_S)
        except (KafkaError, OSError, TimeoutError):
            return  # what was not acknowledged has been told already


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
