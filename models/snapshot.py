"""A partition's state as bytes and back: a whole ``base``, or a ``delta`` of what changed since the last one.

Layout: ``JDK1`` | length of the header (4 bytes, big endian) | header (JSON) | arrays, one after the other; all of it
deflated. The header lists each array's name, type and shape and holds everything small. Safe to load from a topic:
no pickle, types from a fixed list, the inflated size bounded, every length checked; anything else raises
``SnapshotError``.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.classifiers import Hashed
from models.memory import Example, Recent
from models.state import LineState

MAGIC = b"JDK1"
VERSION = 1
MAX_INFLATED = 1 << 30  # bytes: a full 2^22-row table; what would inflate to more is refused
_TYPES = {"u4": np.uint32, "u8": np.uint64, "f4": np.float32, "f2": np.float16}

Arrays = dict[str, NDArray[Any]]


class SnapshotError(ValueError):
    """Bytes that are no snapshot this code can load; the message says why."""


def base(state: LineState) -> bytes:
    """Return the whole state."""
    rows = np.flatnonzero(state.classifier.squares).astype(np.uint32)
    recents, ids = state.recent.contents()
    return _pack(state, rows, recents, ids)


def delta(state: LineState) -> bytes:
    """Return what changed since the last ``base`` or ``delta``, and take note that it is saved."""
    packed = _pack(state, state.take_changed_rows(), state.recent.added, state.recent.added_ids)
    state.recent.mark_saved()
    return packed


def mark_saved(state: LineState) -> None:
    """Take note that a base carries everything so far, so that the next delta starts from here."""
    state.take_changed_rows()
    state.recent.mark_saved()


def apply(state: LineState, packed: bytes) -> None:
    """Put a base into an empty state, or a delta on top of the state it was taken from.

    Raises ``SnapshotError`` before anything is changed when the bytes are not whole.
    """
    header, arrays = _unpack(packed)
    try:
        _apply(state, header, arrays)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SnapshotError(f"the snapshot's parts do not fit together: {error!r}") from error


def _pack(state: LineState, rows: NDArray[np.uint32], recents: list[Recent], ids: list[int]) -> bytes:
    classifier, columns = state.classifier, len(state.classifier.labels)
    examples = [example for recent in recents for example in recent.examples]
    arrays: Arrays = {
        "rows": rows,
        "weights": classifier.weights[rows, :columns],
        "squares": classifier.squares[rows],
        "seen": np.array(ids, np.uint64),
        "example_rows": _joined([example.hashed.rows for example in examples], np.uint32),
        "example_values": _joined([example.hashed.values for example in examples], np.float32),
    }
    header = {
        "version": VERSION,
        "classifier": {"bits": classifier.bits, "labels": classifier.labels, "examples": classifier.examples},
        "feedback": state.feedback.dump(),
        "scores": state.scores.dump(),
        "weights": state.weights.dump(),
        "drift": state.drift.dump(),
        "counters": {name: getattr(state, name) for name in _COUNTERS},
        "recent": [_recent_header(recent) for recent in recents],
        "arrays": [[name, _type_name(array), array.shape] for name, array in arrays.items()],
    }
    head = orjson.dumps(header)
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    return zlib.compress(MAGIC + struct.pack(">I", len(head)) + head + body, level=1)


_COUNTERS = ("failures", "repeats", "unmatched_feedback", "dead_letters", "origin")


def _joined(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _type_name(array: NDArray[Any]) -> str:
    return array.dtype.str.lstrip("<|=")


def _recent_header(recent: Recent) -> dict[str, Any]:
    examples = [[e.key, e.code, e.rule_label, len(e.hashed.rows)] for e in recent.examples]
    return {"id": recent.failure_id, "prediction": recent.prediction.decode(), "examples": examples}


def _unpack(packed: bytes) -> tuple[dict[str, Any], Arrays]:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, MAX_INFLATED)
    except zlib.error as error:
        raise SnapshotError(f"not deflated data: {error}") from None
    if not inflater.eof or data[:4] != MAGIC:
        raise SnapshotError("cut short, too large, or not a jidoka snapshot")
    (length,) = struct.unpack(">I", data[4:8])
    try:
        header = orjson.loads(data[8 : 8 + length])
        if header["version"] != VERSION:
            raise SnapshotError(f"snapshot version {header['version']}: this code knows {VERSION}; upgrade jidoka")
        return header, _arrays(header["arrays"], memoryview(data)[8 + length :])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"the snapshot's header cannot be read: {error!r}") from error


def _arrays(listed: list[list[Any]], body: memoryview) -> Arrays:
    arrays: Arrays = {}
    for name, kind, shape in listed:
        dtype = np.dtype(_TYPES[kind])
        size = int(np.prod(shape)) * dtype.itemsize
        arrays[name] = np.frombuffer(body[:size], dtype).reshape(shape)
        body = body[size:]
    return arrays


def _apply(state: LineState, header: dict[str, Any], arrays: Arrays) -> None:
    classifier, saved = state.classifier, header["classifier"]
    if classifier.bits != saved["bits"]:
        raise SnapshotError(f"snapshot of a table with 2^{saved['bits']} rows, this one has 2^{classifier.bits}")
    recents = _recents(header["recent"], arrays)
    classifier.restore(saved["labels"], saved["examples"], arrays["rows"], arrays["weights"], arrays["squares"])
    for name in ("feedback", "scores", "weights", "drift"):
        getattr(state, name).load(header[name])
    for name in _COUNTERS:
        setattr(state, name, header["counters"][name])
    state.recent.extend(recents, arrays["seen"].tolist())


def _recents(listed: list[dict[str, Any]], arrays: Arrays) -> list[Recent]:
    recents, start = [], 0
    for entry in listed:
        examples = []
        for key, code, rule_label, count in entry["examples"]:
            place = slice(start, start + count)
            hashed = Hashed(arrays["example_rows"][place].copy(), arrays["example_values"][place].copy())
            examples.append(Example(key, code, rule_label, hashed))
            start += count
        recents.append(Recent(entry["id"], entry["prediction"].encode(), tuple(examples)))
    return recents
