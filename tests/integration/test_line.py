"""The line end to end: real failures through a real worker on a real broker, with stops, kills and damage."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from models.records import (
    MAX_RECORD_BYTES,
    CompilerErrors,
    DeadLetter,
    Feedback,
    ModelCheckpoint,
    Prediction,
    content_id,
    parse,
)
from models.state import LineState
from models.step import step
from models.taxonomy import LABELS
from streams.metrics import Metrics
from streams.top_projects import NAMED
from streams.topics import MAX_MESSAGE_BYTES, TOPICS, topic_name

pytestmark = pytest.mark.integration
COMPILER_ERRORS = topic_name(CompilerErrors)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def feedback_on(failure: CompilerErrors, index: int, category: str) -> Feedback:
    return Feedback(
        id=content_id(failure.id, index, category),
        time=NOW,
        project=failure.project,
        failure_id=failure.id,
        index=index,
        category=category,
    )


def answers_to(line: Any, failures: list[CompilerErrors]) -> dict[str, list[Prediction]]:
    """Return the predictions on the topic by the failure they answer, of these failures only."""
    found: dict[str, list[Prediction]] = {failure.id: [] for failure in failures}
    for prediction in line.predictions():
        if prediction.failure_id in found:
            found[prediction.failure_id].append(prediction)
    return found


def sizes(found: dict[str, list[Prediction]]) -> Counter[int]:
    return Counter(len(predictions) for predictions in found.values())


@pytest.fixture(scope="class")
def up(broker: str, tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    """Give a line with one worker that is up."""
    with kit.new_line(broker, tmp_path_factory.mktemp("up")) as line:
        line.worker().start()
        yield line


class TestUp:
    """What one worker does that is up all the time; each test has a partition of its own."""

    def test_every_failure_is_answered_once(self, up: Any, kit: Any) -> None:
        """Of 300 failures each has one prediction, with an answer for each diagnostic, equal to the step's own."""
        failures = kit.make_failures(300)
        up.push(failures, partition=0)
        up.wait_until_answered(300)
        found = answers_to(up, failures)
        assert sizes(found) == {1: 300}
        state = LineState()
        for failure in failures:
            (expected,) = step(state, failure, NOW)
            assert kit.timeless(found[failure.id][0]) == kit.timeless(expected)

    def test_what_cannot_be_read_becomes_a_dead_letter(self, up: Any, kit: Any, eventually: Any) -> None:
        """Records that are broken each in its own way end in the dead letters, byte for byte; the rest is answered."""
        failures = kit.make_failures(40, seed=2, project="test/two")
        good = [failure.to_bytes() for failure in failures]
        bad: list[bytes | None] = [
            b"\x00\xff\xfe garbage",
            None,
            b"",
            orjson.dumps({**orjson.loads(good[0]), "schema_version": 99}),
            b'{"a":' * 100_000,
            good[0].replace(b'"project":"test/two"', b'"project":"\\ud800"'),
            b"[]",
            orjson.dumps({**orjson.loads(good[0]), "diagnostics": []}),
            good[1][:-10],
            b" " * (MAX_RECORD_BYTES + 1),
        ]
        mixed: list[bytes | None] = list(good)
        for value in bad:
            mixed.insert(random.Random(len(mixed)).randrange(5, len(mixed)), value)  # noqa: S311 - a place
        offsets = up.send(CompilerErrors, mixed, partition=1)
        eventually(lambda: sizes(answers_to(up, failures)) == {1: 40}, deadline_s=60, every_s=0.3)
        letters = {letter.offset: letter for letter in up.records(DeadLetter, partition=1)}
        expected = {offset: value for offset, value in zip(offsets, mixed, strict=True) if value in bad}
        assert letters.keys() == expected.keys()
        for offset, value in expected.items():
            letter = letters[offset]
            assert (letter.source_topic, letter.partition) == (COMPILER_ERRORS, 1)
            assert (None if letter.value is None else base64.b64decode(letter.value)) == value
            assert letter.key is not None
            assert base64.b64decode(letter.key) == b"test"
            assert len(letter.reason) > 8
        assert "schema_version 99" in {letter.reason[:17] for letter in letters.values()}
        assert up.workers[0].partition(1)["dead_letters"] == len(bad)

    def test_the_largest_garbage_does_not_end_the_worker(self, up: Any, kit: Any, eventually: Any) -> None:
        """Garbage as large as the topic takes becomes a dead letter, and the line goes on."""
        (source,) = [topic for topic in TOPICS if topic.record is CompilerErrors]
        size = int(source.config["max.message.bytes"]) - 1000
        pairs = [(b"k", b"x" * size), (b"k" * size, b"x"), (b"k" * size, None)]
        offsets = up.send_keyed(CompilerErrors, pairs, partition=2)
        (failure,) = kit.make_failures(1, seed=9, project="test/nine")
        up.push([failure], partition=2)
        eventually(lambda: sizes(answers_to(up, [failure])) == {1: 1}, deadline_s=60, every_s=0.3)
        assert {letter.offset for letter in up.records(DeadLetter, partition=2)} == set(offsets)
        assert up.workers[0].alive

    def test_a_record_sent_twice_is_learned_once(self, up: Any, kit: Any, eventually: Any) -> None:
        """The same failures again get the same predictions again, and change nothing in the model."""
        failures = kit.make_failures(20, seed=3, project="test/three")
        up.push(failures, partition=2)
        eventually(lambda: sizes(answers_to(up, failures)) == {1: 20}, deadline_s=30, every_s=0.2)
        before = up.workers[0].partition(2)  # which the test before has used too
        up.push(failures, partition=2)
        eventually(lambda: sizes(answers_to(up, failures)) == {2: 20}, deadline_s=30, every_s=0.2)
        for first, again in answers_to(up, failures).values():
            assert first == again
        after = up.workers[0].partition(2)
        assert (after["failures"], after["repeats"]) == (before["failures"], before["repeats"] + 20)
        for name in ("model_version", "scored", "accuracy", "macro_f1", "weights"):
            assert after[name] == before[name]

    def test_feedback_changes_the_next_answer_of_its_kind(self, up: Any, kit: Any, eventually: Any) -> None:
        """What a person said of one diagnostic is the answer to the next message of that kind; who said is named."""
        first, second = kit.make_failures(2, seed=4, project="test/four")
        second = second.model_copy(update={"diagnostics": first.diagnostics})
        up.push([first], partition=3)
        eventually(lambda: sizes(answers_to(up, [first])) == {1: 1}, deadline_s=30)
        up.push([feedback_on(first, 0, "ConcurrencyBugs"), feedback_on(second, 0, "ApiMisuse")], partition=3)
        eventually(lambda: up.workers[0].partition(3)["unmatched_feedback"] == 1, deadline_s=30)
        up.push([second], partition=3)
        eventually(lambda: sizes(answers_to(up, [second])) == {1: 1}, deadline_s=30)
        found = answers_to(up, [first, second])
        assert found[first.id][0].classifications[0].source in {"rule", "model"}
        answer = found[second.id][0].classifications[0]
        assert (answer.source, answer.category) == ("feedback", "ConcurrencyBugs")
        counted = {one.name for one in families(up.workers[0]) if sample(one, outcome="learned") == 1}
        assert counted == {"jidoka_feedback"}

    def test_malformed_feedback_becomes_a_dead_letter(self, up: Any, eventually: Any) -> None:
        """A category that is none, or garbage, on the feedback topic is refused like a broken failure."""
        bad = feedback_on(CompilerErrors.model_construct(id="x", project="p"), 0, "ApiMisuse").to_bytes()
        up.send(Feedback, [b"garbage", bad.replace(b"ApiMisuse", b"NoSuchThing")], partition=3)
        letters = eventually(lambda: len(found := up.records(DeadLetter, partition=3)) == 2 and found, deadline_s=30)
        assert {letter.source_topic for letter in letters} == {topic_name(Feedback)}
        assert any("NoSuchThing" in letter.reason for letter in letters)

    def test_metrics_tell_what_happened(self, up: Any, eventually: Any) -> None:
        """Every metric there is can be scraped, says what the tests before did, and has a bounded set of labels."""
        eventually(lambda: up.workers[0].state()["lag"] == 0, deadline_s=10)
        found = {family.name: family for family in families(up.workers[0])}
        assert found.keys() >= declared()
        state = up.workers[0].state()["partitions"]
        failures = sum(one["failures"] for one in state)
        assert sample(found["jidoka_failures"], repeat="false") == failures > 0
        assert sample(found["jidoka_failures"], repeat="true") == sum(one["repeats"] for one in state) > 0
        assert total(found["jidoka_dead_letters"]) == sum(one["dead_letters"] for one in state) > 0
        assert total(found["jidoka_classifications"]) >= failures
        assert total(found["jidoka_commits"]) >= 4
        assert total(found["jidoka_checkpoint_bytes"]) > 1000
        assert total(found["jidoka_consumer_lag"]) == 0
        for name in ("jidoka_end_to_end_seconds", "jidoka_step_seconds"):
            counts = [one.value for one in found[name].samples if one.name == f"{name}_count"]
            sums = [one.value for one in found[name].samples if one.name == f"{name}_sum"]
            assert counts[0] >= failures
            assert 0 < sums[0] / counts[0] < 60
        for name in ("prequential_accuracy", "rolling_accuracy", "prequential_macro_f1", "baseline_accuracy"):
            assert all(0 <= one.value <= 1 for one in found[f"jidoka_{name}_ratio"].samples)
        (info,) = found["jidoka_model_info"].samples
        assert info.labels.keys() == {"code", "river", "learner"}
        for family in found.values():
            assert len(family.samples) <= 500
            for one in family.samples:
                assert one.labels.keys() <= {
                    *{"repeat", "category", "source", "outcome", "topic", "partition", "baseline", "le"},
                    *{"code", "river", "learner", "origin", "function"},
                    *{"project", "bin", "quantity", "kind", "severity"},
                }
                assert one.labels.get("category", "Unknown") in {*LABELS, "Unknown"}
                assert "project" not in one.labels or len(family.samples) <= NAMED + 1
                assert "test/" not in str(one.labels) or family.name == "jidoka_project_failures"

    def test_health_and_readiness_are_told(self, up: Any) -> None:
        """A worker that holds its partitions is alive and ready."""
        assert json.loads(up.workers[0].get("/healthz"))["status"] == "ok"
        assert json.loads(up.workers[0].get("/readyz"))["status"] == "ready"


