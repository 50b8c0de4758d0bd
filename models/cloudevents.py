"""CloudEvents 1.0, Kafka protocol binding, binary mode: the attributes of an event as message headers.

Source: CloudEvents specification 1.0.2 and its Kafka protocol binding (prefix ``ce_``, ``content-type`` apart).
"""

from __future__ import annotations

from models.records import Record

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"


def event_type(kind: type[Record]) -> str:
    """Return ``ce_type`` of a record class: its topic's full name."""
    return f"jidoka.{kind.topic}.v1"


def headers(record: Record, source: str) -> list[tuple[str, bytes]]:
    """Return the headers of ``record``; ``source`` is a URI reference to who sends it (``/jidoka/push``)."""
    attributes = {
        "ce_specversion": SPECVERSION,
        "ce_id": record.id,
        "ce_type": event_type(type(record)),
        "ce_source": source,
        "ce_time": record.time.isoformat().replace("+00:00", "Z"),
        "content-type": CONTENT_TYPE,
    }
    return [(name, value.encode()) for name, value in attributes.items()]
