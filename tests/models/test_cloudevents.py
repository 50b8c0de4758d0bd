"""CloudEvents headers: what the Kafka protocol binding asks of binary mode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cloudevents import event_type, headers
from models.records import RECORDS, Feedback, Record

REQUIRED = {"ce_specversion", "ce_id", "ce_type", "ce_source"}  # CloudEvents 1.0.2, required attributes


def feedback(time: datetime) -> Feedback:
    """Return a small record of that time."""
    return Feedback(id="fb-1", time=time, project="p", failure_id="f-1", index=0, category="TypeErrors")


def test_required_attributes_are_there() -> None:
    """Every required attribute is present once, prefixed, with the content type beside them unprefixed."""
    sent = headers(feedback(datetime(2025, 3, 4, 9, 12, 31, tzinfo=UTC)), "/jidoka/push")
    assert dict(sent) == {
        "ce_specversion": b"1.0",
        "ce_id": b"fb-1",
        "ce_type": b"jidoka.feedback.v1",
        "ce_source": b"/jidoka/push",
        "ce_time": b"2025-03-04T09:12:31Z",
        "content-type": b"application/json",
    }
    assert len(sent) == len(dict(sent))
    assert set(dict(sent)) >= REQUIRED


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_time_is_rfc3339(naive: datetime, offset: int) -> None:
    """The time of an event names the same instant as the record's, in RFC 3339 with its offset."""
    time = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = dict(headers(feedback(time), "/test"))["ce_time"].decode()
    assert datetime.fromisoformat(text) == time
    assert text.endswith("Z") or text[-6] in "+-"


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.topic)
def test_types_are_topic_names(kind: type[Record]) -> None:
    """The type of an event is the full name of its topic, and no two records share one."""
    assert event_type(kind) == f"jidoka.{kind.topic}.v1"
    assert len({event_type(other) for other in RECORDS}) == len(RECORDS)
