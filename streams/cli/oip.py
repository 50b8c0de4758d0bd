"""``export-oip`` and ``import-oip``: corpora for the organizational-intelligence-plugin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from models.records import CompilerErrors, Prediction

FAILED = 1
MAX_WEIGHT = 4.99
SHOWN = 5  # refusals that are printed
NO_LOGS = (".py", ".rs", ".toml")  # beside compiler output, but none

Output = Annotated[Path, typer.Option("--output", help="The corpus to write.")]
Form = Annotated[str, typer.Option("--format", help="parquet or jsonl.")]
Profile = Annotated[
    str, typer.Option("--target", help="specified (the documented schema) or oip-1 (what its importer takes today).")
]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("export-oip")(export_oip)
    app.command("import-oip")(import_oip)


def export_oip(
    input_dir: Annotated[Path, typer.Option("--input-dir", help="Compiler output, of any format that push reads.")],
    output: Output,
    form: Form = "parquet",
    target: Profile = "specified",
    min_confidence: Annotated[float, typer.Option(min=0.0, max=1.0, help="Leave out what is less sure.")] = 0.8,
    include_clippy: Annotated[bool, typer.Option("--include-clippy", help="Take clippy's lints, too.")] = False,
    reweight: Annotated[float, typer.Option(min=1.0, max=MAX_WEIGHT, help="Largest weight of a category.")] = 1.5,
    depyler_version: Annotated[str, typer.Option(help="Of the transpiler that wrote the code.")] = "unknown",
    as_json: AsJson = False,
) -> None:
    """Classify the failures in a directory and write them as a corpus for OIP.

    Exit status 0: written. 1: nothing was sure enough, or some lines could not be read. 2: not possible as asked.
    """
    from producers.ci import Report
    from producers.oip import FORMATS, Exported, OipError, Target, export, write_rows

    _check("format", form, FORMATS)
    _check("target", target, tuple(Target))
    files = _files(input_dir, output)
    report, read = Exported(), Report()
    with as_user_error(OSError, OipError), err.status("classifying") as status:
        rows = export(
            _classified(files, read, status, clippy=include_clippy),
            report,
            min_confidence=min_confidence,
            include_clippy=include_clippy,
            reweight=reweight,
            depyler_version=depyler_version,
            root=input_dir.resolve(),
        )
        written = write_rows(output, rows, Target(target), form)
    said = {"output": str(output), "rows": written, "categories": dict(report.categories.most_common())}
    said |= {"left_out": dict(report.left_out), "rejected_lines": read.rejections, "target": target, "format": form}
    print_json(said) if as_json else _tell(said)
    if not written or read.rejections:
        raise typer.Exit(FAILED)


def import_oip(
    file: Annotated[Path, typer.Argument(help="A corpus of either profile, or depyler's CITL export.")],
    output: Output,
    form: Form = "parquet",
    target: Profile = "specified",
    as_json: AsJson = False,
) -> None:
    """Read a corpus, check every row, and write it in the profile asked for; older schemas are brought up to date.

    Exit status 0: all rows taken. 1: some were refused, with their numbers and reasons. 2: the file is no corpus.
    """
    from producers.oip import FORMATS, OipError, Target, read_rows, write_rows

    _check("format", form, FORMATS)
    _check("target", target, tuple(Target))
    refused: list[tuple[int, str]] = []
    count = 0

    def refuse(number: int, why: str) -> None:
        nonlocal count
        count += 1
        if len(refused) < SHOWN:
            refused.append((number, why))

    with as_user_error(OSError, OipError), err.status("reading"):
        written = write_rows(output, read_rows(file, refuse), Target(target), form)
    for number, why in refused:
        err.print(f"[yellow]row {number}:[/yellow] {safe(why)}", soft_wrap=True)
    said = {"output": str(output), "rows": written, "refused": count, "target": target, "format": form}
    print_json(said) if as_json else out.print(f"{written:,} rows in {safe(output)}, {count:,} refused")
    if count:
        raise typer.Exit(FAILED)


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"--{name} {safe(value)}: allowed are {', '.join(allowed)}")


def _files(folder: Path, output: Path) -> list[Path]:
    """Return the files below a folder, links and the output left out, in the order of their names."""
    if not folder.is_dir():
        raise UserError(f"--input-dir {safe(folder)}: no directory")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    found = [path for path in found if path.resolve() != output.resolve() and path.suffix not in NO_LOGS]
    if not found:
        raise UserError(f"--input-dir {safe(folder)}: no files of compiler output in it")
    return found


def _classified(
    files: list[Path], report: Any, status: Any, *, clippy: bool
) -> Iterator[tuple[CompilerErrors, Prediction]]:
    from models.snapshots.snapshot import mark_saved
    from models.step import step
    from models.warm_start import warm_state
    from producers.ci import InputError, open_input, read

    state, now, seen = warm_state(), datetime.now(UTC), set[str]()
    for file in files:
        try:
            with open_input(file) as source:
                for record in read(source, name=str(file), project="export", time=now, warnings=clippy, report=report):
                    if record.id in seen:  # the same build's output in two forms
                        continue
                    seen.add(record.id)
                    yield record, step(state, record, record.time)[0]
                    mark_saved(state)  # no checkpoint follows
                    status.update(f"{len(seen):,} failures classified")
        except InputError as error:
            err.print(f"[yellow]left out:[/yellow] {safe(error)}", soft_wrap=True)


def _tell(said: dict[str, Any]) -> None:
    out.print(f"{said['rows']:,} rows in {safe(said['output'])}", soft_wrap=True)
    for name, count in said["categories"].items():
        out.print(f"  {name:24} {count:8,}")
    for reason, count in said["left_out"].items():
        out.print(f"left out: {count:,} {reason}")
