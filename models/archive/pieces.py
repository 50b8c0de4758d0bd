"""The files of one partition in the archive: a chain of ranges of offsets, from which each offset is read once.

A file's name is the range that it covers, ``00000000000000000000-00000000000000000256.parquet``: the first offset, and
the one after the last. A partition's log never changes, so two files that cover an offset hold the same rows of it:
whoever reads takes them from the first and skips them in the second. So nothing is doubled when two writers met, or
when a compaction was killed before it removed what it had replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_NAME = re.compile(r"^([0-9]{20})-([0-9]{20})\.parquet$")
LARGEST = (1 << 63) - 1


class Piece(NamedTuple):
    """One file: it covers the offsets from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    @property
    def name(self) -> str:
        """Return the file's name."""
        return f"{self.start:020d}-{self.end:020d}.parquet"


class Link(NamedTuple):
    """A file that counts, and the first offset whose rows are taken from it: those before were in the files before."""

    piece: Piece
    begin: int


class Chain(NamedTuple):
    """The files that count, in order; ``left_over`` hold nothing of their own, ``gaps`` are offsets in no file.

    A left-over is what a compaction has replaced. A gap is what the topic no longer had when the archive came to it.
    """

    links: list[Link]
    left_over: list[Piece]
    gaps: list[Piece]

    @property
    def end(self) -> int | None:
        """Return the offset to go on from, nothing before the first file."""
        return self.links[-1].piece.end if self.links else None


def parse_name(name: str) -> Piece | None:
    """Return the piece that a file's name says it is; nothing for other files, half-written ones among them.

    >>> parse_name("00000000000000000000-00000000000000000256.parquet")
    Piece(start=0, end=256)
    >>> parse_name(".00000000000000000000-00000000000000000256.parquet.77") is None
    True
    """
    found = _NAME.match(name)
    if found is None:
        return None
    piece = Piece(int(found[1]), int(found[2]))
    return piece if piece.start < piece.end <= LARGEST else None


def chain(names: Iterable[str]) -> Chain:
    """Return the chain that the files of a folder make; of two that begin at one offset the longer comes first.

    >>> found = chain([Piece(0, 5).name, Piece(3, 9).name, Piece(4, 5).name, Piece(12, 20).name])
    >>> [tuple(one.piece) + (one.begin,) for one in found.links], found.end
    ([(0, 5, 0), (3, 9, 5), (12, 20, 12)], 20)
    >>> found.left_over, found.gaps
    ([Piece(start=4, end=5)], [Piece(start=9, end=12)])
    """
    pieces = {piece for name in names if (piece := parse_name(name)) is not None}
    made = Chain([], [], [])
    for piece in sorted(pieces, key=lambda one: (one.start, -one.end)):
        end = piece.start if made.end is None else made.end
        if piece.end <= end:
            made.left_over.append(piece)
            continue
        if piece.start > end:
            made.gaps.append(Piece(end, piece.start))
        made.links.append(Link(piece, max(piece.start, end)))
    return made
