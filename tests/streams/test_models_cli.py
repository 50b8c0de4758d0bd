"""Going back to an earlier model: which bases stay, what comes back and what does not, and how cards are shown."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models.challenge import Counts
from models.classifiers import HashedLogistic
from models.records import CompilerErrors, Model, ModelCheckpoint, ModelCommand, parse
from models.shadow import begin, give_up
from models.snapshots import frame as snapshot_frame
from models.snapshots import snapshot
from models.state import LineState, Outcome
from models.step import step
from models.warm_start import pack
from streams.cards import Card, card, cards, standing
from streams.checkpoints import DELTAS_PER_BASE, Partition, restore
from streams.cli import models as command_line
from streams.cli import models_topics, models_view
from streams.cli.console import UserError, out
from streams.commands import CommandError, Shelf, obey
from streams.topics import MAX_MESSAGE_BYTES
from tests.builders import build, diagnostic, feedback

START = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday, on the hour
SOURCE = "jidoka.compiler-errors.v1"
CODES = ("E0308", "E0425", "E0502", "E0599")

Log = list[tuple[bytes, ModelCheckpoint]]


def failure(number: int) -> CompilerErrors:
    return build(f"f{number}", diagnostic(f"message {number % 7}", CODES[number % len(CODES)]))


def take(partition: Partition, count: int = 1) -> None:
    """Let the partition take in its next records."""
    for _ in range(count):
        number = partition.offsets.get(SOURCE, 0)
        step(partition.state, failure(number), START)
        partition.advance(SOURCE, number)


def run(partition: Partition, count: int, start: datetime = START, every: timedelta = timedelta(seconds=1)) -> Log:
    """Return ``count`` checkpoints, one record and one interval apart, as they go on the topic."""
    log: Log = []
    for number in range(count):
        take(partition)
        log += partition.checkpoint(start + number * every)
    return log


def compacted(log: Log) -> list[ModelCheckpoint]:
    """Return what a reader gets of what compaction leaves: of each key the last."""
    last = {key: place for place, (key, _) in enumerate(log)}
    return [parse(ModelCheckpoint, log[place][1].to_bytes(), MAX_MESSAGE_BYTES) for place in sorted(last.values())]


def command(log: Log, sequence: int = 0, **changes: object) -> ModelCommand:
    """Return the command to go back to a base."""
    sha256 = next((record.sha256 for _, record in log if record.sequence == sequence), "0" * 64)
    given_fields: dict[str, object] = {"id": "c1", "time": START, "project": "jidoka", "action": "rollback"}
    return ModelCommand.model_validate(
        given_fields | {"partition": 3, "sequence": sequence, "sha256": sha256} | changes
    )


def roll_back(partition: Partition, command: ModelCommand, records: list[ModelCheckpoint]) -> None:
    """Obey a command with these checkpoints on the topic."""
    obey(partition, command, Shelf(records))


def classifier_bytes(state: LineState) -> bytes:
    """Return the classifier alone."""
    return snapshot.base(LineState(classifier=state.classifier))


class TestKept:
    """Which bases stay on the compacted topic."""

    def kept(self, hours: list[float]) -> list[int]:
        """Return the places in ``hours`` (since the start) of the bases that stay."""
        partition, log = Partition(3, LineState()), Log()
        for place, hour in enumerate(hours):
            take(partition)
            partition.break_chain()  # a base each time
            moment = START + timedelta(hours=hour)
            for key, record in partition.checkpoint(moment):
                log.append((key, record.model_copy(update={"code_version": str(place)})))
        return sorted({int(record.code_version) for record in compacted(log)})

    def test_bases_of_one_hour_come_round(self) -> None:
        """Within an hour the last two bases stay."""
        assert self.kept([0, 0.1, 0.2, 0.3, 0.4]) == [3, 4]

    def test_the_first_of_an_hour_stays(self) -> None:
        """The first bases of this hour and of the one before stay, whatever follows them."""
        assert self.kept([0, 0.5, 1.1, 1.2, 1.3, 2.1, 2.2, 2.3, 2.4]) == [2, 5, 7, 8]

    @hypothesis_settings(max_examples=15, deadline=None)
    @given(st.integers(0, 24 * 6))
    def test_one_is_a_day_old_and_one_an_hour(self, shift: int) -> None:
        """At any moment of a busy line one base is between one and two hours old, one between one and two days."""
        hours = [shift + 0.4 * number for number in range(200)]
        ages = [hours[-1] - hours[place] for place in self.kept(hours)]
        for length in (1, 24):
            assert any(length - 0.4 <= age <= 2 * length for age in ages), (length, ages)
        assert len(ages) <= 8

    def test_a_restart_changes_nothing(self) -> None:
        """A restored partition knows when its last base was written, and keeps no second one of that hour."""
        partition = Partition(3, LineState())
        log = run(partition, 2, every=timedelta(hours=1))
        again, _ = restore(3, compacted(log), LineState)
        assert again.base_time == START
        again.break_chain()
        assert [key for key, _ in run(again, 1, START + timedelta(minutes=30))] == [b"3/base/1/0"]

    def test_a_damaged_newest_base_leaves_its_copy(self) -> None:
        """Copies of one base stand under keys of their own; the one written last counts."""
        partition = Partition(3, LineState())
        log = run(partition, 1)
        partition.break_chain()
        log += run(partition, 1, START + timedelta(hours=1))
        assert [key for key, _ in log] == [b"3/base/0/0", b"3/kept/hour-1/0", b"3/base/1/0"]


class TestRollBack:
    @pytest.fixture
    def partition(self) -> Partition:
        return Partition(3, LineState(origin="warm-start"))

    def test_the_model_of_the_base_comes_back(self, partition: Partition) -> None:
        """Weights, examples and labels are those of the base, bit by bit, and the origin tells since when."""
        take(partition, 20)
        log = run(partition, 1)
        before = classifier_bytes(partition.state)
        log += run(partition, 30)
        assert classifier_bytes(partition.state) != before
        roll_back(partition, command(log), compacted(log))
        assert classifier_bytes(partition.state) == before
        assert partition.state.model_version == "warm-start/rollback-0+21"

    def test_what_was_answered_stays_answered(self, partition: Partition) -> None:
        """A failure answered since is answered with the same prediction and not learned; late feedback finds it."""
        log = run(partition, 5)
        answer = step(partition.state, failure(4), START)
        roll_back(partition, command(log), compacted(log))
        examples, repeats = partition.state.classifier.examples, partition.state.repeats
        assert step(partition.state, failure(4), START) == answer
        assert (partition.state.classifier.examples, partition.state.repeats) == (examples, repeats + 1)
        assert partition.offsets == {SOURCE: 5}
        step(partition.state, feedback("f4", "ApiMisuse"), START)
        assert partition.state.unmatched_feedback == 0

    def test_scores_and_words_of_people_stay(self, partition: Partition) -> None:
        """The scores are those of the answers that were given; what a person said is not forgotten."""
        log = run(partition, 5)
        step(partition.state, feedback("f4", "ApiMisuse"), START)
        scores, said = partition.state.scores.dump(), partition.state.feedback.dump()
        roll_back(partition, command(log), compacted(log))
        assert (partition.state.scores.dump(), partition.state.feedback.dump()) == (scores, said)

    @pytest.mark.parametrize("more", [1, 2, 5, 6])
    def test_the_next_checkpoint_is_a_base(self, partition: Partition, more: int) -> None:
        """The next checkpoint is whole and overwrites no newer base: a restore gives exactly the state gone back to."""
        log = run(partition, more)
        roll_back(partition, command(log), compacted(log))
        following = run(partition, 3)
        assert [record.kind for _, record in following] == ["base", "delta", "delta"]
        assert following[0][0] != log[0][0]
        again, problems = restore(3, compacted(log + following), LineState)
        assert (snapshot.base(again.state), problems) == (snapshot.base(partition.state), [])

    def test_a_command_is_obeyed_once(self, partition: Partition) -> None:
        """The same command a second time, also after a restart, changes nothing."""
        log = run(partition, 3)
        roll_back(partition, command(log), compacted(log))
        log += run(partition, 3)
        again, _ = restore(3, compacted(log), LineState)
        before = snapshot.base(again.state)
        roll_back(again, command(log), compacted(log))
        assert snapshot.base(again.state) == before
        assert not again.broken

    def test_another_command_goes_back_again(self, partition: Partition) -> None:
        """Another command is obeyed; the origin names the last base gone back to and does not grow."""
        log = run(partition, 3)
        for number in range(3):
            roll_back(partition, command(log, id=f"c{number}"), compacted(log))
        assert partition.state.origin == "warm-start/rollback-0"

    def test_an_origin_keeps_its_length(self) -> None:
        """The longest origin there may be still fits into a snapshot after going back."""
        partition = Partition(3, LineState(origin="o" * 200))
        log = run(partition, 1)
        roll_back(partition, command(log), compacted(log))
        snapshot.apply(LineState(), snapshot.base(partition.state))

    def test_a_replay_gives_the_same_bytes(self, partition: Partition) -> None:
        """When the base after going back is damaged, replaying records and command from the one before leads to it."""
        log = run(partition, 5)
        roll_back(partition, command(log), compacted(log))
        following = run(partition, 2)
        damaged = [(key, record.model_copy(update={"payload": "AAAA"})) for key, record in following]
        again, problems = restore(3, compacted(log + damaged), LineState)
        assert len(problems) == 1
        roll_back(again, command(log), compacted(log + damaged))
        take(again, 2)
        assert snapshot.base(again.state) == snapshot.base(partition.state)
        assert run(again, 1)[0][1].kind == "base"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"partition": 2}, "a command for partition 2 in partition 3"),
            ({"sequence": 77}, "no base 77"),
            ({"sequence": 1}, "no base 1 "),  # a delta
            ({"sha256": "f" * 64}, "no base 0 with sha256 ffffffffffff"),
        ],
    )
    def test_what_cannot_be_obeyed_changes_nothing(
        self, partition: Partition, changes: dict[str, object], message: str
    ) -> None:
        """A command for another partition, or for a base that is not there, is refused with the reason."""
        log = run(partition, 3)
        before = snapshot.base(partition.state)
        with pytest.raises(CommandError, match=message):
            roll_back(partition, command(log, **changes), compacted(log))
        assert snapshot.base(partition.state) == before
        assert not partition.broken

    def test_a_damaged_base_is_refused(self, partition: Partition) -> None:
        """A base that does not match its hash is not gone back to."""
        log = run(partition, 3)
        damaged = [one.model_copy(update={"payload": "AAAA"}) if not one.sequence else one for one in compacted(log)]
        with pytest.raises(CommandError, match="does not match its sha256"):
            roll_back(partition, command(log), damaged)


def with_changes(log: Log, sequence: int, **changes: object) -> list[ModelCheckpoint]:
    """Return the records with those of one checkpoint changed."""
    return [one.model_copy(update=changes) if one.sequence == sequence else one for one in compacted(log)]


class TestUnusable:
    """A checkpoint that must not be used: refused with the reason, the one before it is taken."""

    def test_another_major_river(self) -> None:
        """A checkpoint of another major version of river is passed over, and says so."""
        log = run(Partition(3, LineState()), 5)
        records = with_changes(log, 3, river_version="7.1.0")
        partition, problems = restore(3, records, LineState)
        assert partition.offsets == {SOURCE: 3}
        assert problems[0].startswith("partition 3, checkpoint 3 (delta): written with river 7.1.0, here is ")

    def test_a_newer_snapshot(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A base in a newer form is passed over with the advice to upgrade."""
        partition = Partition(3, LineState())
        log = run(partition, 2)
        partition.break_chain()
        with monkeypatch.context() as patch:
            patch.setattr(snapshot_frame, "VERSION", 99)
            log += run(partition, 1)
        again, problems = restore(3, compacted(log), LineState)
        assert again.offsets == {SOURCE: 2}
        assert "snapshot version 99" in problems[0]
        assert "upgrade jidoka" in problems[0]

    def test_letters_beyond_ascii(self) -> None:
        """A payload that is not even ASCII is as damaged as any other."""
        log = run(Partition(3, LineState()), 2)
        assert [card.problem is None for card in cards(with_changes(log, 1, payload="é"))] == [True, False]


