"""Distinct failures found by which program is tried next: ``python -m benchmarks.prioritiser --outcomes FILE``.

First real outcomes are recorded (``--record N``): N generated programs of every strategy and level, in turn, through
depyler, rustc and the oracle. Then policies choose from that pool, ``--seeds`` times in an order of their own, without
seeing an outcome before they have chosen its program. A failure is distinct by its stage, kind and masked message; of
an answer that differs, by the call of the standard library that the program is about, too.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import orjson

from benchmarks import stage
from models.programs.constructs import of_text
from models.search.prioritiser import Prioritiser, marks_of

Outcome = dict[str, Any]
Policy = Callable[[Sequence[Outcome], Random], Iterator[Outcome]]
LEVELS = ("basic", "intermediate", "advanced", "expert")
ARMS = [(strategy, level) for strategy in ("random", "boundary", "swarm", "stdlib") for level in LEVELS]
DEPTH, CASES = 2, 24
BY_DESIGN = "verify overflow"  # depyler's int is an i32: one way to fail, which half of all programs do
OFFERED = 128  # programs that a policy chooses from at a time
BUDGETS = (50, 100, 200, 400)


def record(count: int, seed: int, path: Path) -> None:
    """Append the outcomes of ``count`` programs, those of the arms in turn, to ``path``; goes on where it was."""
    from producers.generate.request import Request
    from producers.generate.sampling import candidate
    from producers.generate.stdlib.schedule import Stdlib
    from producers.transpile.transpiler import transpiler

    tool, library = transpiler("depyler"), Stdlib(seed)
    done = len(read(path)) if path.exists() else 0
    with path.open("ab") as file:
        for index in range(done, count):
            strategy, level = ARMS[index % len(ARMS)]
            if strategy == "stdlib":
                made = library.candidate(level, index)  # type: ignore[arg-type]
            else:
                made = candidate(Request(strategy, count, DEPTH, seed, level), index)  # type: ignore[arg-type]
            outcome = outcome_of(made.program.source, tool) | {"strategy": made.strategy, "level": level}
            file.write(orjson.dumps(outcome) + b"\n")
            file.flush()


def outcome_of(source: str, tool: Any) -> Outcome:
    """Return what became of a program: its distinct failures, and what it cost."""
    from producers.minimise.failure import failures

    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = failures(source, tool)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    about = next((word for word in of_text(source) if word.startswith("import ")), "")
    clusters = {f"{one.stage} {one.kind} {one.template} {about if one.stage == 'verify' else ''}" for one in found}
    return {
        "source": source,
        "clusters": sorted(clusters),
        "stages": sorted({one.stage for one in found}),
        "kinds": sorted({one.kind for one in found}),
        "cpu_s": spent,
        "wall_s": time.monotonic() - begin,
    }


def read(path: Path) -> list[Outcome]:
    """Return recorded outcomes."""
    found = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return [one | {"clusters": [name for name in one["clusters"] if not name.startswith(BY_DESIGN)]} for one in found]


def round_robin(pool: Sequence[Outcome], rng: Random) -> Iterator[Outcome]:
    """Take from strategies and levels in turn."""
    arms: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for one in _shuffled(pool, rng):
        arms[one["strategy"].partition(":")[0], one["level"]].append(one)
    while arms:
        for arm in list(arms):
            yield arms[arm].pop()
            if not arms[arm]:
                del arms[arm]


def coverage(pool: Sequence[Outcome], rng: Random) -> Iterator[Outcome]:
    """Take what has most pairs of constructs that no program taken before had."""
    seen: set[tuple[str, str]] = set()

    def fresh(one: Outcome) -> int:
        return len(set(combinations(one["constructs"], 2)) - seen)

    for offered in _offers(pool, rng):
        chosen = max(offered, key=fresh)
        offered.remove(chosen)
        seen.update(combinations(chosen["constructs"], 2))
        yield chosen


def thompson(pool: Sequence[Outcome], rng: Random) -> Iterator[Outcome]:
    """Take what the posteriors of a new failure, by what is known of a program, say."""
    bandit, known = Prioritiser(), set[str]()
    for offered in _offers(pool, rng):
        chosen = offered.pop(bandit.choose([one["marks"] for one in offered], rng))
        yield chosen
        bandit.learn(chosen["marks"], new=not known.issuperset(chosen["clusters"]))
        known.update(chosen["clusters"])


def chance(pool: Sequence[Outcome], rng: Random) -> Iterator[Outcome]:
    """Take any."""
    yield from _shuffled(pool, rng)


POLICIES: dict[str, Policy] = {
    "chance": chance,
    "round-robin": round_robin,
    "coverage": coverage,
    "thompson": thompson,
}


def _shuffled(pool: Sequence[Outcome], rng: Random) -> list[Outcome]:
    return rng.sample(list(pool), len(pool))


def _offers(pool: Sequence[Outcome], rng: Random) -> Iterator[list[Outcome]]:
    """Yield the list of programs to choose one from, which whoever chose has taken out, until there are none."""
    waiting = _shuffled(pool, rng)
    offered: list[Outcome] = []
    while waiting or offered:
        while waiting and len(offered) < OFFERED:
            offered.append(waiting.pop())
        yield offered


def found_by(policy: Policy, pool: Sequence[Outcome], seed: int) -> list[int]:
    """Return how many distinct failures were known after each program."""
    known: set[str] = set()
    counts = []
    for one in policy(pool, Random(seed)):  # noqa: S311 - an order, nothing secret
        known.update(one["clusters"])
        counts.append(len(known))
    return counts


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Record what is missing, then let each policy choose."""
    if arguments.record:
        record(arguments.record, arguments.seed, arguments.outcomes)
    if not arguments.outcomes.exists():
        raise stage.BenchmarkError(f"{arguments.outcomes}: no outcomes there; record some with --record 1000")
    pool = [
        one | {"constructs": of_text(one["source"]), "marks": marks_of(one["source"], one["strategy"], one["level"])}
        for one in read(arguments.outcomes)
    ]
    budgets = [budget for budget in BUDGETS if budget < len(pool)]
    policies = {}
    for name, policy in POLICIES.items():
        stage.tell(name)
        curves = [found_by(policy, pool, seed) for seed in range(arguments.seeds)]
        policies[name] = {budget: mean(curve[budget - 1] for curve in curves) for budget in budgets}
    return {"pool": summary(pool), "policies": policies, "seeds": arguments.seeds}


