"""When the batch job is due: by a cron expression, or because the andon has asked for it. No clock: time comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from croniter import croniter

from models.records import AndonEvent

OFF = "off"
PAUSE = timedelta(hours=1)  # between two beginnings: ten projects that drift in one hour are one reason to train
MAX_REASON = 300  # characters: it is part of an offset's metadata, of which Kafka takes 4 kB
ANDON, RETRAIN = "ConceptDrift", "Retrain"


@dataclass(frozen=True)
class Plan:
    """What is known of the batch job, kept with the group's offset: whoever takes over goes on from it.

    ``begun`` is when the last job began, or when the schedule did; ``running`` why, while it runs; ``wanted`` why
    another is wanted. ``failed`` says that the last one did.
    """

    begun: datetime
    running: str | None = None
    wanted: str | None = None
    failed: bool = False

    def due(self, schedule: str, now: datetime) -> str | None:
        """Return why the job has to begin now, if it has to; a slot that passed while nobody was there counts once.

        >>> plan = Plan(datetime(2026, 1, 1, 2, tzinfo=UTC))
        >>> plan.due("0 3 * * *", datetime(2026, 1, 1, 2, 59, tzinfo=UTC))
        >>> plan.due("0 3 * * *", datetime(2026, 1, 2, 9, tzinfo=UTC))
        'schedule 0 3 * * *'
        """
        if self.running is not None:
            return None
        if self.wanted is not None and now - self.begun >= PAUSE:
            return self.wanted
        if schedule != OFF and next_slot(schedule, self.begun) <= now:
            return f"schedule {schedule}"
        return None

    def asked(self, event: AndonEvent) -> Plan:
        """Return the plan after an event of the andon: drift that recommends to train again asks for a job."""
        if (event.kind, event.transition, event.recommendation) != (ANDON, "raised", RETRAIN):
            return self
        if event.time <= self.begun and self.running is None:
            return self  # what drifted was there when the last job began
        return replace(self, wanted=self.wanted or f"{event.kind}: {event.message}"[:MAX_REASON])

    def started(self, why: str, now: datetime) -> Plan:
        """Return the plan once a job has begun."""
        return replace(self, begun=now, running=why[:MAX_REASON], wanted=None)

    def ended(self, *, failed: bool) -> Plan:
        """Return the plan once the job has ended."""
        return replace(self, running=None, failed=failed)

    def given_up(self) -> Plan:
        """Return the plan once a job was stopped on purpose: it is wanted as much as before."""
        return replace(self, running=None, wanted=self.wanted or self.running)

    def dump(self) -> str:
        """Return the plan as text for an offset's metadata."""
        about = {"begun": self.begun, "running": self.running, "wanted": self.wanted, "failed": self.failed}
        return orjson.dumps(about).decode()


def next_slot(schedule: str, after: datetime) -> datetime:
    """Return the first moment of a cron expression (UTC) after another."""
    found: datetime = croniter(schedule, after.astimezone(UTC)).get_next(datetime)
    return found


def load(text: str | None, now: datetime) -> Plan:
    """Return the plan in an offset's metadata; what is none, as at the first start, is a schedule that begins now."""
    try:
        found: Any = orjson.loads(text or "")
        begun = datetime.fromisoformat(found["begun"])
        return Plan(
            min(begun.astimezone(UTC), now), _text(found, "running"), _text(found, "wanted"), found["failed"] is True
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return Plan(now)


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value[:MAX_REASON] if isinstance(value, str) else None
