"""``fix``: repairs that compile, and what they do beside the Python they came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from producers.fix.inputs import Input
    from producers.fix.repair import Repaired

NOT_ALL = 1  # exit status where something does not compile afterwards
FORMATS = ("text", "diff", "sarif", "cargo")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(fix)


def fix(
    path: Annotated[Path, typer.Argument(help="A Rust file, or a folder of them.", metavar="FILE|PROJECT_DIR")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the repaired files; the old ones stay as .orig.")
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option("--python", help="The Python it came from; default: the .py beside it.", metavar="SOURCE"),
    ] = None,
    output: Annotated[
        str, typer.Option("--format", help="text, diff, sarif or cargo (cargo's JSON messages).")
    ] = "text",
    budget_s: Annotated[float, typer.Option(min=1, max=600, help="Seconds for each file.")] = 15.5,
    as_json: AsJson = False,
) -> None:
    """Repair Rust that does not compile; every fix was compiled, and compared with the Python where there is one.

    Exit status: 0 all compiles, 1 something does not, 2 not possible as asked. --json prints a document a file.
    """
    from rich.progress import track

    from producers.fix.compiler import BrokenError
    from producers.fix.inputs import InputError, read_inputs
    from producers.transpile.tools import ToolError

    if output not in FORMATS:
        raise UserError(f"--format {safe(output)}: allowed are {', '.join(FORMATS)}")
    with as_user_error(ToolError, InputError, BrokenError):
        inputs = read_inputs(path, python)
        shown = track(inputs, "repairing", console=err, disable=not err.is_terminal or len(inputs) == 1)
        results = [_repaired(one, budget_s, write=apply, as_json=as_json) for one in shown]
    if not as_json:
        _show(results, output, applied=apply)
    if not all(one.compiles for one in results):
        raise typer.Exit(NOT_ALL)


def _repaired(one: Input, budget_s: float, *, write: bool, as_json: bool) -> Repaired:
    from producers.fix.output import write_repaired
    from producers.fix.repair import document, repair

    done = repair(one.name, one.text, one.python, one.cargo_toml, budget_s=budget_s)
    if write and done.text != one.text:
        try:
            write_repaired(one.path, done)
        except (OSError, ValueError) as error:
            raise UserError(f"{safe(one.path)}: not written: {safe(error)}") from None
    if as_json:
        print_json(document(done))
    return done


def _show(results: list[Repaired], output: str, *, applied: bool) -> None:
    from producers.fix.output import cargo_messages, sarif, unified_diff

    if output == "sarif":
        print_json(sarif(results))
    elif output == "cargo":
        for done in results:
            for message in cargo_messages(done):
                print_json(message)
    else:
        for done in results:
            if output == "text":
                _print(done, applied=applied)
            if output == "diff" or not applied:
                out.print(unified_diff(done), markup=False, end="", soft_wrap=True)


def _print(done: Repaired, *, applied: bool) -> None:
    state = "compiles" if done.compiles else f"{done.errors_after} of {done.errors_before} errors left"
    said = {"equal": "does what the Python does", "different": "does something else than the Python"}
    what = said.get(done.behaviour, "not compared") if done.compiles else ""
    why = f" ({done.why})" if done.compiles and done.why else ""
    out.print(f"{safe(done.file)}: [bold]{state}[/bold]{f'; {what}{safe(why)}' if what else ''}", soft_wrap=True)
    for one in done.applied:
        line = one.before.count("\n", 0, one.candidate.edits[0].start) + 1
        out.print(f"  line {line}  {one.candidate.pattern}  {safe(one.candidate.why)}", soft_wrap=True)
    if done.text != done.before and not applied:
        out.print("  --apply writes it")
