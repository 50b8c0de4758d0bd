"""What one request may cost, in one place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of size (bytes), time (seconds) and number; the defaults take the logs of a large workspace."""

    body_bytes: int = 16 * MIB  # as sent
    inflated_bytes: int = 64 * MIB  # after gzip: four times is usual for logs, a bomb reaches a thousand
    feedback_bytes: int = MIB // 16
    receive_s: float = 60.0  # for the whole body
    parse_s: float = 20.0
    deliver_s: float = 10.0  # until Kafka has acknowledged, connecting included
    busy_s: float = 10.0  # in the queue for a parser
    parsers: int = 4  # bodies read at once
    requests: int = 32  # bodies held at once; times body_bytes is the memory that clients can fill
    ids: int = 1_000  # failure ids told in one answer
