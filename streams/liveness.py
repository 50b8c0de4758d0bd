"""Whether a worker still does its work, judged by what it does: a pure detector; ``streams/watch.py`` feeds it.

A worker is stalled when something is due and nothing moves for ``limit_s`` although the broker answers. Time in which
the broker does not answer, or in which nobody looked (the process was frozen), does not count.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = tuple[str, int]  # topic, partition
State = Literal["ok", "waiting", "stalling", "stalled"]

POISONED_LIMIT_S = 5.0  # a stop in order poisons the gate too, shortly before the process ends
JOIN_LIMITS = 2.0  # in stall limits: a rebalance may wait for the slowest member
PARTITION_LIMITS = 4.0  # in stall limits: partitions with a backlog take turns
HALF = 1 / 2  # of a limit: from here on the worker counts as stalling
UNANSWERED = 2  # questions in a row, before the broker counts as away: one may be lost
SHOWN = 3  # places and reasons named


@dataclass(frozen=True)
class Seen:
    """What is seen of a worker at one moment.

    ``positions``: the next offset to take in, of each partition held. ``ends``: the end of the log as far as a
    ``read_committed`` reader gets; ``committed``: what the group has committed; both asked of the broker.
    ``beats`` counts up whenever the event loop runs, ``signs`` while the worker joins its group and restores, and while
    one record takes long.
    """

    broker_answers: bool = True
    ready: bool = True
    stopping: bool = False
    poisoned: bool = False
    beats: int = 0
    signs: int = 0
    positions: Mapping[Place, int] = field(default_factory=dict)
    ends: Mapping[Place, int] = field(default_factory=dict)
    committed: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """``state`` with its reason in words; ``idle_s``: how long what is due has not moved, 0 when nothing is.

    "waiting" is for the broker, "stalling" is half way to "stalled"; only "stalled" is a reason to end the process.
    """

    state: State = "ok"
    reason: str = ""
    idle_s: float = 0.0


@dataclass
class _Timer:
    """Counts the seconds in which something was due and its token stayed the same."""

    token: Hashable = None
    idle_s: float = 0.0

    def update(self, elapsed_s: float, token: Hashable, *, due: bool) -> float:
        self.idle_s = self.idle_s + elapsed_s if due and token == self.token else 0.0
        self.token = token
        return self.idle_s


class StallDetector:
    """Tells a worker that has stopped from one that is idle, restoring, slow, or waiting for the broker."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._last: float | None = None
        self._unanswered = 0
        self._timers: dict[Hashable, _Timer] = {}

    def update(self, now: float, seen: Seen) -> Verdict:
        """Take in what is seen at ``now`` (seconds, monotonic) and return what follows from it, the gravest first.

        Between two calls at most a third of the limit counts: the process itself may not have run.
        """
        elapsed = 0.0 if self._last is None else min(max(0.0, now - self._last), self.limit_s / 3)
        self._last = now
        self._unanswered = 0 if seen.broker_answers else self._unanswered + 1
        idle_s, share = 0.0, 0.0
        used: set[Hashable] = set()
        reasons: list[tuple[float, str]] = []
        for name, due, token, limit, what, where in self._questions(seen):
            used.add(name)
            idle = self._timers.setdefault(name, _Timer()).update(elapsed, token, due=due)
            if idle / limit > share:
                share, idle_s = idle / limit, idle
            if idle / limit >= HALF:
                reasons.append((idle / limit, f"{what} for {idle:.0f} s{_say(where, seen)}"))
        self._timers = {name: timer for name, timer in self._timers.items() if name in used}
        if reasons or self._unanswered < UNANSWERED:
            gravest = sorted(reasons, key=lambda one: -one[0])[:SHOWN]
            return Verdict(_state(share), "; ".join(reason for _, reason in gravest), idle_s)
        return Verdict("waiting", "the broker does not answer", idle_s)

    def _questions(self, seen: Seen) -> list[tuple[Hashable, bool, Hashable, float, str, list[Place]]]:
        """Return of all that may hang: name, is it due, what changes when done, limit in s, what to say, where."""
        limit, moving = self.limit_s, tuple(sorted(seen.positions.items()))
        behind = sorted(place for place, at in seen.positions.items() if seen.ends.get(place, at) > at)
        ahead = sorted(place for place, at in seen.positions.items() if seen.committed.get(place, at) < at)
        committed = tuple((place, seen.committed.get(place)) for place in sorted(seen.positions))
        asked = seen.broker_answers and not seen.stopping
        works = asked and seen.ready
        return [
            ("loop", True, (seen.beats, moving, seen.signs), limit, "the event loop has been blocked", []),
            ("stop", seen.stopping, None, limit, "the worker has been stopping", []),
            ("gate", seen.poisoned, None, min(limit, POISONED_LIMIT_S), "a batch broke off, nothing is committed", []),
            ("join", asked and not seen.ready, seen.signs, limit * JOIN_LIMITS, "partitions are not ready", []),
            ("take", works and bool(behind), (moving, seen.signs), limit, "records wait, none was taken in", behind),
            ("commit", works and bool(ahead), committed, limit, "nothing was committed", ahead),
            *(
                (
                    place,
                    works,
                    (seen.positions[place], seen.signs),
                    limit * PARTITION_LIMITS,
                    "a partition stands still",
                    [place],
                )
                for place in behind
            ),
        ]


def _state(share: float) -> State:
    return "stalled" if share >= 1 else "stalling" if share >= HALF else "ok"


def _say(places: list[Place], seen: Seen) -> str:
    """Return where places stand, in words for a log."""
    if not places:
        return ""
    shown = [
        f"{topic}/{number} at offset {at}, committed {seen.committed.get((topic, number), 'unknown')}, "
        f"lag {max(0, seen.ends.get((topic, number), at) - at)}"
        for topic, number in places[:SHOWN]
        for at in [seen.positions[topic, number]]
    ]
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f": {'; '.join(shown)}{more}"
