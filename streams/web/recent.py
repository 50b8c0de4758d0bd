"""The newest predictions, kept in memory: what the HTTP interface answers readers with."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from models.records import Prediction, RecordError, parse
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES
from streams.web.topic_reader import TopicReader

log = logging.getLogger(__name__)

PER_PARTITION = 1_000  # read back at the start
MAX_ENTRIES = 10_000
MAX_BYTES = 64 << 20
MAX_READERS = 64  # live streams at once
READER_QUEUE = 256  # predictions; a reader that is further behind is dropped


@dataclass(frozen=True, slots=True)
class Entry:
    """One prediction as it stands on the topic, and what it can be found by.

    ``labels`` are its categories and subcategories, ``kinds`` the finest name of each diagnostic, each of them once.
    """

    raw: bytes
    timestamp: int
    failure_id: str
    project: str
    labels: frozenset[str]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader asks for; ``None`` is anything. A category matches if any diagnostic of the build has it."""

    project: str | None = None
    label: str | None = None
    failure_id: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Return whether ``entry`` is asked for."""
        return (
            (self.project is None or entry.project == self.project)
            and (self.failure_id is None or entry.failure_id == self.failure_id)
            and (self.label is None or self.label in entry.labels)
        )


ANY = Filter()
Reader = asyncio.Queue[Entry | None]  # ``None`` ends it
Listener = Callable[[Prediction, int], None]  # is told of every prediction, with its record's time (ms since 1970)


class TooManyReadersError(RuntimeError):
    """So many live readers are served already that one more is refused."""


class PredictionRing:
    """The newest predictions by id, bounded in number and bytes; a repeated one replaces its former copy."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._readers: set[Reader] = set()
        self.listener: Listener | None = None
        self.bytes = self.malformed = self.dropped_readers = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, raw: bytes | None, timestamp: int) -> None:
        """Take in a record of the topic; one that is no prediction is counted in ``malformed``."""
        try:
            prediction = parse(Prediction, raw, MAX_MESSAGE_BYTES)
        except RecordError as error:
            self.malformed += 1
            log.warning("passed over a record among the predictions: %s", error)
            return
        entry = _entry(prediction, raw or b"", timestamp)
        self._drop(prediction.id)
        self._entries[prediction.id] = entry
        self.bytes += len(entry.raw)
        while len(self._entries) > self._max_entries or (self.bytes > self._max_bytes and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))
        self._tell(entry)
        if self.listener is not None:
            self.listener(prediction, timestamp)

    def find(self, wanted: Filter, limit: int) -> list[bytes]:
        """Return at most ``limit`` records, newest first."""
        return [entry.raw for entry in self.newest(limit, wanted)]

    def newest(self, limit: int, wanted: Filter = ANY) -> list[Entry]:
        """Return at most ``limit`` entries, newest first."""
        matching = (entry for entry in reversed(self._entries.values()) if wanted.matches(entry))
        return heapq.nlargest(limit, matching, key=lambda entry: entry.timestamp)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Give a queue of the predictions from now on; raises ``TooManyReadersError``."""
        if len(self._readers) >= MAX_READERS:
            raise TooManyReadersError(f"{MAX_READERS} readers follow already")
        queue = Reader(READER_QUEUE + 1)  # one place is for the end
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    def end_readers(self) -> None:
        """Tell all readers that nothing more will come."""
        for queue in list(self._readers):
            self._end(queue)

    def _tell(self, entry: Entry) -> None:
        for queue in list(self._readers):
            if queue.qsize() < READER_QUEUE:
                queue.put_nowait(entry)
            else:
                self.dropped_readers += 1
                self._end(queue)

    def _end(self, queue: Reader) -> None:
        self._readers.discard(queue)
        queue.put_nowait(None)

    def _drop(self, key: str) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self.bytes -= len(gone.raw)


def _entry(prediction: Prediction, raw: bytes, timestamp: int) -> Entry:
    answers = prediction.classifications
    kinds = sorted({one.subcategory or one.category for one in answers})
    labels = frozenset(kinds) | {one.category for one in answers}
    return Entry(raw, timestamp, prediction.failure_id, prediction.project, labels, tuple(kinds))


class RecentPredictions(TopicReader):
    """Follows the predictions into a ring while the context lasts, from ``PER_PARTITION`` back of each partition."""

    def __init__(self, settings: Settings, ring: PredictionRing) -> None:
        super().__init__(settings, "predictions", ring.add, back=PER_PARTITION, what="predictions")
        self._ring = ring

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading, and end the ring's readers."""
        self._ring.end_readers()
        await super().__aexit__(kind, error, trace)
