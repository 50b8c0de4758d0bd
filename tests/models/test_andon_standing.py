"""What is lit, as the events tell it to those who hold no partition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from models.andon.standing import Standing, settled
from models.records import AndonEvent, parse
from tests.builders import NOW


def event(transition: str = "raised", **fields: Any) -> AndonEvent:
    about = {"id": "e", "time": NOW, "project": "acme/web", "kind": "ConceptDrift", "severity": "warning"}
    about |= {"message": "m", "transition": transition, "lamp": "amber", "partition": 0, "signal": "categories"}
    return AndonEvent.model_validate(about | fields)


def standing(*events: AndonEvent) -> Standing:
    found = Standing()
    for one in events:
        found.take(one)
    return found


def test_raised_and_ended() -> None:
    """A condition is lit from its raise to its resume or clearing, each under its own partition, project and signal."""
    other = event(partition=1)
    halt = event(kind="ModelDegradation", severity="halt", signal="errors", lamp="red")
    assert standing(event(), other).colour == "amber"
    assert standing(event(), halt).colour == "red"
    assert list(standing(event(), other, event("resumed", severity="info", lamp="green")).lit.values()) == [other]
    assert standing(event(), event("cleared", severity="info", lamp="green")).colour == "green"


def test_who_looks_after_it() -> None:
    """Acknowledging is kept until the condition ends; a raise after that begins anew."""
    said = event("acknowledged", author="kim")
    found = standing(event(), said)
    assert list(found.looked_after.values()) == [said]
    found.take(event("resumed", severity="info", lamp="green"))
    found.take(event())
    assert (len(found.lit), found.looked_after) == (1, {})


def test_a_green_lamp_says_that_nothing_is_lit() -> None:
    """A partition that lost its state is green when it next says so, and what it had lit is gone; others stay."""
    late = event("cleared", severity="info", kind="DeadLetterSurge", signal="refused", lamp="green")
    assert list(standing(event(), event(partition=1), late).lit) == [(1, "ConceptDrift", None, "categories")]


def test_old_events_are_read() -> None:
    """An event of the first form, which named no transition, counts as raised."""
    old = b'{"id":"x","time":"2025-01-01T00:00:00Z","project":"p","kind":"drift","severity":"warning","message":"m"}'
    assert standing(parse(AndonEvent, old)).colour == "amber"


def test_matching() -> None:
    """What is lit is found by condition, project and partition, or all of it."""
    one, other = event(scope="acme/web"), event(partition=1, kind="DeadLetterSurge", signal="refused")
    found = standing(one, other)
    assert list(found.matching(kind="DeadLetterSurge").values()) == [other]
    assert list(found.matching(scope="acme/web", partition=0).values()) == [one]
    assert found.matching(partition=7) == {}
    assert len(found.matching()) == 2


def test_what_no_partition_holds_is_settled_by_a_person() -> None:
    """The event of a tool's gate goes out by an event that a person's command writes."""
    gate = event(partition=None, lamp=None, kind="HighRejectionRate", severity="halt", signal=None)
    found = standing(gate)
    found.take(settled(gate, "acknowledged", NOW, "kim", None))
    assert [one.author for one in found.looked_after.values()] == ["kim"]
    found.take(settled(gate, "resumed", NOW + timedelta(seconds=1), "kim", "mended"))
    assert found.colour == "green"
