"""Messages that somebody labelled, and the nearest of them to a new one: Jaccard similarity of their masked words."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from models.caching import BoundedCache
from models.masking import words

CAPACITY = 256  # labelled messages; the one labelled longest ago goes first
NEAR = 0.6  # similarity from which a message speaks for another; 1 is the same words
MAX_WORDS = 160  # of a message


class Near(NamedTuple):
    """The nearest labelled message's label and its similarity, ``NEAR`` to 1."""

    label: str
    similarity: float


class LabelledMessages:
    """The labels of masked messages, one each, the newest; ``nearest`` abstains where nothing is near.

    A search costs 20 to 100 µs with all places taken; a message that was asked for before costs a look-up.

    >>> labelled = LabelledMessages()
    >>> labelled.learn("no method named <name> found for struct <Type>", "MethodNotFound")
    >>> labelled.nearest("no method named <name> found for enum <Type>").label
    'MethodNotFound'
    >>> labelled.nearest("mismatched types") is None
    True
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._labels: OrderedDict[str, str] = OrderedDict()
        self._words: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._found: BoundedCache[str, Near | None] = BoundedCache(1 << 20)

    def __len__(self) -> int:
        return len(self._labels)

    def learn(self, masked: str, label: str) -> None:
        """Hold the label that somebody gave a message; a later word on the same message replaces it."""
        self._labels[masked] = label
        self._labels.move_to_end(masked)
        self._words[masked] = _words(masked)
        if len(self._labels) > self.capacity:
            oldest, _ = self._labels.popitem(last=False)
            del self._words[oldest]
        self._found = BoundedCache(self._found.budget)

    def said(self, masked: str) -> str | None:
        """Return the label of exactly this message, if it was labelled."""
        return self._labels.get(masked)

    def nearest(self, masked: str) -> Near | None:
        """Return the label of the nearest message, of equally near ones that of the newest."""
        if not self._labels:
            return None
        if masked in self._found:
            return self._found[masked]
        return self._found.keep(masked, self._search(masked), 4 * len(masked) + 200)

    def _search(self, masked: str) -> Near | None:
        wanted = _words(masked)
        least, most = len(wanted) * NEAR, len(wanted) / NEAR
        best, label = 0.0, ""
        for text, label_of in self._labels.items():
            held = self._words[text]
            if least <= len(held) <= most:
                shared = len(wanted & held)
                similarity = shared / max(1, len(wanted) + len(held) - shared)
                if similarity >= best:
                    best, label = similarity, label_of
        return Near(label, best) if best >= NEAR else None

    def dump(self) -> dict[str, Any]:
        """Return the labelled messages as JSON-able data, oldest first."""
        return {"messages": list(self._labels.items())}

    def load(self, data: dict[str, Any]) -> None:
        """Replace the memory by what ``dump`` returned."""
        self._labels, self._words = OrderedDict(), OrderedDict()
        for masked, label in data["messages"][-self.capacity :]:
            self.learn(str(masked), str(label))


def _words(masked: str) -> frozenset[str]:
    return frozenset(words(masked)[:MAX_WORDS])
