"""The models of a line that is up: listed, shown, challenged and taken back while workers run."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.classifiers import HashedLogistic
from models.records import CompilerErrors, DeadLetter, Model, ModelCheckpoint, ModelCommand
from models.state import LineState
from models.warm_start import pack, warm_state
from streams.checkpoints import join_chunks, load_base
from streams.topic_admin import delete_topics
from streams.topics import by_short_name
from tests.command import Jidoka, in_process

pytestmark = pytest.mark.integration
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def jidoka(line: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
    """Return a function that runs ``jidoka`` in this process against the test's line."""
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JIDOKA_BROKER", f"kafka://{line.broker}")
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(line.settings.data_dir))
    monkeypatch.setenv("COLUMNS", "240")

    return in_process(monkeypatch, capsys)


def checkpoints(jidoka: Jidoka, *arguments: object) -> list[dict[str, Any]]:
    """Return what ``models list --json`` says of the checkpoints."""
    done = jidoka("models", "list", "--json", *arguments)
    assert done.status == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["checkpoints"]
    return found


def learn(line: Any, kit: Any, failures: list[CompilerErrors], answered: int) -> None:
    """Let the line take in failures, in several commits."""
    for place in range(0, len(failures), 10):
        line.push(failures[place : place + 10])
        answered += len(failures[place : place + 10])
        line.wait_until_answered(answered)


def first_base(line: Any) -> ModelCheckpoint:
    base: ModelCheckpoint = line.records(ModelCheckpoint, 0)[0]
    return base


def go_back(line: Any, command_id: str, **changes: Any) -> ModelCommand:
    """Put a command to go back to the first base on the topic."""
    sha256 = first_base(line).sha256
    fields = {"id": command_id, "time": NOW, "project": "jidoka", "action": "rollback", "partition": 0}
    command = ModelCommand.model_validate(fields | {"sequence": 0, "sha256": sha256} | changes)
    line.push([command])
    return command


class TestLooking:
    def test_an_empty_line(self, jidoka: Jidoka) -> None:
        """Before the first answer there is nothing to list, and nothing to go back to."""
        assert checkpoints(jidoka) == []
        done = jidoka("models", "rollback", 0, "--yes")
        assert (done.status, "none yet" in done.err) == (2, True)

    def test_list_and_show(self, line: Any, kit: Any, jidoka: Jidoka, eventually: Any) -> None:
        """Checkpoints are listed by partition with what they hold; one that was damaged on the topic says so."""
        line.worker().start()
        learn(line, kit, kit.make_failures(30), 0)
        eventually(lambda: checkpoints(jidoka)[-1]["offsets"]["jidoka.compiler-errors.v1"] == 30, deadline_s=20)
        found = checkpoints(jidoka)
        assert [one["sequence"] for one in found] == list(range(len(found)))
        assert [one["kind"] for one in found] == ["base"] + ["delta"] * (len(found) - 1)
        assert found[-1]["offsets"]["jidoka.compiler-errors.v1"] == 30
        shown = jidoka("models", "show", 0, found[-1]["sequence"], "--json")
        assert json.loads(shown.out)["model"]["version"] == line.workers[0].partition(0)["model_version"]
        table = jidoka("models", "list", 0).out
        assert found[0]["sha256"][:12] in table

        damaged = first_base(line).model_copy(update={"payload": "AAAA"})
        line.send_keyed(ModelCheckpoint, [(b"0/base/0/0", damaged.to_bytes())], 0)
        newer = first_base(line).to_bytes().replace(b'"schema_version":1', b'"schema_version":9')
        line.send_keyed(ModelCheckpoint, [(b"0/base/1/0", newer)], 0)
        assert "does not match its sha256" in checkpoints(jidoka)[0]["problem"]
        done = jidoka("models", "show", 0, 0)
        assert done.status == 1
        assert "not usable: its content does not match its sha256" in done.out
        assert jidoka("models", "rollback", 0, "--to", 0, "--yes").status == 2

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("list", 99), "no partition 99: there are 0 to 3"),
            (("show", 0, 7), "partition 0 has no checkpoint 7"),
            (("rollback", 99), "no partition 99"),
        ],
    )
    def test_mistakes(self, jidoka: Jidoka, arguments: tuple[object, ...], message: str) -> None:
        """What is not there is refused with what there is."""
        done = jidoka("models", *arguments)
        assert (done.status, message in done.err) == (2, True), done.err


