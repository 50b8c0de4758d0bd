"""The monitor of a partition: alarms by quantity and project, baselines, many projects, and what it is saved as."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest

from models.drift import DriftMonitor, Seen
from models.drift.alarm import MAX_CONTRIBUTIONS, MAX_EXAMPLES
from models.drift.monitor import IDLE, RECENT
from models.drift.scope import OF_PROJECTS

LABELS = ("TypeErrors", "TraitBounds", "OwnershipBorrow", "ImportErrors")


def build(number: int, draw: random.Random, project: str = "p", **changed: Any) -> Seen:
    """Return an ordinary build, but for what ``changed`` says."""
    labels = draw.choices(LABELS, (8, 4, 2, 1), k=2)
    right = [draw.random() < 0.9 for _ in labels]
    fields: dict[str, Any] = {
        "labels": labels,
        "new_templates": int(draw.random() < 0.02),
        "confidences": [0.9, 0.85],
        "correct": right,
        "agreement": [draw.choice([0.9, 1.0])],
        "weights": [1.0, 1.5],
        "transpiled": draw.random() < 0.9,
        "compiled": draw.random() < 0.5,
    }
    return Seen(project, f"build {number}", **{**fields, **changed})


def watched(builds: int = 1_200, **settings: Any) -> DriftMonitor:
    """Return a monitor after a stream without a change."""
    monitor, draw = DriftMonitor(**{"baseline": 600, **settings}), random.Random(5)  # noqa: S311
    for number in range(builds):
        assert monitor.update(build(number, draw)) == []
    return monitor


CHANGES: dict[str, dict[str, Any]] = {
    "categories": {"labels": ["LifetimeErrors", "TypeErrors"]},
    "templates": {"new_templates": 2},
    "errors": {"correct": [False, False]},
    "confidence": {"confidences": [0.3, 0.3]},
    "calibration": {"confidences": [0.1, 0.1], "correct": [True, True]},
    "agreement": {"agreement": [0.2]},
    "weights": {"weights": [4.0, 4.0]},
    "transpile": {"transpiled": False},
    "compile": {"compiled": False},
}


class TestAlarms:
    @pytest.mark.parametrize("quantity", CHANGES)
    def test_each_quantity_raises_one(self, quantity: str) -> None:
        """A change in one quantity raises its alarm once, overall and, where it is a project's, for that."""
        monitor, draw = watched(), random.Random(6)  # noqa: S311 - a stream, not a secret
        alarms = [
            alarm
            for number in range(1_200, 1_600)
            for alarm in monitor.update(build(number, draw, **CHANGES[quantity]))
        ]
        found = [one for one in alarms if one.quantity == quantity]
        assert [one.project for one in found] == ([None, "p"] if quantity in {"categories", *OF_PROJECTS} else [None])
        for one in found:
            assert one.statistic >= one.threshold > 0
            assert one.first_build is not None
            assert 1_000 <= int(one.first_build.split()[1]) <= one.builds
            assert 0 < len(one.examples) <= MAX_EXAMPLES

    def test_says_what_moved(self) -> None:
        """An alarm of the mix has the label that came first among its contributions, and builds that have it."""
        monitor, draw = watched(), random.Random(6)  # noqa: S311 - a stream, not a secret
        alarms: list[Any] = []
        number = 1_200
        while not alarms:
            alarms = monitor.update(build(number, draw, labels=["LifetimeErrors"]))
            number += 1
        alarm = alarms[0]
        assert next(iter(alarm.contributions)) == "LifetimeErrors"
        assert len(alarm.contributions) <= MAX_CONTRIBUTIONS
        assert alarm.divergence is not None
        assert alarm.divergence > 0
        assert alarm.first_build == alarm.examples[0] == "build 1200"

    def test_one_project_among_others_is_named(self) -> None:
        """Where one of four projects changes, its own alarm names it and no other project has one."""
        monitor, draw = DriftMonitor(baseline=600), random.Random(8)  # noqa: S311 - a stream, not a secret
        alarms = []
        for number in range(6_000):
            project = f"p{number % 4}"
            odd = {"labels": ["MacroExpansion"]} if project == "p2" and number > 4_000 else {}
            alarms += monitor.update(build(number, draw, project, **odd))
        assert {one.project for one in alarms} == {None, "p2"}

    def test_disabled_watches_nothing(self) -> None:
        """A disabled monitor takes nothing in."""
        monitor = DriftMonitor(enabled=False)
        monitor.update(Seen("p", "b", ["A"]))
        assert monitor.builds == 0

    def test_a_build_that_shows_nothing_is_counted(self) -> None:
        """A build without any label or figure is no error."""
        monitor = DriftMonitor()
        assert monitor.update(Seen("p", "b")) == []
        assert monitor.view()["builds"] == 1

    def test_builds_are_left_alone(self) -> None:
        """What a monitor is shown is the same afterwards."""
        one = build(1, random.Random(1))  # noqa: S311 - a stream, not a secret
        before = deepcopy(one)
        DriftMonitor().update(one)
        assert one == before


