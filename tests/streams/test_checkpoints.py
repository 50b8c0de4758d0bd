"""A partition's checkpoints: written, compacted, damaged, and put together again."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Feedback, ModelCheckpoint, parse
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from streams import checkpoints
from streams.checkpoints import DELTAS_PER_BASE, EVERY_S, Partition, restore
from streams.topics import MAX_MESSAGE_BYTES, topic_name

START = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = "jidoka.compiler-errors.v1"
KINDS = (("E0308", "mismatched types"), ("E0425", "cannot find value"), ("E0502", "cannot borrow"), (None, "odd"))

Log = list[tuple[bytes, ModelCheckpoint]]


def failure(number: int) -> CompilerErrors:
    draw = random.Random(number)  # noqa: S311 - test data
    code, text = draw.choice(KINDS)
    words = f"{text} `{draw.choice('abcdefgh')}` in {draw.choice(('fn', 'impl', 'mod'))}"
    diagnostic = Diagnostic(code=code, level="error", message=words)
    return CompilerErrors(id=f"f{number}", time=START, project="p", diagnostics=(diagnostic,))


def take(partition: Partition) -> None:
    """Let the partition take in its next record."""
    number = partition.offsets.get(SOURCE, 0)
    step(partition.state, failure(number), START)
    partition.advance(SOURCE, number)


def run(count: int, partition: Partition | None = None, *, states_too: bool = True) -> tuple[Log, list[bytes]]:
    """Return ``count`` checkpoints, one record apart, as they go on the topic, and the whole state after each."""
    partition = partition or Partition(3, LineState())
    log: Log = []
    states = []
    for number in range(count):
        take(partition)
        log += partition.checkpoint(START + timedelta(seconds=number))
        if states_too:
            states.append(snapshot.base(partition.state))
    return log, states


def records(log: Log) -> list[ModelCheckpoint]:
    """Return what a reader of the topic gets: the records, through their bytes."""
    return [parse(ModelCheckpoint, record.to_bytes(), MAX_MESSAGE_BYTES) for _, record in log]


def compacted(log: Log) -> Log:
    """Return what Kafka's compaction leaves: of each key the last, in the order of writing."""
    last = {key: place for place, (key, _) in enumerate(log)}
    return [log[place] for place in sorted(last.values())]


def damaged(record: ModelCheckpoint) -> ModelCheckpoint:
    return record.model_copy(update={"payload": base64.b64encode(b"not what it was").decode()})


def with_damage(log: Log, sequence: int) -> Log:
    return [(key, damaged(record) if record.sequence == sequence else record) for key, record in log]


def sequences(log: Log, kind: str) -> list[int]:
    return [record.sequence for _, record in log if record.kind == kind]


