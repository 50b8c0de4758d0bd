"""The examples of ``train`` and ``distill``: corpora and archives read once, described once, kept for the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import UserError, as_user_error, err, load_settings, safe

if TYPE_CHECKING:
    from models.batch.dataset import Dataset
    from models.evaluation.splits import Entry
    from models.records import CompilerErrors

EXTRA = "pip install 'jidoka[torch]'"
NEEDED = ("torch", "safetensors", "onnx", "sklearn")
KEPT = 6  # stored datasets; the oldest go
Said = dict[tuple[str, int], str]

Corpus = Annotated[
    list[Path],
    typer.Option("--corpus", help="Recorded failures, or an archive's folder; may be repeated.", metavar="C"),
]
Task = Annotated[str | None, typer.Option(help="category (message and code, the default), or source (code alone).")]
Labels = Annotated[str | None, typer.Option(help="main: the seven main categories (default); all: the taxonomy.")]
Split = Annotated[str | None, typer.Option(help="Whole groups are kept out: file (default), directory or time.")]


def needs_torch(command: str) -> None:
    """Raise ``UserError`` that names the extra when torch, or what comes with it, is not installed."""
    from importlib.util import find_spec

    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UserError(safe(f"{command} needs the extra: {EXTRA} (not installed: {', '.join(missing)})"))


def check_choices(task: str, labels: str, split: str) -> None:
    """Raise ``UserError`` for a value that is not one of those allowed."""
    from models.describe import DESCRIPTIONS

    for name, value, allowed in (
        ("task", task, tuple(DESCRIPTIONS)),
        ("labels", labels, ("main", "all")),
        ("split", split, ("file", "directory", "time")),
    ):
        if value not in allowed:
            raise UserError(f"--{name} {safe(value)}: allowed are {', '.join(allowed)}")


def read_dataset(corpus: Sequence[Path], task: str, labels: str, limit: int | None = None) -> Dataset:
    """Return the examples of all files together, from the cache where nothing has changed since."""
    from models.batch.stored import load_dataset, save_dataset
    from models.card import ModelFileError

    if missing := [path for path in corpus if not path.exists()]:
        raise UserError(f"--corpus {safe(missing[0])}: there is no such file or folder")
    kept = load_settings().data_dir / "cache" / "examples" / f"{_key(corpus, task, labels, limit)}.safetensors"
    if kept.exists():
        try:
            return load_dataset(kept)[0]
        except ModelFileError as error:
            err.print(f"[yellow]read anew:[/yellow] {safe(error)}", soft_wrap=True)
    found = _described(corpus, task, labels, limit)
    with as_user_error(OSError):
        save_dataset(kept, found)
        for old in sorted(kept.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    return found


def _described(corpus: Sequence[Path], task: str, labels: str, limit: int | None) -> Dataset:
    from rich.progress import Progress

    from models.batch.dataset import DatasetError, collect
    from producers.ci import InputError

    with err.status("reading"), as_user_error(InputError):
        entries, said = read_entries(corpus)
    entries = entries[:limit]
    with Progress(console=err, transient=True) as bar, as_user_error(DatasetError):
        shown = bar.add_task("describing", total=len(entries))
        return collect(entries, task, labels, lambda n: bar.advance(shown, n), said)


def read_entries(corpus: Sequence[Path]) -> tuple[list[Entry[CompilerErrors]], Said]:
    """Return all failed builds, and what people said of them where an input is an archive."""
    from producers.archive import is_archive, read_archive, read_examples

    entries: list[Entry[CompilerErrors]] = []
    said: Said = {}
    for source, path in enumerate(corpus):
        if is_archive(path):
            entries += read_archive(path, source)
            people = (one for one in read_examples(path) if one.labelled_by == "person" and one.label)
            said |= {(one.failure_id, one.index): str(one.label) for one in people}
        else:
            entries += _failures(path, source)
    return entries, said


def _failures(path: Path, source: int) -> Iterator[Entry[CompilerErrors]]:
    from producers.ci import Report
    from producers.corpus import read_failures

    report = Report()
    yield from read_failures(path, source, datetime.now(UTC), report)
    for line, reason in report.rejected:
        err.print(f"[yellow]{safe(path)} line {line}:[/yellow] {safe(reason)}", soft_wrap=True)


def _key(corpus: Sequence[Path], task: str, labels: str, limit: int | None) -> str:
    """Return a name for these examples: it changes with any file's size or time, and with how they are described."""
    from models import describe

    files: list[Any] = [task, labels, limit, describe.VERSION]
    for path in corpus:
        inside = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        files += [(str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns) for one in inside]
    return hashlib.sha256(repr(files).encode()).hexdigest()[:32]
