"""Faults for a line under test: seeded records, a seeded plan of faults, and the check of what came out.

The check is one of values, not of counts: the source topics, stepped through in this process without an interruption,
say byte by byte which predictions and dead letters stand on each partition, in which order, and what the model is.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from models.records import CompilerErrors, Feedback, RecordError, content_id, parse
from models.state import LineState
from models.step import step
from models.taxonomy import LABELS
from streams.andon import refuse
from streams.checkpoints import Partition
from streams.restore import SOURCES, arrival
from streams.topics import topic_name
from tests.builders import build, feedback, random_diagnostic

UNREADABLE_EVERY = 1_000  # records: one of them is a dead letter
REPEAT_SHARE = 0.01
REACH = 50  # builds of a project back that feedback speaks of: each partition holds its last thousand
MAX_JITTER_S = 1.0
UNSETTLED_SHARE = 0.2

Kind = Literal["kill", "kill both", "kill broker", "restart", "suspend"]
Source = type[CompilerErrors] | type[Feedback]


@dataclass(frozen=True)
class Message:
    """What is pushed: a value for a source topic, keyed by its project."""

    kind: Source
    project: str
    value: bytes | None


@dataclass(frozen=True)
class Fault:
    """What happens to the line ``jitter_s`` after ``at`` source records were committed; ``worker`` is an index.

    ``settled``: not before something was committed since the last fault; otherwise it may hit a recovery.
    """

    at: int
    kind: Kind
    worker: int
    jitter_s: float
    settled: bool


def plan(draw: random.Random, kinds: Iterable[Kind], start: int, end: int) -> list[Fault]:
    """Return one fault of each of ``kinds``, in an order and at moments between ``start`` and ``end`` that are drawn.

    Each has a stretch of its own, and both workers are hit in turn. The last fifth is left alone, so that there is
    work when the last fault comes.
    """
    drawn = list(kinds)
    draw.shuffle(drawn)
    stretch = (end - start) * 4 // 5 / len(drawn)
    first = draw.randrange(2)
    return [
        Fault(
            at=start + int((number + draw.random()) * stretch),
            kind=kind,
            worker=(first + number) % 2,
            jitter_s=draw.uniform(0, MAX_JITTER_S),
            settled=draw.random() >= UNSETTLED_SHARE,
        )
        for number, kind in enumerate(drawn)
    ]


class Load:
    """A seeded stream of small builds of several projects, with repeats, unreadable records and feedback."""

    def __init__(self, seed: int, projects: int = 12) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - test data
        self.projects = [f"project-{number}" for number in range(projects)]
        self._made = 0
        self._recent: dict[str, deque[CompilerErrors]] = defaultdict(lambda: deque(maxlen=REACH))
        self._old: dict[str, list[bytes]] = defaultdict(list)  # some of each project's builds

    def builds(self, count: int) -> list[Message]:
        """Return ``count`` messages: one of each ``UNREADABLE_EVERY`` cannot be read, some come again."""
        unreadable = {
            start + self.draw.randrange(UNREADABLE_EVERY)
            for start in range(0, count - UNREADABLE_EVERY + 1, UNREADABLE_EVERY)
        }
        return [self._unreadable() if number in unreadable else self._build() for number in range(count)]

    def feedback(self, count: int) -> list[Message]:
        """Return what people say of ``count`` recent diagnostics."""
        return [self._feedback() for _ in range(count)]

    def _build(self) -> Message:
        project = self.draw.choice(self.projects)
        if self._recent[project] and self.draw.random() < REPEAT_SHARE:
            again = self.draw.choice([self.draw.choice(self._recent[project]).to_bytes(), *self._old[project][-1:]])
            return Message(CompilerErrors, project, again)
        self._made += 1
        diagnostics = [random_diagnostic(self.draw) for _ in range(self.draw.choice((1, 1, 1, 2)))]
        made = build(content_id(project, self._made), *diagnostics, project=project)
        value = made.to_bytes()
        self._recent[project].append(made)
        if self.draw.random() < REPEAT_SHARE:
            self._old[project].insert(0, value)  # comes again when it is far behind: the oldest are taken first
        return Message(CompilerErrors, project, value)

    def _unreadable(self) -> Message:
        good = build(content_id("unreadable", self.draw.random()), random_diagnostic(self.draw)).to_bytes()
        future = orjson.dumps({**orjson.loads(good), "schema_version": 99})
        value = self.draw.choice([b"\x00\xff garbage", good[:-10], future, None])
        return Message(CompilerErrors, self.draw.choice(self.projects), value)

    def _feedback(self) -> Message:
        project = self.draw.choice([name for name in self.projects if self._recent[name]])
        on, category = self.draw.choice(self._recent[project]), self.draw.choice(LABELS)
        said = feedback(on.id, category, self.draw.randrange(len(on.diagnostics)), project=project)
        return Message(Feedback, project, said.to_bytes())


@dataclass
class Uninterrupted:
    """One partition as it would be had nothing happened: fed with the source, it holds what has to come out.

    ``predictions`` are values, ``letters`` are (topic, offset, value) of what could not be read; both in order.
    """

    state: LineState = field(default_factory=LineState)
    predictions: list[bytes] = field(default_factory=list)
    letters: list[tuple[str, int, bytes | None]] = field(default_factory=list)

    def take(self, messages: Iterable[Any]) -> None:
        """Take consumed messages of a source topic in, in their order."""
        for message in messages:
            try:
                record = parse(SOURCES[message.topic], message.value)
            except RecordError:
                when = arrival(message.timestamp / 1000)
                refuse(Partition(message.partition, self.state), message.topic, message.offset, when)
                self.letters.append((message.topic, message.offset, message.value))
                continue
            outputs = step(self.state, record, arrival(message.timestamp / 1000))
            self.predictions += [one.to_bytes() for one in outputs]
            self.state.watch.take_events()

    def forget_outputs(self) -> None:
        """Drop what was compared."""
        self.predictions.clear()
        self.letters.clear()


def difference(found: Sequence[bytes], expected: Sequence[bytes]) -> str:
    """Return how the predictions (values) of a partition differ from what has to be there; empty when they do not."""
    if list(found) == list(expected):
        return ""
    ids, wanted = _failures(found), _failures(expected)
    missing, extra = _beyond(wanted, ids), _beyond(ids, wanted)
    if missing or extra:
        return (
            f"{len(missing)} lost, {len(extra)} duplicated of {len(wanted)}; "
            f"lost at {_places(wanted, missing)}, duplicated at {_places(ids, extra)}"
        )
    if ids != wanted:
        place = next(number for number, pair in enumerate(zip(ids, wanted, strict=True)) if pair[0] != pair[1])
        return f"out of order from place {place} on"
    differ = [number for number, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]]
    place = differ[0]
    return f"{len(differ)} other answers, the first at place {place}: {found[place]!r}, expected {expected[place]!r}"


def _failures(values: Iterable[bytes]) -> list[str]:
    return [orjson.loads(value)["failure_id"] for value in values]


def _beyond(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the ids that stand more often in ``some`` than in ``others``."""
    left: dict[str, int] = defaultdict(int)
    for one in others:
        left[one] += 1
    beyond = []
    for one in some:
        left[one] -= 1
        if left[one] < 0:
            beyond.append(one)
    return beyond


def _places(all_of_them: Sequence[str], some: Sequence[str], most: int = 8) -> list[int]:
    wanted = set(some)
    return [number for number, one in enumerate(all_of_them) if one in wanted][:most]


def offsets_reached(committed: dict[tuple[str, int], int]) -> int:
    """Return how many source records a group has committed."""
    sources = {topic_name(kind) for kind in (CompilerErrors, Feedback)}
    return sum(offset for (topic, _), offset in committed.items() if topic in sources)
