"""``verify``: whether the Rust does what the Python did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe
from streams.cli.transpile import Parallel, Programs, ToolName

if TYPE_CHECKING:
    from producers.transpile.inputs import Source
    from producers.transpile.transpiler import Transpiler
    from producers.verify.verdict import Verdict

DIFFERENT = 1  # exit status where a program does something else

RustFile = Annotated[Path | None, typer.Option("--rust", help="Its Rust; default: the transpiler's.", metavar="F.rs")]
CargoFile = Annotated[Path | None, typer.Option("--cargo-toml", help="Says which crates --rust uses.", metavar="F")]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(verify)


def verify(
    programs: Programs,
    rust: RustFile = None,
    cargo_toml: CargoFile = None,
    tool: ToolName = "depyler",
    oracle: Annotated[str, typer.Option(help="io: by running both; io+ast: and a second opinion on the text.")] = "io",
    timeout_ms: Annotated[int, typer.Option(min=100, max=600_000, help="For each side of a program.")] = 5_000,
    cases: Annotated[int, typer.Option(min=1, max=10_000, help="Inputs for each function.")] = 48,
    seed: Annotated[int, typer.Option(help="Of the random inputs.")] = 0,
    parallel: Parallel = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    as_json: AsJson = False,
) -> None:
    """Run Python programs and their Rust on the same inputs and say where they do not do the same.

    Exit status: 0 nothing differs, 1 something does, 2 not possible as asked. --json prints a document a program.
    """
    from producers.transpile.inputs import InputsError, open_inputs
    from producers.transpile.tools import ToolError, find_rustc
    from producers.transpile.transpiler import transpiler
    from producers.verify.oracle import ORACLES

    if oracle not in ORACLES:
        raise UserError(f"--oracle {safe(oracle)}: allowed are {', '.join(ORACLES)}")
    options = {"oracle": oracle, "timeout_ms": timeout_ms, "cases": cases, "seed": seed}
    with as_user_error(ToolError, InputsError):
        find_rustc()
        inputs = open_inputs(programs)
        if rust is not None:
            work = _with_rust(_text(rust, "--rust"), _text(cargo_toml, "--cargo-toml") if cargo_toml else "", options)
            if inputs.count != 1:
                raise UserError(
                    f"--rust: {safe(programs)} holds {inputs.count} programs; give the one it was made from"
                )
        else:
            work = _with_tool(transpiler(tool), options)
        answers = _run(inputs, work, parallel, limit, as_json)
    for name, reason in inputs.refused:
        err.print(f"passed over {safe(name)}: {safe(reason)}", soft_wrap=True)
    if any(answers[answer] for answer in ("different", "rust_panics", "python_raises", "timeout")):
        raise typer.Exit(DIFFERENT)


def _run(
    inputs: Any, work: Callable[[Source], tuple[str, Verdict]], jobs: int, limit: int | None, as_json: bool
) -> Counter[str]:
    from itertools import islice

    from rich.progress import track

    from producers.transpile.pipeline import in_parallel

    begin, answers = time.monotonic(), Counter[str]()
    total = min(inputs.count, limit or inputs.count)
    running = in_parallel(work, islice(inputs, limit), jobs)
    shown = track(running, "verifying", total=total, console=err, disable=not err.is_terminal or total == 1)
    for name, verdict in shown:
        answers[verdict.answer] += 1
        if as_json:
            print_json({"program_id": name} | verdict.document())
        elif total == 1 or verdict.answer not in ("equivalent", "not_comparable"):
            _print(name, verdict)
    if total != 1 and not as_json:
        parts = ", ".join(f"{count} {answer.replace('_', ' ')}" for answer, count in answers.most_common())
        out.print(f"{answers.total()} programs: {parts}; {time.monotonic() - begin:.1f} s")
    return answers


def _with_tool(tool: Transpiler, options: dict[str, Any]) -> Callable[[Source], tuple[str, Verdict]]:
    from producers.transpile.pipeline import results_cache, transpiled
    from producers.verify.oracle import verify as ask
    from producers.verify.verdict import not_comparable

    cache = results_cache()

    def work(source: Source) -> tuple[str, Verdict]:
        made = transpiled(source.text, tool, cache=cache)
        if made.rust is None:
            return source.name, not_comparable(f"not transpiled: {made.message}")
        return source.name, ask(source.text, made.rust, cargo_toml=made.cargo_toml, **options)

    return work


def _with_rust(rust: str, cargo_toml: str, options: dict[str, Any]) -> Callable[[Source], tuple[str, Verdict]]:
    from producers.verify.oracle import verify as ask

    return lambda source: (source.name, ask(source.text, rust, cargo_toml=cargo_toml, **options))


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{option} {safe(path)}: cannot be read: {safe(error)}") from None


def _print(name: str, verdict: Verdict) -> None:
    out.print(f"{safe(name)}: [bold]{verdict.answer.replace('_', ' ')}[/bold]: {safe(verdict.why)}", soft_wrap=True)
    for one in verdict.functions:
        what = one.why or f"{one.compared} of {one.cases} inputs compared"
        out.print(f"  {safe(one.name)}  {one.answer.replace('_', ' ')}  {safe(what)}", soft_wrap=True)
    for opinion in verdict.opinions:
        missing = f"; not found: {', '.join(opinion.missing)}" if opinion.missing else ""
        out.print(f"  {safe(opinion.function)}  alike {opinion.likeness:.2f}{safe(missing)}", soft_wrap=True)
