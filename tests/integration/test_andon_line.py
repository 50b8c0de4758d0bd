"""The andon of a running line: a change lights the lamp, a killed worker keeps it lit, a person puts it out."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from models.records import AndonEvent, CompilerErrors, ModelCommand
from tests.builders import KINDS, NAMES, NOW, build, diagnostic, span
from tests.command import Jidoka, in_process
from tests.polling import poll

pytestmark = pytest.mark.integration

MIX = tuple(kind for kind in KINDS if kind[0] and kind[0] != "E0382")
MOVED = next(kind for kind in KINDS if kind[0] == "E0382")  # OwnershipBorrow
BASELINE = 2_600  # builds: more than the detectors need before they judge
DEADLINE_S = 90.0


@pytest.fixture
def jidoka(line: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
    """Return a function that runs ``jidoka`` in this process against the test's line."""
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JIDOKA_BROKER", f"kafka://{line.broker}")
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(line.settings.data_dir))
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("USER", "kim")
    return in_process(monkeypatch, capsys)


def builds(name: str, count: int, kinds: tuple[Any, ...]) -> list[CompilerErrors]:
    """Return builds of one error each, drawn from these kinds."""
    draw, made = random.Random(name), []  # noqa: S311 - a stream
    for number in range(count):
        code, message, text, _ = draw.choice(kinds)
        names = {key: draw.choice(choices) for key, choices in NAMES.items()}
        one = diagnostic(message.format(**names), code, spans=(span(text.format(**names)),))
        made.append(build(f"{name}-{number}", one, project="acme/web"))
    return made


def unknown(name: str, count: int) -> list[CompilerErrors]:
    """Return builds that no rule knows."""
    return [build(f"{name}-{number}", diagnostic(f"glorp {number % 7} of the quux")) for number in range(count)]


def events(line: Any, transition: str, kind: str | None = None) -> list[AndonEvent]:
    """Return the committed events of a transition."""
    found = line.records(AndonEvent)
    return [one for one in found if one.transition == transition and kind in {None, one.kind}]


def lit(jidoka: Jidoka) -> tuple[int, dict[str, Any]]:
    done = jidoka("andon", "list", "--json")
    found: dict[str, Any] = json.loads(done.out)
    return done.status, found


def version(line: Any) -> str:
    return str(line.workers[-1].partition(0)["model_version"])


class TestHalt:
    def test_stays_until_a_person_resumes(self, line: Any, jidoka: Jidoka) -> None:
        """Learning stops for killed and restarted workers too, answers go on; a resume lets it go on, once."""
        worker = line.worker().start()
        line.push(unknown("odd", 600))
        poll(lambda: events(line, "raised"), deadline_s=DEADLINE_S, every_s=0.3)
        status, found = lit(jidoka)
        assert (status, found["lamp"], [one["kind"] for one in found["lit"]]) == (1, "red", ["HighRejectionRate"])
        assert found["lit"][0]["partition"] == 0

        line.wait_until_answered(600)
        stopped = version(line)
        worker.kill()
        worker.start()
        line.push(builds("second", 40, MIX))
        line.wait_until_answered(640)
        assert version(line) == stopped
        assert line.restored().state.watch.lamp.colour == "red"
        assert len(events(line, "raised")) == 1

        assert jidoka("andon", "acknowledge", "HighRejectionRate").status == 0
        poll(lambda: events(line, "acknowledged"), deadline_s=DEADLINE_S, every_s=0.3)
        shown = jidoka("andon", "show").out
        assert "looked after by kim" in " ".join(shown.split())
        assert jidoka("andon", "resume", "--comment", "another tool's log").status == 0
        (resumed,) = poll(lambda: events(line, "resumed"), deadline_s=DEADLINE_S, every_s=0.3)
        assert (resumed.author, resumed.comment, resumed.lamp) == ("kim", "another tool's log", "green")
        assert lit(jidoka) == (0, {"lamp": "green", "partitions": {"0": "green"}, "lit": []})

        command = line.records(ModelCommand)[-1]
        line.push([command, command])
        line.push(builds("third", 40, MIX))
        line.wait_until_answered(680)
        poll(lambda: version(line) != stopped)
        assert len(events(line, "resumed")) == 1
        tail = jidoka("tail", "andon", "--no-follow").out
        assert [line_.split()[2] for line_ in tail.splitlines()] == ["raised", "acknowledged", "resumed"]


class TestDrift:
    def test_names_what_moved_and_survives(self, line: Any, jidoka: Jidoka) -> None:
        """Another mix becomes an event that names the category; it stays lit until resumed with a new baseline."""
        worker = line.worker().start()
        line.push(builds("normal", BASELINE, MIX))
        line.wait_until_answered(BASELINE)
        assert events(line, "raised") == []
        line.push(builds("moved", 400, (*MIX, MOVED, MOVED, MOVED)))
        poll(lambda: events(line, "raised", "ConceptDrift"), deadline_s=DEADLINE_S, every_s=0.3)
        drifted = next(one for one in events(line, "raised", "ConceptDrift") if one.signal == "categories")
        assert drifted.categories[0].category == "OwnershipBorrow"
        assert (drifted.severity, drifted.lamp, drifted.recommendation) == ("warning", "amber", "Retrain")
        assert "OwnershipBorrow" in drifted.message
        assert set(drifted.examples) <= {f"moved-{number}" for number in range(400)}

        worker.kill()
        worker.start()
        line.wait_until_answered(BASELINE + 400)
        assert lit(jidoka)[1]["lamp"] == "amber"
        assert line.restored().state.watch.lamp.colour == "amber"

        assert jidoka("andon", "resume", "--rebaseline").status == 0
        poll(lambda: events(line, "resumed"), deadline_s=DEADLINE_S, every_s=0.3)
        assert lit(jidoka)[0] == 0
        assert poll(lambda: line.restored().state.watch.lamp.colour) == "green"


class TestGate:
    def test_what_a_tool_raised_is_ended_by_a_person(self, line: Any, jidoka: Jidoka) -> None:
        """An event that no partition holds is looked after and resumed without any worker."""
        about = {"id": "gate-1", "time": NOW, "project": "jidoka", "kind": "DiversityCollapse", "severity": "halt"}
        line.push([AndonEvent.model_validate(about | {"message": "DiversityCollapse: all alike"})])
        assert lit(jidoka)[1]["lamp"] == "red"
        assert jidoka("andon", "acknowledge").status == 0
        assert lit(jidoka)[1]["lit"][0]["acknowledged"]["author"] == "kim"
        assert jidoka("andon", "resume", "DiversityCollapse").status == 0
        assert lit(jidoka) == (0, {"lamp": "green", "partitions": {}, "lit": []})


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("resume",), "nothing is lit as you ask; lit is: nothing at all"),
            (("show", "ConceptDrift"), "no ConceptDrift is lit"),
            (("acknowledge", "Nonsense"), "no condition Nonsense; there are ModelDegradation"),
            (("list", "--partition", 99), "no partition 99: there are 0 to 3"),
        ],
    )
    def test_told(self, jidoka: Jidoka, arguments: tuple[object, ...], message: str) -> None:
        """What is not lit, not a condition or not there is refused with what there is."""
        done = jidoka("andon", *arguments)
        assert (done.status, message in done.err) == (2, True), done.err
