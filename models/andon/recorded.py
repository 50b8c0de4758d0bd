"""The andon over recorded builds: a baseline is learned, then an input is watched, as a line would do it."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Any

from models.andon.lamp import Evidence, Key
from models.andon.moved import Moved
from models.andon.watchman import Watchman
from models.drift.mixture import Mixture, mixture
from models.hybrid import Build
from models.records import AndonEvent, CompilerErrors
from models.state import LineState
from models.step import answer

MAX_BUILDS = 2_000  # of the input that are remembered, to show examples when something is raised
MAX_EXAMPLES, MAX_MOVED = 5, 10
MESSAGE_CHARS = 240
LEAST_VOTES = 50  # in a window that never filled: fewer say nothing
DIVERGED = Key("ConceptDrift", None, "divergence")


class Recorded:
    """Watches recorded builds with a model's ``state``, whose own baseline it forgets.

    ``threshold`` (nats), where given, is that of KL(last ``window`` votes || baseline); the line's own detectors watch
    too, once their baseline is whole (``calibrated``).
    """

    def __init__(self, state: LineState, threshold: float | None = None, window: int = 500) -> None:
        self.state, self.threshold, self.window = state, threshold, window
        state.watch = Watchman()
        self.builds = {"baseline": 0, "input": 0}
        self.alarms: list[dict[str, Any]] = []
        self.in_baseline: list[AndonEvent] = []  # that is not as even as a baseline should be
        self._baseline: Counter[str] = Counter()  # votes: one per build and label
        self.highest = 0.0
        self.calibrated = False
        self._labels: list[str] = []
        self._window: deque[tuple[str, str]] = deque(maxlen=window)  # build, label
        self._seen: OrderedDict[str, CompilerErrors] = OrderedDict()

    def learn(self, record: CompilerErrors) -> None:
        """Take in a build of the baseline."""
        self._step(record)
        self._baseline.update(set(self._labels))
        self.in_baseline += self.state.watch.take_events()
        self.builds["baseline"] += 1

    def begin(self) -> None:
        """Note that the baseline is whole: what follows is the input."""
        watched = self.state.watch.monitor.view()["overall"].get("categories", {})
        self.calibrated = watched.get("threshold") is not None and not watched.get("alarmed")
        self.state.watch.lamp.resume(self.state.watch.lamp.matching())

    def watch(self, record: CompilerErrors) -> list[AndonEvent]:
        """Take in a build of the input and return what it raised."""
        self._step(record)
        self.builds["input"] += 1
        self._seen[record.id] = record
        if len(self._seen) > MAX_BUILDS:
            self._seen.popitem(last=False)
        self._window.extend((record.id, label) for label in sorted(set(self._labels)))
        if self._labels and len(self._window) == self.window:
            self._judge(record)
        return self._taken()

    def end(self) -> list[AndonEvent]:
        """Judge what there is of a window that never filled; return what that raised."""
        if self._seen and LEAST_VOTES <= len(self._window) < self.window:
            self._judge(next(reversed(self._seen.values())))
        return self._taken()

    def _step(self, record: CompilerErrors) -> None:
        self._labels = []
        answer(self.state, record, record.time, self._note)

    def _note(self, _: Build, found: Sequence[str | None]) -> None:
        self._labels = [label for label in found if label is not None]

    def _taken(self) -> list[AndonEvent]:
        taken = self.state.watch.take_events()
        self.alarms += [self._alarm(one) for one in taken if one.transition == "raised"]
        return taken

    def _judge(self, record: CompilerErrors) -> None:
        shown = mixture(Counter(label for _, label in self._window), self._baseline)
        divergence = shown.divergence
        self.highest = max(self.highest, divergence)
        if self.threshold is None or divergence <= self.threshold:
            return
        watch = self.state.watch
        changes = watch.lamp.light(DIVERGED, self._evidence(shown), record.time)
        watch.tell(changes, record.id, record.project, record.time)

    def _evidence(self, shown: Mixture) -> Evidence:
        parts, divergence = shown.contributions, shown.divergence
        largest = sorted(parts, key=lambda label: -abs(parts[label]))[:MAX_MOVED]
        moved = tuple(
            Moved(
                category=one,
                contribution=parts[one],
                before=shown.baseline.get(one, 0.0),
                now=shown.window.get(one, 0.0),
            )
            for one in largest
        )
        first = next(iter(parts))
        examples = tuple(build for build, label in self._window if label == first)[:MAX_EXAMPLES]
        return Evidence(divergence, self.threshold, divergence, moved, examples[0] if examples else None, examples)

    def report(self) -> dict[str, Any]:
        """Return what was found as plain data: counts, colour, highest divergence, and each alarm with its examples."""
        return {
            "lamp": self.state.watch.lamp.colour,
            "builds": dict(self.builds),
            "threshold": self.threshold,
            "highest_divergence": round(self.highest, 6),
            "calibrated_detectors": self.calibrated,
            "alarms_within_the_baseline": [one.message for one in self.in_baseline if one.transition == "raised"],
            "alarms": self.alarms,
        }

    def _alarm(self, event: AndonEvent) -> dict[str, Any]:
        shown = event.model_dump(
            mode="json", exclude_none=True, exclude={"schema_version", "id", "partition", "transition", "examples"}
        )
        return shown | {"examples": [self._example(build) for build in event.examples]}

    def _example(self, build: str) -> dict[str, Any]:
        record = self._seen.get(build)
        if record is None:
            return {"build": build}
        first = record.diagnostics[0]
        place = {"file": first.file or (first.primary.file if first.primary else None)}
        shown = {
            "build": build,
            "project": record.project,
            "code": first.code,
            "message": first.message[:MESSAGE_CHARS],
        }
        return {name: value for name, value in (shown | place).items() if value is not None}
