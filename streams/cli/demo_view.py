"""What the demo shows while it runs: the last answers, scores beside baselines, weights and drift as they stand."""

from __future__ import annotations

import io
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from models.records import Prediction

SHORT = {"majority": "majority label", "last_label": "last label", "lookup": "lookup by code, which it may see,"}
PICTURE_WIDTH = 116
SHOWN = 8  # last answers


@dataclass
class Progress:
    """What has happened so far; ``state`` is what the worker says of its busiest partition."""

    total: int
    sent: int = 0
    answered: int = 0
    diagnostics: int = 0
    seconds: float = 0.0
    by_category: Counter[str] = field(default_factory=Counter)
    last: deque[Prediction] = field(default_factory=lambda: deque(maxlen=SHOWN))
    state: dict[str, Any] = field(default_factory=dict)

    def add(self, prediction: Prediction) -> None:
        """Take in one answer."""
        self.answered += 1
        self.diagnostics += len(prediction.classifications)
        self.by_category.update(one.subcategory or one.category for one in prediction.classifications)
        self.last.append(prediction)


def view(progress: Progress) -> RenderableType:
    """Return the whole picture."""
    return Group(_throughput(progress), _answers(progress), Columns([_scores(progress), _weights(progress)]))


def _throughput(progress: Progress) -> RenderableType:
    rate = progress.diagnostics / progress.seconds if progress.seconds else 0.0
    text = (
        f"{progress.answered}/{progress.total} failed compilations, {progress.diagnostics} errors, {rate:,.0f} errors/s"
    )
    return Group(Text(text, style="bold"), ProgressBar(total=progress.total, completed=progress.answered))


def _answers(progress: Progress) -> RenderableType:
    table = Table(
        "root error", "category", "sure", "seen", "why", title="last classifications", expand=True, title_justify="left"
    )
    for prediction in progress.last:
        root = prediction.classifications[prediction.root]
        message = Text(f"{root.code or ''} {root.message}", no_wrap=True, overflow="ellipsis")
        why = Text(root.reason, no_wrap=True, overflow="ellipsis", style="dim")
        seen = str(root.novelty.seen or "new") if root.novelty else ""
        table.add_row(message, Text(root.subcategory or root.category), f"{root.confidence:.0%}", seen, why)
    return table


def _scores(progress: Progress) -> RenderableType:
    state = progress.state
    table = Table("prequential accuracy", "", title="model alone, error code hidden", title_justify="left")
    if state.get("scored"):
        table.add_row("[bold]jidoka[/bold]", f"[bold]{state['accuracy']:.3f}[/bold]")
        table.add_row("jidoka, last 500", f"{state['rolling_accuracy']:.3f}")
        table.add_row("majority label", f"{state['baselines']['majority']:.3f}")
        table.add_row("last label", f"{state['baselines']['last_label']:.3f}")
        table.add_row("[dim]lookup by code (sees it)[/dim]", f"[dim]{state['baselines']['lookup']:.3f}[/dim]")
    return table


def _weights(progress: Progress) -> RenderableType:
    state = progress.state
    table = Table("category", "errors", "weight", title="what was seen, and how much it counts", title_justify="left")
    for category, count in progress.by_category.most_common(6):
        table.add_row(category, str(count), f"{state.get('current_weights', {}).get(category, 1.0):.1f}")
    divergence = state.get("divergence")
    drift = "baseline not full yet" if divergence is None else f"KL {divergence:.3f} nats from the baseline"
    return Group(table, Text(f"drift: {drift}", style="dim"))


def summary(progress: Progress) -> RenderableType:
    """Return what is worth remembering, and what to do next."""
    state = progress.state
    baselines = state.get("baselines", {})
    lines = [
        f"{progress.answered} failed compilations with {progress.diagnostics} errors in {progress.seconds:.0f} s",
        f"accuracy [bold]{state.get('accuracy', 0.0):.3f}[/bold] from an empty model, the error code hidden;",
        "baselines: " + ", ".join(f"{SHORT[name]} {score:.3f}" for name, score in baselines.items()),
        "",
        "next:",
        "  echo 'error[E0308]: mismatched types' | .venv/bin/jidoka classify",
        "  .venv/bin/jidoka up",
        "  cargo build --message-format=json | .venv/bin/jidoka push",
    ]
    return Panel("\n".join(lines), title="what happened", title_align="left")


def save_picture(progress: Progress, path: Path) -> None:
    """Save the picture as SVG, as wide as a usual terminal."""
    console = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(view(progress))
    console.print(summary(progress))
    picture = console.export_svg(title="jidoka demo")
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))  # rich names a CDN's font
