"""What people said of the diagnostics of each compiler code, and how far the code table is believed for it still."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable
from typing import Any

MAX_CODES = 2_000  # compiler codes with a tally of people's labels; the one longest untouched goes first


class CodeWords:
    """Words of people by code: how many stood by the code table, how many went against it, and which labels they gave.

    ``trust`` is how many words the table's own confidence is worth.
    """

    def __init__(self, trust: float) -> None:
        self.trust = trust
        self._codes: OrderedDict[str, tuple[list[int], dict[str, int]]] = OrderedDict()  # [stands, falls], labels

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def tell(self, code: str, label: str, tables: Iterable[str]) -> None:
        """Take in that a person gave ``label``, where the code tables that spoke said ``tables``."""
        stands, labels = self._codes.setdefault(code, ([0, 0], {}))
        for said in tables:
            stands[said != label] += 1
        labels[label] = labels.pop(label, 0) + 1  # last in order: the newest wins a tie
        self._codes.move_to_end(code)
        if len(self._codes) > MAX_CODES:
            self._codes.popitem(last=False)

    def accuracy(self, code: str | None, floor: float) -> float:
        """Return how far a table that is ``floor`` sure is believed for a code."""
        known = self._codes.get(code or "")
        if known is None:
            return floor
        stands, falls = known[0]
        return (self.trust * floor + stands) / (self.trust + stands + falls)

    def label(self, code: str | None) -> str | None:
        """Return the label that people gave most often to diagnostics of this code; on a tie the newest."""
        known = self._codes.get(code or "")
        return max(reversed(known[1]), key=lambda label: known[1][label]) if known else None

    def dump(self) -> list[Any]:
        """Return the words as JSON-able data."""
        return [[code, list(stands), dict(labels)] for code, (stands, labels) in self._codes.items()]

    def load(self, saved: Iterable[Any], allowed: Container[str]) -> None:
        """Replace the words by what ``dump`` returned; labels that are not ``allowed`` are left out."""
        self._codes = OrderedDict()
        for code, stands, said in saved:
            if labels := {label: count for label, count in said.items() if label in allowed}:
                self._codes[code] = list(stands), labels
