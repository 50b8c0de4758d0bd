"""What looks at each build in the step: drift, the model beside its baselines, and levels; it lights the lamp.

Everything here is part of the partition's checkpoint, so that a lamp survives restarts and a replay lights it again at
the same build.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from models.andon.alarms import degraded, drifted
from models.andon.gauges import Share, Variety
from models.andon.lamp import Change, Evidence, Key, Lamp
from models.andon.saved import checked, dump_lit, load_lit
from models.andon.shortfall import LIMIT, RIVALS, Shortfall
from models.andon.words import about, event
from models.drift import DriftMonitor, Seen
from models.records import AndonEvent, ModelCommand

MAX_EVENTS = 1_000  # that wait to be taken; a replay takes none
LINE = "jidoka"  # the project of events that no build brought about

REJECTED, REFUSED = Key("HighRejectionRate", None, "rejected"), Key("DeadLetterSurge", None, "refused")
VARIETY, BROKEN = Key("DiversityCollapse", None, "variety"), Key("TrainingFailure", None, "weights-finite")


class Sight(NamedTuple):
    """One build as the watchman sees it.

    ``said`` and ``true`` are the model's labels and the known ones, of the diagnostics that have one, equally long.
    ``unknown`` is whether every diagnostic was answered ``Unknown``; ``finite`` whether the model's numbers were some.
    """

    seen: Seen
    said: Sequence[str | None] = ()
    true: Sequence[str] = ()
    unknown: bool = False
    finite: bool = True


class Watchman:
    """The lamp of one partition and everything that may light it; ``events`` waits to be sent (``take_events``).

    ``make`` makes the monitor, again where a dump is loaded of one that has seen nothing.
    """

    def __init__(self, make: Callable[[], DriftMonitor] = DriftMonitor) -> None:
        self.monitor, self._make = make(), make
        self.lamp, self.shortfall, self.variety = Lamp(), Shortfall(), Variety()
        self.rejected, self.refused = Share(), Share()
        self.answered = 0
        self.broken = False  # what was learned last was no finite number
        self.events: deque[AndonEvent] = deque(maxlen=MAX_EVENTS)

    @property
    def learning_stopped(self) -> bool:
        """Return whether a halt is lit: the model answers, and learns nothing."""
        return self.lamp.halted

    def observe(self, sight: Sight, now: datetime) -> list[AndonEvent]:
        """Take in one build that is answered for the first time; return what it changed, which also waits."""
        self.refused.push(False)
        changes: list[Change] = []
        if self.broken or not sight.finite:
            self.broken = False
            changes += self.lamp.light(BROKEN, Evidence(examples=(sight.seen.build,)), now)
        for alarm in self.monitor.update(sight.seen):
            key, evidence = drifted(alarm, self.monitor)
            changes += self.lamp.light(key, evidence, now)
        changes += self._levels(sight, now)
        self.answered += 1
        return self.tell(changes, sight.seen.build, sight.seen.project, now) if changes else []

    def _levels(self, sight: Sight, now: datetime) -> list[Change]:
        build = sight.seen.build
        changes = self._refusals(now)
        if (share := self.rejected.push(sight.unknown)) is not None:
            changes += self.lamp.read(REJECTED, share, now, build)
        if not sight.true:
            return changes
        if (reading := self.variety.push(sight.said[0] or "", sight.true[0])) is not None:
            changes += self.lamp.read(VARIETY, reading, now, build)
        behind = self.shortfall.update(build, self.answered, sight.said, sight.true)
        if behind is not None:
            key = Key("ModelDegradation", None, RIVALS[behind])
            changes += self.lamp.light(key, degraded(self.shortfall, behind), now)
        return changes

    def refuse(self, source: str, now: datetime) -> list[AndonEvent]:
        """Take note that a record was refused; ``source`` is what identifies it."""
        self.refused.push(True)
        return self.tell(self._refusals(now), source, LINE, now)

    def _refusals(self, now: datetime) -> list[Change]:
        share = self.refused.value
        return [] if share is None else self.lamp.read(REFUSED, share, now)

    def obey(self, command: ModelCommand) -> list[AndonEvent]:
        """Acknowledge or resume what a person's command names; nothing where it is lit no more."""
        now, keys = command.time, self.lamp.matching(command.condition, command.scope)
        if command.action == "acknowledge":
            changes = self.lamp.acknowledge(keys, now, command.author)
        else:
            changes = self.lamp.resume(keys)
            self._begin_again(keys, rebaseline=bool(command.rebaseline), scope=command.scope)
        return self.tell(changes, command.id, LINE, now, by=command.author, comment=command.comment)

    def _begin_again(self, keys: Iterable[Key], *, rebaseline: bool, scope: str | None) -> None:
        """Let what was resumed need new evidence to be raised again."""
        kinds = {key.kind for key in keys}
        if "ModelDegradation" in kinds:
            self.shortfall.restart()
        if "HighRejectionRate" in kinds:
            self.rejected = Share()
        if "DiversityCollapse" in kinds:
            self.variety = Variety()
        if "DeadLetterSurge" in kinds:
            self.refused = Share()
        if rebaseline:
            self.monitor.rebaseline(scope)

    def recalled(self, source: str, now: datetime) -> list[AndonEvent]:
        """Take note that the last good model answers again; the halt stays lit until a person resumes."""
        lit = [self.lamp.lit[key] for key in self.lamp.matching("ModelDegradation")]
        return self.tell([Change("recalled", one) for one in lit], source, LINE, now)

    def tell(
        self,
        changes: Iterable[Change],
        source: str,
        project: str,
        now: datetime,
        *,
        by: str | None = None,
        comment: str | None = None,
    ) -> list[AndonEvent]:
        """Return changes as events, which also wait; ``source`` identifies what brought them about, ``by`` who."""
        colour = self.lamp.colour
        told = [
            event(one, source=source, project=project, now=now, lamp=colour, by=by, comment=comment) for one in changes
        ]
        self.events += told
        return told

    def take_events(self) -> list[AndonEvent]:
        """Return what waits to be sent; it waits no longer."""
        taken = list(self.events)
        self.events.clear()
        return taken

    def view(self) -> dict[str, Any]:
        """Return lamp, what is lit and how far the rest is from it, as JSON-able data."""
        rivals = {name: self.shortfall.statistic(place) for place, name in enumerate(RIVALS)}
        return {
            "lamp": self.lamp.colour,
            "learning_stopped": self.learning_stopped,
            "lit": [about(lit) for lit in self.lamp.lit.values()],
            "untold": self.lamp.untold,
            "rejected": self.rejected.value,
            "refused": self.refused.value,
            "shortfall": {"threshold": LIMIT, **rivals},
            "drift": self.monitor.view(),
        }

    def dump(self) -> dict[str, Any]:
        """Return everything but the waiting events as JSON-able data."""
        return {
            "answered": self.answered,
            "untold": self.lamp.untold,
            "lit": [dump_lit(lit) for lit in self.lamp.lit.values()],
            "runs": [[list(key), run] for key, run in self.lamp.runs.items()],
            "rejected": self.rejected.dump(),
            "refused": self.refused.dump(),
            "variety": self.variety.dump(),
            "shortfall": self.shortfall.dump(),
            "monitor": self.monitor.dump() if self.monitor.builds else {},
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; ``ValueError`` (then nothing has changed) for other data."""
        saved = checked(data)
        lamp = Lamp()
        lamp.lit = {lit.key: lit for lit in map(load_lit, saved.lit)}
        lamp.runs = {Key(*key): run for key, run in saved.runs}
        lamp.untold = saved.untold
        monitor = self._make()
        if saved.monitor.get("builds"):
            monitor.load(saved.monitor)
        self.monitor = monitor
        self.lamp, self.answered = lamp, saved.answered
        self.rejected, self.refused = Share(flags=saved.rejected), Share(flags=saved.refused)
        self.variety = Variety(pairs=saved.variety.pairs, votes=saved.variety.votes)
        self.shortfall.load(saved.shortfall.model_dump())