class TestBaseline:
    def test_is_taken_anew_on_request(self) -> None:
        """After ``rebaseline`` the change is normal: no alarm stands, the version is another, and none comes."""
        monitor, draw = watched(), random.Random(6)  # noqa: S311 - a stream, not a secret
        for number in range(1_200, 1_400):
            monitor.update(build(number, draw, labels=["LifetimeErrors"]))
        assert monitor.view()["overall"]["categories"]["alarmed"]
        monitor.rebaseline()
        state = monitor.view()["overall"]["categories"]
        assert (state["alarmed"], state["version"], state["threshold"]) == (False, 2, None)
        assert not any(monitor.update(build(n, draw, labels=["LifetimeErrors"])) for n in range(1_500, 2_500))

    def test_of_one_project_leaves_the_others(self) -> None:
        """Rebaselining a project touches neither another nor the whole; of one unknown it does nothing."""
        monitor, draw = DriftMonitor(baseline=600), random.Random(3)  # noqa: S311 - a stream, not a secret
        for number in range(100):
            monitor.update(build(number, draw, f"p{number % 2}"))
        monitor.rebaseline("p0")
        monitor.rebaseline("nobody")
        view = monitor.view()
        versions = [view["projects"][one]["categories"]["version"] for one in ("p0", "p1")]
        assert (versions, view["overall"]["categories"]["version"]) == ([2, 1], 1)


class TestView:
    def test_shows_mixes_and_divergence(self) -> None:
        """Shares of window and baseline sum to one; contributions to the divergence."""
        state = watched().view()["overall"]["categories"]
        assert sum(state["window"].values()) == pytest.approx(1.0)
        assert sum(state["baseline"].values()) == pytest.approx(1.0)
        assert sum(state["contributions"].values()) == state["divergence"]
        assert 0 <= state["statistic"] < state["threshold"]

    def test_is_json(self) -> None:
        """A view is plain data, at any age of the monitor."""
        for builds in (0, 1, 700):
            orjson.dumps(watched(builds).view())


class TestManyProjects:
    def test_memory_is_bounded_with_ten_thousand(self) -> None:
        """Of 10,000 projects at most sixteen are watched by themselves, all count overall, and little is saved."""
        monitor, draw = DriftMonitor(), random.Random(4)  # noqa: S311 - a stream, not a secret
        for number in range(12_000):
            monitor.update(build(number, draw, f"project {number % 10_000}"))
        assert len(monitor.projects) == 16
        assert monitor.view()["overall"]["categories"]["builds"] == 12_000
        assert len(monitor.recent) == RECENT
        assert len(orjson.dumps(monitor.dump())) < 400_000

    def test_an_active_project_keeps_its_place(self) -> None:
        """A project that builds now and then is not displaced by thousands that come once; a silent one is."""
        monitor, draw = DriftMonitor(max_projects=2), random.Random(4)  # noqa: S311 - a stream, not a secret
        monitor.update(build(0, draw, "silent"))
        for number in range(1, 3 * IDLE):
            monitor.update(build(number, draw, "active" if number % 50 == 1 else f"once {number}"))
        assert "active" in monitor.projects
        assert "silent" not in monitor.projects


Change = Callable[[dict[str, Any]], object]
BROKEN: dict[str, Change] = {
    "no builds": lambda data: data.pop("builds"),
    "negative builds": lambda data: data.update(builds=-1),
    "evidence of another shape": lambda data: data["overall"]["mix"]["whole"]["evidence"].pop(),
    "evidence without a number": lambda data: data["overall"]["mix"]["whole"]["evidence"][0].__setitem__(0, None),
    "more votes before than in all": lambda data: data["overall"]["mix"]["whole"]["before"][0].__setitem__(0, 1e9),
    "negative votes": lambda data: data["overall"]["mix"]["whole"]["totals"].__setitem__(0, -1.0),
    "a column that is none": lambda data: data["overall"]["mix"].update(pending=[99]),
    "shares missing": lambda data: data["overall"]["mix"].update(shares=[]),
    "a share above one": lambda data: data["overall"]["mix"]["shares"][0].__setitem__(0, 2.0),
    "a rate of something else": lambda data: data["overall"]["rates"].update(x=data["overall"]["rates"]["errors"]),
    "a rate without bets": lambda data: data["overall"]["rates"]["errors"].update(wealth=[]),
    "a mean above one": lambda data: data["overall"]["rates"]["errors"]["moments"].__setitem__(0, 7.0),
    "text for a number": lambda data: data["overall"].update(version="1"),
    "too many projects": lambda data: data.update(projects=data["projects"] * 100),
    "a label number that is none": lambda data: data["overall"]["mix"]["order"].update(builds=[[5]]),
    "a dispersion of another size": lambda data: data["overall"]["mix"]["dispersion"].update(seen=[1.0]),
}


class TestSaved:
    @pytest.mark.parametrize("cut", [0, 3, 299, 450, 1_000])
    def test_goes_on_where_it_was(self, cut: int) -> None:
        """Dumped as JSON and loaded, the monitor goes on as if nothing had happened, alarms and all."""
        draw = random.Random(5)  # noqa: S311 - a stream, not a secret
        builds = [build(n, draw, f"p{n % 3}", **(CHANGES["categories"] if n > 1_000 else {})) for n in range(1_200)]
        whole, part, loaded = (DriftMonitor(baseline=600) for _ in range(3))
        for one in builds[:cut]:
            part.update(one)
        loaded.load(orjson.loads(orjson.dumps(part.dump())))
        after = [alarm for one in builds[cut:] for alarm in loaded.update(one)]
        assert after == [alarm for one in builds for alarm in whole.update(one)]
        assert after
        assert orjson.loads(orjson.dumps(loaded.dump())) == orjson.loads(orjson.dumps(whole.dump()))

    @pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
    def test_other_data_is_refused_and_changes_nothing(self, change: Change) -> None:
        """What no monitor has saved is a ``ValueError``, and the monitor is what it was."""
        monitor = watched(700)
        before = orjson.dumps(monitor.dump())
        data = orjson.loads(before)
        change(data)
        with pytest.raises(ValueError, match="drift"):
            monitor.load(data)
        assert orjson.dumps(monitor.dump()) == before
