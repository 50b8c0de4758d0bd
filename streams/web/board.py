"""The andon board's state: what it is told of, and what it shows; ``board_routes.py`` serves it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from models.records import Prediction, RecordError, parse
from models.taxonomy import CATEGORIES, PARENTS
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES
from streams.web.board_failures import FailureRing
from streams.web.board_lamp import BoardLamp
from streams.web.board_mix import BEFORE_BUILDS, NOW_BUILDS, Rate, mix
from streams.web.board_workers import BoardWorkers
from streams.web.events import EventLog
from streams.web.recent import PredictionRing
from streams.web.topic_reader import TopicReader

log = logging.getLogger(__name__)

ROWS = 60  # of the live stream that a page shows
TICK_S = 1.0
ASK_EVERY = 2  # ticks, of the workers
FAILURES_BACK, EVENTS_BACK = 1_000, 5_000  # offsets read back at the start, of each partition
SHOWN = 240  # characters of a message
FRESH = 10  # kinds of messages that no build had before, shown
MAX_FRESH = 200

Status = Callable[[], Mapping[str, Any]]
Problem = Callable[[], str | None]


class Board:
    """What is on the board; ``ring`` tells it of predictions, ``status`` (called in a thread) where the workers are.

    It does nothing while nobody looks, but for remembering.
    """

    def __init__(self, ring: PredictionRing, status: Status) -> None:
        self.ring, self.failures, self.lamp, self.log = ring, FailureRing(), BoardLamp(), EventLog()
        self.state, self.changes = b"null", 0  # as it was last told, and how often it changed
        self.problems: list[Problem] = []  # of what it reads
        self._status, self._rate, self._line = status, Rate(), dict[str, Any]()
        self._fresh: dict[str, dict[str, Any]] = {}
        self._catching_up = True
        ring.listener = self.take

    def take(self, prediction: Prediction, timestamp: int) -> None:
        """Show a prediction; ``timestamp`` is its record's, milliseconds since 1970."""
        self._rate.add(timestamp)
        row = row_of(prediction, timestamp)
        for one in prediction.classifications if row["new"] else ():
            if one.novelty and not one.novelty.seen:
                told = {"label": one.subcategory or one.category, "code": one.code, "message": one.message[:SHOWN]}
                self._fresh.setdefault(one.novelty.template, row | told)
        if len(self._fresh) > MAX_FRESH:
            kept = sorted(self._fresh, key=lambda one: self._fresh[one]["at"])[-FRESH:]
            self._fresh = {one: self._fresh[one] for one in kept}
        if not self._catching_up:
            self.log.append(orjson.dumps(row))

    def snapshot(self) -> bytes:
        """Return all that a page needs to begin: the newest rows, the state, the labels there are."""
        rows = [parse_row(entry.raw, entry.timestamp) for entry in self.ring.newest(ROWS)]
        head = {"rows": [row for row in rows if row], "labels": LABEL_GROUPS, "limit": ROWS}
        return orjson.dumps(head | {"state": orjson.Fragment(self.state)})

    async def refresh(self, workers: BoardWorkers | None = None) -> None:
        """Bring the state up to date and tell the clients if it changed; ``workers`` are asked unless ``None``."""
        if workers is not None:
            found = await asyncio.to_thread(self._status)
            self._line = await workers.ask(found.get("workers") or [])
        state = orjson.dumps(self.view(time.time()))
        if state != self.state:
            self.state, self.changes = state, self.changes + 1
            self.log.wake()

    def view(self, now: float) -> dict[str, Any]:
        """Return the state at ``now`` (UNIX seconds): lamp, line, accuracy, mix, new kinds of messages."""
        unknown = next((text for problem in self.problems if (text := problem())), None)
        drift = self._line.get("drift") or {}
        fresh = sorted(self._fresh.values(), key=lambda one: one["at"], reverse=True)[:FRESH]
        return {
            "lamp": self.lamp.view(unknown, self._line.get("problems", ())),
            "line": {name: self._line.get(name) for name in ("workers", "ready", "lag")},
            "rate": self._rate.view(int(now * 1000)),
            "accuracy": self._line.get("accuracy"),
            "mix": mix(self.ring.newest(NOW_BUILDS + BEFORE_BUILDS), drift.get("baseline")),
            "drift": {name: drift[name] for name in ("divergence", "threshold") if drift.get(name) is not None},
            "fresh": fresh,
        }

    async def close(self, _: Any = None) -> None:
        """Let all who look go: the service ends."""
        self.log.close()

    async def run(self, caught_up: Callable[[], bool]) -> None:
        """Keep the state up to date while somebody looks; ``caught_up`` says whether all predictions are read."""
        async with BoardWorkers() as workers:
            tick = 0
            while True:
                self.note_reading(caught_up=caught_up())
                if self.log.clients:
                    try:
                        await self.refresh(workers if tick % ASK_EVERY == 0 else None)
                    except Exception:  # a board that says no more must not end: it says so in the log, and goes on
                        log.exception("the board's state could not be brought up to date")
                    tick += 1
                else:
                    tick = 0
                await asyncio.sleep(TICK_S)

    def note_reading(self, *, caught_up: bool) -> None:
        """Take note of whether predictions come live; what is read back is not shown one by one."""
        if not caught_up and not self._catching_up:
            self._rate.begin_again()
        if caught_up and self._catching_up:
            self.log.restart()
        self._catching_up = not caught_up


def row_of(prediction: Prediction, timestamp: int) -> dict[str, Any]:
    """Return what one line of the live stream shows: the root of the cascade, and how many more there are."""
    root = prediction.classifications[prediction.root]
    return {
        "id": prediction.id,
        "failure_id": prediction.failure_id,
        "project": prediction.project,
        "at": timestamp,
        "label": root.subcategory or root.category,
        "category": root.category,
        "confidence": round(root.confidence, 3),
        "source": root.source,
        "code": root.code,
        "message": root.message[:SHOWN],
        "more": len(prediction.classifications) - 1,
        "new": any(one.novelty and not one.novelty.seen for one in prediction.classifications),
    }


def parse_row(raw: bytes, timestamp: int) -> dict[str, Any] | None:
    """Return the row of a prediction as it stands on the topic."""
    try:
        return row_of(parse(Prediction, raw, MAX_MESSAGE_BYTES), timestamp)
    except RecordError:
        return None


def _label_groups() -> list[dict[str, Any]]:
    finer: dict[str, list[str]] = {}
    for label, parent in PARENTS.items():
        finer.setdefault(parent, []).append(label)
    return [{"label": label, "finer": finer.get(label, [])} for label in CATEGORIES]


LABEL_GROUPS = _label_groups()


@asynccontextmanager
async def following(settings: Settings, board: Board, caught_up: Callable[[], bool]) -> AsyncIterator[Board]:
    """Follow what the board needs beside the predictions, while the context lasts."""
    failures = TopicReader(settings, "compiler-errors", board.failures.take, back=FAILURES_BACK, what="failures")
    events = TopicReader(settings, "andon-events", board.lamp.take, back=EVENTS_BACK, what="andon events")
    async with failures, events:
        board.problems.append(lambda: events.problem)
        running = asyncio.create_task(board.run(caught_up))
        try:
            yield board
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
