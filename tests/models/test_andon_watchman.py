"""The watchman: what it makes of builds, refusals and commands; saved, loaded and replayed exactly."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.andon.conditions import WINDOW
from models.andon.gauges import EVERY, Share, Variety, perplexity
from models.andon.watchman import MAX_EVENTS, Sight, Watchman
from models.drift import Alarm, DriftMonitor, Seen
from models.records import AndonEvent, ModelCommand, parse
from tests.builders import NOW

LABELS = ("TypeErrors", "TraitBounds", "ImportErrors")


class Told(DriftMonitor):
    """A monitor that alarms when it is told to, and remembers what was made its baseline."""

    def __init__(self) -> None:
        super().__init__()
        self.next: list[Alarm] = []
        self.baselines: list[str | None] = []
        self.states: dict[str, dict[str, Any]] = {}

    def update(self, seen: Seen) -> list[Alarm]:
        super().update(seen)
        alarms, self.next = self.next, []
        return alarms

    def rebaseline(self, project: str | None = None) -> None:
        self.baselines.append(project)

    def view(self) -> dict[str, Any]:
        return {"builds": self.builds, "overall": self.states, "projects": {}}


def alarm(quantity: Any = "categories", project: str | None = None, **changes: Any) -> Alarm:
    moved = {"ImportErrors": 0.05, "TypeErrors": -0.01}
    reached = {"statistic": 0.06, "threshold": 0.035, "divergence": 0.06, "contributions": moved}
    about = {"quantity": quantity, "project": project, "first_build": "b7", "examples": ("b7", "b9"), "builds": 9}
    return Alarm(**(reached | about | changes))


def sight(number: int, said: str | None = "TypeErrors", true: str = "TypeErrors", **changes: Any) -> Sight:
    return Sight(Seen("acme/web", f"b{number}", [true]), [said], [true])._replace(**changes)


def command(action: str, **fields: Any) -> ModelCommand:
    about = {"id": f"{action}-1", "time": NOW, "project": "jidoka", "partition": 0, "author": "kim"}
    return ModelCommand.model_validate(about | {"action": action} | fields)


def watch(man: Watchman, builds: int, make: Callable[[int], Sight], start: int = 0) -> list[AndonEvent]:
    found = []
    for number in range(start, start + builds):
        found += man.observe(make(number), NOW + timedelta(seconds=number))
    return found


def varied(number: int) -> Sight:
    return sight(number, LABELS[number % 3], LABELS[number % 3])


class TestConditions:
    def test_peace(self) -> None:
        """A model that is right of a varied stream lights nothing."""
        man = Watchman(Told)
        assert watch(man, 3_000, varied) == []
        assert (man.lamp.colour, man.learning_stopped) == ("green", False)

    def test_drift_names_what_moved(self) -> None:
        """A drift alarm becomes an amber warning that says what moved, since when, with examples and advice."""
        told = Told()
        told.states = {"categories": {"window": {"ImportErrors": 0.3}, "baseline": {"ImportErrors": 0.02}}}
        man = Watchman(lambda: told)
        told.next = [alarm(project=None)]
        (event,) = man.observe(sight(9), NOW)
        assert (event.kind, event.severity, event.transition, event.lamp) == (
            *("ConceptDrift", "warning", "raised", "amber"),
        )
        assert [(one.category, one.contribution) for one in event.categories] == [
            *(("ImportErrors", 0.05), ("TypeErrors", -0.01)),
        ]
        assert (event.categories[0].before, event.categories[0].now) == (0.02, 0.3)
        assert (event.first_build, event.examples, event.recommendation) == ("b7", ("b7", "b9"), "Retrain")
        assert event.message == (
            "ConceptDrift: the mix of categories moved (0.06, threshold 0.035): ImportErrors +0.05, "
            "TypeErrors -0.01; since build b7"
        )
        assert not man.learning_stopped

    @pytest.mark.parametrize(("project", "kind"), [(None, "ModelDegradation"), ("acme/web", "ConceptDrift")])
    def test_errors(self, project: str | None, kind: str) -> None:
        """More errors everywhere stop learning; in one project they are its drift."""
        told = Told()
        man = Watchman(lambda: told)
        told.next = [alarm("errors", project)]
        assert [one.kind for one in man.observe(sight(9), NOW)] == [kind]
        assert man.learning_stopped == (project is None)

    def test_below_the_baselines(self) -> None:
        """A model that falls behind the majority stops learning, and says since which of how many builds."""
        man = Watchman(Told)
        assert watch(man, 1_000, varied) == []
        found = watch(man, 300, lambda n: sight(n, None, LABELS[0]), start=1_000)
        assert [one.kind for one in found] == ["ModelDegradation"]
        assert found[0].signal in {"majority", "last_label"}
        assert found[0].answered is not None
        assert 990 <= found[0].answered <= 1_005
        assert man.learning_stopped

    def test_rejections(self) -> None:
        """Nearly every build answered Unknown halts; half of them does not."""
        man = Watchman(Told)
        assert watch(man, 2 * WINDOW, lambda n: varied(n)._replace(unknown=n % 2 == 0)) == []
        found = watch(man, 2 * WINDOW, lambda n: varied(n)._replace(unknown=True), start=2 * WINDOW)
        assert [(one.kind, one.lamp) for one in found] == [("HighRejectionRate", "red")]

    def test_collapse(self) -> None:
        """A model that says one thing of a varied stream halts; one that says it of a monotone stream does not."""
        man = Watchman(Told)
        assert watch(man, 2 * WINDOW, sight) == []
        mixed = watch(man, 2 * WINDOW, lambda n: sight(n, LABELS[0], LABELS[n % 3]), start=2 * WINDOW)
        assert "DiversityCollapse" in [one.kind for one in mixed]

    def test_no_numbers(self) -> None:
        """Scores that are no finite numbers halt at once, and name the build."""
        man = Watchman(Told)
        (event,) = man.observe(sight(1, finite=False), NOW)
        assert (event.kind, event.examples) == ("TrainingFailure", ("b1",))

    def test_refusals(self) -> None:
        """Many refused records warn, and the warning goes out by itself when they have passed."""
        man, found = Watchman(Told), []
        for number in range(WINDOW):
            found += watch(man, 1, varied, start=number)
            if number % 4 == 0:
                found += man.refuse(f"r{number}", NOW)
        found += watch(man, 2 * WINDOW, varied, start=WINDOW)
        assert [(one.kind, one.transition, one.lamp) for one in found] == [
            ("DeadLetterSurge", "raised", "amber"),
            ("DeadLetterSurge", "cleared", "green"),
        ]


class TestCommands:
    def test_acknowledge_and_resume(self) -> None:
        """Both are told with who did it; resuming puts the lamp out and lets learning go on."""
        told = Told()
        man = Watchman(lambda: told)
        told.next = [alarm(), alarm("templates", "acme/web")]
        man.observe(sight(1, finite=False), NOW)
        acknowledged = man.obey(command("acknowledge", condition="ConceptDrift"))
        assert [(one.kind, one.transition, one.lamp, one.author) for one in acknowledged] == [
            ("ConceptDrift", "acknowledged", "red", "kim"),
            ("ConceptDrift", "acknowledged", "red", "kim"),
        ]
        assert [one.scope for one in man.obey(command("resume", scope="acme/web"))] == ["acme/web"]
        assert told.baselines == []
        resumed = man.obey(command("resume", id="r2", rebaseline=True, comment="new toolchain"))
        assert {one.kind: one.comment for one in resumed} == {
            "ConceptDrift": "new toolchain",
            "TrainingFailure": "new toolchain",
        }
        assert (man.lamp.colour, man.learning_stopped, told.baselines) == ("green", False, [None])
        assert man.obey(command("resume", id="r3")) == []

    def test_resumed_halts_need_new_evidence(self) -> None:
        """After a resume a halt is raised again only by what comes after."""
        man = Watchman(Told)
        unknown = lambda n: varied(n)._replace(unknown=True)  # noqa: E731
        assert watch(man, 600, unknown)
        man.obey(command("resume"))
        assert watch(man, WINDOW, unknown, start=600) == []
        assert [one.kind for one in watch(man, 100, unknown, start=2_000)] == ["HighRejectionRate"]

    def test_recalled(self) -> None:
        """That the last good model answers again is told; the halt stays until a person resumes."""
        told = Told()
        man = Watchman(lambda: told)
        told.next = [alarm("errors")]
        man.observe(sight(1), NOW)
        (event,) = man.recalled("b2", NOW)
        assert (event.transition, event.kind, man.learning_stopped) == ("recalled", "ModelDegradation", True)


class TestSaving:
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 2**16), st.integers(0, 1_500))
    def test_a_loaded_one_goes_on_alike(self, seed: int, cut: int) -> None:
        """Saved and loaded anywhere in a stream, it raises the same events at the same builds, to the byte."""
        draw = random.Random(seed)  # noqa: S311 - a stream
        sights = [
            sight(n, draw.choice(LABELS), draw.choice(LABELS), unknown=n > 700, finite=draw.random() > 0.0005)
            for n in range(1_500)
        ]
        whole, half = Watchman(), Watchman()
        told = [watch(man, cut, sights.__getitem__) for man in (whole, half)]
        other = Watchman()
        other.load(orjson.loads(orjson.dumps(half.dump())))
        rest = [watch(man, 1_500 - cut, sights.__getitem__, start=cut) for man in (whole, other)]
        assert told[0] == told[1]
        assert [one.to_bytes() for one in rest[0]] == [one.to_bytes() for one in rest[1]]
        assert whole.dump() == other.dump()

    def test_lit_survives(self) -> None:
        """What is lit comes back with its evidence and with who looks after it."""
        told = Told()
        man, copy = Watchman(lambda: told), Watchman(Told)
        told.next = [alarm(project="acme/web")]
        man.observe(sight(1), NOW)
        man.obey(command("acknowledge"))
        copy.load(orjson.loads(orjson.dumps(man.dump())))
        assert copy.lamp.lit == man.lamp.lit
        assert copy.take_events() == []

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("lit",), [{"key": ["Nonsense", None, ""]}]),
            (("rejected",), "012"),
            (("answered",), -1),
            (("shortfall", "capitals"), [[1.0]]),
            (("shortfall", "capitals", 0, 0), float("inf")),
            (("shortfall", "best"), "never counted"),
            (("shortfall", "counts"), [["L", 1]] * 100),
            (("variety", "pairs"), [["A", "B"]] * (WINDOW + 1)),
            (("runs",), [[["DeadLetterSurge", None, "refused"], 0]]),
            (("monitor",), None),
        ],
    )
    def test_refuses_other_data(self, path: tuple[Any, ...], value: Any) -> None:
        """Data of another shape is refused with a text that says where, and nothing is changed."""
        man = Watchman()
        watch(man, 50, varied)
        before, data = man.dump(), deepcopy(man.dump())
        place = data
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(ValueError, match=str(path[0])):
            man.load(data)
        assert man.dump() == before


class TestEvents:
    def test_wait_until_taken(self) -> None:
        """Events wait to be sent, are taken once, and never grow beyond a bound."""
        man = Watchman(Told)
        man.observe(sight(1, finite=False), NOW)
        assert len(man.take_events()) == 1
        assert man.take_events() == []
        for number in range(MAX_EVENTS):
            man.observe(sight(number, finite=False), NOW)
            man.obey(command("resume", id=f"r{number}"))
        assert len(man.events) == MAX_EVENTS

    def test_are_records(self) -> None:
        """Every event reads back from its bytes as it was, and equal causes have equal ids."""
        first, second = Watchman(), Watchman()
        one, other = first.observe(sight(1, finite=False), NOW), second.observe(sight(1, finite=False), NOW)
        assert [parse(AndonEvent, event.to_bytes()) for event in one] == one
        assert one[0].id == other[0].id


class TestGauges:
    def test_share(self) -> None:
        """A share is that of the last ones, and none before there are enough."""
        share = Share(4)
        assert [share.push(flag) for flag in (True, False, False, False, False)] == [None, None, None, 0.25, 0.0]

    @given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("ABC")), min_size=1, max_size=60))
    def test_variety_follows_its_window(self, pairs: list[tuple[str, str]]) -> None:
        """A window that slid has the variety of one that was filled with its last pairs."""
        slid = Variety(20)
        for said, true in pairs:
            slid.push(said, true)
        assert slid.value == pytest.approx(Variety(20, pairs[-20:]).value)
        assert slid.value >= 0.0

    def test_variety_reads_now_and_then(self) -> None:
        """A full window gives a reading every few votes: all alike is 0, as varied as the labels is 1."""
        one, other = Variety(20), Variety(20)
        alike = [one.push("A", "AB"[n % 2]) for n in range(20 + EVERY)]
        varied_ = [other.push("AB"[n % 2], "AB"[n % 2]) for n in range(20 + EVERY)]
        assert [reading for reading in alike if reading is not None] == [0.0, 0.0]
        assert [reading for reading in varied_ if reading is not None] == pytest.approx([1.0, 1.0])
        assert perplexity(other._said) == pytest.approx(2.0)
