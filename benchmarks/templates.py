"""Message templates side by side with drain3: ``python -m benchmarks.templates --corpus a.parquet b.parquet``.

Every contender gets the same messages in the same drawn order, twice: masked as the line masks them, or as the compiler
wrote them. Purity is the share of messages whose template has mostly their error code, which no contender sees. A
message is new when its template was never seen before; told for the second half, when what is common has been seen.
drain3 is not among the pins: ``pip install drain3==0.9.11`` puts it beside them, without it the others run.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any

from benchmarks import inputs, stage
from models.masking import mask
from models.novelty import Templates

MOMENT = "2026-01-01T00:00:00Z"
MISSING = "drain3 is not installed, so it is left out: pip install drain3==0.9.11"

Assign = Callable[[str], Hashable]  # a message to its template's id


@dataclass(frozen=True)
class Result:
    """What a contender made of the messages; times in microseconds of processor a message."""

    contender: str
    templates: int
    met_once: int  # templates with a single message
    purity: float
    v_measure: float  # Rosenberg and Hirschberg 2007: harmonic mean of homogeneity and completeness by error code
    new_later: float  # share of messages of the second half that are new
    first_us: float
    again_us: float


def exact() -> Assign:
    """Return the trivial contender: equal texts are equal templates."""
    return str


def ours() -> Assign:
    """Return the line's templates."""
    templates = Templates()
    return lambda message: templates.observe(message, MOMENT).template_id


def drain3(depth: int = 4, similarity: float = 0.4) -> Callable[[], Assign]:
    """Return a maker of drain3 miners, by default with its own settings; raises ``ImportError`` without drain3."""
    from drain3.drain import Drain  # type: ignore[import-not-found]

    def made() -> Assign:
        miner = Drain(depth=depth, sim_th=similarity)
        return lambda message: int(miner.add_log_message(message)[0].cluster_id)

    return made


def contenders() -> dict[str, tuple[bool, Callable[[], Assign]]]:
    """Return contenders by name: whether they get masked messages, and what makes a fresh one."""
    found: dict[str, tuple[bool, Callable[[], Assign]]] = {
        "jidoka, masked": (True, ours),
        "exact text, masked": (True, exact),
        "exact text, raw": (False, exact),
    }
    try:
        found["drain3, masked"] = (True, drain3())
        found["drain3, masked, three words and 0.75"] = (True, drain3(6, 0.75))
        found["drain3, raw"] = (False, drain3())
    except ImportError:
        stage.tell(MISSING)
    return found


def measure(name: str, assign: Assign, messages: Sequence[str], codes: Sequence[str | None]) -> Result:
    """Return what a contender makes of the messages; codes are asked about afterwards."""
    started = time.process_time()
    found = [assign(message) for message in messages]
    first = time.process_time() - started
    started = time.process_time()
    for message in messages:
        assign(message)
    again = time.process_time() - started
    counts = Counter(found)
    known = [(one, code) for one, code in zip(found, codes, strict=True) if code is not None]
    return Result(
        contender=name,
        templates=len(counts),
        met_once=sum(count == 1 for count in counts.values()),
        purity=purity(known),
        v_measure=v_measure(known),
        new_later=new_later(found),
        first_us=1e6 * first / len(messages),
        again_us=1e6 * again / len(messages),
    )


def purity(pairs: Sequence[tuple[Hashable, str]]) -> float:
    """Return the share of (template, code) pairs whose code is the most frequent one of their template."""
    codes: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
    for template, code in pairs:
        codes[template][code] += 1
    return sum(max(counts.values()) for counts in codes.values()) / max(len(pairs), 1)


def v_measure(pairs: Sequence[tuple[Hashable, str]]) -> float:
    """Return the harmonic mean of how far templates tell codes and codes tell templates, 0 to 1."""
    both = _entropy(pairs)
    templates, codes = (_entropy([pair[side] for pair in pairs]) for side in (0, 1))
    shared = templates + codes - both
    return 2 * shared / (templates + codes) if templates + codes else 1.0


def _entropy(values: Iterable[Hashable]) -> float:
    counts = Counter(values)
    return -sum(count / counts.total() * log(count / counts.total()) for count in counts.values())


def new_later(found: Sequence[Hashable]) -> float:
    """Return the share of the second half whose template did not come before."""
    half = len(found) // 2
    seen, new = set(found[:half]), 0
    for one in found[half:]:
        new += one not in seen
        seen.add(one)
    return new / max(len(found) - half, 1)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all contenders on the corpus."""
    diagnostics = [one for build in inputs.corpus(arguments.corpus) for one in build["diagnostics"]]
    raw, codes = [one["message"] for one in diagnostics], [one.get("code") for one in diagnostics]
    masked = [mask(message) for message in raw]
    makers = contenders().items()
    found = [measure(name, make(), masked if wants else raw, codes) for name, (wants, make) in makers]
    return {"messages": len(raw), "codes": len(set(codes) - {None}), "results": [asdict(one) for one in found]}


def report(figures: dict[str, Any]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        f"{figures['messages']:,} messages, {figures['codes']} error codes",
        "",
        "| contender | templates | met once | purity | V | new in the second half | µs first | µs again |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures["results"]:
        shares = " | ".join([f"{one['purity']:.4f}", f"{one['v_measure']:.3f}", f"{one['new_later']:.2%}"])
        times = f"{one['first_us']:.1f} | {one['again_us']:.1f}"
        lines.append(f"| {one['contender']} | {one['templates']:,} | {one['met_once']:,} | {shares} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    stage.main(stage.parser("templates", __doc__).parse_args(), run, report)
