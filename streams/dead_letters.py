"""Dead letters: made from a Kafka message that could not be read, and sent again from the record."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from models.records import DeadLetter
from streams.kafka import client_options
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, TOPICS

MAX_REASON = 4_000
MAX_HEADERS = 50
MAX_KEPT = 6 << 20  # bytes of a value or key; in base64 they still fit into a message


def dead_letter(message: Any, reason: str, now: datetime) -> DeadLetter:
    """Return the dead letter of a Kafka message: its bytes as they were, where it stood, why it was refused."""
    place = f"{message.topic}-{message.partition}-{message.offset}"
    if len(message.value or b"") > MAX_KEPT:
        reason = f"{reason} (only the first {MAX_KEPT} bytes are kept)"
    return DeadLetter(
        id=place,
        time=now,
        project="unknown",
        source_topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        reason=reason[:MAX_REASON],
        key=_encode(message.key[:MAX_KEPT] if message.key else message.key),
        value=_encode(message.value[:MAX_KEPT] if message.value else message.value),
        headers={name[:256]: _encode(value) or "" for name, value in _headers(message.headers)[:MAX_HEADERS]},
    )


async def resend(settings: Settings, letters: Iterable[DeadLetter]) -> None:
    """Send each letter's original bytes to the topic it came from; all are acknowledged on return.

    Raises ``ValueError`` for a letter that names a topic which is not of the line: the record is untrusted.
    """
    known = {topic.name for topic in TOPICS}
    options = client_options(settings)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES,
        **options,
    )
    await producer.start()
    try:
        for letter in letters:
            if letter.source_topic not in known:
                raise ValueError(f"dead letter {letter.id} names {letter.source_topic}, which is no topic of the line")
            headers = [(name, _decode(value) or b"") for name, value in letter.headers.items()]
            await producer.send_and_wait(
                letter.source_topic,
                _decode(letter.value),
                key=_decode(letter.key),
                partition=letter.partition,
                headers=headers,
            )
    finally:
        await producer.stop()


def _headers(found: Any) -> list[tuple[str, bytes]]:
    return list(found.items()) if isinstance(found, Mapping) else list(found or ())


def _encode(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
