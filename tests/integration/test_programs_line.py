"""The synthetic line end to end: programs on the topic, worked on one by one, each answered once whatever dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.records import CompilerErrors, DeadLetter, Prediction, Program, TranspileResult
from tests.command import Jidoka

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SLOW = (str(Path(__file__).with_name("slow_transpiler.py")),)
TRANSPILE = ("-m", "streams.cli", "worker", "--role", "transpile")
COMPILES = "def double(n: int) -> int:\n    return n * 2\n"
FAILS = "def cut(text: str) -> str:\n    return text.removeprefix('ab')\n"
DIFFERS = "def pad(text: str) -> str:\n    return text.title()\n"
Eventually = Callable[..., Any]


def program(name: str, source: str = COMPILES, **more: Any) -> Program:
    return Program(id=name, time=NOW, project="test/synthetic", source=source, **more)


@pytest.fixture
def line(broker: str, tmp_path: Path, kit: Any) -> Iterator[Any]:
    """Give a line whose workers count as stalled after five seconds without progress."""
    with kit.new_line(broker, tmp_path, stall_limit_s=5.0) as made:
        made.settings.data_dir.mkdir(parents=True)
        yield made


def began(line: Any) -> list[str]:
    """Return the ids of the programs begun so far, as often as they were."""
    file = line.settings.data_dir / "began"
    return [text.split()[0] for text in file.read_text().splitlines()] if file.exists() else []


def answered(line: Any) -> Counter[str]:
    return Counter(one.program_id for one in line.records(TranspileResult))


def failures(line: Any) -> Counter[str]:
    return Counter(one.program_id for one in line.records(CompilerErrors))


def go_on(line: Any) -> None:
    (line.settings.data_dir / "go").touch()


class TestOneByOne:
    def test_killed_in_the_middle(self, line: Any, eventually: Eventually) -> None:
        """A program in hand when its worker is killed is done once more by the next one, and answered once."""
        first = line.worker("first", SLOW).start()
        line.push([program("a"), program("b")])
        eventually(lambda: began(line) == ["a"])
        first.kill()
        assert answered(line) == {}
        line.worker("first", SLOW).start()  # announces itself where the first one did
        eventually(lambda: began(line) == ["a", "a"], deadline_s=30)
        go_on(line)
        eventually(lambda: answered(line) == {"a": 1, "b": 1} and failures(line) == {"a": 1, "b": 1})
        assert began(line) == ["a", "a", "b"]

    def test_longer_than_the_session(self, line: Any, eventually: Eventually) -> None:
        """A program that takes longer than session and stall limit is begun once; health is told meanwhile."""
        worker = line.worker("patient", SLOW).start()
        line.push([program("long"), program("next")])
        eventually(lambda: worker.state()["programs"]["in_hand_s"] > 8.0, deadline_s=30)
        assert worker.ready
        assert worker.state()["lag"] == 2
        assert b"jidoka_program_in_hand_seconds 8" in worker.get("/metrics")
        go_on(line)
        eventually(lambda: answered(line) == {"long": 1, "next": 1})
        assert began(line) == ["long", "next"]
        assert worker.state()["programs"]["done"] == {"not_compiled": 2}

    def test_stopped_in_the_middle(self, line: Any, eventually: Eventually) -> None:
        """A worker that is stopped in order does not wait for its program, which stays for the next one."""
        worker = line.worker("stopped", SLOW).start()
        line.push([program("a")])
        eventually(lambda: began(line) == ["a"])
        assert worker.stop() == 0
        go_on(line)
        line.worker("successor", SLOW).start()
        eventually(lambda: answered(line) == {"a": 1})
        assert failures(line) == {"a": 1}

    def test_what_is_no_program(self, line: Any, eventually: Eventually) -> None:
        """What cannot be read, or is none of the transpiler's, becomes a dead letter; the programs around it pass."""
        go_on(line)
        line.worker("careful", SLOW).start()
        line.send(Program, [b"not JSON"])
        line.push([program("good"), program("ruby", language="ruby")])
        eventually(lambda: len(line.records(DeadLetter)) == 2 and answered(line) == {"good": 1})
        assert [one.reason.split(":")[0] for one in line.records(DeadLetter)] == ["not JSON", "language ruby"]

    def test_two_workers_share(self, line: Any, eventually: Eventually) -> None:
        """Partitions are shared by the workers there are, and each program is answered once."""
        workers = [line.worker(f"worker-{number}", SLOW).start() for number in (1, 2)]
        eventually(lambda: all(worker.state()["programs"]["partitions"] for worker in workers), deadline_s=30)
        go_on(line)
        for number in range(4):
            line.push([program(f"{number}-{at}") for at in range(10)], partition=number)
        eventually(lambda: len(answered(line)) == 40, deadline_s=30)
        assert set(answered(line).values()) == {1}
        assert sum(sum(worker.state()["programs"]["done"].values()) for worker in workers) >= 40


