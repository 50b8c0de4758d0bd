"""Which column of a detector a label counts in: frequent labels have their own, all others share one.

A label that the baseline has not is watched by itself for a while: one that comes to stay stands out from the many that
come once. What the others share, rare and new together, is stable even where new labels never cease to come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

OWN = 22  # labels with a column each, the most frequent of the baseline; the taxonomy has 23
OTHER = OWN  # the column of all others
COLUMNS = OWN + 1
MAX_KNOWN = 1_000  # labels that are told from new ones; rustc has 500 codes, a hostile stream could name more
OTHERS = "(other)"


class Vocabulary:
    """Columns of labels, fixed by ``settle`` from the votes of a baseline."""

    def __init__(self) -> None:
        self.own: dict[str, int] = {}
        self.known: dict[str, None] = {}

    def settle(self, votes: Counter[str]) -> None:
        """Give the most frequent labels columns; of equally frequent ones those that come first in the alphabet."""
        ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
        self.own = {label: place for place, (label, _) in enumerate(ranked[:OWN])}
        self.known = dict.fromkeys(label for label, _ in ranked[OWN:MAX_KNOWN])

    def column(self, label: str) -> int:
        """Return the label's column."""
        return self.own.get(label, OTHER)

    def is_new(self, label: str) -> bool:
        """Return whether this label without a column was never seen before, and remember it."""
        if label in self.known or len(self.known) >= MAX_KNOWN:
            return False
        self.known[label] = None
        return True

    def names(self) -> list[str]:
        """Return the label of each column."""
        own = [*self.own]
        return [*own, *([""] * (OWN - len(own))), OTHERS]

    def dump(self) -> dict[str, Any]:
        """Return the labels as JSON-able data."""
        return {"own": [*self.own], "known": [*self.known]}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace the labels by what ``dump`` returned."""
        self.own = {label: place for place, label in enumerate(data["own"])}
        self.known = dict.fromkeys(data["known"])
