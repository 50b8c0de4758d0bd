"""What the batch job tells the andon: that it failed, and that it works again."""

from __future__ import annotations

from datetime import datetime

from models.andon.conditions import CONDITIONS
from models.records import AndonEvent, content_id

KIND, SIGNAL = "TrainingFailure", "batch"
MAX_MESSAGE = 4_000


def event_of_failure(why: str, error: str, now: datetime) -> AndonEvent:
    """Return the event of a job that ended without a model.

    A warning, unlike what halts a partition: the line learns on, and answers with the models that it has.
    """
    return AndonEvent(
        id=content_id(KIND, SIGNAL, now.isoformat()),
        time=now,
        project="jidoka",
        kind=KIND,
        severity="warning",
        signal=SIGNAL,
        message=f"the batch job failed ({why}): {error}"[:MAX_MESSAGE],
        recommendation="Look at the log",
        runbook=CONDITIONS[KIND].runbook,
    )


def event_of_success(now: datetime) -> AndonEvent:
    """Return the event that puts the lamp out again: a job has ended with a model."""
    return AndonEvent(
        id=content_id(KIND, SIGNAL, "cleared", now.isoformat()),
        time=now,
        project="jidoka",
        kind=KIND,
        severity="info",
        transition="cleared",
        signal=SIGNAL,
        message="the batch job has ended with a model",
    )
