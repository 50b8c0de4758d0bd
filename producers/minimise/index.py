"""The index of a folder of findings, for people: ``python -m producers.minimise.index docs/findings`` writes it.

``--check`` writes nothing and exits with 1 where it is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from producers.minimise.findings import Finding, read

NAME = "README.md"
SHOWN = 60  # characters of a value
MEANING = {
    "value": "another answer",
    "type": "an answer of another type",
    "stdout": "something else printed",
    "mutation": "arguments left otherwise",
    "panic": "panics where Python answers",
    "error": "an error where Python answers",
    "crash": "crashes where Python answers",
    "no exception": "answers where Python raises",
    "hang": "does not end",
}
INTRODUCTION = """# Findings

{count} distinct defects of {tool}: programs of a few lines whose Rust compiles and does something else
than CPython. Distinct is the cause, as it was read in the Rust; every one was seen by running both sides
([what is compared](../verify.md)), and its folder has the program, the input, both answers, and the commands.

`make findings` runs all of them again and names those that no longer hold; `jidoka findings docs/findings` lists them.
An integer beyond 32 bits is not among them: depyler's `int` is an `i32` by design.

{kinds}

| finding | cause | call | Python | Rust |
| --- | --- | --- | --- | --- |
{rows}
"""


def page(findings: Sequence[Finding]) -> str:
    """Return the index as Markdown; there has to be a finding."""
    counts = Counter(MEANING.get(one.kind, one.kind) for one in findings)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    rows = "\n".join(map(_row, findings))
    tool = f"{findings[0].transpiler.partition(',')[0]} ({findings[0].rustc})"
    return INTRODUCTION.format(count=len(findings), tool=tool, kinds=f"{kinds[:1].upper()}{kinds[1:]}.", rows=rows)


def _row(finding: Finding) -> str:
    cells = [f"[{finding.id}]({finding.id}/{NAME})", finding.cause]
    cells += [_code(text) for text in (finding.call, finding.expected, finding.got)]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown.replace('|', chr(92) + '|')}{fence}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the index of a folder."""
    parser = argparse.ArgumentParser(prog="python -m producers.minimise.index", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when the index is stale")
    options = parser.parse_args(arguments)
    wanted, place = page(read(options.folder)), options.folder / NAME
    if options.check:
        fresh = place.is_file() and place.read_text(encoding="utf-8") == wanted
        sys.stdout.write("" if fresh else f"stale: {place}; run `make docs`\n")
        return 0 if fresh else 1
    place.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
