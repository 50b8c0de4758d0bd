"""Results by content: the same program with the same tools is never done twice, by however many processes.

One small compressed file per result, written beside its place and then renamed, so that a reader sees a whole one or
none. The folder is bounded: now and then the results longest unused are dropped.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import zstandard

MAX_BYTES = 4 << 30
MAX_ENTRY_BYTES = 64 << 20  # unpacked; a file that says more is damaged
SWEEP_EVERY = 2_000  # results put before the folder is measured again
KEPT_SHARE = 0.8  # of the bound, after a sweep


class Cache:
    """Bytes by key in a folder that processes may share; what is damaged counts as missing."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._puts = 0

    def get(self, key: str) -> bytes | None:
        """Return what was put under ``key``, or nothing."""
        path = self._path(key)
        try:
            packed = path.read_bytes()
            content = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_ENTRY_BYTES)
        except (OSError, zstandard.ZstdError):
            return None
        with suppress(OSError):
            os.utime(path)  # the sweep drops what was longest unused
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content``; a full or forbidden disk costs the saving of time, not the result."""
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
                file.write(zstandard.ZstdCompressor(level=3).compress(content))
            Path(file.name).replace(path)
        self._puts += 1
        if self._puts % SWEEP_EVERY == 0:
            self.sweep()

    def sweep(self) -> int:
        """Drop the results longest unused until the folder is well below its bound; return how many went."""
        entries = sorted(self._entries())
        size = sum(one[1] for one in entries)
        dropped = 0
        if size <= self._max_bytes:
            return 0
        for _, length, path in entries:
            if size <= self._max_bytes * KEPT_SHARE:
                break
            with suppress(OSError):
                path.unlink()
            size -= length
            dropped += 1
        return dropped

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob("??/*"):
            with suppress(OSError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path

    def _path(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / digest[:2] / digest[2:]
