"""What is lit, told from the events alone: for readers of the topic, who hold no partition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from models.andon.conditions import CONDITIONS
from models.andon.lamp import MAX_LIT
from models.andon.moved import Lamp
from models.records import AndonEvent, content_id

COLOURS: tuple[Lamp, ...] = ("green", "amber", "red")  # the worst last
MAX_PARTITIONS = 10_000

Key = tuple[int | None, str, str | None, str | None]  # partition, condition, whose builds, what was watched


@dataclass
class Standing:
    """Follows the events in their order.

    ``lit`` has the event that raised each condition, ``looked_after`` the one that acknowledged it, ``recalled`` the
    one that told of a recalled model, by the same key; ``lamps`` the colour of each partition that ever said one.
    """

    lit: dict[Key, AndonEvent] = field(default_factory=dict)
    looked_after: dict[Key, AndonEvent] = field(default_factory=dict)
    recalled: dict[Key, AndonEvent] = field(default_factory=dict)
    lamps: dict[int, Lamp] = field(default_factory=dict)

    def take(self, event: AndonEvent) -> None:
        """Take in the next event; those of conditions that are not known here count by what they say."""
        key = (event.partition, event.kind, event.scope, event.signal)
        if event.transition == "raised" and event.severity != "info":
            self._forget([key])
            self.lit[key] = event
            self._forget(list(self.lit)[: max(0, len(self.lit) - 20 * MAX_LIT)])
        elif event.transition in {"resumed", "cleared"}:
            self._forget([key])
        elif event.transition == "acknowledged" and key in self.lit:
            self.looked_after[key] = event
        elif event.transition == "recalled" and key in self.lit:
            self.recalled[key] = event
        if event.partition is not None and event.lamp is not None and len(self.lamps) < MAX_PARTITIONS:
            self.lamps[event.partition] = event.lamp
            if event.lamp == "green":  # a partition that lost its state has lost what was lit in it
                self._forget([one for one in self.lit if one[0] == event.partition and _of_step(one[1])])

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            for found in (self.lit, self.looked_after, self.recalled):
                found.pop(key, None)

    @property
    def colour(self) -> Lamp:
        """Return the colour of the whole line: the worst of what is lit."""
        severities = {event.severity for event in self.lit.values()}
        return "red" if "halt" in severities else "amber" if severities else "green"

    def matching(
        self, kind: str | None = None, scope: str | None = None, partition: int | None = None
    ) -> dict[Key, AndonEvent]:
        """Return what is lit of a condition, a project and a partition, the oldest first; ``None`` asks for all."""
        return {
            key: event
            for key, event in self.lit.items()
            if kind in {None, event.kind} and scope in {None, event.scope} and partition in {None, event.partition}
        }


def settled(
    event: AndonEvent,
    transition: Literal["acknowledged", "resumed"],
    now: datetime,
    by: str | None,
    comment: str | None,
) -> AndonEvent:
    """Return what a person says of an event that no partition holds, such as one of a tool's gate."""
    change = {
        "id": content_id("andon-event", event.id, transition, by, now.isoformat()),
        "time": now,
        "transition": transition,
        "severity": "info" if transition == "resumed" else event.severity,
        "message": f"{event.kind}: {transition}{f' by {by}' if by else ''}; lit since {event.time.isoformat()}",
        "author": by,
        "comment": comment,
    }
    return AndonEvent.model_validate(event.model_dump() | change | {"recommendation": None, "runbook": None})


def _of_step(kind: str) -> bool:
    return kind not in CONDITIONS or CONDITIONS[kind].noticed_by == "step"
