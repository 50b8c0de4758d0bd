"""An input opened: its head looked at without losing it, gzip unpacked on the way."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from producers.ci.formats import ALLOWED, GZIP_MAGIC, HEAD_BYTES, InputError, json_format, refuse_packed_parquet

BUFFER_BYTES = 1 << 18
READ_ERRORS = (OSError, EOFError, zlib.error)  # what a damaged gzip file or a failing disk raises


def open_input(path: Path) -> BinaryIO:
    """Return ``path`` opened; raises ``InputError`` for a directory, a missing or an unreadable file."""
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise InputError(f"{path}: a directory; give a file of compiler output, or - for standard input") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a file, or - for standard input") from None


class _Chained(io.RawIOBase):
    """``head`` and then the rest of ``source``, without a copy of either."""

    def __init__(self, head: bytes, source: BinaryIO) -> None:
        self._head = memoryview(head)
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # narrower than the base class says
        data = self._head[: len(buffer)] or memoryview(_read_some(self._source, len(buffer)))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def look_ahead(source: BinaryIO, name: str | None) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of ``source`` (unpacked if gzipped) and a stream that begins with them again.

    Reads until a line of JSON tells the format, at most ``HEAD_BYTES``, so that a pipe is followed while it runs.
    Raises ``InputError`` if not even that can be read.
    """
    try:
        head, stream = _peeked(source)
        if head.startswith(GZIP_MAGIC):
            head, stream = _peeked(cast(BinaryIO, gzip.GzipFile(fileobj=stream)))
            refuse_packed_parquet(head, name or "input")
    except READ_ERRORS as error:
        raise InputError(f"{name or 'input'}: cannot be read ({error}); {ALLOWED}") from None
    return head, stream


def _peeked(source: BinaryIO) -> tuple[bytes, BinaryIO]:
    head = b""
    while len(head) < HEAD_BYTES and json_format(head) is None:
        chunk = _read_some(source, HEAD_BYTES - len(head))
        if not chunk:
            break
        head += chunk
    return head, io.BufferedReader(_Chained(head, source), BUFFER_BYTES)


def _read_some(source: BinaryIO, size: int) -> bytes:
    """Return what is there, at least a byte before the end; a pipe's ``read`` would wait for all of ``size``."""
    read = getattr(source, "read1", source.read)
    return cast(bytes, read(size)) or b""
