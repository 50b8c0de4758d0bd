"""The stall detector: what it must find, and what it must never take for a stall."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.liveness import JOIN_LIMITS, PARTITION_LIMITS, POISONED_LIMIT_S, Seen, StallDetector, Verdict
from streams.offsets import Offsets
from streams.watch import THREAD, ClientNoise

LIMIT = 30.0
STEP = 3.0
A, B = ("errors", 0), ("errors", 1)
IDLE = Seen(positions={A: 7, B: 3}, ends={A: 7, B: 3}, committed={A: 7, B: 3})
WAITING = replace(IDLE, ends={A: 20, B: 3})


class Worker:
    """A worker whose event loop runs, as the detector sees it look by look."""

    def __init__(self) -> None:
        self.detector, self.now, self.beats = StallDetector(LIMIT), 100.0, 0

    def look(self, seen: Seen, *, after: float = STEP, beat: bool = True) -> Verdict:
        self.now += after
        self.beats += beat
        return self.detector.update(self.now, replace(seen, beats=self.beats))

    def until_stalled(self, seen: Seen, *, beat: bool = True, at_most: float = 1000.0) -> tuple[float, Verdict]:
        """Return after how many seconds the same sight is a stall, and the verdict."""
        begun = self.now
        while (verdict := self.look(seen, beat=beat)).state != "stalled":
            assert self.now - begun < at_most, verdict
        return self.now - begun, verdict


class TestFound:
    @pytest.mark.parametrize(
        ("seen", "beat", "limit", "words"),
        [
            (WAITING, True, LIMIT, ("errors/0 at offset 7", "committed 7", "lag 13", "none was taken in")),
            (replace(IDLE, committed={A: 5, B: 3}), True, LIMIT, ("nothing was committed", "errors/0", "committed 5")),
            (IDLE, False, LIMIT, ("event loop",)),
            (replace(IDLE, poisoned=True), True, POISONED_LIMIT_S, ("broke off",)),
            (replace(IDLE, stopping=True), True, LIMIT, ("stopping",)),
            (replace(IDLE, ready=False), True, LIMIT * JOIN_LIMITS, ("not ready",)),
        ],
        ids=["records wait", "no commit", "blocked loop", "poisoned gate", "hanging stop", "never assigned"],
    )
    def test_what_does_not_move_is_found(self, seen: Seen, beat: bool, limit: float, words: tuple[str, ...]) -> None:
        """Each way to hang is found between its limit and two looks later, and the reason says where."""
        after, verdict = Worker().until_stalled(seen, beat=beat)
        assert limit <= after <= limit + 2 * STEP
        for word in words:
            assert word in verdict.reason

    def test_half_way_it_is_told(self) -> None:
        """From half of the limit on a worker counts as stalling, with the same reason."""
        worker = Worker()
        states = [worker.look(WAITING).state for _ in range(12)]
        assert states == ["ok"] * 5 + ["stalling"] * 5 + ["stalled"] * 2

    def test_one_partition_that_stands_still_is_found(self) -> None:
        """While others move, a partition may wait for its turn, but not for ever."""
        worker, seen = Worker(), replace(WAITING, committed={})
        begun = worker.now
        while worker.look(seen).state != "stalled":
            at = seen.positions[B] + 1
            seen = replace(seen, positions={**seen.positions, B: at}, ends={**seen.ends, B: at})
            assert worker.now - begun < 2 * PARTITION_LIMITS * LIMIT
        assert worker.now - begun >= PARTITION_LIMITS * LIMIT


class TestNoFalseAlarm:
    @pytest.mark.parametrize(
        "seen",
        [
            IDLE,
            Seen(),
            replace(WAITING, broker_answers=False),
            replace(IDLE, committed={}),
            replace(IDLE, positions={A: 7}, ends={}),
            replace(IDLE, ready=False, broker_answers=False),
        ],
        ids=["idle", "no partitions", "broker away", "nothing known of commits", "nothing known of ends", "no group"],
    )
    def test_nothing_due_is_no_stall(self, seen: Seen) -> None:
        """An idle worker, one without partitions and one whose broker is away stay as they are, for hours."""
        worker = Worker()
        expected = "ok" if seen.broker_answers else "waiting"
        worker.look(seen)  # one unanswered question is not the broker's absence yet
        assert {worker.look(seen).state for _ in range(4000)} == {expected}

    def test_the_broker_has_its_time_to_come_back(self) -> None:
        """Time without the broker does not count, and after it the worker has its whole limit again."""
        worker = Worker()
        for _ in range(9):
            worker.look(WAITING)
        states = [worker.look(replace(WAITING, broker_answers=False)).state for _ in range(100)]
        assert states[1:] == ["waiting"] * 99
        after, _ = worker.until_stalled(WAITING)
        assert after >= LIMIT

    def test_one_lost_answer_is_no_absence(self) -> None:
        """A worker stays ready over one question that the broker did not answer, not over two."""
        worker = Worker()
        away = replace(IDLE, broker_answers=False)
        assert [worker.look(seen).state for seen in (IDLE, away, IDLE, away, away)] == ["ok"] * 4 + ["waiting"]

    def test_a_long_restore_is_no_stall(self) -> None:
        """A restore that reads on is no stall, however long it takes."""
        worker = Worker()
        for sign in range(1000):
            assert worker.look(replace(IDLE, ready=False, signs=sign, positions={})).state == "ok"

    def test_a_slow_step_is_no_stall(self) -> None:
        """One record every 12 seconds in a loop that never has a turn is progress."""
        worker = Worker()
        for number in range(400):
            at = {A: number // 4, B: 0}
            seen = Seen(positions=at, ends={A: 10_000, B: 0}, committed=at)
            assert worker.look(seen, beat=False).state == "ok"

    def test_a_frozen_process_is_no_stall(self) -> None:
        """A process that was stopped for an hour and goes on is not ended for it."""
        worker = Worker()
        worker.look(WAITING)
        assert worker.look(WAITING, after=3600).state == "ok"
        assert worker.look(replace(WAITING, positions={A: 8, B: 3})).state == "ok"

    def test_a_clock_that_goes_back_is_no_time(self) -> None:
        """A clock that jumps back neither ends a worker nor makes a negative time."""
        worker = Worker()
        for after in (STEP, -1000.0, STEP):
            assert worker.look(WAITING, after=after).idle_s >= 0


SEEN = st.builds(
    Seen,
    broker_answers=st.booleans(),
    ready=st.booleans(),
    stopping=st.booleans(),
    poisoned=st.booleans(),
    signs=st.integers(0, 2),
    positions=st.dictionaries(st.sampled_from([A, B]), st.integers(0, 5)),
    ends=st.dictionaries(st.sampled_from([A, B]), st.integers(0, 5)),
    committed=st.dictionaries(st.sampled_from([A, B]), st.integers(0, 5)),
)


class TestProperties:
    @given(st.lists(st.tuples(SEEN, st.floats(0, 10), st.booleans()), max_size=60))
    def test_never_before_its_limit(self, looks: list[tuple[Seen, float, bool]]) -> None:
        """Whatever is seen, nothing is a stall that has not lasted for the shortest limit; alarms have words."""
        worker, since = Worker(), 0.0
        for seen, after, beat in looks:
            since += after
            verdict = worker.look(seen, after=after, beat=beat)
            assert 0 <= verdict.idle_s <= since + 1e-9
            if verdict.state == "stalled":
                assert since >= POISONED_LIMIT_S
            assert bool(verdict.reason) == (verdict.state != "ok")

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 9)), max_size=80))
    def test_whoever_keeps_up_is_never_stalled(self, looks: list[tuple[int, int, float]]) -> None:
        """A worker that takes in and commits at least one record between two looks is never even suspected."""
        worker, at, end = Worker(), 0, 5
        for taken, written, after in looks:
            end += written + 1
            at = min(end, at + taken + 1)
            seen = Seen(positions={A: at}, ends={A: end}, committed={A: at})
            assert worker.look(seen, after=after).state == "ok"

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(-10, 100))
    def test_offsets_stay_within_the_log(self, start: int, length: int, offset: int) -> None:
        """A position before the first record or beyond the end counts as the nearest one there is."""
        offsets = Offsets(start, start + length, start + length, start)
        assert start <= offsets.clamp(offset) <= start + length
        if start <= offset <= start + length:
            assert offsets.clamp(offset) == offset


class TestClientNoise:
    def test_repeated_lines_are_thinned(self) -> None:
        """What Kafka's clients repeat is written once, what the watch's own say never, all else as it comes."""
        noise = ClientNoise()

        def kept(name: str, message: str, thread: str = "consumer") -> bool:
            record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, ("x",), None)
            record.threadName = thread
            return noise.filter(record)

        assert [kept("aiokafka.client", "Unable connect to %s") for _ in range(5)] == [True] + 4 * [False]
        assert kept("aiokafka.client", "Another thing: %s")
        assert not kept("aiokafka.client", "A third thing: %s", THREAD)
        assert all(kept("streams.line", "cannot go on: %s") for _ in range(3))
