"""``priorities``: which category of defects to mend first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.console import AsJson, UserError, as_user_error, out, print_json

if TYPE_CHECKING:
    from models.commits.priorities import Priority


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(priorities)


def priorities(
    file: Annotated[
        Path | None, typer.Argument(help="Diagnostics or commits with their categories.", metavar="F.parquet")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Published counts instead of a file: depyler-published, ruchy-words, …")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="A profile that the trend is measured against, instead of the file's older half.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rank categories of defects by share x severity x trend x ease of repair.

    The trend is the share in the newer half of the file over that in the older, where it tells the time.
    """
    from models.commits import priorities as matrix
    from models.commits import profiles
    from producers.commits.counts import CountsError, count_categories

    if (file is None) == (profile is None):
        raise UserError(f"give a file, or --profile with one of {', '.join(profiles.PROFILES)}")
    with as_user_error(profiles.ProfileError, CountsError):
        against = profiles.profile(baseline) if baseline else None
        if file:
            counts, older, newer = count_categories(file)
        else:
            counts, older, newer = dict(profiles.profile(profile or "").counts), {}, {}
    trend = matrix.against(against, counts) if against else matrix.trends(older, newer)
    rows = matrix.priorities(counts, trend)
    divergence = against.divergence(counts) if against else None
    if as_json:
        print_json({"priorities": [row._asdict() for row in rows], "baseline": baseline, "divergence_nats": divergence})
        return
    _show(rows)
    if divergence is not None:
        out.print(f"divergence from {baseline}: {divergence:.3f} nats")


def _show(rows: list[Priority]) -> None:
    from rich.table import Table

    shown = Table()
    for name in ("", "category", "score", "count", "share", "severity", "trend", "ease"):
        shown.add_column(name, justify="left" if name in {"", "category"} else "right")
    for row in rows:
        numbers = (f"{row.share:.1%}", f"{row.severity:g}", f"{row.trend:.2f}", f"{row.ease:g}")
        shown.add_row(row.level, row.category, f"{row.score:.3f}", f"{row.seen:,}", *numbers)
    out.print(shown)
