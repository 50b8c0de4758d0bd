"""Feature names and their hashes. A name has one hash in every process, so models can be stored and compared."""

from __future__ import annotations

from collections.abc import Iterable
from sys import byteorder
from typing import NamedTuple
from zlib import crc32

from models.caching import BoundedCache

NAME_BYTES = 160  # what a name held by a cache takes beside its characters: string, key, hash, place in a table
STRING_BYTES = 60  # of a string and its place in a tuple, beside its characters

_KNOWN: BoundedCache[str, bytes] = BoundedCache(12 << 20)  # some 60,000 names; a look-up is a third of a hash


class Named(NamedTuple):
    """Features that are present, as names and as the CRC-32 of each: 4 bytes a name, in the machine's byte order."""

    names: tuple[str, ...]
    hashes: bytes


def name_hash(name: object) -> bytes:
    """Return the CRC-32 of a feature's name, 4 bytes in the machine's byte order."""
    return crc32(str(name).encode(errors="replace")).to_bytes(4, byteorder)


def named(names: Iterable[str]) -> Named:
    """Return the names, each once and in their order, with their hashes."""
    distinct = tuple(dict.fromkeys(names))
    known = _KNOWN
    return Named(distinct, b"".join([known.get(name) or _learn(name) for name in distinct]))


def _learn(name: str) -> bytes:
    return _KNOWN.keep(name, name_hash(name), len(name) + NAME_BYTES)
