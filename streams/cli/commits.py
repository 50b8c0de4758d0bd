"""``commits``: what a git history says of defects, and how well a model foretells which change will need a fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe

if TYPE_CHECKING:
    from producers.commits.report import Progress

app = typer.Typer(no_args_is_help=True, help="Which commits will need a fix, and what fixes were about.")
SHOWN_CATEGORIES = 8


@app.command()
def analyze(
    repo: Annotated[Path, typer.Argument(help="A git repository.", metavar="REPO")],
    output: Annotated[Path | None, typer.Option(help="Write features and labels here.", metavar="F.parquet")] = None,
    max_commits: Annotated[int, typer.Option(min=1, max=1_000_000, help="Only the newest N.", metavar="N")] = 20_000,
    max_fixes: Annotated[int, typer.Option(min=0, help="Blame only the newest N fixes.", metavar="N")] = 1_000,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Risky from this probability on.")] = 0.5,
    as_json: AsJson = False,
) -> None:
    """Read a git history: what fixes were about, which commits they blame, and which of the newest are risky."""
    from producers.commits.files import write_commits
    from producers.commits.history import HistoryError
    from producers.commits.report import analyse

    _writable(output)
    with as_user_error(HistoryError, OSError):
        with _progress() as told:
            found = analyse(repo, max_commits, max_fixes, threshold, told)
        if output:
            write_commits(found.commits, output)
    document = found.document | {"output": str(output) if output else None}
    if as_json:
        print_json(document)
    else:
        _show(document)


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Commits with labels.", metavar="F.parquet")],
    test: Annotated[
        Path | None, typer.Option(help="Later commits: train on all of FILE, score these.", metavar="F.parquet")
    ] = None,
    delay_days: Annotated[float, typer.Option(min=0.0, max=3650.0, help="That a label takes to come.")] = 30.0,
    share: Annotated[float, typer.Option(min=0.1, max=0.9, help="Of each project that is trained on.")] = 0.6,
    as_json: AsJson = False,
) -> None:
    """Score the commit model: on later commits, as a stream whose labels come late, and on projects it never saw.

    Commits that touch source code (``source``) are scored apart; each score stands beside baselines.
    """
    from models.commits.evaluation import across_projects, bayes, later, out_of_time, prequential, ridge
    from producers.commits.files import CommitsError, read_labelled

    fits = {"model": bayes, "logistic_regression": ridge}
    with as_user_error(CommitsError):
        history = read_labelled(file)
        found = later(history, read_labelled(test), fits) if test else out_of_time(history, fits, share)
    document: dict[str, Any] = {
        "out_of_time": found,
        "prequential": prequential(history, delay_days),
        "across_projects": across_projects(history, fits),
    }
    if as_json:
        print_json(document)
    else:
        _show_scores(document)


def _writable(output: Path | None) -> None:
    if output and (output.is_dir() or not output.parent.is_dir()):
        raise UserError(f"--output {safe(output)}: name a file in a folder that there is")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    if not err.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    ) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, whole: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=whole)
            bar.update(tasks[what], completed=done)

        yield told


def _show(document: dict[str, Any]) -> None:
    out.print(
        f"{document['commits']:,} commits, {document['touching_source']:,} to source code, "
        f"{document['fixes']:,} fixes; {document['bug_inducing']:,} needed one later "
        f"({document['fixes_blamed']:,} fixes blamed, {document['fixes_skipped']:,} skipped)",
        soft_wrap=True,
    )
    shown = list(document["fix_categories"].items())[:SHOWN_CATEGORIES]
    out.print("fixes: " + ", ".join(f"{safe(name)} {count:,}" for name, count in shown), soft_wrap=True)
    if document["scores"]:
        _show_parts("later commits", document["scores"]["out_of_time"])
        _show_parts("labels late", document["scores"]["prequential"])
    for one in document["newest"]:
        because = ", ".join(f"{part['feature']} {part['log_odds']:+.2f}" for part in one["because"])
        mark = "[red]risky[/red]" if one["risky"] else "     "
        out.print(f"{one['sha'][:10]} {one['risk']:.2f} {mark} {safe(one['subject'])}", soft_wrap=True)
        out.print(f"           {because}", soft_wrap=True)


def _show_scores(document: dict[str, Any]) -> None:
    _show_parts("later commits", document["out_of_time"])
    _show_parts("labels late", document["prequential"])
    means = document["across_projects"]["mean_auc_roc_source"]
    said = ", ".join(f"{name} {value:.3f}" for name, value in means.items() if value is not None)
    out.print(f"other projects: mean AUC-ROC on source: {said or 'needs two projects or more'}", soft_wrap=True)


def _show_parts(title: str, parts: dict[str, Any]) -> None:
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for name in ("part", "scorer", "commits", "positive", "AUC-ROC", "AUC-PR", "F1"):
        shown.add_column(name, justify="left" if name in {"part", "scorer"} else "right")
    for part in ("source", "all"):
        for name, score in parts[part].items():
            numbers = [score[key] for key in ("share_positive", "auc_roc", "auc_pr", "f1")]
            cells = ["-" if value is None else f"{value:.3f}" for value in numbers]
            shown.add_row(part, name, f"{score['commits']:,}", *cells)
    out.print(shown)
