"""What a worker's watch and its endpoint need to know of the line inside it, whatever its role."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from streams.metrics import Metrics
from streams.settings import Settings
from streams.transactions import LineApp


class HeldPartition(Protocol):
    """A partition that this worker holds; ``offsets`` maps a source topic to the next offset to take in."""

    offsets: dict[str, int]


class Held(Protocol):
    """The line inside a worker: the partitions it holds, of ``sources``, and what is to be told of them.

    ``restored`` is set while records may be taken in; ``signs`` counts up while something that takes long makes
    progress: that is no stall.
    """

    app: LineApp
    settings: Settings
    metrics: Metrics
    restored: asyncio.Event
    signs: int

    @property
    def sources(self) -> Sequence[str]:
        """Return the names of the topics that it takes in."""

    @property
    def partitions(self) -> Mapping[int, HeldPartition]:
        """Return the partitions by number."""

    def describe(self) -> dict[str, Any]:
        """Return what ``/v1/state`` says of it: ``partitions``, one document each that has a model, and more."""

    def observe(self) -> None:
        """Bring the gauges that speak of its state up to date; they were cleared before."""
