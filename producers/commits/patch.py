"""A patch as git prints it without context, read file by file. Every byte of it comes from strangers.

A hunk's header says how many lines follow, and that many are taken as text: a line of a file that looks like a header
is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO

MAX_LINE_BYTES = 1 << 16  # the rest of a longer line is read and forgotten
SOURCE = frozenset(
    {".rs", ".py", ".c", ".h", ".cc", ".cpp", ".hpp", ".go", ".java", ".js", ".ts", ".rb", ".sh", ".kt", ".swift"}
    | {".cs", ".scala", ".zig", ".ruchy"}
)
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_TEST = re.compile(r"(?:^|/)(?:tests?|benches|examples|fixtures|specs?)/|(?:^|/)test_|_tests?\.\w+$|\.test\.\w+$")
EMPTY = re.compile(rb"\s*(?://|#|/\*|\*[\s/])|[\s(){}\[\];,]*\Z")  # blank, a comment, or nothing but brackets
_BRANCHES = re.compile(rb"\b(?:if|elif|else if|for|while|match|case|catch|except|loop)\b|&&|\|\||\b(?:and|or)\b")


@dataclass
class FileChange:
    """One file in one commit; ``removed`` are the ranges of old lines (first, count) that went away.

    ``code_added`` and ``code_deleted`` leave out blank lines, comments and lone brackets of source files.
    """

    path: str
    old_path: str | None = None
    new: bool = False
    added: int = 0
    deleted: int = 0
    code_added: int = 0
    code_deleted: int = 0
    complexity: int = 0
    removed: list[tuple[int, int]] = field(default_factory=list)

    @property
    def renamed(self) -> bool:
        """Return whether the file had another name before."""
        return self.old_path is not None and self.old_path != self.path

    @property
    def suffix(self) -> str:
        """Return the ending of the name, with its dot."""
        return PurePosixPath(self.path).suffix.lower()

    @property
    def is_source(self) -> bool:
        """Return whether it is source code, by its name."""
        return self.suffix in SOURCE

    @property
    def is_test(self) -> bool:
        """Return whether it is a test, a benchmark or an example, by its name."""
        return bool(_TEST.search(self.path))


def lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends, each cut after ``MAX_LINE_BYTES``."""
    while line := stream.readline(MAX_LINE_BYTES):
        rest = line
        while not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES)
            if not rest:
                break
        yield line.rstrip(b"\n")


class PatchReader:
    """Takes the lines of one commit's patch; ``files`` are what was changed."""

    def __init__(self) -> None:
        self.files: list[FileChange] = []
        self._old, self._new = 0, 0  # lines of the hunk still to come
        self._file: FileChange | None = None

    @property
    def in_hunk(self) -> bool:
        """Return whether the next line is text of a file."""
        return self._old > 0 or self._new > 0

    def take(self, line: bytes) -> None:
        """Take one line."""
        if self.in_hunk:
            self._text(line)
        elif line.startswith(b"diff --git "):
            self._file = FileChange(_name_in_header(line))
            self.files.append(self._file)
        elif self._file is not None:
            self._header(self._file, line)

    def _text(self, line: bytes) -> None:
        file = self._file
        if file is None or line.startswith(b"\\"):  # "\ No newline at end of file" counts for nothing
            return
        sign = 1 if line.startswith(b"+") else -1
        self._new -= sign > 0
        self._old -= sign < 0
        if file.is_source and not EMPTY.match(line[1:]):
            file.code_added += sign > 0
            file.code_deleted += sign < 0
            file.complexity += sign * len(_BRANCHES.findall(line))

    def _header(self, file: FileChange, line: bytes) -> None:
        if found := _HUNK.match(line):
            first, old, _, new = (int(part) if part is not None else 1 for part in found.groups())
            self._old, self._new = old, new
            file.added += new
            file.deleted += old
            if old:
                file.removed.append((first, old))
        elif line.startswith(b"new file mode"):
            file.new = True
        elif line.startswith(b"rename from "):
            file.old_path = _name(line[12:])
        elif line.startswith((b"rename to ", b"+++ b/", b'+++ "b/')):
            file.path = _name(line[10:] if line.startswith(b"rename") else line[4:], prefix="b/")


def _name_in_header(line: bytes) -> str:
    """Return the name in ``diff --git a/x b/x``; without a rename both halves are alike."""
    rest = line[11:]
    return _name(rest[len(rest) // 2 + 1 :], prefix="b/")


def _name(raw: bytes, prefix: str = "") -> str:
    text = raw.decode("utf-8", "replace").rstrip("\t")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = text[1:-1]
    return text.removeprefix(prefix)
