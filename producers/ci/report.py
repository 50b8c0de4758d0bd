"""What became of an input: how much was taken, what was passed over, what could not be read and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MAX_REASONS = 100  # kept with their line; the rest is only counted

OTHER_LINES = "other lines"
OTHER_JSON = "other JSON"
_UNKNOWN = (OTHER_LINES, OTHER_JSON)


@dataclass
class Report:
    """The account of one input, filled while its records are read.

    ``skipped`` counts, by kind, what belongs in such an input but is no failure (artifacts, warnings, status lines)
    and what nobody knows (``other lines``, ``other JSON``). ``rejected`` holds the first ``MAX_REASONS`` pairs of
    line number and reason, ``rejections`` counts them all; in Parquet the number is the row's, from 1.
    ``repaired`` counts lines whose invalid UTF-8 was replaced.
    """

    accepted: int = 0
    diagnostics: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    rejections: int = 0

    def skip(self, kind: str) -> None:
        """Count something passed over; ``kind`` must not come from the input, else the table has no bound."""
        self.skipped[kind] += 1

    def reject(self, line: int, reason: str) -> None:
        """Note that ``line`` could not be read."""
        self.rejections += 1
        if len(self.rejected) < MAX_REASONS:
            self.rejected.append((line, reason))

    @property
    def usable(self) -> bool:
        """Return whether anything in the input was understood; a build without failures is."""
        return self.accepted > 0 or any(kind not in _UNKNOWN for kind in self.skipped)

    @property
    def exit_code(self) -> int:
        """Return 0 if all was read, 1 if something was rejected or nothing in the input was understood."""
        return 0 if self.usable and not self.rejections else 1