class TestRealTools:
    def test_from_program_to_prediction(self, line: Any, eventually: Eventually) -> None:
        """Programs through the real transpiler and rustc: results, failures, and the predictions that answer them.

        The project's failures are on its own partition, whichever the programs were on. A worker that is killed on
        the way leaves nothing twice.
        """
        environment = {"JIDOKA_VERIFY_PROGRAMS": "true"}
        line.worker("classify").start()
        worker = line.worker("transpile", TRANSPILE, **environment).start()
        sources = {"compiles": COMPILES, "fails": FAILS, "differs": DIFFERS}
        for number, (name, source) in enumerate(sources.items()):
            line.push([program(name, source, level="basic", strategy="random")], partition=number)
        eventually(lambda: len(answered(line)) >= 1, deadline_s=60)
        worker.kill()
        worker.start()
        eventually(lambda: len(answered(line)) == 3, deadline_s=60)
        results = {one.program_id: one for one in line.records(TranspileResult)}
        assert set(answered(line).values()) == {1}
        assert (results["compiles"].compiles, results["compiles"].verdict) == (True, "rust_panics")  # its i32 ends
        assert (results["differs"].verdict, results["differs"].failure) == ("different", "value")
        assert (results["fails"].compiles, results["fails"].verdict) == (False, None)
        (failure,) = line.records(CompilerErrors)
        assert (failure.program_id, failure.source_language) == ("fails", "python")
        eventually(lambda: [one.failure_id for one in line.records(Prediction)] == [failure.id])


class TestSubmit:
    def test_a_corpus(self, line: Any, jidoka: Jidoka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Programs of a corpus go to all partitions, with level and strategy; a second time, with the same ids."""
        monkeypatch.setenv("JIDOKA_BROKER", f"kafka://{line.broker}")
        corpus = tmp_path / "corpus.parquet"
        assert jidoka("generate", "--output", corpus, "--count", 40, "--level", "intermediate").status == 0
        for _ in range(2):
            done = jidoka("submit", corpus, "--project", "me/fuzz", "--json")
            assert done.lines == [{"submitted": 40, "refused": 0, "project": "me/fuzz"}]
        found = line.records(Program)
        assert len(found) == 80
        assert len({one.id for one in found}) == 40
        assert {(one.project, one.level, one.strategy) for one in found} == {("me/fuzz", "intermediate", "random")}
        assert all(line.records(Program, number) for number in range(4))

    def test_no_line(self, jidoka: Jidoka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a line that is up the command says how to start one."""
        monkeypatch.delenv("JIDOKA_BROKER", raising=False)
        monkeypatch.setenv("JIDOKA_DATA_DIR", str(tmp_path / "nowhere"))
        done = jidoka("submit", tmp_path / "corpus.parquet")
        assert done.status == 2
        assert "jidoka up" in done.err
