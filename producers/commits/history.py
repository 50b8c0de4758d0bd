"""A git history as changes, oldest first: who, when, with which words, and what happened to which file.

The repository is not trusted: git runs by argument lists, without hooks, filters, external diffs or network
(``producers.ci.git``), within limits of commits, bytes and time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from producers.ci.git import ChangeError, ask, output, running
from producers.commits.patch import FileChange, PatchReader, lines_of

MAX_COMMITS = 20_000
MAX_LOG_BYTES = 64 << 20
MAX_PATCH_BYTES = 2 << 30
TIMEOUT_S = 600.0
AUTHOR_CHARS = 12  # of the hash that stands for an address
_FORMAT = "--format=%H%x1f%P%x1f%ct%x1f%at%x1f%aI%x1f%ae%x1f%s%x1f%b"
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-show-signature", "--no-notes")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_ASSISTANT = re.compile(r"co-authored-by:.*\b(?:claude|copilot|gpt|gemini|cursor|devin|codex)\b", re.IGNORECASE)
_BOT = re.compile(r"\[bot\]|dependabot|renovate", re.IGNORECASE)


class HistoryError(ValueError):
    """A repository whose history cannot be read; the message says why and what to do."""


@dataclass
class Change:
    """One commit; times are Unix seconds, ``hour`` and ``weekday`` (0 is Monday) the author's own."""

    sha: str
    parents: tuple[str, ...]
    commit_time: int
    author_time: int
    hour: int
    weekday: int
    author: str
    is_bot: bool
    subject: str
    body: str
    files: list[FileChange] = field(default_factory=list)

    @property
    def message(self) -> str:
        """Return the whole message."""
        return f"{self.subject}\n\n{self.body}" if self.body else self.subject

    @property
    def ai_coauthored(self) -> bool:
        """Return whether a programming assistant is named as an author."""
        return bool(_ASSISTANT.search(self.body))


def read_history(
    repo: Path, max_commits: int = MAX_COMMITS, progress: Callable[[int, int], None] | None = None
) -> list[Change]:
    """Return the newest ``max_commits`` commits but merges, the oldest first.

    ``progress`` is called with how many were read and how many there are. Raises ``HistoryError``.
    """
    if not repo.is_dir():
        raise HistoryError(f"{repo}: no such folder; name a git repository")
    try:
        if ask(repo, "rev-parse", "--git-dir") is None:
            raise HistoryError(f"{repo}: not a git repository, or one of another user that git does not trust")
        changes = _commits(repo, max_commits)
        _read_patches(repo, changes, max_commits, progress)
    except ChangeError as error:
        raise HistoryError(str(error)) from None
    return changes


def _commits(repo: Path, most: int) -> list[Change]:
    arguments = ("log", "-z", "--no-merges", f"--max-count={most}", _FORMAT, *_PLAIN, "--encoding=UTF-8")
    with running(repo, *arguments, timeout_s=TIMEOUT_S) as process:
        raw = output(process).read(MAX_LOG_BYTES + 1)
    if len(raw) > MAX_LOG_BYTES:
        raise HistoryError(f"{repo}: more than {MAX_LOG_BYTES >> 20} MiB of messages; give a smaller --max-commits")
    if not raw:
        raise HistoryError(f"{repo}: no commits, or not whole")
    changes = [_change(record) for record in raw.decode("utf-8", "replace").split("\0") if record.strip()]
    return changes[::-1]


def _change(record: str) -> Change:
    parts = record.split("\x1f", 7)
    if len(parts) != 8 or not _SHA.match(parts[0]):
        raise HistoryError("git's answer is not what it should be; is this git 2.30 or newer?")
    sha, parents, committed, authored, local, address, subject, body = parts
    when = datetime.fromisoformat(local)
    name = hashlib.sha256(address.lower().encode("utf-8", "surrogatepass")).hexdigest()[:AUTHOR_CHARS]
    return Change(
        sha,
        tuple(parents.split()),
        int(committed),
        int(authored),
        when.hour,
        when.weekday(),
        name,
        bool(_BOT.search(address)),
        subject,
        body.strip(),
    )


def _read_patches(
    repo: Path, changes: list[Change], most: int, progress: Callable[[int, int], None] | None = None
) -> None:
    arguments = ("log", "--no-merges", f"--max-count={most}", "--format=%x00%H", *_PLAIN, "-p", "-U0", "-M", "--root")
    with running(repo, "-c", "core.quotePath=false", *arguments, timeout_s=TIMEOUT_S) as process:
        lines = _limited(lines_of(output(process)), repo)
        wanted = iter(changes[::-1])
        following = next(wanted, None)
        reader, done = PatchReader(), 0
        for line in lines:
            # a file's text could hold such a line: only the very hash that must come next ends a commit
            if following is not None and line == b"\0" + following.sha.encode():
                reader = PatchReader()
                following.files = reader.files
                following, done = next(wanted, None), done + 1
                if progress:
                    progress(done, len(changes))
            else:
                reader.take(line)
    if following is not None:
        raise HistoryError(f"{repo}: git ended before commit {following.sha[:12]}; is the clone whole? `git fsck` says")


def _limited(lines: Iterator[bytes], repo: Path) -> Iterator[bytes]:
    left = MAX_PATCH_BYTES
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            raise HistoryError(f"{repo}: over {MAX_PATCH_BYTES >> 30} GiB of changes; give a smaller --max-commits")
        yield line
