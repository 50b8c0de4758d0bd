"""``import-corpus``: published corpora of Python and Rust pairs, checked row by row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.console import AsJson, as_user_error, err, out, print_json, safe

REJECTED = 1
SHOWN = 20  # refused rows that are named; the others are counted


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("import-corpus")(import_corpus)


def import_corpus(
    file: Annotated[Path, typer.Argument(help="Parquet as paiml/depyler-citl has it.", metavar="F.parquet")],
    output: Annotated[Path | None, typer.Option(help="Write what is sound here.", metavar="G.parquet")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a published corpus of Python and Rust pairs; rows that are not what they claim are refused, and told why.

    What is written can be transpiled anew: `jidoka transpile G.parquet`. JSON lines of CITL are read by `import-oip`.
    Exit status: 0 all rows are sound, 1 some were refused, 2 no such corpus.
    """
    from producers.legacy import LegacyError, read_pairs, write_pairs

    refused: Counter[str] = Counter()

    def refuse(number: int, why: str) -> None:
        if refused.total() < SHOWN and not as_json:
            err.print(f"row {number}: {safe(why)}", soft_wrap=True)
        refused[why.partition(":")[0].partition(" says")[0]] += 1

    with as_user_error(LegacyError, OSError):
        pairs = read_pairs(file, refuse)
        count = write_pairs(output, pairs) if output is not None else sum(1 for _ in pairs)
    if as_json:
        print_json({"rows": count, "refused": refused.total(), "why": dict(refused.most_common()), "output": output})
    else:
        where = f" → {safe(output)}" if output else ""
        out.print(f"{count} sound rows, {refused.total()} refused{where}", soft_wrap=True)
        for why, times in refused.most_common():
            out.print(f"  {times:6}  {safe(why)}", soft_wrap=True)
    if refused:
        raise typer.Exit(REJECTED)
