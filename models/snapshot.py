"""A partition's state as bytes and back: a whole ``base``, or a ``delta`` of what changed since the last one.

Layout: ``JDK2`` | length of what follows (8 bytes) | one Zstandard frame (RFC 8878), which holds: length of the header
(4 bytes) | header (JSON) | arrays, one after the other. Lengths are big endian. The header
(``models/snapshot_header.py``) lists each array's name, type and shape and holds everything small. Safe to load from a
topic: no pickle, types from a fixed list, sizes bounded, every length and index checked before the state is touched;
anything else raises ``SnapshotError``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from models.batch import Hashed
from models.calibration import Calibrator
from models.classifiers import HashedLogistic
from models.drift import CategoryDivergence
from models.evaluation import Prequential
from models.feedback import FeedbackMemory
from models.memory import Example, Recent
from models.snapshot_header import Header, parse_header, version_of
from models.state import LineState
from models.weighting import LongTailWeights

MAGIC = b"JDK2"
VERSION = 3
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
}

Arrays = dict[str, NDArray[Any]]


class SnapshotError(ValueError):
    """Bytes that are no snapshot this code can load; the message says why."""


def base(state: LineState) -> bytes:
    """Return the whole state."""
    rows = np.flatnonzero(state.classifier.squares).astype(np.uint32)
    recents, ids = state.recent.contents()
    return _pack(state, rows, recents, ids, state.templates.dump())


def delta(state: LineState) -> bytes:
    """Return what changed since the last ``base`` or ``delta``, and take note that it is saved."""
    added, ids = state.recent.added, state.recent.added_ids
    packed = _pack(state, state.take_changed_rows(), added, ids, state.templates.dump_changed())
    state.recent.mark_saved()
    state.templates.mark_saved()
    return packed


def mark_saved(state: LineState) -> None:
    """Take note that a base carries everything so far, so that the next delta starts from here."""
    state.changed_rows = []
    state.recent.mark_saved()
    state.templates.mark_saved()


def apply(state: LineState, packed: bytes) -> None:
    """Put a base into an empty state, or a delta on top of the state it was taken from.

    Raises ``SnapshotError`` before anything is changed when the bytes are not whole or do not fit the state.
    """
    try:
        _install(state, _checked(state, *_unpack(packed)))
    except SnapshotError:
        raise
    except (ValueError, TypeError, IndexError, OverflowError, struct.error) as error:
        raise SnapshotError(f"the snapshot's parts do not fit together: {error}") from error


def _pack(
    state: LineState, rows: NDArray[np.uint32], recents: list[Recent], ids: list[int], templates: dict[str, Any]
) -> bytes:
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
        "calibration": state.calibrator.dump(),
        "templates": templates,
        "drift": state.drift.dump(),
        "counters": {name: getattr(state, name) for name in _COUNTERS},
        "recent": [_recent_header(recent) for recent in recents],
        "arrays": [[name, _type_name(array), array.shape] for name, array in arrays.items()],
    }
    head = orjson.dumps(header)
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    frame = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(
        struct.pack(">I", len(head)) + head + body
    )
    return MAGIC + struct.pack(">Q", len(frame)) + frame


_COUNTERS = ("failures", "repeats", "unmatched_feedback", "dead_letters", "origin")


def _joined(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _type_name(array: NDArray[Any]) -> str:
    return array.dtype.str.lstrip("<|=")


def _recent_header(recent: Recent) -> dict[str, Any]:
    examples = [[e.key, e.code, e.rule_label, len(e.hashed.rows)] for e in recent.examples]
    return {"key": recent.key, "prediction": recent.prediction.decode(), "examples": examples}


def _unpack(packed: bytes) -> tuple[Header, Arrays]:
    """Return header and arrays; never inflates more than the lengths read so far allow."""
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
    missing = sorted(_TYPES.keys() - arrays.keys())
    if missing:
        raise SnapshotError(f"arrays missing: {missing}")
    return arrays


@dataclass(frozen=True)
class _Parts:
    """What a snapshot holds, made and checked: nothing can go wrong when it is put in place."""

    header: Header
    arrays: Arrays
    feedback: FeedbackMemory
    scores: Prequential
    weights: LongTailWeights
    calibrator: Calibrator
    drift: CategoryDivergence
    recents: list[Recent]


def _checked(state: LineState, header: Header, arrays: Arrays) -> _Parts:
    _check_classifier(state.classifier, header, arrays)
    feedback = FeedbackMemory(state.feedback.capacity)
    feedback.load(header.feedback.model_dump())
    scores = Prequential()
    scores.load(header.scores.model_dump())
    weights = LongTailWeights(state.weights.reweighting, enabled=state.weights.enabled)
    weights.load(header.weights.model_dump())
    calibrator = Calibrator(state.calibrator.memory, state.calibrator.prior)
    calibrator.load(header.calibration.model_dump())
    drift = CategoryDivergence(state.drift.baseline_size, state.drift.window_size)
    drift.load(header.drift.model_dump())
    return _Parts(header, arrays, feedback, scores, weights, calibrator, drift, _recents(header, arrays))


def _check_classifier(classifier: HashedLogistic, header: Header, arrays: Arrays) -> None:
    rows, weights, squares = arrays["rows"], arrays["weights"], arrays["squares"]
    labels, here = header.classifier.labels, classifier.labels
    if classifier.bits != header.classifier.bits:
        raise SnapshotError(f"snapshot of a table with 2^{header.classifier.bits} rows, here are 2^{classifier.bits}")
    if labels[: len(here)] != here:
        raise SnapshotError(f"snapshot with the labels {labels}, here are {here}: they must start alike")
    if weights.shape != (len(rows), len(labels)) or squares.shape != rows.shape:
        raise SnapshotError(f"{weights.shape} weights, {squares.shape} squares for {len(rows)} rows, {labels}")
    for name in ("rows", "example_rows"):
        if len(arrays[name]) and int(arrays[name].max()) >= 1 << classifier.bits:
            raise SnapshotError(f"{name}: row {arrays[name].max()} of a table with 2^{classifier.bits}")
    if not (np.isfinite(weights).all() and np.isfinite(squares).all() and (squares >= 0).all()):
        raise SnapshotError("weights that are no finite numbers")


def _recents(header: Header, arrays: Arrays) -> list[Recent]:
    rows, values = arrays["example_rows"], arrays["example_values"]
    total = sum(count for entry in header.recent for *_, count in entry.examples)
    if not len(rows) == len(values) == total:
        raise SnapshotError(f"examples with {total} features, but {len(rows)} rows and {len(values)} values")
    recents, start = [], 0
    for entry in header.recent:
        examples = []
        for key, code, rule_label, count in entry.examples:
            place = slice(start, start + count)
            examples.append(Example(key, code, rule_label, Hashed(rows[place].copy(), values[place].copy())))
            start += count
        recents.append(Recent(entry.key, entry.prediction.encode(), tuple(examples)))
    return recents


def _install(state: LineState, parts: _Parts) -> None:
    saved, arrays = parts.header.classifier, parts.arrays
    state.classifier.restore(list(saved.labels), saved.examples, arrays["rows"], arrays["weights"], arrays["squares"])
    state.feedback, state.scores, state.weights, state.drift = parts.feedback, parts.scores, parts.weights, parts.drift
    state.calibrator = parts.calibrator
    state.templates.extend(parts.header.templates.model_dump())
    for name in _COUNTERS:
        setattr(state, name, getattr(parts.header.counters, name))
    state.recent.extend(parts.recents, arrays["seen"].tolist())
