"""Commands to a partition's model: a published model challenges, and is given up; each once, whatever is replayed."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from models.classifiers import HashedLogistic
from models.records import DeadLetter, Model, ModelCheckpoint, ModelCommand, RecordError, parse
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from models.warm_start import pack
from streams.batch import Batch
from streams.checkpoints import Partition, restore
from streams.commands import CommandError, Shelf, obey, wanted
from streams.topics import MAX_MESSAGE_BYTES, topic_name
from tests.builders import random_builds

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
SOURCE = "jidoka.compiler-errors.v1"
BUILDS = random_builds(60, seed=3)


def trained(label: str = "OwnershipBorrow", bits: int = 18) -> HashedLogistic:
    """Return a classifier that has learned something, with a step size of its own."""
    classifier = HashedLogistic(bits=bits, learning_rate=1.5)
    classifier.learn_one({"message:borrow": 1.0}, label)
    return classifier


def published(name: str = "better", classifier: HashedLogistic | None = None, **changes: Any) -> Model:
    """Return a model as it stands on its topic."""
    packed = pack(classifier or trained(), name)
    sha256, payload = hashlib.sha256(packed).hexdigest(), base64.b64encode(packed).decode()
    model = Model(id=name, time=START, project="jidoka", name=name, sha256=sha256, payload=payload)
    return model.model_copy(update=changes)


def command(action: str = "challenge", **fields: Any) -> ModelCommand:
    """Return a command to partition 3; a challenge is by ``published()``."""
    about: dict[str, Any] = {"id": "c1", "time": START, "project": "jidoka", "partition": 3, "action": action}
    if action == "challenge":
        about |= {"name": "better", "sha256": published().sha256}
    return ModelCommand.model_validate(about | fields)


def shelf(*models: Model) -> Shelf:
    """Return a shelf with these models, or the usual one."""
    return Shelf(models={(one.name, one.sha256): one for one in models or (published(),)})


def learned(partition: Partition, count: int) -> Partition:
    """Let the partition take in its next builds."""
    for _ in range(count):
        number = partition.offsets.get(SOURCE, 0)
        step(partition.state, BUILDS[number], START)
        partition.advance(SOURCE, number)
    return partition


def saved(partition: Partition) -> list[ModelCheckpoint]:
    """Return the partition's next checkpoint as a reader gets it."""
    return [parse(ModelCheckpoint, one.to_bytes(), MAX_MESSAGE_BYTES) for _, one in partition.checkpoint(START)]


@pytest.fixture
def partition() -> Partition:
    """Return a partition that has learned from ten builds."""
    return learned(Partition(3, LineState(origin="champion")), 10)


class TestRecord:
    def test_a_rollback_reads_as_before(self) -> None:
        """A rollback written before there were other commands is read, and written back, unchanged."""
        old = command("rollback", sequence=4, sha256="0" * 64)
        assert set(old.model_dump(exclude_none=True)) == {
            *("schema_version", "id", "time", "project"),
            *("action", "partition", "sequence", "sha256"),
        }
        assert parse(ModelCommand, old.to_bytes()) == old

    @pytest.mark.parametrize(
        ("action", "fields", "missing"),
        [
            ("rollback", {"sha256": "0"}, "rollback without sequence"),
            ("rollback", {"name": "n"}, "rollback without sequence and sha256"),
            ("challenge", {"sha256": "0"}, "challenge without name"),
            ("challenge", {"name": "n", "sequence": 4}, "challenge without sha256"),
        ],
    )
    def test_each_action_says_what_it_needs(self, action: str, fields: dict[str, Any], missing: str) -> None:
        """A command without what its action needs is no record, and the reason names what is missing."""
        document = command("give-up").model_dump(mode="json") | {"action": action} | fields
        with pytest.raises(RecordError, match=f"{missing}$"):
            parse(ModelCommand, orjson.dumps(document))


class TestWanted:
    def test_only_what_is_asked_for(self) -> None:
        """Checkpoints are needed for a rollback only, models only by a challenge; rubbish needs nothing."""
        challenge, give_up = command().to_bytes(), command("give-up").to_bytes()
        rollback = command("rollback", sequence=4, sha256="0" * 64).to_bytes()
        assert wanted([give_up, b"rubbish", None]) == (False, set())
        assert wanted([challenge, challenge]) == (False, {("better", published().sha256)})
        assert wanted([rollback, b"{}"]) == (True, set())


