"""Repair measured: programs of a Parquet file of pairs, split by directory, with and without the commonest pattern.

    python -m benchmarks.repair pairs.parquet --sample 100 --part holdout --json

Needs rustc and, once, a network for the crates. The columns are those of a corpus of pairs: file, project, pair_origin,
python_code, rust_code, compiles. The split is by a hash of the directory (of the file, in a flat folder), so
that nothing tuned on the development part has seen a sibling of what is scored.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from models.repair.ranking import Rates, shipped_rates
from producers.fix.compiler import BrokenError
from producers.fix.repair import BUDGET_S, Repaired, document, repair

DEV_PERCENT = 60
FLAT = ("examples", "scripts")
COLUMNS = ["project", "file", "pair_origin", "python_code", "rust_code", "compiles"]


def part_of(project: str, file: str) -> str:
    """Return ``dev`` or ``holdout``: a directory is in one of them."""
    folder = file.rpartition("/")[0]
    unit = f"{project}/{file if folder in FLAT else folder}"
    return "dev" if int(hashlib.sha256(f"s1{unit}".encode()).hexdigest(), 16) % 100 < DEV_PERCENT else "holdout"


def failing(path: Path, origin: str, part: str) -> list[dict[str, Any]]:
    """Return the programs that do not compile, of one origin and part."""
    rows = pq.read_table(path, columns=COLUMNS).to_pylist()
    mine = [row for row in rows if row["pair_origin"] == origin and not row["compiles"]]
    return [row for row in mine if part in ("all", part_of(row["project"], row["file"]))]


def figures(results: Sequence[Repaired], cpu_s: Sequence[float]) -> dict[str, Any]:
    """Return the scores of a run; a share is of all programs, those that are not testable too."""
    count = max(1, len(results))
    patterns = Counter(one.candidate.pattern for done in results if done.compiles for one in done.applied)
    commonest = patterns.most_common(1)[0][0] if patterns else ""
    before, after = (
        sum(each) for each in ([one.errors_before for one in results], [one.errors_after for one in results])
    )
    without = [
        one for one in results if one.compiles and commonest not in {each.candidate.pattern for each in one.applied}
    ]
    fixed = [one for one in results if one.compiles]
    firsts = [each.first for done in fixed for each in done.applied]
    return {
        "programs": len(results),
        "compile": len(fixed) / count,
        "compile_without_commonest": len(without) / count,
        "commonest": commonest,
        "equal": sum(one.compiles and one.behaviour == "equal" for one in results) / count,
        "different": sum(one.compiles and one.behaviour == "different" for one in results) / count,
        "untestable": sum(one.compiles and one.behaviour == "untestable" for one in results) / count,
        "errors_removed": 1 - after / max(1, before),
        "first_is_verified": sum(firsts) / max(1, len(firsts)),
        "seconds_median": statistics.median([one.seconds for one in results] or [0.0]),
        "seconds_max": max([one.seconds for one in results], default=0.0),
        "cpu_seconds_median": statistics.median(cpu_s or [0.0]),
        "overhead": _overhead(results),
        "patterns": dict(patterns.most_common()),
    }


def _overhead(results: Sequence[Repaired]) -> float:
    """Return what is spent beside rustc and the oracle, as a share of rustc's time."""
    rustc = sum(one.rustc_s for one in results)
    return sum(one.seconds - one.rustc_s - one.oracle_s for one in results) / max(rustc, 1e-9)


def _cpu_s() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    """Run the benchmark as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=("dev", "holdout", "all"), default="holdout")
    parser.add_argument("--origin", default="depyler-4.1.1")
    parser.add_argument("--budget-s", type=float, default=BUDGET_S)
    parser.add_argument("--learn", type=Path, metavar="TSV", help="write the success rates here, from nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = failing(options.pairs, options.origin, options.part)
    random.Random(options.seed).shuffle(rows)  # noqa: S311 - a sample
    rates = Rates() if options.learn else shipped_rates()
    results, cpu_s = [], []
    for row in rows[: options.sample]:
        begin = _cpu_s()
        try:
            done = repair(row["file"], row["rust_code"], row["python_code"], rates=rates, budget_s=options.budget_s)
        except BrokenError as error:
            print(f"{row['file']}: {error}", flush=True)
            continue
        results.append(done)
        cpu_s.append(_cpu_s() - begin)
        shown = document(done)
        del shown["fixes"]
        print(
            orjson.dumps(shown | {"patterns": Counter(one.candidate.pattern for one in done.applied)}).decode(),
            flush=True,
        )
    if options.learn:
        options.learn.write_text("\n".join(rates.lines()) + "\n", encoding="utf-8")
    found = figures(results, cpu_s)
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2 * (not options.json)).decode())


if __name__ == "__main__":
    main()
