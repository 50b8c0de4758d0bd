"""Answers as bytes: what is written without validation is what a validated record would have been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from models.records import Prediction, parse
from models.step import answer, step
from models.warm_start import warm_state
from producers.demo import failures
from tests.builders import NOW, build, diagnostic, feedback, random_builds, small_state

FAILURES = list(failures())


def test_every_bundled_failure_is_answered_with_a_whole_record() -> None:
    """Each answer to the bundled failures passes the record's rules and is, byte for byte, what the record writes."""
    state = warm_state()
    for record in FAILURES:
        (one,) = answer(state, record, NOW)
        assert parse(Prediction, one.value).to_bytes() == one.value


def test_people_and_the_model_answer_with_whole_records() -> None:
    """The same holds for answers by people, by the model alone, by an empty model, and for repeats."""
    state = small_state()
    for number, record in enumerate(random_builds(60, seed=17)):
        if number % 3 == 0:
            answer(state, feedback(f"build-{number - 1}", "LifetimeErrors"), NOW)
        for one in answer(state, record, NOW) + answer(state, record, NOW):
            assert parse(Prediction, one.value).to_bytes() == one.value


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    ],
)
def test_time_is_written_as_the_record_writes_it(now: datetime) -> None:
    """Whole seconds, parts of a second and other time zones are written as the record writes them."""
    (one,) = answer(small_state(), build("one", diagnostic()), now)
    record = parse(Prediction, one.value)
    assert record.time == now
    assert record.to_bytes() == one.value
    assert one.value.count(f'"time":"{one.time}"'.encode()) == 1


def test_says_what_headers_and_metrics_need() -> None:
    """An answer carries its id, time, categories and sources, as the record in it does; a repeat the same ones."""
    state, record = small_state(), random_builds(1, seed=3)[0]
    first, again = answer(state, record, NOW), answer(state, record, NOW + timedelta(hours=1))
    assert first == again
    prediction = parse(Prediction, first[0].value)
    assert first[0].id == prediction.id
    assert first[0].decided == [(one.category, one.source) for one in prediction.classifications]


def test_step_is_the_same_as_objects() -> None:
    """``step`` returns the records that ``answer`` writes, and leaves the same state behind."""
    one, other = small_state(), small_state()
    for record in random_builds(20, seed=5):
        assert [p.to_bytes() for p in step(one, record, NOW)] == [a.value for a in answer(other, record, NOW)]
    assert one.classifier.weights.tobytes() == other.classifier.weights.tobytes()
