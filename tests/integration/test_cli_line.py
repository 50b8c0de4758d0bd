"""The command line with a line that is up: what a CI job, a person and a consumer do with it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.records import CompilerErrors, DeadLetter, Prediction, parse
from streams import runfile
from streams.supervisor import Supervisor
from streams.topics import TOPICS, topic_name
from tests.command import Done, Jidoka

pytestmark = pytest.mark.integration
OUTPUT = Path(__file__).parent.parent / "producers" / "data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def up(broker: str, tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    """Give a line that a supervisor keeps up, without its web interface."""
    with (
        kit.new_line(broker, tmp_path_factory.mktemp("up")) as line,
        Supervisor(line.settings, 1, lambda _: None, web=False),
    ):
        yield line


@pytest.fixture(autouse=True)
def _settings(up: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command find the line by its data folder alone, from an empty folder."""
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(up.settings.data_dir))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def answers(up: Any, eventually: Callable[..., Any]) -> Callable[[str, int], list[Prediction]]:
    """Return a function that waits until a project has so many predictions, and returns them."""

    def wait(project: str, count: int) -> list[Prediction]:
        def found() -> list[Prediction]:
            mine = [one for one in up.predictions() if one.project == project]
            return mine if len(mine) >= count else []

        answered: list[Prediction] = eventually(found, deadline_s=30, every_s=0.2)
        return answered

    return wait


def failure_line(number: int, project: str, **fields: Any) -> bytes:
    document = {
        "id": f"{project.replace('/', '-')}-{number}",
        "time": NOW.isoformat(),
        "project": project,
        "diagnostics": [{"level": "error", "code": "E0308", "message": f"mismatched types `{'abc'[number % 3]}`"}],
    }
    return orjson.dumps(document | fields)


class TestPush:
    def test_cargo_json(self, jidoka: Jidoka, answers: Any) -> None:
        """What cargo prints with ``--message-format=json`` is put on the line and answered."""
        done = jidoka("push", OUTPUT / "cargo.json", "--project", "push/cargo", "--run", "42", "--json")
        assert (done.status, done.lines[0]["accepted"], done.lines[0]["rejected"]) == (0, 2, 0)
        found = answers("push/cargo", 2)
        assert {one.failure_id for one in found} == set(done.lines[0]["failure_ids"])
        assert {one.run for one in found} == {"42"}
        assert {one.classifications[one.root].code for one in found} == {"E0308", "E0425"}

    def test_text_from_standard_input(self, jidoka: Jidoka, answers: Any) -> None:
        """Rendered text that is piped in is understood too."""
        done = jidoka("push", "--project", "push/text", stdin=(OUTPUT / "rustc-colour.txt").read_bytes())
        assert done.status == 0
        assert "accepted 1 failed compilations (10 diagnostics)" in done.out
        (answer,) = answers("push/text", 1)
        assert len(answer.classifications) == 10

    def test_a_bad_line_is_named_and_the_rest_is_sent(self, tmp_path: Path, jidoka: Jidoka, answers: Any) -> None:
        """A line that cannot be read is told with its number; the others go through; the status is 1."""
        lines = [failure_line(number, "push/lines") for number in range(4)]
        path = tmp_path / "log.jsonl"
        path.write_bytes(b"\n".join([*lines[:2], b'{"id": broken', *lines[2:]]) + b"\n")
        done = jidoka("push", path, "--project", "push/lines", "--json")
        assert (done.status, done.lines[0]["accepted"], done.lines[0]["rejected"]) == (1, 4, 1)
        assert "line 3" in done.err
        assert "records keep the project" not in done.err
        assert {one.failure_id for one in answers("push/lines", 4)} == {f"push-lines-{n}" for n in range(4)}

    def test_a_record_that_names_its_project_keeps_it(self, jidoka: Jidoka, answers: Any) -> None:
        """A record's own project stands, and the person who asked for another one is told."""
        done = jidoka("push", "--project", "push/other", stdin=failure_line(1, "push/own"))
        assert "push/own" in done.err
        assert len(answers("push/own", 1)) == 1

    def test_the_same_again_is_not_learned_again(self, jidoka: Jidoka, answers: Any) -> None:
        """A log that is pushed twice is answered twice, with the same predictions."""
        for _ in range(2):
            assert jidoka("push", OUTPUT / "rustc.json", "--project", "push/twice").status == 0
        first, second = answers("push/twice", 2)
        assert first == second

    def test_nothing_is_told(self, jidoka: Jidoka) -> None:
        """An empty input, and one in which nothing is compiler output, is told and has its own status."""
        assert jidoka("push", "--project", "p", stdin=b"").status in {1, 2}
        done = jidoka("push", "--project", "p", stdin=b"Compiling things v0.1.0\nFinished\n")
        assert done.status in {0, 1}
        assert "Traceback" not in done.err


