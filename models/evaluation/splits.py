"""Which examples are learned and which are only scored: whole groups apart, so that no near-copy tells the answer.

Siblings are near-duplicates: tests of one directory, programs of one generator. Parted at random, a model is asked
what it has seen; Roberts et al., "Cross-validation strategies for data with temporal, spatial, hierarchical, or
phylogenetic structure", Ecography 40 (2017).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

SPLITS = ("none", "file", "directory", "origin", "project", "time")
TEST_SHARE = 0.2  # of the groups, or of the examples in time

T = TypeVar("T")


class Group(NamedTuple):
    """Where an example comes from, only ever to tell examples apart: names leak the answer and are no feature.

    ``source`` is the number of the input file. ``origin``, ``part`` (of an origin), ``project``, ``directory`` and
    ``file`` are nothing where the input does not say.
    """

    source: int = 0
    origin: str | None = None
    part: str | None = None
    project: str | None = None
    directory: str | None = None
    file: str | None = None


class Entry(NamedTuple, Generic[T]):
    """One item of a stream (a failed build, a program), how many examples it holds, and where it comes from."""

    item: T
    size: int
    group: Group


class Fold(NamedTuple, Generic[T]):
    """What is learned, and what is then scored: ``frozen``, or else learned on the way (no ``train`` then)."""

    name: str
    train: Sequence[Entry[T]]
    test: Sequence[Entry[T]]
    frozen: bool = True


class SplitError(ValueError):
    """A split that these examples do not allow; the message says why and what would do."""


def folds(entries: Sequence[Entry[T]], split: str, seed: int) -> list[Fold[T]]:
    """Return the folds of ``split``, each in the order of ``entries``.

    ``none`` is one fold in which everything is learned as it is scored. ``file``, ``directory`` and ``project`` keep
    out whole groups, a fifth of them, drawn by a hash of ``seed`` and name, so that a group's side does not depend on
    the others. ``origin`` keeps out each origin in turn, and each of its parts where there is but one. ``time`` keeps
    out the last fifth of the entries as they come. Raises ``SplitError`` when one side would be empty.
    """
    if split == "none":
        return [Fold("all", [], entries, frozen=False)]
    if split == "time":
        return [_at("last fifth", entries, _tail(entries))]
    if split in ("origin", "project"):
        return _each_against_the_others(entries, split)
    if split not in SPLITS:
        raise SplitError(f"split {split}: allowed are {', '.join(SPLITS)}")
    names = [_name(entry.group, split) for entry in entries]
    return [_parted(f"a fifth by {split}", entries, [_is_test(name, seed) for name in names])]


def first_then_rest(entries: Sequence[Entry[T]], examples: int) -> Fold[T]:
    """Return the fold that learns from the first so many examples and is scored on the rest: a cold start.

    The build in which that number is reached is learned whole. Raises ``SplitError`` when nothing is left.
    """
    seen = 0
    for place, entry in enumerate(entries):
        if seen >= examples:
            return _at(f"after the first {seen}", entries, place)
        seen += entry.size
    raise SplitError(f"the first {examples} of {seen} examples leave nothing to score; give a smaller number")


def _tail(entries: Sequence[Entry[T]]) -> int:
    wanted, seen = (1 - TEST_SHARE) * sum(entry.size for entry in entries), 0
    for place, entry in enumerate(entries):
        if seen >= wanted:
            return place
        seen += entry.size
    return len(entries)


def _at(name: str, entries: Sequence[Entry[T]], place: int) -> Fold[T]:
    return _parted(name, entries, [index >= place for index in range(len(entries))])


def _each_against_the_others(entries: Sequence[Entry[T]], split: str) -> list[Fold[T]]:
    names = [_name(entry.group, split) for entry in entries]
    if split == "origin" and len(set(names)) == 1:
        names = [entry.group.part or name for entry, name in zip(entries, names, strict=True)]
    if len(set(names)) < 2:
        raise SplitError(f"split {split}: all is of one {split}; give files of several, or another split")
    return [_parted(name, entries, [one == name for one in names]) for name in sorted(set(names))]


def _name(group: Group, split: str) -> str:
    name = getattr(group, split)
    if name is None:
        raise SplitError(
            f"split {split}: the input does not say each example's {split}; Parquet with such columns does"
        )
    return str(name)


def _is_test(name: str, seed: int) -> bool:
    drawn = int.from_bytes(hashlib.blake2b(f"{seed}\0{name}".encode(errors="replace"), digest_size=8).digest())
    return drawn < TEST_SHARE * (1 << 64)


def _parted(name: str, entries: Sequence[Entry[T]], kept_out: Sequence[bool]) -> Fold[T]:
    train = [entry for entry, out in zip(entries, kept_out, strict=True) if not out]
    test = [entry for entry, out in zip(entries, kept_out, strict=True) if out]
    if not train or not test:
        raise SplitError(f"{name}: {len(train)} to learn from and {len(test)} to score; take more examples or no split")
    return Fold(name, train, test)