def summary(pool: Sequence[Outcome]) -> dict[str, Any]:
    """Return what is in the pool: programs, failures, what they cost."""
    failing = [one for one in pool if one["clusters"]]
    stages = Counter(name for one in pool for name in one["stages"])
    cpu_s = sum(one["cpu_s"] for one in pool)
    return {
        "programs": len(pool),
        "failing": len(failing),
        "stages": dict(stages),
        "distinct": len({name for one in pool for name in one["clusters"]}),
        "cpu_s": cpu_s,
        "failing_per_cpu_hour": 3600 * len(failing) / cpu_s if cpu_s else 0.0,
    }


def report(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    pool = figures["pool"]
    lines = [
        f"{pool['programs']} programs, {pool['failing']} fail in {pool['distinct']} distinct ways; "
        f"{pool['failing_per_cpu_hour']:.0f} failing programs an hour of one core",
        f"distinct failures after so many programs, mean of {figures['seeds']} orders",
        "             " + "".join(f"{budget:>8}" for budget in next(iter(figures["policies"].values()))),
    ]
    for name, found in figures["policies"].items():
        lines.append(f"{name:<13}" + "".join(f"{count:8.1f}" for count in found.values()))
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = stage.parser("prioritiser", __doc__)
    parser.add_argument("--outcomes", type=Path, required=True, metavar="FILE", help="recorded outcomes (JSON lines)")
    parser.add_argument("--record", type=int, default=0, metavar="N", help="first record up to N programs there")
    parser.add_argument("--seed", type=int, default=42, help="of the programs")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="orders of the pool")
    return parser.parse_args()


if __name__ == "__main__":
    stage.main(_arguments(), run, report)