class TestGoingBack:
    def test_while_a_worker_runs(self, line: Any, kit: Any, jidoka: Jidoka, eventually: Any) -> None:
        """The worker goes on with the earlier model: same answers to what it has answered, nothing learned twice."""
        worker = line.worker().start()
        failures = kit.make_failures(60)
        learn(line, kit, failures, 0)
        base = first_base(line)
        done = jidoka("models", "rollback", 0, "--yes", "--author", "ada", "--comment", "a bad night")
        assert done.status == 0, done.err
        eventually(lambda: "/rollback-0+" in worker.partition(0)["model_version"], deadline_s=20)
        assert worker.alive

        line.push(failures)
        answers = line.wait_until_answered(120)
        assert [kit.timeless(one) for one in answers[60:]] == [kit.timeless(one) for one in answers[:60]]
        state = worker.partition(0)
        assert (state["failures"], state["repeats"]) == (60, 60)
        assert state["model_version"] == f"empty/rollback-0+{load_first(base).classifier.examples}"

        worker.kill()
        restored = line.restored().state
        assert restored.model_version == state["model_version"]
        assert restored.classifier.weights.tobytes() == load_first(base).classifier.weights.tobytes()
        assert checkpoints(jidoka, 0)[-1]["problem"] is None

    def test_after_kill_9(self, line: Any, kit: Any, eventually: Any) -> None:
        """Commands that a killed worker leaves behind are obeyed once each, whatever is sent twice."""
        worker = line.worker().start()
        failures = kit.make_failures(40)
        learn(line, kit, failures[:20], 0)
        command = go_back(line, "c1")
        worker.kill()
        line.push([command])  # again
        line.push(failures[20:])
        worker.start()
        line.wait_until_answered(40)
        eventually(lambda: worker.partition(0)["offsets"].get("jidoka.model-commands.v1") == 2)
        first = worker.partition(0)
        assert first["model_version"].startswith("empty/rollback-0+")
        assert (first["failures"], first["repeats"]) == (40, 0)
        line.push([command])  # and again, after more was learned
        eventually(lambda: worker.partition(0)["offsets"].get("jidoka.model-commands.v1") == 3)
        assert worker.partition(0)["model_version"] == first["model_version"]

    def test_refusals_become_dead_letters(self, line: Any, kit: Any, eventually: Any) -> None:
        """A command that cannot be obeyed, and one that cannot be read, are dead letters; the worker goes on."""
        worker = line.worker().start()
        learn(line, kit, kit.make_failures(10), 0)
        go_back(line, "c1", partition=2)
        go_back(line, "c2", sha256="0" * 64)
        line.send(ModelCommand, [b"{}"])
        letters = eventually(lambda: found if len(found := line.records(DeadLetter)) == 3 else [], deadline_s=20)
        assert [one.source_topic for one in letters] == ["jidoka.model-commands.v1"] * 3
        assert "a command for partition 2 in partition 0" in letters[0].reason
        assert "holds no base 0 with sha256 000000000000" in letters[1].reason
        assert worker.partition(0)["model_version"].startswith("empty+")

    def test_a_damaged_base_after_it(self, line: Any, kit: Any, eventually: Any) -> None:
        """With the base after going back damaged, the log since is replayed, the command with it."""
        worker = line.worker().start()
        learn(line, kit, kit.make_failures(20), 0)
        go_back(line, "c1")
        eventually(lambda: "/rollback-0+" in worker.partition(0)["model_version"], deadline_s=20)
        learn(line, kit, kit.make_failures(10, seed=2), 20)
        worker.kill()
        whole = kit.fingerprint(line.restored().state)
        messages = [one for one in line.messages(ModelCheckpoint, 0) if b"/base/" in one.key]
        assert len(messages) == 2
        damaged = json.loads(messages[1].value) | {"payload": "AAAA"}
        line.send_keyed(ModelCheckpoint, [(messages[1].key, json.dumps(damaged).encode())], 0)
        assert kit.fingerprint(line.restored().state) == whole


