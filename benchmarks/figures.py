"""Figures from measurements, and how they are printed: rates, percentiles, ratios of medians, the machine."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, NamedTuple

WARM_UP = 0.2  # of a run over which memory is watched
PACKAGES = ("faust-streaming", "aiokafka", "quixstreams", "confluent-kafka", "river", "numpy", "pydantic", "orjson")


@dataclass(frozen=True)
class Rate:
    """What a contender did between its first and its last visible answers; the first ones are not counted."""

    contender: str
    builds: int
    diagnostics: int
    seconds: float
    cpu_s: float  # that its process took meanwhile; the broker's is not in it

    @property
    def diagnostics_per_cpu_s(self) -> float:
        """Return how much a second of processor time did: other load on the machine hardly changes it."""
        return self.diagnostics / max(self.cpu_s, 0.01)

    @property
    def diagnostics_per_s(self) -> float:
        """Return the throughput in diagnostics."""
        return self.diagnostics / self.seconds

    @property
    def builds_per_s(self) -> float:
        """Return the throughput in builds."""
        return self.builds / self.seconds


class Seen(NamedTuple):
    """A moment (seconds) at which answers were seen, how many there were by then, and the processor time (seconds)."""

    at: float
    builds: int
    diagnostics: int
    cpu_s: float = 0.0


def rate(contender: str, seen: Sequence[Seen]) -> Rate:
    """Return the rate from the first to the last moment; what was there at the first is not counted.

    Raises ``ValueError`` when there were answers at fewer than two moments: nothing can be timed then.
    """
    if len(seen) < 2:
        raise ValueError(f"{contender} answered everything at once: give it more input")
    first, last = seen[0], seen[-1]
    return Rate(
        contender,
        last.builds - first.builds,
        last.diagnostics - first.diagnostics,
        last.at - first.at,
        last.cpu_s - first.cpu_s,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of the values do not exceed.

    Raises ``ValueError`` when there are none.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 1_000_000) // 1_000_000)  # rounded up, without floating point's surprises
    return ordered[max(0, rank - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return min, median and max."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def delays(sent: Mapping[str, float], arrived: Mapping[str, float], end: float) -> list[float]:
    """Return how long each build that was sent waited for its answer (all in seconds).

    One that had none when the waiting ended is counted as answered then: leaving it out would make a line look faster
    the further it is behind.
    """
    return [arrived.get(build, end) - at for build, at in sent.items()]


class Size(NamedTuple):
    """How many diagnostics had been answered, and what was resident then, in bytes."""

    diagnostics: int
    resident: int


def growth(samples: Sequence[Size], total: int) -> dict[str, float]:
    """Return the medians (bytes) after the warm-up and at the end, and the growth between them as a share.

    Raises ``ValueError`` when one of the two fifths has no sample.
    """
    early = [size for count, size in samples if WARM_UP <= count / total < 2 * WARM_UP]
    late = [size for count, size in samples if count / total >= 1 - WARM_UP]
    if not early or not late:
        raise ValueError("too short for a growth: more --diagnostics are needed")
    first, last = statistics.median(early), statistics.median(late)
    peak = max(size for _, size in samples)
    return {"after_warm_up": first, "at_end": last, "growth": last / first - 1, "peak": peak}


MEASURES = ("diagnostics_per_s", "builds_per_s", "diagnostics_per_cpu_s")


def compare(rates: Iterable[Rate], reference: str) -> dict[str, dict[str, Any]]:
    """Return, by contender, its spread over the repeats and the ratios of its medians to those of ``reference``."""
    by_contender: dict[str, list[Rate]] = {}
    for one in rates:
        by_contender.setdefault(one.contender, []).append(one)
    spreads = {
        name: {measure: spread([getattr(one, measure) for one in found]) for measure in MEASURES}
        for name, found in by_contender.items()
    }
    base = spreads[reference]
    return {
        name: {
            **found,
            "ratio": found["diagnostics_per_s"]["median"] / base["diagnostics_per_s"]["median"],
            "cpu_ratio": found["diagnostics_per_cpu_s"]["median"] / base["diagnostics_per_cpu_s"]["median"],
            "runs": [asdict(one) for one in by_contender[name]],
        }
        for name, found in spreads.items()
    }


def ratio(compared: Mapping[str, Mapping[str, Any]], one: str, other: str, measure: str = "ratio") -> float | None:
    """Return the ratio of two contenders' medians; ``None`` when one of them did not run."""
    if one not in compared or other not in compared:
        return None
    return float(compared[one][measure] / compared[other][measure])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return lines of text with the first column to the left and the others to the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processors, versions, and how busy the machine was before."""
    return {
        "cpus": os.cpu_count(),
        "load_before": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def describe(found: Mapping[str, Any], partitions: int) -> str:
    """Return one line on where figures are from."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{found['cpus']} CPUs, load before {found['load_before']}, Python {found['python']}, {versions}; "
        f"{partitions} partitions"
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
