"""Everything that is watched on one partition: the mix of categories and the rates, overall and by project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from models.drift.alarm import Alarm


class Seen(NamedTuple):
    """What one build shows a monitor; empty and ``None`` where it shows nothing.

    Parameters
    ----------
    project, build
        Whose it is, and the failure's id.
    labels
        Of its diagnostics, with multiplicity, in any order.
    new_templates
        How many of its messages are of a kind that was never seen before.
    confidences, correct
        Of the model's predictions where labels are known: probability of the predicted label, and whether it was right;
        equally long.
    agreement
        Per diagnostic, how far the label sources agree, 0 to 1.
    weights
        That the examples were learned with.
    transpiled, compiled
        Whether the program got through; ``None`` where it is not known.
    """

    project: str
    build: str
    labels: Sequence[str] = ()
    new_templates: int = 0
    confidences: Sequence[float] = ()
    correct: Sequence[bool] = ()
    agreement: Sequence[float] = ()
    weights: Sequence[float] = ()
    transpiled: bool | None = None
    compiled: bool | None = None


class DriftMonitor:
    """Detectors over every quantity of ``alarm.Quantity``, overall and for the most recently active projects.

    An alarm is raised once: the detector that raised it is silent until ``rebaseline``.
    """

    def __init__(self) -> None:
        self.builds = 0

    def update(self, seen: Seen) -> list[Alarm]:
        """Take in one build and return the alarms that it raises, the overall ones first."""
        self.builds += bool(seen)
        return []

    def rebaseline(self, project: str | None = None) -> None:
        """Take what comes from now on for normal: of one project, or with ``None`` of all and of everything."""

    def view(self) -> dict[str, Any]:
        """Return how every detector stands, as JSON-able data.

        ``{"builds": n, "overall": {quantity: state}, "projects": {project: {quantity: state}}}``; a state has
        ``statistic``, ``threshold`` (``None`` while the baseline is being taken), ``divergence`` (nats, or ``None``),
        ``contributions`` (label → nats), ``window`` and ``baseline`` (label → share, or ``{"": mean}`` for a rate),
        ``builds``, ``alarmed``, ``version`` (of the baseline).
        """
        return {"builds": self.builds, "overall": {}, "projects": {}}

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {"builds": self.builds}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; ``ValueError`` (then nothing has changed) for other data."""
        self.builds = int(data["builds"])
