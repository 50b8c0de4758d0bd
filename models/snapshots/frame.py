"""The bytes of a snapshot: an envelope around one packed frame with a header and arrays, and how it is opened safely.

Layout: ``JDK2`` | length of what follows (8 bytes) | one Zstandard frame (RFC 8878), which holds: length of the header
(4 bytes) | header (JSON) | arrays, one after the other. Lengths are big endian. The header
(``models/snapshots/header.py``) lists each array's name, type and shape and holds everything small. Safe to load from a
topic: no pickle, types from a fixed list, sizes bounded, every length checked before it is used.
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from models.snapshots.header import Header, parse_header, version_of

MAGIC = b"JDK2"
VERSION = 4
LEVEL = 1  # of Zstandard: 1.1 ms for 860 kB, where deflate took 9.8 ms for a larger result (measured)
MAX_WINDOW = 1 << 24  # bytes that unpacking may have to look back: more than level 1 ever asks for
MAX_INFLATED = 1 << 30  # bytes: a full 2^22-row table; what would inflate to more is refused
MAX_HEADER = 256 << 20  # bytes: a thousand answered builds of a hundred diagnostics each stay below
_TYPES: dict[str, tuple[str, type[np.generic], int]] = {  # name -> type's name, type, number of axes
    "rows": ("u4", np.uint32, 1),
    "weights": ("f4", np.float32, 2),
    "squares": ("f4", np.float32, 1),
    "seen": ("u8", np.uint64, 1),
    "example_rows": ("u4", np.uint32, 1),
    "example_values": ("f4", np.float32, 1),
    "challenger_rows": ("u4", np.uint32, 1),
    "challenger_weights": ("f4", np.float32, 2),
    "challenger_squares": ("f4", np.float32, 1),
    **{f"{place}_{part}": ("u1", np.uint8, 1) for place in ("answering", "trial") for part in ("card", "weights")},
}

_REQUIRED = frozenset(name for name in _TYPES if not name.startswith(("challenger_", "answering_", "trial_")))

Arrays = dict[str, NDArray[Any]]


class SnapshotError(ValueError):
    """Bytes that are no snapshot this code can load; the message says why."""


def pack(header: dict[str, Any], arrays: Arrays) -> bytes:
    """Return the snapshot of a header (without ``version`` and ``arrays``) and its arrays."""
    listed = [[name, _type_name(array), array.shape] for name, array in arrays.items()]
    head = orjson.dumps({"version": VERSION, **header, "arrays": listed})
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    frame = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(
        struct.pack(">I", len(head)) + head + body
    )
    return MAGIC + struct.pack(">Q", len(frame)) + frame


def _type_name(array: NDArray[Any]) -> str:
    return array.dtype.str.lstrip("<|=")


def unpack(packed: bytes) -> tuple[Header, Arrays]:
    """Return header and arrays; never inflates more than the lengths read so far allow. Raises ``SnapshotError``."""
    if packed[:4] != MAGIC:
        raise SnapshotError("not a jidoka snapshot")
    if packed[4:12] != struct.pack(">Q", len(packed) - 12):
        raise SnapshotError("cut short, or something follows the snapshot")
    stream = _Unpacker(packed[12:])
    (length,) = struct.unpack(">I", stream.read(4))
    if length > MAX_HEADER:
        raise SnapshotError(f"a header of {length} bytes: at most {MAX_HEADER} are read")
    head = stream.read(length)
    version = version_of(head)
    if version != VERSION:
        advice = "upgrade jidoka" if version > VERSION else "an older jidoka wrote it; records since are read again"
        raise SnapshotError(f"snapshot version {version}: this code knows {VERSION}; {advice}")
    header = parse_header(head)
    size = sum(_size(name, shape) for name, _, shape in header.arrays)
    if size > MAX_INFLATED:
        raise SnapshotError(f"arrays of {size} bytes: at most {MAX_INFLATED} are read")
    body = stream.read(size)
    stream.end()
    return header, _arrays(header, memoryview(body))


class _Unpacker:
    """A Zstandard frame, unpacked piece by piece: a small input that would unpack to gigabytes never does."""

    def __init__(self, frame: bytes) -> None:
        self._reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(frame)

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes."""
        piece = self._read(size)
        if len(piece) < size:
            raise SnapshotError(f"cut short: {len(piece)} bytes where {size} should be")
        return piece

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._read(1):
            raise SnapshotError("something follows the arrays")

    def _read(self, size: int) -> bytes:
        try:
            return self._reader.read(size) if size else b""
        except zstandard.ZstdError as error:
            raise SnapshotError(f"not packed data: {error}") from None


def _size(name: str, shape: list[int]) -> int:
    return prod(shape) * np.dtype(_TYPES[name][1]).itemsize


def _arrays(header: Header, body: memoryview) -> Arrays:
    arrays: Arrays = {}
    for name, kind, shape in header.arrays:
        expected, dtype, axes = _TYPES[name]
        if kind != expected or len(shape) != axes:
            raise SnapshotError(f"array {name} is {kind} with {len(shape)} axes: {expected} with {axes} is expected")
        size = _size(name, shape)
        arrays[name] = np.frombuffer(body[:size], dtype).reshape(shape)
        body = body[size:]
    missing = sorted(_REQUIRED - arrays.keys())
    if missing:
        raise SnapshotError(f"arrays missing: {missing}")
    return arrays
