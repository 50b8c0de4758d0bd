"""Failures → arrays: every labelled diagnostic described once, so that an epoch slices arrays and no text.

Groups (files, directories) and codes stand beside the features to part the examples and to score baselines; they never
are features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.batch.tabular import TABULAR, numbers
from models.describe import describe
from models.evaluation.splits import Entry
from models.hashing import Named
from models.records import CompilerErrors
from models.taxonomy import MAIN_CODES, MAIN_LABELS, rule_for
from models.window_features import PREFIX

TRAIN, VALIDATION, TEST = 0, 1, 2
SIDES = ("train", "validation", "test")
TEXT_PLACES = frozenset({"message", "stem", "note", "help", "label", "context"})

Progress = Callable[[int], None]


class DatasetError(ValueError):
    """Failures that nothing can be learned from; the message says why, and what would do."""


class Ragged(NamedTuple):
    """Lists of unequal length side by side: ``values`` (all,), ``offsets`` (examples + 1,)."""

    values: NDArray[Any]
    offsets: NDArray[np.int64]

    def counts(self) -> NDArray[np.int64]:
        """Return the length of each list."""
        return np.diff(self.offsets)

    def take(self, wanted: NDArray[np.int64]) -> Ragged:
        """Return the lists of these indices."""
        counts = self.counts()[wanted]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][wanted] - offsets[:-1], counts)
        return Ragged(self.values[places], offsets)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled examples of one task; all arrays have one entry, row or list per example.

    ``text`` and ``code`` hold CRC-32 hashes of feature names: what the compiler says and what the code says; of the
    task ``source``, what the window adds to ``code``, which is all that the stream's source task sees. ``tabular`` are
    numbers, shape (examples, ``TABULAR``), ``label`` places in ``labels``. ``group``, ``directory`` and ``origin``
    are hashes of names, ``code_id`` numbers of compiler codes (-1: none), ``time`` seconds since 1970; none of these
    five is a feature. ``side`` says which part an example belongs to: ``TRAIN``, ``VALIDATION`` or ``TEST``.
    """

    task: str
    labels: tuple[str, ...]
    text: Ragged
    code: Ragged
    tabular: NDArray[np.float32]
    label: NDArray[np.int64]
    group: NDArray[np.uint64]
    directory: NDArray[np.uint64]
    origin: NDArray[np.uint64]
    code_id: NDArray[np.int32]
    time: NDArray[np.float64]
    side: NDArray[np.int8]

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.label)

    def part(self, side: int) -> NDArray[np.int64]:
        """Return the indices of one side."""
        return np.flatnonzero(self.side == side)

    def take(self, wanted: NDArray[np.int64]) -> Dataset:
        """Return the dataset of these examples alone."""
        taken: dict[str, Any] = {
            one.name: value.take(wanted) if isinstance(value, Ragged) else value[wanted]
            for one in fields(self)
            if isinstance(value := getattr(self, one.name), Ragged | np.ndarray)
        }
        return replace(self, **taken)

    def signatures(self) -> NDArray[np.uint64]:
        """Return a number for each example's features: equal features, equal numbers."""
        return _sums(self.text) * np.uint64(0x9E3779B97F4A7C15) + _sums(self.code)

    def hashes(self, wanted: NDArray[np.int64]) -> list[bytes]:
        """Return each example's hashes as a student takes them."""
        text, code = self.text.take(wanted), self.code.take(wanted)
        return [
            text.values[a:b].tobytes() + code.values[c:d].tobytes()
            for a, b, c, d in zip(text.offsets[:-1], text.offsets[1:], code.offsets[:-1], code.offsets[1:], strict=True)
        ]

    def stream_hashes(self, wanted: NDArray[np.int64]) -> list[bytes]:
        """Return each example's hashes as the stream's own learner of this task takes them."""
        if self.task != "source":
            return self.hashes(wanted)
        code = self.code.take(wanted)
        return [code.values[a:b].tobytes() for a, b in pairwise(code.offsets)]


def _sums(ragged: Ragged) -> NDArray[np.uint64]:
    mixed = ragged.values.astype(np.uint64) * np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(29)
    ends = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * mixed + mixed, dtype=np.uint64)])
    return np.asarray(ends[ragged.offsets[1:]] - ends[ragged.offsets[:-1]], np.uint64)


class _Row(NamedTuple):
    """One described diagnostic."""

    text: bytes
    code: bytes
    tabular: list[float]
    label: str
    code_name: str | None
    entry: int


def collect(
    entries: Sequence[Entry[CompilerErrors]],
    task: str,
    labels: str = "main",
    progress: Progress = lambda _: None,
    said: Mapping[tuple[str, int], str] | None = None,
) -> Dataset:
    """Return the labelled diagnostics of ``entries`` as a dataset, all of it on the side of ``TRAIN``.

    ``labels`` is ``main`` (the seven main categories) or ``all`` (the taxonomy's, as far as they occur). ``said`` is
    what people said of (failure's id, index), which counts before the code table. Raises ``DatasetError`` when fewer
    than two labels occur.
    """
    rows: list[_Row] = []
    for place, entry in enumerate(entries):
        rows += _rows(entry.item, task, place, labels, said or {})
        progress(1)
    names = tuple(MAIN_LABELS) if labels == "main" else tuple(sorted({row.label for row in rows}))
    if len({row.label for row in rows}) < 2:
        raise DatasetError(
            f"{len(rows)} diagnostics with a label ({labels}), of fewer than two labels: give a larger corpus"
        )
    return _dataset(entries, rows, task, names)


