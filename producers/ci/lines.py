"""Lines of a binary stream within bounds: an endless line is passed over without being held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from producers.ci.bounds import MAX_LINE_BYTES
from producers.ci.source import READ_ERRORS

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its end; ``problem`` says why it must not be used, ``complete`` is false at a missing newline."""

    number: int
    data: bytes
    problem: str | None = None
    complete: bool = True


def read_lines(source: BinaryIO) -> Iterator[Line]:
    """Yield the lines of ``source``, numbered from 1, without byte order mark and carriage return; empty ones too.

    A line beyond ``MAX_LINE_BYTES``, one with a NUL byte, and the place where reading failed come with a problem.
    """
    number = 0
    try:
        while raw := source.readline(MAX_LINE_BYTES + 1):
            number += 1
            yield _line(source, number, raw)
    except READ_ERRORS as error:
        yield Line(number + 1, b"", f"reading stopped here: {error}", complete=False)


def _line(source: BinaryIO, number: int, raw: bytes) -> Line:
    if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
        length = len(raw) + _pass_over(source)
        return Line(number, b"", f"line of {length} bytes: at most {MAX_LINE_BYTES} are read")
    data = raw.rstrip(b"\r\n")
    if number == 1:
        data = data.removeprefix(BYTE_ORDER_MARK)
    problem = "NUL byte: not text" if b"\0" in data else None
    return Line(number, data, problem, complete=raw.endswith(b"\n"))


def _pass_over(source: BinaryIO) -> int:
    """Read to the end of the line in pieces; return how many bytes that were."""
    length = 0
    while piece := source.readline(1 << 20):
        length += len(piece)
        if piece.endswith(b"\n"):
            break
    return length
