"""Streams of builds from a corpus, with and without a change: independent, in build order, directories together."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

KINDS = ("iid", "bursty", "directories")
LEAST_EVENTS, LEAST_FILES = 600, 50  # of a source
COLUMNS = ["sub_origin", "source_file", "error_code", "diagnostic"]

Build = list[str]


class Source(NamedTuple):
    """Builds of one origin, each with the error codes of its diagnostics, grouped by directory."""

    name: str
    directories: list[list[Build]]

    @property
    def builds(self) -> list[Build]:
        """Return all builds."""
        return [build for directory in self.directories for build in directory]


class Scenario(NamedTuple):
    """A change: ``kind`` is mix, switch, new or vanish; ``amount`` a share, or the rank of the code that vanishes."""

    name: str
    kind: str
    before: Source
    after: Source | None
    amount: float


def read(paths: Iterable[Path], part: int = 0, parts: int = 1) -> list[Source]:
    """Return the sources of Parquet files of the corpus schema: each sub_origin with enough builds.

    Of ``parts`` parts, by a hash of the file's name, the ``part``-th. Raises ``ValueError`` for columns missing.
    """
    import pyarrow.parquet as pq

    found: dict[str, dict[str, dict[str, Build]]] = {}
    for path in paths:
        missing = set(COLUMNS[:3]) - set(pq.read_schema(path).names)
        if missing:
            raise ValueError(
                f"{path}: no column {', '.join(sorted(missing))}; a corpus Parquet of diagnostics is needed"
            )
        rows = pq.read_table(path, columns=COLUMNS[:3]).to_pydict()
        for origin, file, code in zip(*(rows[name] for name in COLUMNS[:3]), strict=True):
            if parts > 1 and sha256(file.encode()).digest()[0] % parts != part:
                continue
            directory = file.rpartition("/")[0]
            found.setdefault(origin or path.stem, {}).setdefault(directory, {}).setdefault(file, []).append(code or "-")
    sources = [Source(name, [[*files.values()] for files in held.values()]) for name, held in sorted(found.items())]
    return [
        one for one in sources
        if sum(map(len, one.builds)) * parts >= LEAST_EVENTS and len(one.builds) * parts >= LEAST_FILES
    ]  # fmt: skip


def flow(source: Source, kind: str, draw: random.Random) -> Iterator[Build]:
    """Yield builds without end: diagnostics one by one, or builds, or the builds of whole directories."""
    if kind == "iid":
        codes = [code for build in source.builds for code in build]
        while True:
            yield [codes[int(draw.random() * len(codes))]]
    if kind == "bursty":
        builds = source.builds
        while True:
            yield builds[int(draw.random() * len(builds))]
    while True:
        for directory in draw.sample(source.directories, len(source.directories)):
            yield from directory


def changed(scenario: Scenario, kind: str, draw: random.Random) -> Iterator[Build]:
    """Yield the builds after the change; ``amount`` is a share of events."""
    builds = flow(scenario.before, kind, draw)
    if scenario.after is not None:
        share = scenario.amount
        other = flow(scenario.after, kind, draw)
        if kind != "iid":
            sizes = [fmean(map(len, one.builds)) for one in (scenario.before, scenario.after)]
            share = share / sizes[1] / (share / sizes[1] + (1.0 - share) / sizes[0])
        while True:
            yield next(other if draw.random() < share else builds)
    if scenario.kind == "vanish":
        codes = Counter(code for build in scenario.before.builds for code in build)
        gone = codes.most_common(int(scenario.amount) + 1)[-1][0]
        for build in builds:
            if left := [code for code in build if code != gone]:
                yield left
    for build in builds:  # one diagnostic in 1 / amount has the new code
        yield ["new" if draw.random() < scenario.amount else code for code in build]


def scenarios(sources: list[Source]) -> list[Scenario]:
    """Return mixtures of every two neighbours in size at three shares, switches, new codes and codes that vanish."""
    ordered = sorted(sources, key=lambda one: -len(one.builds))
    found = []
    pairs = [(one, other) for one, other in zip(ordered, ordered[1:] + ordered[:1], strict=True) if one is not other]
    pairs = pairs[:4]
    for one, other in pairs:
        label = f"{one.name} → {other.name}"
        found += [Scenario(f"{share:.0%} of {label}", "mix", one, other, share) for share in (0.2, 0.35, 0.6)]
        found.append(Scenario(f"switch {label}", "switch", one, other, 1.0))
    for one in ordered[:3]:
        found += [Scenario(f"new code {share:.0%} in {one.name}", "new", one, None, share) for share in (0.01, 0.05)]
    for one, rank in zip(ordered[:2], (0, 2), strict=False):
        found.append(Scenario(f"code {rank + 1} vanishes from {one.name}", "vanish", one, None, float(rank)))
    return found
