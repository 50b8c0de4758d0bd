"""``transpile``: programs through the transpiler and rustc."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from producers.transpile.inputs import Inputs
    from producers.transpile.pipeline import Result
    from producers.transpile.transpiler import Transpiler

SHOWN_MESSAGE = 300  # characters

Programs = Annotated[Path, typer.Argument(help="A .py file, a folder of them, or Parquet with a column source.")]
ToolName = Annotated[str, typer.Option("--transpiler", help="Which one: depyler.")]
Parallel = Annotated[int, typer.Option(min=1, max=256, help="Programs at the same time.", metavar="N")]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(transpile)


def transpile(
    programs: Programs,
    tool: ToolName = "depyler",
    parallel: Parallel = 1,
    output: Annotated[Path | None, typer.Option(help="Write the results here.", metavar="F.parquet")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    as_json: AsJson = False,
) -> None:
    """Transpile Python programs to Rust, compile that, and say what became of each.

    What was done once with the same tools comes from a cache, so an interrupted run goes on where it was.
    """
    from producers.transpile.inputs import InputsError, open_inputs
    from producers.transpile.tools import ToolError, find_rustc
    from producers.transpile.transpiler import transpiler

    if output is not None and not output.parent.is_dir():
        raise UserError(f"--output {safe(output)}: there is no folder {safe(output.parent)}; make it first")
    with as_user_error(ToolError, InputsError):
        chosen = transpiler(tool)
        provenance = {"transpiler": chosen.name, "version": chosen.version, "helpers": chosen.helpers}
        provenance["rustc"] = find_rustc().version
        inputs = open_inputs(programs)
        summary, last = _run(inputs, chosen, parallel, output, limit, provenance)
    if as_json:
        print_json(summary | provenance | ({"program": _brief(last)} if last and programs.is_file() else {}))
    else:
        _print(summary, last if inputs.count == 1 else None)
    if inputs.refused:
        raise typer.Exit(1)


def _run(
    inputs: Inputs, tool: Transpiler, jobs: int, output: Path | None, limit: int | None, provenance: dict[str, str]
) -> tuple[dict[str, Any], Result | None]:
    from itertools import islice

    from rich.progress import track

    from producers.transpile.pipeline import in_parallel, results_cache
    from producers.transpile.pipeline import transpile as through
    from producers.transpile.table import writing

    begin, cache = time.monotonic(), results_cache()
    counts, result = _Counts(), None
    running = in_parallel(lambda one: through(one.text, tool, name=one.name, cache=cache), islice(inputs, limit), jobs)
    total = min(inputs.count, limit or inputs.count)
    with ExitStack() as stack:
        writer = stack.enter_context(writing(output, provenance | {"input": inputs.path.name})) if output else None
        for result in track(running, f"{tool.name}, rustc", total=total, console=err, disable=not err.is_terminal):
            counts.add(result)
            if writer:
                writer.add(result)
    for name, reason in inputs.refused:
        err.print(f"passed over {safe(name)}: {safe(reason)}", soft_wrap=True)
    return counts.document() | {
        "refused": len(inputs.refused),
        "seconds": round(time.monotonic() - begin, 3),
        "output": str(output) if output else None,
    }, result


class _Counts:
    """What became of the programs, and which categories their errors reached."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.categories: set[str] = set()
        self.cached = 0

    def add(self, result: Result) -> None:
        """Take in one program's result."""
        from models.taxonomy import rule_for

        self.outcomes[result.outcome] += 1
        self.cached += result.cached
        self.codes.update(one.code or "none" for one in result.diagnostics)
        rules = (rule_for(one.code, one.message) for one in result.diagnostics)
        self.categories.update(rule.label for rule in rules if rule)

    def document(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        from producers.programs_statistics import category_coverage

        programs = self.outcomes.total()
        return {
            "programs": programs,
            "outcomes": dict(self.outcomes.most_common()),
            "accepted": self.outcomes["compiled"] / max(1, programs),
            "codes": dict(self.codes.most_common(10)),
            "coverage": category_coverage(self.categories),
            "cached": self.cached,
        }


def _brief(result: Result) -> dict[str, Any]:
    return {
        "program_id": result.program_id,
        "outcome": result.outcome,
        "message": result.message,
        "rust": result.rust,
        "diagnostics": [one.model_dump(mode="json", exclude_none=True) for one in result.diagnostics],
    }


def _print(summary: dict[str, Any], only: Result | None) -> None:
    if only is not None:
        if only.message:
            out.print(safe(only.message[:SHOWN_MESSAGE]), soft_wrap=True)
        for one in only.diagnostics:
            place = f"{one.primary.file}:{one.primary.line_start}" if one.primary else ""
            out.print(f"{place} {safe(f'[{one.code}] ' if one.code else '')}{safe(one.message)}", soft_wrap=True)
    parts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in summary["outcomes"].items())
    where = f" → {safe(summary['output'])}" if summary["output"] else ""
    out.print(
        f"{summary['programs']} programs: {parts or 'none'}; {summary['cached']} from the cache; "
        f"{summary['seconds']:.1f} s{where}",
        soft_wrap=True,
    )
    reached = summary["coverage"]
    if summary["programs"] > 1:
        out.print(
            f"accepted {summary['accepted']:.0%}; categories of errors reached: {reached['main']} of "
            f"{reached['of_main']} main ones, {reached['all']} of {reached['of_all']}",
            soft_wrap=True,
        )
