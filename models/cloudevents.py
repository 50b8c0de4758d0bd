"""CloudEvents 1.0, Kafka protocol binding, binary mode: the attributes of an event as message headers.

Source: CloudEvents specification 1.0.2 and its Kafka protocol binding (prefix ``ce_``, ``content-type`` apart).
"""

from __future__ import annotations

from datetime import datetime

from models.records import Record

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"


def event_type(kind: type[Record]) -> str:
    """Return ``ce_type`` of a record class: its topic's full name."""
    return f"jidoka.{kind.topic}.v1"


def headers(record: Record, source: str) -> list[tuple[str, bytes]]:
    """Return the headers of ``record``; ``source`` is a URI reference to who sends it (``/jidoka/push``)."""
    return attributes(record.id, event_type(type(record)), source, rfc3339(record.time))


def attributes(event_id: str, kind: str, source: str, time: str) -> list[tuple[str, bytes]]:
    """Return the headers of an event with this id, type, source and time (RFC 3339)."""
    return [
        ("ce_specversion", SPECVERSION.encode()),
        ("ce_id", event_id.encode()),
        ("ce_type", kind.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    ]


def rfc3339(time: datetime) -> str:
    """Return a time (aware) as text, with ``Z`` for UTC."""
    return time.isoformat().replace("+00:00", "Z")
