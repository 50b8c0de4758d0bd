"""The andon inside a worker: events leave with predictions, commands are obeyed once, a replay comes to the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from models.andon.lamp import Evidence, Key
from models.andon.look import RECALL
from models.hybrid import observe
from models.records import AndonEvent, CompilerErrors, DeadLetter, ModelCheckpoint, ModelCommand, parse
from models.snapshots import snapshot
from models.snapshots.frame import SnapshotError, pack, unpack
from models.state import LineState
from models.step import answer
from streams.batch import Batch
from streams.checkpoints import Partition, restore
from streams.commands import Shelf, wanted
from streams.topics import MAX_MESSAGE_BYTES, topic_name
from tests.builders import build as one_build
from tests.builders import diagnostic, feedback, random_builds

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
FAILURES, COMMANDS, EVENTS = topic_name(CompilerErrors), topic_name(ModelCommand), topic_name(AndonEvent)
BUILDS = random_builds(900, seed=5, largest=1)
DEGRADED = Key("ModelDegradation", None, "errors")


def message(topic: str, offset: int, value: bytes) -> ConsumerRecord[bytes, bytes]:
    ms = int(START.timestamp() * 1000) + offset
    return ConsumerRecord(topic, 3, offset, ms, 0, b"k", value, None, 1, len(value), ())


def fresh() -> Partition:
    return Partition(3, LineState())


def take(partition: Partition, builds: list[CompilerErrors], first: int = 0) -> Batch:
    batch = Batch(partition, CompilerErrors)
    for offset, one in enumerate(builds, start=first):
        batch.take(message(FAILURES, offset, one.to_bytes()))
    return batch


def command(action: str, command_id: str = "c1", **fields: Any) -> ModelCommand:
    about = {"id": command_id, "time": START, "project": "jidoka", "partition": 3, "action": action, "author": "kim"}
    return ModelCommand.model_validate(about | fields)


def order(partition: Partition, one: ModelCommand, shelf: Shelf | None = None, offset: int = 0) -> Batch:
    batch = Batch(partition, ModelCommand, shelf)
    batch.take(message(COMMANDS, offset, one.to_bytes()))
    return batch


def events(batch: Batch) -> list[AndonEvent]:
    return [parse(AndonEvent, one.value) for one in batch.outgoing if one.topic == EVENTS]


def commands(batch: Batch) -> list[ModelCommand]:
    return [parse(ModelCommand, one.value) for one in batch.outgoing if one.topic == COMMANDS]


def halt(partition: Partition, key: Key = DEGRADED, **evidence: Any) -> None:
    """Light a halt as a detector does in the middle of a build."""
    watch = partition.state.watch
    watch.tell(watch.lamp.light(key, Evidence(**evidence), START), "b", "demo", START)


def weights(state: LineState) -> bytes:
    return bytes(state.classifier.weights.tobytes() + state.classifier.squares.tobytes())


def saved(partition: Partition) -> list[ModelCheckpoint]:
    found = partition.checkpoint(START)
    return [parse(ModelCheckpoint, one.to_bytes(), MAX_MESSAGE_BYTES) for _, one in found]


class TestHalt:
    def test_nothing_is_learned(self) -> None:
        """While a halt is lit answers go on and are scored, and neither builds nor people change the model."""
        partition = fresh()
        take(partition, BUILDS[:50])
        halt(partition)
        state = partition.state
        before, scored, examples = weights(state), state.scores.n, state.classifier.examples
        batch = take(partition, BUILDS[50:100], 50)
        assert len(batch.arrivals) == 50
        answer(state, feedback(BUILDS[60].id, "ResourceLeaks"), START)
        assert (weights(state), state.classifier.examples) == (before, examples)
        assert state.scores.n > scored

    def test_people_still_override(self) -> None:
        """What a person says during a halt is what similar messages are answered with."""
        partition = fresh()
        one = one_build("first", diagnostic("the zigest of all frobnications"))
        take(partition, [one])
        halt(partition)
        answer(partition.state, feedback("first", "ResourceLeaks"), START)
        (said,) = answer(partition.state, one.model_copy(update={"id": "second"}), START)
        assert said.decided == [("ResourceLeaks", "feedback")]

    def test_resume_lets_learning_go_on(self) -> None:
        """After a resume, and not before, the model learns again."""
        partition = fresh()
        take(partition, BUILDS[:50])
        halt(partition)
        partition.state.watch.take_events()
        (event,) = events(order(partition, command("resume", comment="was a test")))
        assert (event.transition, event.lamp, event.author, event.comment, event.partition) == (
            *("resumed", "green", "kim", "was a test", 3),
        )
        before = weights(partition.state)
        take(partition, BUILDS[50:60], 50)
        assert weights(partition.state) != before

    def test_numbers_that_are_none(self) -> None:
        """A model that would learn what is no number forgets it, halts, and its checkpoint can still be read."""
        partition = fresh()
        take(partition, BUILDS[:20])
        classifier = partition.state.classifier
        rows = observe(partition.state, BUILDS[20].diagnostics).batch.examples()[0].rows
        classifier.squares[rows] = float("inf")
        batch = take(partition, BUILDS[20:21], 20)
        assert [(one.kind, one.lamp, one.examples) for one in events(batch)] == [
            ("TrainingFailure", "red", (BUILDS[20].id,)),
        ]
        snapshot.apply(LineState(), snapshot.base(partition.state))


class TestEvents:
    def test_leave_with_the_predictions(self) -> None:
        """An event goes to the topic's only partition, says whose lamp it is, in the batch of what brought it about."""
        partition = fresh()
        halt(partition)
        batch = take(partition, BUILDS[:1])
        (sent,) = [one for one in batch.outgoing if one.topic == EVENTS]
        assert (sent.partition, sent.key) == (0, b"demo")
        assert dict(sent.headers)["ce_source"] == b"/jidoka/andon"
        assert events(batch)[0].partition == 3
        assert not events(take(partition, BUILDS[1:2], 1))

    def test_refusals(self) -> None:
        """Records that cannot be read become dead letters, and many of them a warning."""
        partition = fresh()
        batch = Batch(partition, CompilerErrors)
        for offset, one in enumerate(BUILDS[:600]):
            batch.take(message(FAILURES, 2 * offset, one.to_bytes()))
            batch.take(message(FAILURES, 2 * offset + 1, b"{}"))
        letters = [one for one in batch.outgoing if one.topic == topic_name(DeadLetter)]
        assert len(letters) == partition.state.dead_letters == 600
        assert [(one.kind, one.lamp) for one in events(batch)] == [("DeadLetterSurge", "amber")]


