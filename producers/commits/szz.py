"""Which commits brought in what later fixes took out: SZZ with blame.

Śliwerski, Zimmermann and Zeller, "When do changes induce fixes?", MSR 2005. Blank lines, comments and lone brackets
are not blamed (as in AG-SZZ; Kim et al., ASE 2006), and of a fix that touches very much, nothing is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.commits.rules import is_fix
from producers.ci.git import ChangeError, output, running
from producers.commits.history import Change
from producers.commits.patch import EMPTY, FileChange, lines_of

MAX_FIXES = 1_000
MAX_FILES = 20  # of a fix; more is a clean-up
MAX_LINES = 400  # of old lines of a fix
BLAME_TIMEOUT_S = 20.0
BUDGET_S = 300.0
_HEADER = re.compile(rb"([0-9a-f]{40,64}) \d+ \d+(?: \d+)?\Z")


@dataclass(frozen=True)
class Induced:
    """A commit that a fix blames: how many of its lines, and how long after it the fix came."""

    sha: str
    fix: str
    lines: int
    days: float


@dataclass(frozen=True)
class Blamed:
    """All that was found; ``fixes`` were looked at, ``skipped`` were too large, not readable, or beyond the budget."""

    induced: tuple[Induced, ...]
    fixes: int
    skipped: int


def blame_fixes(
    repo: Path,
    changes: Sequence[Change],
    max_fixes: int = MAX_FIXES,
    budget_s: float = BUDGET_S,
    progress: Callable[[int, int], None] | None = None,
) -> Blamed:
    """Blame the lines that the newest ``max_fixes`` fixes took out of source files, within ``budget_s`` in all."""
    times = {change.sha: change.commit_time for change in changes}
    fixes = [change for change in changes if is_fix(change.subject) and change.parents][-max_fixes:]
    found: list[Induced] = []
    skipped, end = 0, time.monotonic() + budget_s
    for number, fix in enumerate(reversed(fixes), start=1):
        files = [file for file in fix.files if file.is_source and not file.is_test and file.removed]
        lines = sum(count for file in files for _, count in file.removed)
        if len(files) > MAX_FILES or lines > MAX_LINES or time.monotonic() > end:
            skipped += 1
            continue
        blamed: dict[str, int] = {}
        try:
            for file in files:
                _blame(repo, fix.parents[0], file, blamed)
        except ChangeError:
            skipped += 1
            continue
        for sha, count in blamed.items():
            if sha in times and sha != fix.sha:
                found.append(Induced(sha, fix.sha, count, max(fix.commit_time - times[sha], 0) / 86_400))
        if progress:
            progress(number, len(fixes))
    return Blamed(tuple(found), len(fixes), skipped)


def _blame(repo: Path, parent: str, file: FileChange, blamed: dict[str, int]) -> None:
    """Add to ``blamed`` how many of the removed lines each commit had brought in."""
    ranges = [f"-L{first},+{count}" for first, count in file.removed]
    path = file.old_path or file.path
    arguments = ("blame", "--porcelain", "-w", "--no-textconv", *ranges, parent, "--", path)
    with running(repo, *arguments, timeout_s=BLAME_TIMEOUT_S) as process:
        sha = ""
        for line in lines_of(output(process)):
            if line.startswith(b"\t"):
                if sha and not EMPTY.match(line[1:]):
                    blamed[sha] = blamed.get(sha, 0) + 1
            elif found := _HEADER.match(line):
                sha = found[1].decode()