class TestCards:
    def test_bases_are_loaded(self) -> None:
        """The card of a base tells model, examples, labels, scores beside baselines, size and offsets."""
        partition = Partition(3, LineState(origin="warm-start"))
        take(partition, 30)
        log = run(partition, 3)
        first, *rest = cards(compacted(log))
        assert (first.kind, first.sequence, first.offsets, first.problem) == ("base", 0, {SOURCE: 31}, None)
        assert first.size == len(base64.b64decode(log[0][1].payload))
        assert first.model is not None
        assert first.model["version"] == "warm-start+31"
        assert first.model["scored"] == 31
        assert set(first.model["baselines"]) == {"majority", "last_label", "lookup"}
        assert [(one.kind, one.model, one.problem) for one in rest] == [("delta", None, None)] * 2

    def test_a_delta_is_put_on_its_base(self) -> None:
        """The card of one delta shows the model that it leads to."""
        log = run(Partition(3, LineState()), 4)
        found = card(compacted(log), 2)
        assert found is not None
        assert found.model is not None
        assert found.model["examples"] == 3
        assert card(compacted(log), 4) is None

    def test_a_delta_behind_damage_is_not_usable(self) -> None:
        """A delta that follows a damaged one has that one's problem; one before it has none."""
        log = run(Partition(3, LineState()), 4)
        records = with_changes(log, 2, payload="AAAA")
        problems = [one.problem for number in range(4) if (one := card(records, number))]
        assert problems[:2] == [None, None]
        assert "sha256" in (problems[2] or "")
        assert "checkpoint 2 (delta)" in (problems[3] or "")


