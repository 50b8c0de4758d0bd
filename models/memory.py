"""The failures of the recent past: answered again without being learned again, and open to late feedback."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from models.labels.model import Votes
from models.sparse import Hashed

MAX_RECENT = 1_000  # failures whose prediction and features are kept for retries and late feedback
MAX_FEATURES = 3_000_000  # of those failures: 24 MB, whatever their diagnostics are like
MAX_SEEN = 50_000  # failure ids that are not learned again


Said = tuple[str | None, str | None]  # the champion's label and the challenger's


class Example(NamedTuple):
    """A diagnostic as the model saw it: its kind, what the labelling functions said of it, its hashed features.

    ``said`` is there while a challenger waits for a label that did not come with the build.
    """

    key: str
    votes: Votes
    hashed: Hashed
    said: Said | None = None


class Recent(NamedTuple):
    """One answered failure: its key (project and id), the prediction's JSON value, an example per diagnostic."""

    key: str
    prediction: bytes
    examples: tuple[Example, ...]

    @property
    def features(self) -> int:
        """Return how many hashed features are held with it, 8 bytes each."""
        return sum([len(example.hashed.rows) for example in self.examples])


class RecentFailures:
    """Answered failures by id, the oldest dropped first; and a longer list of keys that were learned.

    ``added`` and ``added_ids`` are what came since ``mark_saved``: what an incremental checkpoint has to carry.
    """

    def __init__(self, capacity: int = MAX_RECENT, seen_capacity: int = MAX_SEEN) -> None:
        self.capacity, self.seen_capacity = capacity, seen_capacity
        self._recent: OrderedDict[str, Recent] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._features = 0
        self.added: list[Recent] = []
        self.added_ids: list[int] = []

    def get(self, key: str) -> Recent | None:
        """Return the answered failure, if it is still held."""
        return self._recent.get(key)

    def learned(self, key: str) -> bool:
        """Return whether this record was learned from, as far as the longer list reaches."""
        return key_hash(key) in self._seen

    def add(self, recent: Recent) -> None:
        """Hold an answered failure."""
        number = key_hash(recent.key)
        self.extend([recent], [number])
        self.added.append(recent)
        self.added_ids.append(number)

    def replace(self, recent: Recent) -> None:
        """Hold a failure that is held already with other examples; it counts as the newest then."""
        self.extend([recent], [])
        self.added = [one for one in self.added if one.key != recent.key] + [recent]

    def add_id(self, key: str) -> None:
        """Note that a record was learned from."""
        number = key_hash(key)
        self.extend([], [number])
        self.added_ids.append(number)

    def extend(self, recents: Iterable[Recent], ids: Iterable[int]) -> None:
        """Hold failures that came from a checkpoint."""
        for recent in recents:
            self._hold(recent)
        for number in ids:
            self._seen[number] = None
            self._seen.move_to_end(number)
        while len(self._recent) > self.capacity or (self._features > MAX_FEATURES and len(self._recent) > 1):
            self._features -= self._recent.popitem(last=False)[1].features
        while len(self._seen) > self.seen_capacity:
            self._seen.popitem(last=False)

    def _hold(self, recent: Recent) -> None:
        before = self._recent.pop(recent.key, None)
        self._features += recent.features - (before.features if before else 0)
        self._recent[recent.key] = recent

    def mark_saved(self) -> None:
        """Forget what was new: a checkpoint carries it now."""
        self.added, self.added_ids = [], []

    def contents(self) -> tuple[list[Recent], list[int]]:
        """Return everything held, oldest first."""
        return list(self._recent.values()), list(self._seen)


def key_hash(key: str) -> int:
    """Return 64 bits that stand for a key: 50,000 of them collide with a probability below 1e-10."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