def families(worker: Any) -> list[Any]:
    return list(text_string_to_metric_families(worker.get("/metrics").decode()))


def declared() -> set[str]:
    """Return the names of all metrics of ``streams/metrics.py``, as the text format spells them."""
    registry = CollectorRegistry()
    Metrics(registry)
    return {f"{one.name}_info" if one.type == "info" else one.name for one in registry.collect()}


def sample(family: Any, **labels: str) -> float | None:
    """Return the value of the sample with these labels, of a counter its total."""
    values = [
        one.value
        for one in family.samples
        if one.labels.items() >= labels.items() and not one.name.endswith("_created")
    ]
    return values[0] if len(values) == 1 else None


def total(family: Any) -> float:
    return sum(one.value for one in family.samples if not one.name.endswith("_created"))


class TestStopping:
    def test_a_stop_under_load_continues_where_it_was(self, line: Any, kit: Any, eventually: Any) -> None:
        """A worker asked to stop in the middle commits what it did and ends with 0; the next goes on from there.

        No failure is lost or answered twice, and the model is the one that an uninterrupted run would have.
        """
        failures = kit.make_failures(1200)
        worker = line.worker().start()
        line.push(failures)
        eventually(lambda: worker.partition(0)["failures"] > 100, deadline_s=60, every_s=0.02)
        assert worker.stop() == 0, worker.tail()
        answered = len(line.predictions())
        assert 0 < answered < 1200
        stopped = line.restored()
        assert stopped.offsets == {COMPILER_ERRORS: answered}
        assert kit.fingerprint(stopped.state) == kit.fingerprint(kit.in_process(failures[:answered]))
        worker.start()
        assert int(worker.partition(0)["model_version"].removeprefix("empty+")) >= stopped.state.classifier.examples
        line.wait_until_answered(1200)
        assert sizes(answers_to(line, failures)) == {1: 1200}
        expected = kit.in_process(failures)
        shown = eventually(lambda: (one := worker.partition(0))["failures"] == 1200 and one)
        assert shown["model_version"] == expected.model_version
        assert (shown["accuracy"], shown["macro_f1"]) == (expected.scores.accuracy, expected.scores.macro_f1)
        assert worker.stop() == 0
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(expected)
        worker.start()
        again = worker.partition(0)
        assert {name: again[name] for name in shown} == shown

    @pytest.mark.parametrize("seed", [1])
    def test_a_kill_in_mid_stream_loses_nothing(self, line: Any, kit: Any, eventually: Any, seed: int) -> None:
        """After kill -9 at any moment nothing is lost, nothing answered twice, and the model is exact to the bit."""
        moment = random.Random(seed).randint(30, 900)  # noqa: S311 - a moment
        failures = kit.make_failures(1200, seed=seed)
        worker = line.worker().start()
        line.push(failures)
        eventually(lambda: worker.partition(0)["failures"] >= moment, deadline_s=60, every_s=0.005)
        worker.kill()
        assert len(line.predictions()) < 1200
        worker.start()
        line.wait_until_answered(1200)
        assert sizes(answers_to(line, failures)) == {1: 1200}
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(kit.in_process(failures))