class TestChallenge:
    def test_a_winner_takes_over(self, line: Any, kit: Any, jidoka: Jidoka, eventually: Any) -> None:
        """A published model learns in shadow, is seen to win, and answers from then on, also after a restart."""
        publish(line, "weak", weak(), NOW)
        line.settings = line.settings.model_copy(update={"warm_start": True})
        worker = line.worker().start()
        publish(line, "good", warm_state().classifier, NOW)
        done = jidoka("models", "challenge", "good", "--partition", 0, "--comment", "trained last night")
        assert (done.status, done.out.count("challenge good  asked for: ")) == (0, 1), done.err
        eventually(lambda: contest(jidoka)["challenge"], deadline_s=20)

        failures = kit.make_failures(260)
        line.push(failures[:60])
        line.wait_until_answered(60)
        eventually(lambda: contest(jidoka)["challenge"]["builds"] == 60, deadline_s=20)
        running = contest(jidoka)
        assert running["version"].startswith("weak+")
        assert (running["challenge"]["name"], running["challenge"]["builds"]) == ("good", 60)
        assert running["challenge"]["wins"] > 9 * max(running["challenge"]["losses"], 1)
        assert "partition 0  challenger good: 60 builds scored" in jidoka("models", "list", 0).out

        line.push(failures[60:])
        line.wait_until_answered(260)
        eventually(lambda: checkpoints(jidoka, 0)[-1]["offsets"]["jidoka.compiler-errors.v1"] == 260, deadline_s=20)
        promoted = contest(jidoka)
        assert (promoted["challenge"], promoted["version"].partition("+")[0]) == (None, "good")
        assert [(one["name"], one["verdict"]) for one in promoted["outcomes"]] == [("good", "promote")]
        found = checkpoints(jidoka, 0)
        first = next(one for one in found if one["offsets"].get("jidoka.compiler-errors.v1", 0) >= 200)
        assert (first["kind"], first["model"]["challenge"]) == ("base", None)
        assert first["model"]["version"].startswith("good+")
        whole = kit.fingerprint(line.restored().state)

        worker.kill()
        worker.start()
        assert worker.partition(0)["model_version"] == promoted["version"]
        assert kit.fingerprint(line.restored().state) == whole
        assert contest(jidoka) == promoted

    def test_given_up(self, line: Any, jidoka: Jidoka, eventually: Any) -> None:
        """Without a partition all are asked; giving up ends it where it runs; what is not there is refused."""
        worker = line.worker().start()
        publish(line, "good", warm_state().classifier, NOW)
        for arguments, message in (
            (("nobody",), "no published model nobody; there are: good"),
            (("good", "--partition", 99), "no partition 99: there are 0 to 3"),
            (("--give-up",), "no challenger runs in partitions 0 to 3"),
            ((), "give the NAME of a published model, or --give-up alone"),
            (("good", "--give-up"), "give the NAME of a published model, or --give-up alone"),
        ):
            done = jidoka("models", "challenge", *arguments)
            assert (done.status, message in done.err) == (2, True), done.err
        assert jidoka("models", "challenge", "good", "--people-only").status == 0
        found = eventually(lambda: all_challenged(contests(jidoka)), deadline_s=20)
        assert [(one["partition"], one["challenge"]["rules"]) for one in found] == [(n, False) for n in range(4)]

        assert jidoka("models", "challenge", "--give-up", "--partition", 2).status == 0
        eventually(lambda: not contest(jidoka, 2)["challenge"], deadline_s=20)
        assert [one["partition"] for one in contests(jidoka) if one["challenge"]] == [0, 1, 3]
        assert [one["verdict"] for one in contest(jidoka, 2)["outcomes"]] == ["given up"]
        assert worker.alive

    def test_a_damaged_base_after_it(self, line: Any, kit: Any, eventually: Any) -> None:
        """With the base after the command damaged, the log since is replayed, the command with it; refusals as well."""
        model = publish(line, "good", warm_state().classifier, NOW)
        worker = line.worker().start()
        learn(line, kit, kit.make_failures(20), 0)
        fields = {"time": NOW, "project": "jidoka", "action": "challenge", "partition": 0, "name": "good"}
        refused = ModelCommand.model_validate(fields | {"id": "c0", "sha256": "0" * 64})
        line.push([refused, ModelCommand.model_validate(fields | {"id": "c1", "sha256": model.sha256})])
        eventually(lambda: worker.partition(0)["offsets"].get("jidoka.model-commands.v1") == 2, deadline_s=20)
        learn(line, kit, kit.make_failures(10, seed=2), 20)
        worker.kill()
        (letter,) = line.records(DeadLetter)
        assert "no published model 'good' with sha256 000000000000" in letter.reason
        state = line.restored().state
        assert state.challenge is not None
        assert (state.challenge.counts.builds, state.dead_letters) == (10, 1)
        messages = [one for one in line.messages(ModelCheckpoint, 0) if b"/base/" in one.key]
        assert len(messages) == 2
        damaged = json.loads(messages[1].value) | {"payload": "AAAA"}
        line.send_keyed(ModelCheckpoint, [(messages[1].key, json.dumps(damaged).encode())], 0)
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(state)

    @pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
    def test_no_published_model(self, line: Any, eventually: Any, there: bool) -> None:
        """On a line whose models' topic is empty, or not there, a challenge is a dead letter; the worker goes on."""
        worker = line.worker().start()
        if not there:
            asyncio.run(delete_topics(line.broker, line.settings, [by_short_name("models")]))
        fields = {"id": "c1", "time": NOW, "project": "jidoka", "action": "challenge", "partition": 0}
        line.push([ModelCommand.model_validate(fields | {"name": "good", "sha256": "0" * 64})])
        (letter,) = eventually(lambda: line.records(DeadLetter), deadline_s=20)
        assert "no published model 'good'" in letter.reason
        assert worker.alive


