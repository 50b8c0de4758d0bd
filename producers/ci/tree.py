"""The source tree that was compiled, read for the lines around spans: files inside of it, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from models.diagnostics import Diagnostic
from models.records import MAX_RECORD_BYTES, CompilerErrors
from producers.ci.formats import InputError
from producers.ci.surroundings import MAX_SPANS, with_surroundings

MAX_FILE_BYTES = 4 << 20
HELD_FILES = 64


class SourceTree:
    """A directory in which the compiler ran.

    File names come from a log and are not trusted: what resolves to a place outside of the directory, is no ordinary
    file, or is larger than ``MAX_FILE_BYTES`` is not opened. Raises ``InputError`` if ``root`` is no directory.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(f"{root}: no directory; give the one in which the compiler ran")
        self._root = root.resolve()
        self._lines = lru_cache(HELD_FILES)(self._read)

    def surround(self, record: CompilerErrors) -> CompilerErrors:
        """Return the record with the lines around its diagnostics' first spans, its id as it was.

        A record that would grow beyond ``MAX_RECORD_BYTES`` is returned as it is.
        """
        wider = record.model_copy(update={"diagnostics": tuple([self._surrounded(one) for one in record.diagnostics])})
        return wider if len(wider.to_bytes()) <= MAX_RECORD_BYTES else record

    def _surrounded(self, diagnostic: Diagnostic) -> Diagnostic:
        for file in {span.file for span in diagnostic.spans[:MAX_SPANS]}:
            if lines := self._lines(file):
                diagnostic = with_surroundings(diagnostic, file, lines)
        return diagnostic

    def _read(self, file: str) -> tuple[str, ...]:
        """Return the lines of a file of the tree; none if it is not there or not to be read."""
        try:
            path = (self._root / file).resolve()
            if not path.is_relative_to(self._root) or not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
                return ()
            return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines())
        except (OSError, ValueError):  # a name that is too long, or has a zero in it
            return ()