class TestTail:
    def test_a_limit_ends_it(self, jidoka: Jidoka, answers: Any) -> None:
        """``--from-beginning --limit N --json`` prints N predictions, one JSON document a line, and ends."""
        lines = b"\n".join(failure_line(number, "tail/many") for number in range(7))
        jidoka("push", "--project", "tail/many", stdin=lines)
        answers("tail/many", 7)
        done = jidoka("tail", "predictions", "--from-beginning", "--limit", 5, "--json", "--project", "tail/many")
        assert done.status == 0
        assert len(done.lines) == 5
        assert {parse(Prediction, orjson.dumps(line)).project for line in done.lines} == {"tail/many"}

    def test_no_follow_ends_at_the_end(self, jidoka: Jidoka, up: Any) -> None:
        """``--no-follow`` prints what is there and ends, also when nothing is."""
        assert jidoka("tail", "andon", "--no-follow", "--json") == Done(0, "", "")
        done = jidoka("tail", "predictions", "--no-follow", "--json")
        assert len(done.lines) == len(up.predictions())

    def test_untrusted_text_is_shown_not_obeyed(self, jidoka: Jidoka, answers: Any) -> None:
        """Escape sequences and markup in a compiler's message do not reach the terminal."""
        evil = [{"level": "error", "code": "E0308", "message": "\x1b[2Jgone [bold red]now[/] \x07"}]
        jidoka("push", "--project", "tail/evil", stdin=failure_line(1, "tail/evil", diagnostics=evil))
        answers("tail/evil", 1)
        for topic in ("predictions", "compiler-errors"):
            done = jidoka("tail", topic, "--no-follow", "--project", "tail/evil")
            assert done.status == 0
            assert "gone" in done.out
            assert "\x1b" not in done.out
            assert "\x07" not in done.out

    def test_ctrl_c_ends_it(self, up: Any) -> None:
        """Ctrl-C while waiting for more ends with 130 and no stack trace."""
        up.push([parse(CompilerErrors, failure_line(1, "tail/interrupt"))])
        command = [sys.executable, "-m", "streams.cli", "tail", "compiler-errors", "--from-beginning"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        assert (process.returncode, err.strip()) == (130, "")

    def test_a_closed_pipe_ends_it(self, up: Any) -> None:
        """``jidoka tail … | head`` ends quietly when nobody reads any more."""
        up.push([parse(CompilerErrors, failure_line(number, "tail/pipe")) for number in range(300)])
        command = [sys.executable, "-m", "streams.cli", "tail", "compiler-errors", "--no-follow", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
            process.wait(30)
        assert (process.returncode, err) == (0, b"")


class TestLabel:
    def test_a_label_is_learned(self, jidoka: Jidoka, answers: Any, eventually: Any) -> None:
        """What a person says of an answered failure is the answer to the next failure of its kind."""
        message = [{"level": "error", "code": "E0277", "message": "the trait bound `Odd: Send` is not satisfied"}]
        jidoka("push", "--project", "label/one", stdin=failure_line(1, "label/one", diagnostics=message))
        (first,) = answers("label/one", 1)
        done = jidoka("label", first.failure_id, 0, "concurrencybugs", "--comment", "threads", "--author", "me")
        assert done.status == 0
        assert "ConcurrencyBugs" in done.out
        assert "among the last 1,000" in done.err
        sent = 1

        def learned() -> bool:
            nonlocal sent
            sent += 1
            jidoka("push", "--project", "label/one", stdin=failure_line(sent, "label/one", diagnostics=message))
            newest = {one.failure_id: one for one in answers("label/one", sent)}[f"label-one-{sent}"]
            answer = newest.classifications[0]
            return (answer.category, answer.source) == ("ConcurrencyBugs", "feedback")

        eventually(learned, deadline_s=30, every_s=0.2)

    def test_an_unknown_failure_is_told(self, jidoka: Jidoka) -> None:
        """A failure that nobody predicted cannot be labelled, whatever project is named."""
        for more in ((), ("--project", "label/one")):
            done = jidoka("label", "no-such-failure", 0, "ApiMisuse", *more)
            assert (done.status, done.out) == (2, "")
            assert "no prediction for failure no-such-failure" in done.err

    def test_a_diagnostic_that_is_not_there_is_told(self, jidoka: Jidoka, answers: Any) -> None:
        """A failure with one diagnostic has no second one to label."""
        jidoka("push", "--project", "label/two", stdin=failure_line(1, "label/two"))
        (first,) = answers("label/two", 1)
        done = jidoka("label", first.failure_id, 1, "ApiMisuse")
        assert (done.status, done.out) == (2, "")
        assert "has 1 diagnostics, counted from 0" in done.err


class TestStatus:
    def test_json_has_what_the_issue_asks_for(self, jidoka: Jidoka, up: Any, eventually: Any) -> None:
        """``status --json`` tells broker, web, workers with pid and partitions, lag, predictions and dead letters."""

        def settled() -> dict[str, Any]:
            done = jidoka("status", "--json")
            found: dict[str, Any] = done.lines[0]
            return found if done.status == 0 and found["lag"] == 0 else {}

        found = eventually(settled, deadline_s=30)
        assert found["broker"] == up.broker
        assert found["web"] is None
        (worker,) = found["workers"]
        run = runfile.read(up.settings.data_dir)
        assert run is not None
        assert worker["pid"] == run.workers[0]["pid"]
        assert sorted(worker["partitions"]) == [0, 1, 2, 3]
        assert worker["ready"] is True
        assert found["predictions"] == len(up.predictions())
        assert found["dead_letters"] == len(up.records(DeadLetter))

    def test_as_text(self, jidoka: Jidoka, up: Any) -> None:
        """Without ``--json`` the same is printed for people."""
        done = jidoka("status")
        assert done.status == 0
        assert up.broker in done.out
        assert "ready" in done.out

    def test_topics(self, jidoka: Jidoka) -> None:
        """``topics`` lists every topic of the line with its partitions; ``create`` leaves what is there."""
        for action in ("list", "create"):
            found = jidoka("topics", action, "--json").lines[0]
            assert {one["name"]: one["partitions"] for one in found} == {
                topic.name: 4 if topic.partitioned else 1 for topic in TOPICS
            }
        assert "jidoka.predictions.v1" in jidoka("topics").out

    def test_a_second_line_is_refused(self, jidoka: Jidoka) -> None:
        """``up`` in the data folder of a line that is up says so, names its process, and disturbs nothing."""
        done = jidoka("up")
        assert (done.status, done.out) == (2, "")
        assert str(os.getpid()) in done.err
        assert "--data-dir" in done.err
        assert "Traceback" not in done.err
        assert jidoka("status").status == 0


class TestDeadLetters:
    @pytest.fixture
    def letter(self, up: Any, eventually: Any) -> DeadLetter:
        """Return a dead letter that the line has just written."""
        (offset,) = up.send(CompilerErrors, [b"\x1b[31mnot a record\xff"], partition=2)

        def written() -> DeadLetter | None:
            return next((one for one in up.records(DeadLetter, 2) if one.offset == offset), None)

        found: DeadLetter = eventually(written, deadline_s=30)
        return found

    def test_are_listed(self, letter: DeadLetter, jidoka: Jidoka) -> None:
        """``dead-letters list`` shows where each stood, why, and how it begins; escape sequences are harmless."""
        done = jidoka("dead-letters", "list")
        assert done.status == 0
        assert letter.id in done.out
        assert "not a record" in done.out
        assert "\x1b" not in done.out
        assert letter.id in {one["id"] for one in jidoka("dead-letters", "list", "--json").lines}

    def test_are_sent_again(self, letter: DeadLetter, jidoka: Jidoka, up: Any, eventually: Any) -> None:
        """One that is sent again with its bytes, and is still unreadable, becomes a dead letter again."""
        done = jidoka("dead-letters", "redrive", letter.id)
        assert (done.status, done.out.strip()) == (0, "sent again: 1")

        def again() -> list[DeadLetter]:
            later = [one for one in up.records(DeadLetter, 2) if one.offset > letter.offset]
            return [one for one in later if (one.value, one.key) == (letter.value, letter.key)]

        eventually(again, deadline_s=30)

    def test_equal_ones_are_sent_once(self, letter: DeadLetter, jidoka: Jidoka, up: Any, eventually: Any) -> None:
        """Letters with equal bytes from one partition go out once, so redriving never doubles what stays bad."""
        jidoka("dead-letters", "redrive", letter.id)

        def both() -> list[str]:
            same = [
                one.id for one in up.records(DeadLetter, 2) if one.value == letter.value and one.offset >= letter.offset
            ]
            return same if len(same) >= 2 else []

        ids = eventually(both, deadline_s=30)
        done = jidoka("dead-letters", "redrive", *ids)
        assert (done.err, done.out.strip()) == ("", "sent again: 1")

    def test_one_that_can_be_read_now_is_answered(self, jidoka: Jidoka, up: Any, answers: Any) -> None:
        """After an upgrade that reads what was refused, redriving brings the prediction."""
        value = failure_line(1, "letters/readable")
        up.push([forged("readable-now", value=base64.b64encode(value).decode())], partition=3)
        assert jidoka("dead-letters", "redrive", "readable-now").status == 0
        assert answers("letters/readable", 1)

    @pytest.mark.parametrize(
        "fields",
        [{"source_topic": "payments"}, {"value": "%%%"}, {"partition": 99}, {"source_topic": "jidoka.x.v1"}],
        ids=lambda fields: next(iter(fields)),
    )
    def test_a_forged_one_is_refused(self, fields: dict[str, Any], jidoka: Jidoka, up: Any) -> None:
        """A letter that names a foreign topic or makes no sense is refused in one paragraph."""
        name = f"forged-{abs(hash(str(fields)))}"
        up.push([forged(name, **fields)])
        done = jidoka("dead-letters", "redrive", name)
        assert (done.status, done.out) == (2, "")
        assert "Traceback" not in done.err
        assert name in done.err.replace("\n", "")

    def test_wrong_ids_are_told(self, jidoka: Jidoka) -> None:
        """An id that is none, or ids together with ``--all``, is a mistake."""
        assert "no dead letter nowhere-0-0" in jidoka("dead-letters", "redrive", "nowhere-0-0").err
        for arguments in (("nowhere-0-0",), ("nowhere-0-0", "--all"), ()):
            assert jidoka("dead-letters", "redrive", *arguments).status == 2


def forged(name: str, **fields: Any) -> DeadLetter:
    """Return a dead letter as somebody else may have put it on the topic."""
    content = {"source_topic": topic_name(CompilerErrors), "partition": 3, "offset": 1, "reason": "forged"} | fields
    return DeadLetter(id=name, time=NOW, project="unknown", **content)