@pytest.fixture(scope="module")
def found() -> list[Card]:
    """Return the cards of a partition that has written the bases 0, 101 and 202."""
    return cards(compacted(run(Partition(3, LineState()), 2 * DELTAS_PER_BASE + 3)))


class TestTarget:
    def test_the_newest_earlier_base_is_the_default(self, found: list[Card]) -> None:
        """Without a number it is the newest base before the present model; damaged ones are passed over."""
        assert [one.sequence for one in found if one.kind == "base"] == [101, 202]
        assert command_line._target(found, 3, None).sequence == 101  # 202 is the present model
        assert command_line._target(found, 3, 101).sequence == 101

    @pytest.mark.parametrize(
        ("to", "message"), [(5, "no base 5"), (102, "no base 102"), (7_000, "can go back to: 101, 202")]
    )
    def test_what_is_no_base_is_refused(self, found: list[Card], to: int, message: str) -> None:
        """A number that is no base is refused with those that there are."""
        with pytest.raises(UserError, match=message):
            command_line._target(found, 3, to)

    def test_a_damaged_one_is_refused(self) -> None:
        """A damaged base is refused with what is wrong with it; with no other the default is refused too."""
        found = cards(with_changes(run(Partition(3, LineState()), 3), 0, payload="AAAA"))
        with pytest.raises(UserError, match="not usable: its content does not match its sha256"):
            command_line._target(found, 3, 0)
        with pytest.raises(UserError, match="no base to go back to"):
            command_line._target(found, 3, None)

    def test_nothing_there(self) -> None:
        """A partition without checkpoints says that there are none yet."""
        with pytest.raises(UserError, match="none yet"):
            command_line._target([], 3, None)