class TestPublishing:
    def test_a_partitions_model_challenges_another(
        self, line: Any, kit: Any, jidoka: Jidoka, tmp_path: Path, eventually: Any
    ) -> None:
        """A model that one partition learned is exported, scored, published under a name, and challenges by it."""
        line.worker().start()
        learn(line, kit, kit.make_failures(20), 0)
        file = tmp_path / "learned.jdk"
        assert jidoka("models", "export", 0, file).status == 0
        done = jidoka("models", "publish", file, "--name", "july", "--json")
        assert done.status == 0, done.err
        card = json.loads(done.out)
        assert (card["name"], card["problem"]) == ("july", None)
        assert set(card["baselines"]) == {"majority", "last_label", "lookup"}
        assert jidoka("models", "publish", file).status == 0
        listed = json.loads(jidoka("models", "list", "--json").out)["models"]
        assert [one["name"] for one in listed] == ["july", "learned"]
        assert jidoka("models", "challenge", "july", "--partition", 1).status == 0
        found = eventually(lambda: contest(jidoka, 1)["challenge"], deadline_s=20)
        assert found["name"] == "july"

    def test_what_is_no_model(self, jidoka: Jidoka, tmp_path: Path) -> None:
        """A file that is no model is not published, and an empty partition has none to export."""
        other = tmp_path / "other.jdk"
        other.write_text("something else")
        assert jidoka("models", "publish", other).status == 2
        assert jidoka("models", "publish", tmp_path / "absent.jdk").status == 2
        done = jidoka("models", "export", 0, tmp_path / "no.jdk")
        assert (done.status, "no usable checkpoint" in done.err) == (2, True)


def weak() -> HashedLogistic:
    """Return a classifier that knows one answer and learns no other: its steps are zero."""
    classifier = HashedLogistic(learning_rate=0.0)
    classifier.learn_one({"message:odd": 1.0}, "LogicErrors")
    return classifier


def publish(line: Any, name: str, classifier: HashedLogistic, time: datetime) -> Model:
    """Put a model on the models' topic."""
    packed = pack(classifier, name)
    sha256, payload = hashlib.sha256(packed).hexdigest(), base64.b64encode(packed).decode()
    model = Model(id=name, time=time, project="jidoka", name=name, sha256=sha256, payload=payload)
    line.send_keyed(Model, [(name.encode(), model.to_bytes())], 0)
    return model


def contests(jidoka: Jidoka, *arguments: object) -> list[dict[str, Any]]:
    """Return what ``models list --json`` says of the partitions' challengers."""
    done = jidoka("models", "list", "--json", *arguments)
    assert done.status == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["partitions"]
    return found


def contest(jidoka: Jidoka, partition: int = 0) -> dict[str, Any]:
    (found,) = contests(jidoka, partition)
    return found


def all_challenged(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return found if all(one["challenge"] for one in found) else []


def load_first(base: ModelCheckpoint) -> LineState:
    """Return the state in a base that has one chunk."""
    return load_base(join_chunks([base])[base.sequence])
