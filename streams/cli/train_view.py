"""What a training looks like on a terminal: a live view while it runs, tables when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.batch.callbacks import Callback, EpochReport
from streams.cli.console import err, out

if TYPE_CHECKING:
    from models.batch.readiness import Check
    from models.batch.trainer import Trainer

SHOWN_EPOCHS = 8


class Monitor(Callback):
    """A live view of steps and epochs; on no terminal, a line an epoch. Use it as a context manager."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=err)
        self._epochs, self._steps = self._bar.add_task("epochs", total=None), self._bar.add_task("steps", total=None)
        self._reports: list[EpochReport] = []
        self._live = Live(console=err, transient=True, refresh_per_second=4, get_renderable=self._shown)

    def __enter__(self) -> Monitor:
        """Show the view."""
        if err.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the view away."""
        self._live.stop()

    def on_start(self, trainer: Trainer) -> None:
        """Learn how many epochs there may be."""
        self._bar.update(self._epochs, total=trainer.config.epochs, completed=len(trainer.history.reports))

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """Move the bar."""
        self._bar.update(self._steps, total=steps, completed=step, description=f"loss {loss:.3f}")

    def on_epoch_end(self, report: EpochReport) -> bool:
        """Add the epoch to the table."""
        self._reports.append(report)
        self._bar.update(self._epochs, completed=report.epoch)
        if not err.is_terminal:
            err.print(
                f"epoch {report.epoch}/{report.epochs} tier {report.tier}/{report.tiers} loss {report.loss:.4f} "
                f"accuracy {report.accuracy:.4f} macro F1 {report.macro_f1:.4f}{' best' if report.best else ''}"
            )
        return False

    def _shown(self) -> Group:
        return Group(epochs_table(self._reports[-SHOWN_EPOCHS:]), self._bar)


def epochs_table(reports: Sequence[EpochReport]) -> Table:
    """Return the epochs as a table; the best one so far is marked."""
    table = Table(box=None, title_justify="left")
    for name in ("epoch", "tier", "examples", "loss", "accuracy", "macro F1", "experts' shares"):
        table.add_column(name, justify="right")
    for one in reports:
        shares = " ".join(f"{share:.2f}" for share in one.expert_share)
        numbers = (f"{one.loss:.4f}", f"{one.accuracy:.4f}", f"{one.macro_f1:.4f}{'*' if one.best else ' '}")
        table.add_row(str(one.epoch), f"{one.tier}/{one.tiers}", f"{one.examples:,}", *numbers, shares)
    return table


def print_checks(checks: Sequence[Check]) -> None:
    """Print what was found about a corpus; what is amiss in colour, with what to do."""
    table = Table(box=None)
    for name in ("check", "found", "wanted", ""):
        table.add_column(name)
    for one in checks:
        said = "[green]ok[/green]" if one.passed else f"[{'red' if one.fatal else 'yellow'}]{one.advice}[/]"
        table.add_row(one.name, one.found, one.wanted, said)
    err.print(table)


def print_rows(rows: Mapping[str, Mapping[str, Any]], title: str = "") -> None:
    """Print a table of scores: one row per model, a column for each key of any of them."""
    names = list(dict.fromkeys(key for row in rows.values() for key in row))
    table = Table(box=None, title=title or None, title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for name, row in rows.items():
        table.add_row(name, *(_shown(row.get(key)) for key in names))
    out.print(table)


def print_specialisation(labels: Sequence[str], shares: Sequence[Sequence[float]]) -> None:
    """Print what share of each label's examples goes to each expert."""
    table = Table(box=None, title="which expert is given what, share of a label's examples", title_justify="left")
    table.add_column("label")
    for expert in range(len(shares[0]) if shares else 0):
        table.add_column(str(expert), justify="right")
    for label, row in zip(labels, shares, strict=True):
        most = max(row)
        table.add_row(label, *(f"[bold]{one:.2f}[/bold]" if one == most else f"{one:.2f}" for one in row))
    out.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