class TestView:
    def show(self, found: list[Card], *, each_delta: bool = False) -> list[str]:
        with out.capture() as shown:
            out.width = 240
            models_view.print_checkpoints(found, each_delta)
        out._width = None
        return [" ".join(line.split()) for line in shown.get().splitlines()]

    def test_deltas_share_a_line(self) -> None:
        """Deltas in a row are one line; each has its own when asked for."""
        found = cards(compacted(run(Partition(3, LineState()), 5)))
        header, base, deltas = self.show(found)
        assert header.startswith("part sequence kind time")
        assert "3 0 base 2026-01-05 12:00:00 empty+1 1" in base
        assert "3 1-4 4 deltas" in deltas
        assert deltas.endswith("compiler-errors 5")
        assert len(self.show(found, each_delta=True)) == 6

    def test_a_damaged_one_has_its_line(self) -> None:
        """A damaged delta is shown apart, with what is wrong."""
        found = cards(with_changes(run(Partition(3, LineState()), 5), 2, payload="AAAA"))
        assert sum("does not match its sha256" in line for line in self.show(found)) == 1
        assert len(self.show(found)) == 5

    def test_untrusted_text_is_shown_not_obeyed(self) -> None:
        """Markup and control characters in a version are printed as text."""
        found = cards(with_changes(run(Partition(3, LineState()), 1), 0, code_version="[red]\x1b[2J"))
        assert "[red]\\x1b[2J" in self.show(found)[1]


