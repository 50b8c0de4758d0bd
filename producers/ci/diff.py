"""git's differences, line by line, as counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_FILE = b"diff --git "
_HUNK = re.compile(rb"@@ -\d+(?:,(\d{1,9}))? \+\d+(?:,(\d{1,9}))? @@")
_SOURCE = re.compile(
    rb"\.(?:rs|py|c|cc|cpp|cs|cxx|go|h|hh|hpp|java|js|jsx|kt|lua|m|php|pl|rb|scala|sh|swift|ts|tsx|zig)\"?$"
)
_BRANCH = re.compile(rb"\b(?:if|elif|for|while|loop|match|case|switch|catch|except|when)\b|&&|\|\|")
_ADDED, _DELETED = b"+-"


@dataclass
class Diff:
    """Counts of a difference that was made with no lines of context (``--unified=0``).

    ``lines`` are the changed lines of each file, 0 for one that was only renamed or is binary. A hunk says how many
    lines it has, so that no line of code is taken for a header, whatever it looks like.
    """

    lines: list[int] = field(default_factory=list)
    added: int = 0
    deleted: int = 0
    complexity_delta: int = 0
    _left: int = 0  # lines of the hunk that are still to come
    _source: bool = False

    def take(self, line: bytes) -> None:
        """Take the next line."""
        if self._left and line[0] in (_ADDED, _DELETED):
            self._left -= 1
            self._count(line)
        elif line.startswith(_FILE):
            self.lines.append(0)
            self._source = _SOURCE.search(line.rstrip(b"\n")) is not None
        elif hunk := _HUNK.match(line):
            self._left = sum(1 if count is None else int(count) for count in hunk.groups())

    def _count(self, line: bytes) -> None:
        self.lines[-1] += 1
        branches = len(_BRANCH.findall(line)) if self._source else 0
        if line[0] == _ADDED:
            self.added += 1
            self.complexity_delta += branches
        else:
            self.deleted += 1
            self.complexity_delta -= branches
