"""When the batch job is due, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from models.records import AndonEvent
from streams.schedule.plan import PAUSE, Plan, load
from streams.settings import Settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NIGHTLY = "0 3 * * *"


def drift(at: datetime, **fields: object) -> AndonEvent:
    """Return an event of drift that recommends to train again."""
    about = {"id": "event", "time": at, "project": "demo", "kind": "ConceptDrift", "severity": "warning"}
    return AndonEvent.model_validate({**about, "message": "the mix moved", "recommendation": "Retrain", **fields})


class TestSchedule:
    def test_a_slot_begins_one_job(self) -> None:
        """A job begins at its slot, once, and again at the next."""
        plan = Plan(NOW)
        three = NOW.replace(hour=3) + timedelta(days=1)
        assert plan.due(NIGHTLY, three - timedelta(seconds=1)) is None
        assert plan.due(NIGHTLY, three) == f"schedule {NIGHTLY}"
        after = plan.started("schedule", three).ended(failed=False)
        assert after.due(NIGHTLY, three + timedelta(hours=23)) is None
        assert after.due(NIGHTLY, three + timedelta(days=1)) is not None

    def test_slots_that_nobody_saw_count_once(self) -> None:
        """After a week without a scheduler one job begins, not seven."""
        plan, later = Plan(NOW), NOW + timedelta(days=7)
        assert plan.due(NIGHTLY, later) is not None
        assert plan.started("schedule", later).ended(failed=True).due(NIGHTLY, later + timedelta(hours=1)) is None

    def test_one_at_a_time(self) -> None:
        """Nothing is due while a job runs."""
        running = replace(Plan(NOW), running="schedule", wanted="drift")
        assert running.due(NIGHTLY, NOW + timedelta(days=3)) is None

    def test_off_means_off(self) -> None:
        """Without a schedule only the andon begins jobs."""
        assert Plan(NOW).due("off", NOW + timedelta(days=400)) is None
        assert replace(Plan(NOW), wanted="drift").due("off", NOW + PAUSE) == "drift"

    def test_a_setting_that_is_no_cron_expression_is_refused(self) -> None:
        """Words, too few fields and nonsense are refused with an example of what is meant."""
        for wrong in ("nightly", "0 3 *", "61 3 * * *", ""):
            with pytest.raises(ValidationError, match="no cron expression"):
                Settings(train_schedule=wrong)
        assert Settings(train_schedule="off").train_schedule == "off"


class TestDrift:
    def test_asks_for_a_job(self) -> None:
        """Drift asks for a job, which begins an hour after the last one began at the earliest."""
        plan = Plan(NOW).asked(drift(NOW + timedelta(minutes=1)))
        assert plan.due("off", NOW + timedelta(minutes=59)) is None
        assert plan.due("off", NOW + PAUSE) == "ConceptDrift: the mix moved"

    def test_drift_while_a_job_runs_asks_for_another(self) -> None:
        """What drifts while a job runs is not in its data: another is wanted after it."""
        plan = Plan(NOW).started("schedule", NOW).asked(drift(NOW - timedelta(minutes=1)))
        assert plan.ended(failed=False).wanted is not None

    @pytest.mark.parametrize(
        "event",
        [
            drift(NOW + PAUSE, kind="DeadLetterSurge"),
            drift(NOW + PAUSE, transition="resumed"),
            drift(NOW + PAUSE, recommendation="Check the input"),
            drift(NOW - PAUSE),
        ],
    )
    def test_other_events_do_not(self, event: AndonEvent) -> None:
        """Other conditions, ends of drift, and drift from before the last job ask for nothing."""
        assert Plan(NOW).asked(event) == Plan(NOW)


class TestKept:
    def test_comes_back(self) -> None:
        """A plan comes back from an offset's metadata as it was."""
        plan = Plan(NOW, running="schedule", wanted="drift", failed=True)
        assert load(plan.dump(), NOW + PAUSE) == plan

    @pytest.mark.parametrize(
        "text", [None, "", "{}", "[]", '{"begun": 3}', '{"begun": "x"}', "\x00", '{"begun":"2026"}']
    )
    def test_what_is_no_plan_begins_now(self, text: str | None) -> None:
        """Anything else, as at the first start, is a schedule that begins now: nothing is overdue."""
        assert load(text, NOW) == Plan(NOW)

    def test_a_job_that_was_given_up_is_wanted_again(self) -> None:
        """A job stopped on purpose is as much wanted as before."""
        assert Plan(NOW).started("drift", NOW).given_up().wanted == "drift"