def challenged(wins: int = 9, losses: int = 1) -> Partition:
    """Return a partition in which one challenger has ended and another stands so."""
    partition = Partition(3, LineState(origin="champion"))
    take(partition, 5)
    begin(partition.state, "first", HashedLogistic())
    begin(partition.state, "[red]second\x1b[2J", HashedLogistic(), rules=False)
    challenge = partition.state.challenge
    assert challenge is not None
    challenge.test.wins, challenge.test.losses = wins, losses
    challenge.counts = Counts(both_right=90, only_champion=2, only_challenger=17, both_wrong=12, repeats=9)
    return partition


class TestContest:
    """Who challenges a partition's model, as people see it."""

    def shown(self, found: dict[str, Any]) -> str:
        with out.capture() as shown:
            models_view.print_contest("partition 3", found)
        return shown.get()

    def test_how_a_challenger_stands(self) -> None:
        """Builds, votes, evidence beside what decides, and the four kinds of builds are told; text is not obeyed."""
        told = self.shown(standing(3, compacted(run(challenged(), 1))))
        assert "partition 3  challenger [red]second\\x1b[2J: 121 builds scored" in told
        assert "by labels of people alone (verdict from 200 on)" in told
        assert "votes 9 for, 1 against, evidence 18.51 of 20; both right 90, only it 17, only the model 2" in told

    def test_how_the_last_ones_ended(self) -> None:
        """The last challengers are told with their verdict, the newest first."""
        state = LineState(outcomes=[Outcome("a", "retire", 300, 2, 30), Outcome("b", "promote", 412, 37, 16)])
        told = self.shown(standing(3, compacted(run(Partition(3, state), 1))))
        assert told == (
            "partition 3  challengers before: b promoted after 412 builds, 37:16, a retired after 300 builds, 2:30\n"
        )

    def test_evidence_beyond_any_float(self) -> None:
        """Evidence that no float holds is no number in the JSON, and words for people."""
        found = standing(3, compacted(run(challenged(5_000, 0), 1)))
        assert orjson.loads(orjson.dumps(found))["challenge"]["evidence"] is None
        assert "evidence beyond any number of 20" in self.shown(found)

    def test_a_card_tells_it_too(self) -> None:
        """The card of one checkpoint has the challenger as it stood then."""
        partition = challenged()
        log = run(partition, 1)
        give_up(partition.state)
        log += run(partition, 1)
        names = [(one.model["challenge"] or {}).get("name") for one in cards(compacted(log)) if one.model]
        assert names == ["[red]second\x1b[2J", None]

    def test_nothing_there(self) -> None:
        """A partition without checkpoints has neither model nor challenger, and nothing is printed."""
        found = standing(3, [])
        nobody = {"challenge": None, "student": None, "trial": None}
        assert found == {"partition": 3, "version": None, "outcomes": [], **nobody}
        assert not self.shown(found)


def published(name: str, days: int = 0, **changes: Any) -> Model:
    """Return a model as it stands on its topic."""
    packed = pack(HashedLogistic(), name)
    sha256, payload = hashlib.sha256(packed).hexdigest(), base64.b64encode(packed).decode()
    time = START + timedelta(days=days)
    fields = {"id": name, "time": time, "project": "jidoka", "name": name, "sha256": sha256, "payload": payload}
    return Model.model_validate(fields | changes)


class TestNewest:
    """Which published model a name stands for."""

    def test_the_newest_by_its_own_time(self) -> None:
        """Of several models with one name the newest is meant, in whatever order they were published."""
        models = [published("a", 1), published("a", 3), published("a", 2), published("b", 4)]
        assert models_topics.newest(models, "a") is models[1]

    @pytest.mark.parametrize(
        ("models", "message"),
        [
            ([], "no published model c; there are: none yet"),
            ([published("b"), published("a"), published("b")], "there are: a, b$"),
            ([published(f"m{number:03}") for number in range(70)], r"m000, .*m019 and 50 more$"),
            ([published("c", payload="AAAA")], "published model c is not usable: its payload does not match"),
        ],
        ids=["none", "others", "many", "damaged"],
    )
    def test_what_is_not_there(self, models: list[Model], message: str) -> None:
        """A name that no model has is refused with those there are; a damaged model with what is wrong with it."""
        with pytest.raises(UserError, match=message):
            models_topics.newest(models, "c")