class TestTwoWorkers:
    def test_they_share_and_take_over(self, line: Any, kit: Any, eventually: Any) -> None:
        """A second worker that joins under load takes its share; when it is killed the first takes over.

        Both topics of a partition go together, so feedback finds its failure; nothing is lost or answered twice.
        """
        failures = [kit.make_failures(500, seed=number, project=f"test/p{number}") for number in range(4)]
        first, second = line.worker("first").start(), line.worker("second")
        for number in range(4):
            line.push(failures[number][:400], partition=number)
        second.start()
        eventually(lambda: len(first.partitions()) == len(second.partitions()) == 2, deadline_s=60)
        assert first.partitions() | second.partitions() == {0, 1, 2, 3}
        line.wait_until_answered(1600)
        for number in range(4):
            line.push([feedback_on(failures[number][399], 0, "ApiMisuse")], partition=number)
        for worker in (first, second):
            eventually(lambda worker=worker: both_topics_read(worker), deadline_s=30)
        for number in range(4):  # what is not committed would be read again, perhaps after the failures that follow
            eventually(lambda number=number: topic_name(Feedback) in line.restored(number).offsets, deadline_s=30)
        for worker in (first, second):
            assert {one["unmatched_feedback"] for one in worker.state()["partitions"]} == {0}
        for number in range(4):
            line.push(failures[number][400:], partition=number)
        second.kill()
        eventually(lambda: first.partitions() == {0, 1, 2, 3}, deadline_s=60)
        assert first.alive
        line.wait_until_answered(2000)
        assert sizes(answers_to(line, [one for some in failures for one in some])) == {1: 2000}
        for number in range(4):
            said = feedback_on(failures[number][399], 0, "ApiMisuse")
            expected = kit.in_process([*failures[number][:400], said, *failures[number][400:]])
            assert kit.fingerprint(line.restored(number).state) == kit.fingerprint(expected)