class TestCommands:
    def test_obeyed_once(self) -> None:
        """A command that stands on its topic twice changes and tells something once."""
        partition = fresh()
        halt(partition)
        partition.state.watch.take_events()
        assert [one.transition for one in events(order(partition, command("acknowledge")))] == ["acknowledged"]
        assert events(order(partition, command("acknowledge"), offset=1)) == []
        assert len(events(order(partition, command("resume", "c2"), offset=2))) == 1
        halt(partition)
        partition.state.watch.take_events()
        assert events(order(partition, command("resume", "c2"), offset=3)) == []
        assert partition.state.watch.learning_stopped

    def test_only_a_recall_needs_checkpoints(self) -> None:
        """Acknowledging and resuming read nothing from other topics."""
        assert not any(wanted([command("resume").to_bytes(), command("acknowledge").to_bytes()]))
        assert wanted([command("recall", failures=5).to_bytes()]).checkpoints

    def test_the_lamp_survives(self) -> None:
        """A restored partition has the same lamp, who looks after it, and stays stopped."""
        partition = fresh()
        take(partition, BUILDS[:30])
        halt(partition, statistic=7.0, threshold=3.0, examples=("b7",))
        order(partition, command("acknowledge"))
        records = saved(partition)
        take(partition, BUILDS[30:40], 30)
        records += saved(partition)
        copy, problems = restore(3, records, LineState)
        assert (problems, copy.state.watch.lamp.lit) == ([], partition.state.watch.lamp.lit)
        assert copy.state.watch.learning_stopped
        assert copy.state.watch.dump() == partition.state.watch.dump()

    def test_a_damaged_lamp_is_a_damaged_checkpoint(self) -> None:
        """A snapshot whose watch is not one is refused as a whole."""
        header, arrays = unpack(snapshot.base(fresh().state))
        document = header.model_dump(exclude={"version", "arrays"})
        document["watch"]["answered"] = "many"
        with pytest.raises(SnapshotError, match="andon: answered"):
            snapshot.apply(LineState(), pack(document, arrays))