def _rows(
    record: CompilerErrors, task: str, entry: int, labels: str, said: Mapping[tuple[str, int], str]
) -> list[_Row]:
    found, total = [], len(record.diagnostics)
    for place, one in enumerate(record.diagnostics):
        if (label := label_of(record, place, labels, said)) is None:
            continue
        text, code = _by_place(describe(task, one, place, total))
        found.append(_Row(text, code, numbers(task, one, place, total), label, one.code, entry))
    return found


def label_of(record: CompilerErrors, place: int, labels: str, said: Mapping[tuple[str, int], str]) -> str | None:
    """Return the label of a build's diagnostic; nothing where it has none, or none that is wanted."""
    one = record.diagnostics[place]
    label = said.get((record.id, place))
    if label is None and (labels != "main" or one.code in MAIN_CODES):  # the codes that the corpora's figures are of
        rule = rule_for(one.code, one.message)
        label = rule.label if rule else None
    return label if labels != "main" or label in MAIN_LABELS else None


def _by_place(parts: Iterable[Named]) -> tuple[bytes, bytes]:
    """Return the hashes of what goes into ``text``, and into ``code``; a part is of one place."""
    text: list[bytes] = []
    code: list[bytes] = []
    for part in parts:
        if part.names:
            place = part.names[0].partition(":")[0]
            (text if place in TEXT_PLACES or place.startswith(PREFIX) else code).append(part.hashes)
    return b"".join(text), b"".join(code)


def _dataset(entries: Sequence[Entry[CompilerErrors]], rows: list[_Row], task: str, names: tuple[str, ...]) -> Dataset:
    columns = {name: column for column, name in enumerate(names)}
    codes = {name: number for number, name in enumerate(sorted({row.code_name for row in rows if row.code_name}))}
    owner = np.array([row.entry for row in rows], np.int64)
    groups = [entry.group for entry in entries]
    return Dataset(
        task,
        names,
        _ragged([row.text for row in rows]),
        _ragged([row.code for row in rows]),
        np.array([row.tabular for row in rows], np.float32).reshape(len(rows), TABULAR),
        np.array([columns[row.label] for row in rows], np.int64),
        _named([str(group.file) for group in groups])[owner],
        _named([str(group.directory or group.file) for group in groups])[owner],
        _named([str(group.origin or group.source) for group in groups])[owner],
        np.array([codes.get(row.code_name or "", -1) for row in rows], np.int32),
        np.array([entry.item.time.timestamp() for entry in entries], np.float64)[owner],
        np.zeros(len(rows), np.int8),
    )


def _ragged(lists: Sequence[bytes]) -> Ragged:
    counts = np.array([len(one) >> 2 for one in lists], np.int64)
    return Ragged(np.frombuffer(b"".join(lists), np.uint32), np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))


def _named(names: Sequence[str]) -> NDArray[np.uint64]:
    """Return a number for each name, the same in every run."""
    digests = [hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), np.uint64)


def parted(dataset: Dataset, split: str, seed: int, validation: float = 0.1, test: float = 0.2) -> Dataset:
    """Return the dataset with whole groups put on one side each, drawn by a hash of ``seed`` and name.

    ``split`` is ``file``, ``directory`` or ``time`` (the last in time are the test part, and those before them
    validate). Raises ``DatasetError`` when a side would be empty; ``test`` may be 0.
    """
    if split == "time":
        drawn = 1.0 - np.argsort(np.argsort(dataset.time, kind="stable")) / len(dataset)
    elif split in ("file", "directory"):
        drawn = _drawn(dataset.group if split == "file" else dataset.directory, seed)
    else:
        raise DatasetError(f"split {split}: allowed are file, directory, time")
    side = np.where(drawn < test, TEST, np.where(drawn < test + validation, VALIDATION, TRAIN)).astype(np.int8)
    sizes = np.bincount(side, minlength=3)
    if not (sizes[TRAIN] and sizes[VALIDATION] and (sizes[TEST] or not test)):
        raise DatasetError(
            f"split {split}: {sizes[TRAIN]} to train, {sizes[VALIDATION]} to validate, {sizes[TEST]} to test: "
            "give more files, or another --split"
        )
    return replace(dataset, side=side)


def _drawn(names: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Return for each number a share from 0 to 1 that depends on it and the seed alone."""
    mixed = names ^ np.uint64((seed * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64's finisher
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) / 2.0**64, np.float64)


def with_test(dataset: Dataset, test: Dataset) -> Dataset:
    """Return ``dataset`` with all of ``test`` as its test part; raises ``DatasetError`` unless both are of one kind."""
    if (dataset.task, dataset.labels) != (test.task, test.labels):
        raise DatasetError(
            f"the test files are of {test.task} {test.labels}, the others of {dataset.task} {dataset.labels}"
        )
    together: dict[str, Any] = {
        name: np.concatenate([getattr(dataset, name), getattr(test, name)])
        for name in ("tabular", "label", "group", "directory", "origin", "code_id", "time")
    }
    side = np.concatenate([dataset.side, np.full(len(test), TEST, np.int8)])
    return replace(
        dataset, text=_joined(dataset.text, test.text), code=_joined(dataset.code, test.code), side=side, **together
    )


def _joined(first: Ragged, second: Ragged) -> Ragged:
    offsets = np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]])
    return Ragged(np.concatenate([first.values, second.values]), offsets)