class TestWriting:
    def test_a_base_comes_first_and_deltas_follow(self) -> None:
        """The first checkpoint is whole, the next carry what changed, numbered without a gap."""
        log, _ = run(5)
        assert [record.kind for _, record in log] == ["base", "delta", "delta", "delta", "delta"]
        assert [record.sequence for _, record in log] == [0, 1, 2, 3, 4]
        assert [record.offsets for _, record in log] == [{SOURCE: count} for count in range(1, 6)]
        assert {record.partition for _, record in log} == {3}

    def test_a_base_is_due_after_a_hundred_deltas(self) -> None:
        """No restore has to read more than a hundred deltas."""
        log, _ = run(2 * DELTAS_PER_BASE + 5)
        assert sequences(log, "base") == [0, DELTAS_PER_BASE + 1, 2 * (DELTAS_PER_BASE + 1)]

    def test_saving_makes_clean(self) -> None:
        """A partition is dirty from the record it takes in until its checkpoint."""
        partition = Partition(0, LineState())
        assert not partition.dirty
        take(partition)
        assert partition.dirty
        partition.checkpoint(START)
        assert not partition.dirty

    def test_only_failures_let_a_checkpoint_wait(self) -> None:
        """After the first base there is one a second while failures come, at once when feedback or a command does."""
        partition = Partition(3, LineState())
        partition.advance(SOURCE, 0)
        assert partition.due(0.0)
        partition.checkpoint(START)
        assert not partition.due(EVERY_S)
        partition.advance(SOURCE, 1)
        assert (partition.due(EVERY_S - 0.01), partition.due(EVERY_S)) == (False, True)
        partition.advance(topic_name(Feedback), 0)
        assert partition.due(0.0)

    def test_large_deltas_bring_the_base_forward(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the deltas together outweigh the base four times, a base is written before the hundredth delta."""
        monkeypatch.setattr(checkpoints, "CHUNK_BYTES", 64)
        log, _ = run(60)
        assert len(set(sequences(log, "base"))) > 1

    @pytest.mark.parametrize("chunk_bytes", [64, 1000])
    def test_no_base_overwrites_the_one_before(self, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of any two bases in a row the keys differ, so that compaction leaves both, whatever made them due."""
        monkeypatch.setattr(checkpoints, "CHUNK_BYTES", chunk_bytes)
        log, _ = run(150)
        first_chunks = [key for key, record in log if record.kind == "base" and record.chunk == 0]
        assert len(first_chunks) > 2
        assert all(one != following for one, following in pairwise(first_chunks))


class TestRestoring:
    def test_any_prefix_gives_its_state(self) -> None:
        """Whatever was committed last, the state, the offsets and the sequence are exactly those of that moment."""
        log, states = run(12)
        for length in range(1, 13):
            partition, problems = restore(3, records(log[:length]), LineState)
            assert snapshot.base(partition.state) == states[length - 1]
            assert (partition.sequence, partition.offsets, problems) == (length - 1, {SOURCE: length}, [])

    def test_nothing_written_gives_a_fresh_state(self) -> None:
        """Without a checkpoint the partition starts from what a new one starts from, at no offset."""
        partition, problems = restore(3, [], lambda: LineState(origin="warm"))
        assert (partition.state.origin, partition.offsets, partition.sequence, problems) == ("warm", {}, -1, [])

    def test_a_restored_partition_goes_on(self) -> None:
        """What is written after a restore continues the chain: the next restore gives the next state."""
        log, _ = run(7)
        partition, _ = restore(3, records(log), LineState)
        more, states = run(4, partition)
        assert [record.kind for _, record in more] == ["delta"] * 4
        again, problems = restore(3, records(log + more), LineState)
        assert snapshot.base(again.state) == states[-1]
        assert snapshot.base(again.state) == run(11)[1][-1]
        assert problems == []

    def test_many_restarts_still_bring_bases(self) -> None:
        """A line that is restarted often writes its bases as often as one that is not."""
        log, _ = run(1)
        for _ in range(30):
            partition, _ = restore(3, records(log), LineState)
            log += run(7, partition)[0]
        assert sequences(log, "base") == [0, DELTAS_PER_BASE + 1, 2 * (DELTAS_PER_BASE + 1)]

    def test_bases_of_the_middle_are_not_needed(self) -> None:
        """After several bases the newest is taken, whatever stands before it."""
        log, states = run(DELTAS_PER_BASE + 20)
        base = sequences(log, "base")[-1]
        partition, problems = restore(3, records(log[base:]), LineState)
        assert (snapshot.base(partition.state), problems) == (states[-1], [])


class TestChunks:
    def test_a_payload_in_pieces_is_joined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A payload larger than one message is cut and put together again, whatever the order of its pieces."""
        monkeypatch.setattr(checkpoints, "CHUNK_BYTES", 100)
        log, states = run(6)
        assert {record.chunks for _, record in log} - {1}
        assert all(len(base64.b64decode(record.payload)) <= 100 for _, record in log)
        assert len({key for key, _ in log}) == len(log)
        shuffled = records(log)
        random.Random(1).shuffle(shuffled)  # noqa: S311 - an order
        partition, problems = restore(3, shuffled, LineState)
        assert (snapshot.base(partition.state), problems) == (states[-1], [])

    def test_a_missing_piece_ends_the_chain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A checkpoint without all its pieces is as if it were not there: the state is the one before it."""
        monkeypatch.setattr(checkpoints, "CHUNK_BYTES", 100)
        log, states = run(6)
        torn = [(key, record) for key, record in log if (record.sequence, record.chunk) != (5, 1)]
        assert len(torn) == len(log) - 1
        partition, _ = restore(3, records(torn), LineState)
        assert snapshot.base(partition.state) == states[4]
        assert partition.offsets == {SOURCE: 5}

    def test_pieces_of_an_older_base_do_not_disturb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A base with fewer pieces than the one whose keys it takes leaves stray pieces, which are passed over."""
        monkeypatch.setattr(checkpoints, "CHUNK_BYTES", 100)
        log, states = run(6)
        _, template = log[0]
        stray = template.model_copy(update={"sequence": 0, "chunk": 7, "chunks": 9, "sha256": "older"})
        partition, problems = restore(3, [stray, *records(log)], LineState)
        assert (snapshot.base(partition.state), problems) == (states[-1], [])


class TestDamage:
    def test_a_damaged_base_falls_back_to_the_one_before(self) -> None:
        """A newest base that does not match its hash is reported; the one before gives the state just before it."""
        log, states = run(DELTAS_PER_BASE + 20)
        base = sequences(log, "base")[-1]
        partition, problems = restore(3, records(with_damage(log, base)), LineState)
        assert snapshot.base(partition.state) == states[base - 1]
        assert partition.offsets == {SOURCE: base}
        assert len(problems) == 1
        assert f"partition 3, checkpoint {base} (base)" in problems[0]
        assert "sha256" in problems[0]

    def test_a_damaged_delta_ends_the_chain(self) -> None:
        """The deltas behind a damaged one are not applied, though they are whole."""
        log, states = run(10)
        partition, problems = restore(3, records(with_damage(log, 6)), LineState)
        assert snapshot.base(partition.state) == states[5]
        assert partition.offsets == {SOURCE: 6}
        assert len(problems) == 1
        assert "checkpoint 6 (delta)" in problems[0]

    def test_a_gap_ends_the_chain(self) -> None:
        """A delta is applied only on top of the one before it."""
        log, states = run(10)
        partition, _ = restore(3, records(log[:4] + log[5:]), LineState)
        assert snapshot.base(partition.state) == states[3]
        assert partition.offsets == {SOURCE: 4}

    def test_only_damaged_bases_give_a_fresh_state(self) -> None:
        """With no usable base at all the partition starts anew, at no offset, and says why."""
        log, _ = run(5)
        partition, problems = restore(3, records(with_damage(log, 0)), lambda: LineState(origin="warm"))
        assert (partition.state.origin, partition.offsets, len(problems)) == ("warm", {}, 1)

    @pytest.mark.parametrize("payload", ["", "%%%", "AAAA", base64.b64encode(b"\x78\x9cjunk").decode()])
    def test_any_payload_is_survived(self, payload: str) -> None:
        """Whatever stands where a base should stand is reported and changes nothing."""
        log, _ = run(1)
        broken = log[0][1].model_copy(update={"payload": payload})
        partition, problems = restore(3, [broken], LineState)
        assert (partition.offsets, len(problems)) == ({}, 1)

    def test_a_delta_with_a_right_hash_but_no_sense_is_passed_over(self) -> None:
        """Bytes that are no snapshot are refused even when they match their hash."""
        log, states = run(3)
        key, template = log[-1]
        made = Partition(3, LineState(), base_sequence=0, sequence=2)._keyed("delta", 3, b"junk", START)
        partition, problems = restore(3, [*records(log), *records(made)], LineState)
        assert (key, template.sequence, made[0][1].sequence) == (b"3/delta/2/0", 2, 2)
        assert snapshot.base(partition.state) == states[1]
        assert "checkpoint 2 (delta)" in problems[0]

    def test_of_two_with_one_sequence_the_later_counts(self) -> None:
        """A checkpoint that was written again stands in the place of the one before it."""
        log, _ = run(4)
        partition, _ = restore(3, records(log[:3]), LineState)
        partition.offsets[SOURCE] = 50  # another history from here on
        take(partition)
        other = partition.checkpoint(START)
        assert other[0][1].sequence == log[3][1].sequence
        restored, problems = restore(3, records(log + other), LineState)
        assert (snapshot.base(restored.state), restored.offsets) == (snapshot.base(partition.state), {SOURCE: 51})
        assert problems == []

    @pytest.mark.parametrize("sequence", [0, 3, 9])
    def test_what_follows_a_damage_is_a_base_of_its_own(self, sequence: int) -> None:
        """After a damaged checkpoint the next is whole and numbered above all others.

        The deltas that once followed the damaged one are so never put on top of a state they do not belong to.
        """
        log, _ = run(10)
        broken = with_damage(log, sequence)
        partition, _ = restore(3, records(broken), LineState)
        while partition.offsets.get(SOURCE, 0) < 10:  # what replaying the log does
            take(partition)
        more, states = run(2, partition)
        assert [record.kind for _, record in more] == ["base", "delta"]
        assert more[0][1].sequence > 9
        for kept in (broken + more, compacted(broken + more)):
            again, _ = restore(3, records(kept), LineState)
            assert snapshot.base(again.state) == states[-1] == run(12)[1][-1]


class TestCompaction:
    def test_the_latest_state_survives(self) -> None:
        """At any moment what compaction leaves gives the latest state."""
        log, states = run(3 * DELTAS_PER_BASE + 60)
        for length in (1, 50, 101, 102, 150, 203, 301, 303, len(log)):
            partition, problems = restore(3, records(compacted(log[:length])), LineState)
            assert (snapshot.base(partition.state), problems) == (states[length - 1], [])

    def test_the_base_before_and_its_deltas_survive(self) -> None:
        """With the newest base damaged, what compaction left still gives the state just before it."""
        log, states = run(3 * DELTAS_PER_BASE + 99)
        for length in (102, 150, 203, 301, 304, len(log)):
            kept = compacted(log[:length])
            base = sequences(kept, "base")[-1]
            partition, problems = restore(3, records(with_damage(kept, base)), LineState)
            assert snapshot.base(partition.state) == states[base - 1]
            assert (partition.offsets, len(problems)) == ({SOURCE: base}, 1)

    @hypothesis_settings(max_examples=6, deadline=None)
    @given(st.lists(st.integers(1, 120), min_size=2, max_size=4))
    def test_restarts_do_not_change_that(self, runs: list[int]) -> None:
        """However often the line was started anew from a compacted topic, the last two bases and their deltas stay."""
        log: Log = []
        states: list[bytes] = []
        for count in runs:
            partition, _ = restore(3, records(log), LineState)
            more, reached = run(count, partition)
            log, states = compacted(log + more), states + reached
        latest, problems = restore(3, records(log), LineState)
        assert (snapshot.base(latest.state), problems) == (states[-1], [])
        bases = sequences(log, "base")
        if len(bases) > 1:
            older, _ = restore(3, records(with_damage(log, bases[-1])), LineState)
            assert snapshot.base(older.state) == states[bases[-1] - 1]

    def test_the_number_of_keys_is_bounded(self) -> None:
        """A compacted partition holds at most two bases and three hundred deltas, however long the line runs."""
        log, _ = run(4 * DELTAS_PER_BASE, states_too=False)
        assert len({key for key, _ in log}) <= 2 + 3 * DELTAS_PER_BASE
