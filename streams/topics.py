"""The topics of the line: names, partitions, retention; and their creation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from models import records
from models.cloudevents import event_type
from models.records import Record

PREFIX, SUFFIX = "jidoka.", ".v1"
DAY_MS = 86_400_000
MAX_MESSAGE_BYTES = 16 << 20  # a checkpoint's base chunk; compiler-errors records stay under MAX_RECORD_BYTES


@dataclass(frozen=True)
class Topic:
    """A topic of the line: the record it carries and how Kafka keeps it."""

    record: type[Record]
    config: dict[str, str] = field(default_factory=dict)
    partitioned: bool = True  # by project; False: one partition

    @property
    def name(self) -> str:
        """Return the full name, ``jidoka.<record>.v1``."""
        return topic_name(self.record)


def _kept(days: int) -> dict[str, str]:
    return {"retention.ms": str(days * DAY_MS)}


_COMPACTED = {"cleanup.policy": "compact", "max.message.bytes": str(MAX_MESSAGE_BYTES)}

TOPICS: tuple[Topic, ...] = (
    Topic(records.Program, _kept(14)),
    Topic(records.TranspileResult, _kept(14)),
    Topic(records.CompilerErrors, _kept(14) | {"max.message.bytes": str(records.MAX_RECORD_BYTES + (1 << 20))}),
    Topic(records.Feedback, _kept(90)),
    Topic(records.Prediction, _kept(30) | {"max.message.bytes": str(MAX_MESSAGE_BYTES)}),
    Topic(records.Model, _COMPACTED, partitioned=False),
    Topic(records.ModelCheckpoint, _COMPACTED),
    Topic(records.ModelCommand, _kept(90)),
    Topic(records.AndonEvent, _kept(90), partitioned=False),
    Topic(records.DeadLetter, _kept(90) | {"max.message.bytes": str(MAX_MESSAGE_BYTES)}),
)


def topic_name(record: type[Record]) -> str:
    """Return the full name of the topic that carries ``record``: the type that its events have."""
    return event_type(record)


def by_short_name(short: str, topics: Iterable[Topic] = TOPICS) -> Topic:
    """Return the topic called ``short`` (``predictions``), ``andon`` for short, or its full name.

    Raises ``ValueError`` that lists the names there are.
    """
    wanted = "andon-events" if short == "andon" else short.removeprefix(PREFIX).removesuffix(SUFFIX)
    for topic in topics:
        if topic.record.topic == wanted:
            return topic
    raise ValueError(f"no topic {short!r}; there are {', '.join(topic.record.topic for topic in topics)}")
