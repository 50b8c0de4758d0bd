"""The helpers of the kill test: a check that cannot fail would prove nothing."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from models.records import CompilerErrors, Feedback, RecordError, parse
from streams.topics import topic_name
from tests.integration.chaos import (
    UNREADABLE_EVERY,
    Fault,
    Load,
    Message,
    Uninterrupted,
    difference,
    offsets_reached,
    plan,
)

KINDS = ["kill"] * 10 + ["kill broker"] * 2


def faults_of(seed: int, start: int = 0, end: int = 50_000) -> list[Fault]:
    return plan(random.Random(seed), KINDS, start, end)  # noqa: S311 - a plan, not a secret


def messages(load: list[Message]) -> list[Any]:
    return [
        SimpleNamespace(
            topic=topic_name(one.kind),
            partition=0,
            value=one.value,
            offset=number,
            timestamp=1_700_000_000_000 + number,
        )
        for number, one in enumerate(load)
    ]


def readable(message: Message) -> bool:
    try:
        parse(message.kind, message.value)
    except RecordError:
        return False
    return True


def value(failure_id: str, **more: Any) -> bytes:
    return orjson.dumps({"failure_id": failure_id, **more})


class TestPlan:
    def test_a_seed_repeats_it(self) -> None:
        """The same seed gives the same faults at the same moments, another seed others."""
        first, again, other = (faults_of(seed) for seed in (1, 1, 2))
        assert first == again != other

    def test_every_fault_comes_once_while_there_is_work(self) -> None:
        """All faults asked for come, in the order of their moments, both workers in turn, before the records end."""
        faults = faults_of(3, 1_000, 26_000)
        assert sorted(fault.kind for fault in faults) == sorted(KINDS)
        assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
        assert all(1_000 <= fault.at < 21_000 for fault in faults)
        assert {fault.worker for fault in faults[:2]} == {0, 1}
        assert {fault.settled for fault in faults} == {True, False}


class TestLoad:
    def test_a_seed_repeats_it(self) -> None:
        """The same seed gives the same bytes."""
        assert Load(5).builds(500) == Load(5).builds(500) != Load(6).builds(500)

    def test_one_of_a_thousand_cannot_be_read(self) -> None:
        """Exactly one record of each thousand is unreadable; ids come again, near and far."""
        builds = Load(7).builds(5 * UNREADABLE_EVERY)
        unreadable = [number for number, one in enumerate(builds) if not readable(one)]
        assert [number // UNREADABLE_EVERY for number in unreadable] == [0, 1, 2, 3, 4]
        values = [one.value for one in builds if readable(one)]
        distances, last = [], {}
        for number, one in enumerate(values):
            if one in last:
                distances.append(number - last[one])
            last[one] = number
        assert len(distances) > 20
        assert min(distances) < 1_000 < max(distances)

    def test_feedback_speaks_of_recent_builds(self) -> None:
        """Feedback names builds that were made, and diagnostics that they have."""
        load = Load(8)
        made = {one.id: one for one in (parse(CompilerErrors, m.value) for m in load.builds(900) if readable(m))}
        for message in load.feedback(50):
            said = parse(Feedback, message.value)
            assert said.index < len(made[said.failure_id].diagnostics)
            assert said.project == message.project == made[said.failure_id].project


class TestUninterrupted:
    def test_says_what_has_to_come_out(self) -> None:
        """Each readable build has a prediction, in order; what cannot be read is a dead letter at its offset."""
        builds = Load(9).builds(UNREADABLE_EVERY)
        expected = Uninterrupted()
        expected.take(messages(builds))
        ids = [parse(CompilerErrors, one.value).id for one in builds if readable(one)]
        assert [orjson.loads(one)["failure_id"] for one in expected.predictions] == ids
        ((topic, offset, bad),) = expected.letters
        assert (topic, bad) == (topic_name(CompilerErrors), builds[offset].value)
        assert not readable(builds[offset])


class TestDifference:
    def test_equal_is_no_difference(self) -> None:
        """The same predictions in the same order are in order, repeats included."""
        values = [value("a"), value("b"), value("a")]
        assert difference(values, values) == ""

    @pytest.mark.parametrize(
        ("found", "told"),
        [
            ("ac", "1 lost, 0 duplicated of 3"),
            ("abcc", "0 lost, 1 duplicated of 3"),
            ("abb", "1 lost, 1 duplicated of 3"),
            ("acb", "out of order from place 1"),
        ],
    )
    def test_each_kind_is_told(self, found: str, told: str) -> None:
        """A prediction lost, doubled or out of order is told as that."""
        assert told in difference([value(one) for one in found], [value(one) for one in "abc"])

    def test_another_answer_is_told(self) -> None:
        """The right failures with a wrong answer are a difference too."""
        told = difference([value("a"), value("b", root=1)], [value("a"), value("b", root=0)])
        assert "1 other answers, the first at place 1" in told


def test_only_source_records_count_as_progress() -> None:
    """Progress is what the group committed of the two source topics, over all partitions."""
    committed = {(topic_name(CompilerErrors), 0): 5, (topic_name(Feedback), 3): 2, ("other", 0): 100}
    assert offsets_reached(committed) == 7
