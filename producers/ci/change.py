"""What a commit changed, in the numbers of ``models.change``, asked of git."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, NamedTuple

from models.change import MAX_SIZE, Change, entropy
from producers.ci.diff import Diff
from producers.ci.git import ChangeError, ask, output, read, running

MAX_DIFF_BYTES = 64 << 20  # a million lines; what a commit changes beyond is not counted
MAX_LINE_BYTES = 1 << 16  # of the difference; a longer line is cut
MAX_EXPERIENCE = 10_000  # commits counted; after that an author is as experienced as one gets
HOUR_S, DAY_S = 3600, 86_400
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, and Monday is 0

# What begins with a letter, a digit or _ is no option; no range, no ~ and ^, no braces.
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,254}")
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PARENT = re.compile(rb"^parent ([0-9a-f]{40,64})$", re.MULTILINE)
_AUTHOR = re.compile(rb"^author [^\n]*<([^<>\n\0]*)> (-?\d{1,15}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_DIFF = (
    *("-r", "-p", "--unified=0", "--inter-hunk-context=0", "--find-renames", "-l1000", "--diff-algorithm=myers"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--submodule=short"),
)


class _Header(NamedTuple):
    parent: str | None
    email: str
    local_time: int  # seconds since 1970 on the author's clock


def commit_of(repo: Path, name: str = "HEAD") -> str:
    """Return the full hash of a commit, given by its hash or by the name of a branch or tag.

    Raises ``ChangeError`` where there is no git, no repository or no such commit.
    """
    if not _NAME.fullmatch(name):
        raise ChangeError(f"no commit {name[:100]!r}: give a commit's hash, or the name of a branch or tag")
    if ask(repo, "rev-parse", "--git-dir") is None:
        raise ChangeError(f"no git repository in {repo}, or git does not trust it: git -C {repo} status says more")
    found = ask(repo, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") or ""
    if not _HASH.fullmatch(found):
        raise ChangeError(f"no commit {name} in {repo}: is it fetched? Give a hash, or the name of a branch or tag")
    return found


def change_of(repo: Path, commit: str = "HEAD") -> Change:
    """Return what ``commit`` changed against its first parent; its author goes in as a count and never as a name.

    Commits are the author's by their e-mail address. Raises ``ChangeError`` where ``commit_of`` does, and for a
    shallow clone, in which a commit without its parents would look like a whole new program by a newcomer.
    """
    sha = commit_of(repo, commit)
    if ask(repo, "rev-parse", "--is-shallow-repository") != "false":
        raise ChangeError(
            f"{repo} is a shallow clone: git fetch --unshallow gets its history (fetch-depth: 0 of actions/checkout)"
        )
    header = _header(repo, sha)
    diff = _diff(repo, header.parent, sha)
    return Change(
        files_changed=_bounded(len(diff.lines)),
        lines_added=_bounded(diff.added),
        lines_deleted=_bounded(diff.deleted),
        complexity_delta=_bounded(diff.complexity_delta),
        entropy=entropy(diff.lines),
        author_experience=_experience(repo, sha, header.email),
        hour_of_day=header.local_time // HOUR_S % 24,
        day_of_week=(header.local_time // DAY_S + EPOCH_WEEKDAY) % 7,
    )


def _bounded(number: int) -> int:
    return max(-MAX_SIZE, min(number, MAX_SIZE))


def _header(repo: Path, sha: str) -> _Header:
    """Return what the commit object itself says: ``git log`` would obey mail maps, grafts and settings."""
    head = (read(repo, "cat-file", "commit", sha) or b"").partition(b"\n\n")[0]
    author, parent = _AUTHOR.search(head), _PARENT.search(head)
    if author is None:
        raise ChangeError(f"commit {sha} in {repo} does not say who wrote it when: git fsck says more")
    email, seconds, sign, hours, minutes = author.groups()
    offset = int(hours) * HOUR_S + int(minutes) * 60
    local = int(seconds) + (offset if sign == b"+" else -offset)
    return _Header(parent[1].decode() if parent else None, os.fsdecode(email), local)


def _experience(repo: Path, sha: str, email: str) -> int:
    """Return how many ancestors of a commit have its author, the commit itself not counted."""
    most = f"--max-count={MAX_EXPERIENCE + 1}"
    who = ("--fixed-strings", "--regexp-ignore-case", f"--author=<{email}>")
    found = ask(repo, "rev-list", "--count", most, *who, sha, "--")
    if found is None:
        raise ChangeError(f"the history of {sha} in {repo} is not whole: git fsck says more")
    return max(0, int(found) - 1)


def _diff(repo: Path, parent: str | None, sha: str) -> Diff:
    trees = ("--root", "--no-commit-id", sha) if parent is None else (parent, sha)
    diff = Diff()
    with running(repo, "diff-tree", *_DIFF, *trees, "--") as process:
        if _feed(diff, output(process)) and process.wait() != 0:
            raise ChangeError(f"git cannot tell what {sha} in {repo} changed: is all of it fetched? git fsck says more")
    return diff


def _feed(diff: Diff, stream: IO[bytes]) -> bool:
    """Read the difference, long lines cut, and return whether it was read to its end."""
    seen, at_start = 0, True
    while piece := stream.readline(MAX_LINE_BYTES):
        if at_start:
            diff.take(piece)
        at_start = piece.endswith(b"\n")
        seen += len(piece)
        if seen > MAX_DIFF_BYTES:
            return False
    return True