class TestChallenge:
    def test_it_runs_beside_the_champion(self, partition: Partition) -> None:
        """The published classifier, bit by bit, learns in shadow from then on; who answers stays the same."""
        champion = partition.state.classifier
        obey(partition, command(), shelf())
        challenge = partition.state.challenge
        assert challenge is not None
        assert (challenge.name, challenge.rules, challenge.classifier.learning_rate) == ("better", True, 1.5)
        assert challenge.classifier.weights.tobytes() == trained().weights.tobytes()
        assert partition.state.classifier is champion
        learned(partition, 5)
        assert challenge.counts.builds > 0

    def test_people_only(self, partition: Partition) -> None:
        """Where the command says that rules do not decide, their labels score nothing."""
        obey(partition, command(rules=False), shelf())
        learned(partition, 5)
        assert partition.state.challenge is not None
        assert partition.state.challenge.counts.builds == 0

    def test_the_next_checkpoint_is_a_base(self, partition: Partition) -> None:
        """The next checkpoint is whole and carries the challenger; a restore goes on exactly as the worker does."""
        log = saved(partition)
        obey(partition, command(), shelf())
        log += saved(learned(partition, 5))
        log += saved(learned(partition, 5))
        assert [one.kind for one in log] == ["base", "base", "delta"]
        again, problems = restore(3, log, LineState)
        assert (snapshot.base(again.state), problems) == (snapshot.base(partition.state), [])
        assert snapshot.base(learned(again, 5).state) == snapshot.base(learned(partition, 5).state)

    def test_obeyed_once(self, partition: Partition) -> None:
        """The same command again, also after a restart and when the model has gone, does not start anew."""
        obey(partition, command(), shelf())
        log = saved(learned(partition, 5))
        again, _ = restore(3, log, LineState)
        before = snapshot.base(again.state)
        obey(again, command(), Shelf())
        assert snapshot.base(again.state) == before

    def test_a_replay_gives_the_same_bytes(self, partition: Partition) -> None:
        """With the base after it damaged, builds and command replayed from the base before lead to the same bytes."""
        log = saved(partition)
        obey(partition, command(), shelf())
        damaged = [one.model_copy(update={"payload": "AAAA"}) for one in saved(learned(partition, 5))]
        again, problems = restore(3, log + damaged, LineState)
        assert len(problems) == 1
        assert again.state.challenge is None
        obey(again, command(), shelf())
        assert snapshot.base(learned(again, 5).state) == snapshot.base(partition.state)

    def test_another_takes_its_place(self, partition: Partition) -> None:
        """A second challenge ends the first, which is told among the last ones."""
        obey(partition, command(), shelf())
        other = published("other")
        obey(partition, command(id="c2", name="other", sha256=other.sha256), shelf(other))
        assert partition.state.challenge is not None
        assert partition.state.challenge.name == "other"
        assert [(one.name, one.verdict) for one in partition.state.outcomes] == [("better", "replaced")]

    @pytest.mark.parametrize(
        ("fields", "model", "message"),
        [
            ({"partition": 2}, published(), "a command for partition 2 in partition 3"),
            ({"name": "nobody"}, published(), "no published model 'nobody' with sha256 "),
            ({"sha256": "f" * 64}, published(), "no published model 'better' with sha256 ffffffffffff;"),
            ({}, published(payload="AAAA"), "published model 'better': its payload does not match its sha256"),
            ({}, published(payload="é"), "published model 'better': its payload is not base64"),
        ],
    )
    def test_what_cannot_be_obeyed_changes_nothing(
        self, partition: Partition, fields: dict[str, Any], model: Model, message: str
    ) -> None:
        """A command for another partition, or with a model that is not there or damaged, is refused with the reason."""
        self.refused(partition, command(**fields), model, message)

    @pytest.mark.parametrize(
        ("classifier", "message"),
        [(trained("SomethingElse"), "its labels are not of the taxonomy"), (trained(bits=10), r"2\^10 rows")],
        ids=["labels", "size"],
    )
    def test_a_model_that_does_not_fit(self, partition: Partition, classifier: HashedLogistic, message: str) -> None:
        """A model whose answers would be no records, or whose table has another size, is refused."""
        model = published(classifier=classifier)
        self.refused(partition, command(sha256=model.sha256), model, f"published model 'better': .*{message}")

    def refused(self, partition: Partition, asked: ModelCommand, model: Model, message: str) -> None:
        before = snapshot.base(partition.state)
        with pytest.raises(CommandError, match=message):
            obey(partition, asked, shelf(model))
        assert snapshot.base(partition.state) == before
        assert not partition.state.replaced


class TestGivingUp:
    def test_it_ends_without_a_verdict(self, partition: Partition) -> None:
        """The challenger goes, the champion stays, and how it ended is kept."""
        champion = partition.state.classifier
        obey(partition, command(), shelf())
        obey(partition, command("give-up", id="c2"), Shelf())
        assert partition.state.challenge is None
        assert partition.state.classifier is champion
        assert [one.verdict for one in partition.state.outcomes] == ["given up"]

    def test_nothing_runs(self, partition: Partition) -> None:
        """Where no challenger runs any more, giving up changes nothing but that the command is known."""
        obey(partition, command("give-up"), Shelf())
        assert (partition.state.challenge, partition.state.outcomes) == (None, [])
        assert not partition.state.replaced

    def test_obeyed_once(self, partition: Partition) -> None:
        """The same command again does not end the challenge that was begun after it."""
        obey(partition, command("give-up"), Shelf())
        obey(partition, command(id="c2"), shelf())
        obey(partition, command("give-up"), Shelf())
        assert partition.state.challenge is not None


class TestBatch:
    def message(self, offset: int, value: bytes) -> ConsumerRecord[bytes, bytes]:
        return ConsumerRecord(topic_name(ModelCommand), 3, offset, 0, 0, b"3", value, None, 1, len(value), ())

    def test_commands_are_obeyed_in_order(self, partition: Partition) -> None:
        """One that cannot be obeyed becomes a dead letter with the reason; the next is obeyed, the offset goes on."""
        batch = Batch(partition, ModelCommand, shelf())
        batch.take(self.message(0, command(name="nobody").to_bytes()))
        batch.take(self.message(1, command(id="c2").to_bytes()))
        (letter,) = [parse(DeadLetter, one.value) for one in batch.outgoing]
        assert "no published model 'nobody'" in letter.reason
        assert partition.state.challenge is not None
        assert (partition.state.dead_letters, partition.offsets[topic_name(ModelCommand)]) == (1, 2)
