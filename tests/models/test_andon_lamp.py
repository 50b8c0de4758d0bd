"""The lamp: when it lights, what keeps it lit, and what puts it out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.andon.conditions import CONDITIONS
from models.andon.lamp import MAX_LIT, Evidence, Key, Lamp
from tests.builders import NOW

SURGE, REJECTED = Key("DeadLetterSurge"), Key("HighRejectionRate")
DRIFT, DEGRADED = Key("ConceptDrift", None, "categories"), Key("ModelDegradation", None, "errors")


def read(lamp: Lamp, key: Key, *readings: float) -> list[str]:
    """Return the transitions that some readings brought about."""
    return [change.transition for one in readings for change in lamp.read(key, one, NOW)]


class TestColour:
    def test_the_gravest_decides(self) -> None:
        """Green is nothing, amber a warning, red a halt, whatever else is lit."""
        lamp = Lamp()
        seen = [lamp.colour]
        for key in (DRIFT, DEGRADED, SURGE):
            lamp.light(key, Evidence(), NOW)
            seen.append(lamp.colour)
        assert seen == ["green", "amber", "red", "red"]
        lamp.resume([DEGRADED])
        assert (lamp.colour, lamp.halted) == ("amber", False)


class TestLevels:
    def test_debounce(self) -> None:
        """A level is raised after as many readings in a row as its table asks for, not before."""
        lamp, needed = Lamp(), CONDITIONS["DeadLetterSurge"].readings
        assert read(lamp, SURGE, *[0.5] * (needed - 1)) == []
        assert read(lamp, SURGE, 0.05, *[0.5] * (needed - 1)) == []
        assert read(lamp, SURGE, 0.5) == ["raised"]
        assert lamp.lit[SURGE].evidence.statistic == 0.5
        assert lamp.lit[SURGE].evidence.threshold == 0.1

    def test_hysteresis(self) -> None:
        """Readings between the two levels neither raise nor clear; clearing needs as many in a row as raising."""
        lamp, needed = Lamp(), CONDITIONS["DeadLetterSurge"].readings
        read(lamp, SURGE, *[0.5] * needed)
        assert read(lamp, SURGE, *[0.05] * 100) == []
        assert read(lamp, SURGE, *[0.01] * (needed - 1), 0.05, *[0.01] * (needed - 1)) == []
        assert read(lamp, SURGE, 0.0) == ["cleared"]
        assert lamp.colour == "green"

    def test_a_halt_stays(self) -> None:
        """A latched condition is not cleared by any reading; resuming puts it out, and it needs new readings then."""
        lamp, needed = Lamp(), CONDITIONS["HighRejectionRate"].readings
        assert read(lamp, REJECTED, *[1.0] * needed) == ["raised"]
        assert read(lamp, REJECTED, *[0.0] * 1_000) == []
        assert [one.transition for one in lamp.resume([REJECTED])] == ["resumed"]
        assert read(lamp, REJECTED, *[1.0] * (needed - 1)) == []

    @given(st.lists(st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.2, 1.0]), max_size=200))
    def test_transitions_alternate(self, readings: list[float]) -> None:
        """Whatever is read, a level is raised and cleared in turns, and lit exactly after a raise."""
        lamp = Lamp()
        found = read(lamp, SURGE, *readings)
        assert found == ["raised", "cleared"] * (len(found) // 2) + ["raised"] * (len(found) % 2)
        assert (SURGE in lamp.lit) == (len(found) % 2 == 1)


class TestLighting:
    def test_once(self) -> None:
        """What is lit is not raised again, and keeps what it was raised with."""
        lamp = Lamp()
        assert len(lamp.light(DRIFT, Evidence(statistic=1.0), NOW)) == 1
        assert lamp.light(DRIFT, Evidence(statistic=2.0), NOW) == []
        assert lamp.lit[DRIFT].evidence.statistic == 1.0

    def test_a_halt_has_one_voice(self) -> None:
        """A second detector that notices the same halt says nothing."""
        lamp = Lamp()
        lamp.light(DEGRADED, Evidence(), NOW)
        assert lamp.light(DEGRADED._replace(signal="majority"), Evidence(), NOW) == []

    def test_a_project_beside_the_whole(self) -> None:
        """A project's drift is not told beside the whole's of the same quantity, but is beside another quantity's."""
        lamp = Lamp()
        lamp.light(DRIFT, Evidence(), NOW)
        assert lamp.light(DRIFT._replace(scope="a/b"), Evidence(), NOW) == []
        assert len(lamp.light(Key("ConceptDrift", "a/b", "templates"), Evidence(), NOW)) == 1

    def test_bounded(self) -> None:
        """Beyond ``MAX_LIT`` warnings are counted only; a halt is always told."""
        lamp = Lamp()
        for number in range(MAX_LIT + 7):
            lamp.light(Key("ConceptDrift", f"p/{number}", "categories"), Evidence(), NOW)
        assert (len(lamp.lit), lamp.untold) == (MAX_LIT, 7)
        assert len(lamp.light(DEGRADED, Evidence(), NOW)) == 1


class TestPeople:
    def test_acknowledging(self) -> None:
        """Acknowledging is told once, says who and when, and changes no colour."""
        lamp = Lamp()
        lamp.light(DEGRADED, Evidence(), NOW)
        first = lamp.acknowledge([DEGRADED, DRIFT], NOW, "kim")
        assert [(one.transition, one.lit.by) for one in first] == [("acknowledged", "kim")]
        assert lamp.acknowledge([DEGRADED], NOW, "sam") == []
        assert (lamp.colour, lamp.lit[DEGRADED].by) == ("red", "kim")

    def test_matching(self) -> None:
        """What is lit is found by condition, by project, by both, or all of it; oldest first."""
        lamp, other = Lamp(), DRIFT._replace(scope="a/b", signal="templates")
        for key in (DRIFT, DEGRADED, other):
            lamp.light(key, Evidence(), NOW)
        assert lamp.matching() == [DRIFT, DEGRADED, other]
        assert lamp.matching("ConceptDrift") == [DRIFT, other]
        assert lamp.matching(scope="a/b") == [other]
        assert lamp.matching("ModelDegradation", "a/b") == []