class TestRecall:
    def degraded(self) -> tuple[Partition, list[ModelCheckpoint], Batch]:
        """Return a partition whose model was spoilt after its base, what is saved of it, and the batch that told."""
        partition = fresh()
        take(partition, BUILDS[:300])
        records = saved(partition)
        take(partition, BUILDS[300:310], 300)
        partition.broken = True
        partition.sequence += 1
        partition.state.classifier.weights *= -1.0
        records += saved(partition)
        halt(partition, answered=305)
        return partition, records, take(partition, BUILDS[310:311], 310)

    def test_asked_for_by_the_andon(self) -> None:
        """With the event leaves a command to the partition itself, about the time before it began."""
        _, _, batch = self.degraded()
        (asked,) = commands(batch)
        assert (asked.action, asked.partition, asked.failures, asked.author) == ("recall", 3, 305, "andon")
        (sent,) = [one for one in batch.outgoing if one.topic == COMMANDS]
        assert (sent.partition, sent.key) == (3, b"3")

    def test_the_good_model_comes_back(self) -> None:
        """The newest base from before predicts in shadow, wins and answers; learning waits for a person."""
        partition, records, batch = self.degraded()
        state = partition.state
        order(partition, commands(batch)[0], Shelf(records))
        assert state.challenge is not None
        assert state.challenge.name.startswith(RECALL)
        good = state.challenge.classifier.weights.copy()
        told = events(take(partition, BUILDS[311:800], 311))
        said = [(one.transition, one.kind, one.lamp) for one in told if one.kind == "ModelDegradation"]
        assert said == [("recalled", "ModelDegradation", "red")]
        assert (state.classifier.weights == good).all()
        assert state.origin.startswith(RECALL)
        assert state.watch.learning_stopped
        order(partition, command("resume", "r"))
        take(partition, BUILDS[800:810], 800)
        assert not (state.classifier.weights == good).all()

    def test_a_resume_ends_it(self) -> None:
        """A recall without a verdict is given up when a person resumes; one that comes later does nothing."""
        partition, records, batch = self.degraded()
        order(partition, commands(batch)[0], Shelf(records))
        order(partition, command("resume", "r"))
        assert partition.state.challenge is None
        order(partition, command("recall", "late", failures=305), Shelf(records))
        assert partition.state.challenge is None

    @pytest.mark.parametrize("failures", [0, 299])
    def test_nothing_old_enough(self, failures: int) -> None:
        """Without a base from before, the line goes on as it is, and nothing becomes a dead letter."""
        partition, records, _ = self.degraded()
        batch = order(partition, command("recall", failures=failures), Shelf(records))
        assert (partition.state.challenge, batch.outgoing) == (None, [])

    def test_a_damaged_base_is_passed_over(self) -> None:
        """An older base is taken where the newest is damaged."""
        partition, records, _ = self.degraded()
        damaged = [one.model_copy(update={"payload": "AAAA"}) if one.sequence else one for one in records]
        order(partition, command("recall", failures=10_000), Shelf(damaged))
        assert partition.state.challenge is not None
        assert partition.state.challenge.name == f"{RECALL}0"


def test_a_replay_comes_to_the_same() -> None:
    """The same records lead to the same events with the same ids, and to the same state, byte for byte."""
    told, states = [], []
    for _ in range(2):
        partition = fresh()
        batch = take(partition, BUILDS[:100])
        unknown = [
            one_build(f"u{n}", diagnostic(f"strange text number {n} of some other tool {n * 7}")) for n in range(600)
        ]
        later = take(partition, unknown, 100)
        told.append([one.value for one in (*batch.outgoing, *later.outgoing) if one.topic == EVENTS])
        states.append(snapshot.base(partition.state))
    assert told[0] == told[1]
    assert states[0] == states[1]


def test_time_is_the_records() -> None:
    """An event's time is when its build arrived, not when it was stepped."""
    partition = fresh()
    halt(partition)
    (event,) = events(take(partition, BUILDS[:1]))
    assert abs(event.time - START) < timedelta(seconds=1)
