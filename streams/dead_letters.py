"""Dead letters: made from a Kafka message that could not be read, and sent again from the record."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from models.records import DeadLetter, Program
from streams.kafka import client_options
from streams.restore import SOURCES
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

READ = (*SOURCES, topic_name(Program))  # by workers
MAX_REASON = 4_000
MAX_HEADERS = 50
MAX_VALUE, MAX_KEY, MAX_HEADER_BYTES = 6 << 20, 3 << 20, 1 << 20  # together, in base64, they fit into one message
MAX_LETTER_KEY = 1 << 20  # of the letter's own message, beside them
CUT = "(too large: only the beginning of it is kept)"
FEWER_HEADERS = "(not all of its headers are kept)"  # may be sent again: workers read none of them


class DeadLetterError(ValueError):
    """A dead letter that cannot be sent again; the text names it and says why."""


def dead_letter(message: Any, reason: str, now: datetime) -> DeadLetter:
    """Return the dead letter of a Kafka message: its bytes as they were, where it stood, why it was refused.

    It takes any message that Kafka does; of one too large to be put into another, the beginning is kept, and of many
    headers, or several of one name, not all.
    """
    key, value, headers = message.key, message.value, _headers(message.headers)
    kept_key, kept_value, kept_headers = _first(key, MAX_KEY), _first(value, MAX_VALUE), dict(_first_headers(headers))
    if len(kept_headers) < len(headers):
        reason = f"{reason[:MAX_REASON]} {FEWER_HEADERS}"
    if (kept_key, kept_value) != (key, value):
        reason = f"{reason[:MAX_REASON]} {CUT}"
    return DeadLetter(
        id=f"{message.topic}-{message.partition}-{message.offset}",
        time=now,
        project="unknown",
        source_topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        reason=reason[: MAX_REASON + len(FEWER_HEADERS) + len(CUT) + 2],
        key=_encode(kept_key),
        value=_encode(kept_value),
        headers={name: _encode(data) or "" for name, data in kept_headers.items()},
    )


def letter_key(message: Any) -> bytes:
    """Return the key under which the letter of a message goes on its topic; the letter holds the original one."""
    return (message.key or b"")[:MAX_LETTER_KEY]


async def resend(
    settings: Settings, letters: Iterable[DeadLetter], refused: Callable[[str], None] | None = None
) -> int:
    """Send each letter's original bytes to the topic it came from; return how many, all acknowledged.

    Letters are untrusted: one that names no topic or partition that workers read, or that does not hold the original
    bytes, is passed over and ``refused`` told why; without ``refused`` it raises ``DeadLetterError`` before anything
    is sent.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES,
        **client_options(settings),
    )
    await producer.start()
    try:
        messages = []
        for letter in letters:
            try:
                messages.append(await _checked(producer, letter))
            except DeadLetterError as error:
                if refused is None:
                    raise
                refused(str(error))
        waiting = [await producer.send(**message) for message in messages]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    return len(messages)


async def _checked(producer: AIOKafkaProducer, letter: DeadLetter) -> dict[str, Any]:
    message = _message(letter)
    numbers = await producer.partitions_for(letter.source_topic)
    if letter.partition not in numbers:
        raise DeadLetterError(f"dead letter {letter.id}: {letter.source_topic} has partitions {sorted(numbers)}")
    return message


def _message(letter: DeadLetter) -> dict[str, Any]:
    if letter.source_topic not in READ:  # no other topic: a forged letter would write there with our rights
        known = ", ".join(READ)
        raise DeadLetterError(f"dead letter {letter.id} names {letter.source_topic}; workers read only {known}")
    if letter.reason.endswith(CUT):
        raise DeadLetterError(f"dead letter {letter.id} does not hold all of its bytes; its source was too large")
    try:
        key, value = _decode(letter.key), _decode(letter.value)
        headers = [(name, _decode(data) or b"") for name, data in letter.headers.items()]
    except ValueError:
        raise DeadLetterError(f"dead letter {letter.id}: its bytes are not base64") from None
    if key is None and value is None:
        value = b""  # the client refuses to send nothing at all
    return {
        "topic": letter.source_topic,
        "partition": letter.partition,
        "key": key,
        "value": value,
        "headers": headers,
    }


def _headers(found: Any) -> list[tuple[str, bytes]]:
    pairs = found.items() if isinstance(found, Mapping) else found or ()
    return [(name, data or b"") for name, data in pairs]


def _first(data: bytes | None, limit: int) -> bytes | None:
    return data[:limit] if data else data


def _first_headers(headers: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    kept, size = [], 0
    for name, data in headers[:MAX_HEADERS]:
        size += len(data)
        if len(name) > 256 or size > MAX_HEADER_BYTES:
            break
        kept.append((name, data))
    return kept


def _encode(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
