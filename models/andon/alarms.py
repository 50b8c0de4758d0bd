"""From what a detector says to what the lamp shows: which condition, and with what evidence."""

from __future__ import annotations

from models.andon.lamp import Evidence, Key
from models.andon.moved import Moved
from models.andon.shortfall import LIMIT, Shortfall
from models.drift import Alarm, DriftMonitor


def drifted(alarm: Alarm, monitor: DriftMonitor) -> tuple[Key, Evidence]:
    """Return what a drift alarm lights.

    More errors in all of the partition are the model's degradation. In one project alone they are that project's drift:
    one project must not stop the learning of all.
    """
    state = _state(alarm, monitor)
    before, now = state.get("baseline") or {}, state.get("window") or {}
    kind = "ModelDegradation" if alarm.quantity == "errors" and alarm.project is None else "ConceptDrift"
    moved = tuple(
        Moved(category=name, contribution=amount, before=_share(before, name), now=_share(now, name))
        for name, amount in alarm.contributions.items()
    )
    evidence = Evidence(
        alarm.statistic, alarm.threshold, alarm.divergence, moved, alarm.first_build, tuple(alarm.examples)
    )
    return Key(kind, alarm.project, alarm.quantity), evidence


def _state(alarm: Alarm, monitor: DriftMonitor) -> dict[str, dict[str, float]]:
    view = monitor.view()
    states = view["overall"] if alarm.project is None else view["projects"].get(alarm.project, {})
    found: dict[str, dict[str, float]] = states.get(alarm.quantity, {})
    return found


def _share(shares: dict[str, float], name: str) -> float | None:
    share = shares.get(name)
    return share if share is not None and 0.0 <= share <= 1.0 else None


def degraded(test: Shortfall, place: int) -> Evidence:
    """Return why a model counts as degraded that fell behind a baseline."""
    first = test.first[place]
    return Evidence(
        statistic=test.statistic(place),
        threshold=LIMIT,
        first_build=first and first[0],
        examples=tuple(test.examples[place]),
        answered=first and first[1],
    )
