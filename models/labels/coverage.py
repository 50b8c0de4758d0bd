"""On how many diagnostics each labelling function votes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HORIZON = 20_000  # diagnostics after which counts are scaled down: older ones fade


class Coverage:
    """Diagnostics that each of some functions voted on, by the function's place among ``names``."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._voted, self._seen = [0.0] * len(self._names), 0.0

    def count(self, voters: Iterable[int], times: int) -> None:
        """Take in that the functions at these places voted on each of so many diagnostics, and no other did."""
        for place in voters:
            self._voted[place] += times
        self._seen += times

    def forget(self) -> None:
        """Scale down what exceeds the horizon."""
        if self._seen > HORIZON:
            kept = HORIZON / self._seen
            self._voted, self._seen = [kept * one for one in self._voted], float(HORIZON)

    def shares(self) -> dict[str, float]:
        """Return by name the share of diagnostics that each function voted on; those that never did are left out."""
        return {name: one / self._seen for name, one in zip(self._names, self._voted, strict=True) if one > 0.0}

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        voted = {name: one for name, one in zip(self._names, self._voted, strict=True) if one > 0.0}
        return {"voted": voted, "seen": self._seen}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned; functions that are no more are left out.

        Raises ``ValueError`` for more votes than diagnostics.
        """
        voted, seen = [float(data["voted"].get(name, 0.0)) for name in self._names], float(data["seen"])
        if max(voted, default=0.0) > seen:
            raise ValueError(f"coverage: votes on more than the {seen} diagnostics that were seen")
        self._voted, self._seen = voted, seen