def both_topics_read(worker: Any) -> bool:
    partitions = worker.state()["partitions"]
    return all(one["offsets"].keys() == {COMPILER_ERRORS, topic_name(Feedback)} for one in partitions)


class TestDamage:
    def test_a_damaged_checkpoint_is_passed_over(self, line: Any, kit: Any, eventually: Any) -> None:
        """Damaged checkpoints are passed over and the log is replayed to the very same state.

        So it goes on afterwards: what the worker writes then is not mixed up with what was there before.
        """
        failures = kit.make_failures(320)
        said = feedback_on(failures[299], 0, "ApiMisuse")
        worker = line.worker().start()
        line.push(failures[:300])
        line.wait_until_answered(300)
        line.push([said])
        eventually(lambda: topic_name(Feedback) in line.restored().offsets, deadline_s=30, every_s=0.3)
        assert worker.stop() == 0
        expected = kit.in_process([*failures[:300], said])
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(expected)
        damage_bases(line)
        repaired = line.restored()
        assert repaired.offsets == {COMPILER_ERRORS: 300, topic_name(Feedback): 1}
        assert kit.fingerprint(repaired.state) == kit.fingerprint(expected)
        worker.start()
        assert "passed over" in worker.log.read_text()
        line.push(failures[300:])
        line.wait_until_answered(320)
        assert worker.stop() == 0
        assert sizes(answers_to(line, failures)) == {1: 320}
        expected = kit.in_process([*failures[:300], said, *failures[300:]])
        assert kit.fingerprint(line.restored().state) == kit.fingerprint(expected)


def damage_bases(line: Any) -> None:
    """Write garbage, and a base whose payload does not match its hash, under the keys of the bases there are."""
    for message in line.messages(ModelCheckpoint, partition=0):
        record = parse(ModelCheckpoint, message.value, MAX_MESSAGE_BYTES)
        if record.kind == "base":
            wrong = record.model_copy(update={"payload": base64.b64encode(b"wrong").decode()})
            values = [b"garbage", wrong.to_bytes()]
            line.send_keyed(ModelCheckpoint, [(message.key, value) for value in values], partition=0)
