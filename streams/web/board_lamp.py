"""The lamp on the board: what the andon events say is lit, and what the board itself sees of the line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from models.records import AndonEvent, RecordError, parse

log = logging.getLogger(__name__)

COLOURS = ("green", "amber", "red")  # the worst last
OF_SEVERITY = {"info": "green", "warning": "amber", "halt": "red"}
OUT = frozenset({"resumed", "cleared"})  # the transitions after which a condition is no longer lit
MAX_LIT = 200
SHOWN = 5
MAX_CHARS = 400  # of a message; the topic has all of it

Key = tuple[int | None, str, str | None, str | None]  # partition, condition, whose builds, what was watched


class BoardLamp:
    """Follows the andon events: the newest colour of each partition, and which conditions are lit."""

    def __init__(self) -> None:
        self._colours: dict[int, str] = {}
        self._lit: dict[Key, AndonEvent] = {}
        self._acknowledged: dict[Key, str | None] = {}

    def take(self, raw: bytes | None, _timestamp: int = 0) -> None:
        """Take in a record of the topic, in order; what is no andon event is passed over."""
        try:
            event = parse(AndonEvent, raw)
        except RecordError as error:
            log.warning("passed over a record among the andon events: %s", error)
            return
        if event.partition is not None and event.lamp is not None:
            self._colours[event.partition] = event.lamp
            if event.lamp == "green":
                self._forget(key for key in list(self._lit) if key[0] == event.partition)
        self._note((event.partition, event.kind, event.scope, event.signal), event)

    def _note(self, key: Key, event: AndonEvent) -> None:
        if event.transition in OUT or event.severity == "info":
            self._forget([key])
        elif event.transition == "acknowledged":
            self._acknowledged[key] = event.author
        elif event.transition == "raised" and event.lamp != "green":
            self._lit.pop(key, None)
            self._lit[key] = event
            self._forget(list(self._lit)[: max(0, len(self._lit) - MAX_LIT)])

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._lit.pop(key, None)
            self._acknowledged.pop(key, None)

    def view(self, unknown: str | None, seen: Iterable[str]) -> dict[str, Any]:
        """Return colour and reasons, the worst and newest first.

        ``unknown`` says why nothing can be said; a lamp that cannot know is not green. ``seen`` is what is wrong with
        the line as far as the board can see: amber, for it may be over in a moment.
        """
        lit = sorted(self._lit.items(), key=lambda item: (item[1].severity == "halt", item[1].time), reverse=True)
        seen = list(seen)
        found = [*self._colours.values(), *(OF_SEVERITY[event.severity] for _, event in lit), *("amber" for _ in seen)]
        colour = max(found, key=COLOURS.index, default="green")
        why = [{"text": text[:MAX_CHARS], "severity": "warning"} for text in seen]
        why += [self._reason(key, event) for key, event in lit]
        if unknown:
            colour = "red" if colour == "red" else "unknown"
            why.insert(0, {"text": unknown[:MAX_CHARS], "severity": "warning"})
        return {"colour": colour, "why": why[:SHOWN], "more": max(0, len(why) - SHOWN)}

    def _reason(self, key: Key, event: AndonEvent) -> dict[str, Any]:
        reason = {
            "kind": event.kind,
            "severity": event.severity,
            "text": event.message[:MAX_CHARS],
            "action": event.recommendation,
            "scope": event.scope,
            "partition": event.partition,
            "since": int(event.time.timestamp() * 1000),
            "examples": list(event.examples[:3]),
        }
        if key in self._acknowledged:
            reason["acknowledged"] = self._acknowledged[key] or "somebody"
        return {name: value for name, value in reason.items() if value not in (None, [])}
