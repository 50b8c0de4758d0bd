"""How the scores of a replay are shown to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.cli.console import out, safe

SHOWN = {"auc": "AUC-ROC", "auc_pr": "AUC-PR", "log_loss": "log loss", "ece": "ECE"}

WORTH = ("present", "accuracy", "macro_f1")


def print_scores(result: Mapping[str, Any]) -> None:
    """Print the scores beside the baselines, then each category, each fold and each change of file."""
    from models.evaluation.report import described

    out.print(safe(described(result)), soft_wrap=True)
    _print_table(("", "accuracy", "macro F1"), _beside(result))
    others = "  ".join(f"{name} {_number(result[key], 4)}" for key, name in SHOWN.items())
    latency = result["latency"]
    out.print(f"{others}  latency {latency['p50_us']:.0f} µs (p99 {latency['p99_us']:.0f}) per example", soft_wrap=True)
    found = sorted(result["per_category"].items(), key=lambda one: -one[1]["support"])
    keys = ("precision", "recall", "f1", "support", "auc")
    rows = [[safe(name), *(_number(one[key]) for key in keys)] for name, one in found]
    _print_table(("category", "precision", "recall", "F1", "support", "AUC"), rows)
    _print_folds(result)
    worth = [[safe(one["name"]), *(_number(one[key], 4) for key in WORTH)] for one in result.get("importance", ())]
    if worth:
        _print_table(("permuted", "present", "accuracy lost", "macro F1 lost"), worth)
    for one in result["switch"]:
        back = f"back within 2 points after {one['recovered_after']}" if one["recovered_after"] else "not back"
        out.print(f"next file from {one['at']}: {one['before']:.3f} before, {one['after']:.3f} after, {back}")


def _beside(result: Mapping[str, Any]) -> list[list[str]]:
    own = ["model", f"[bold]{result['accuracy']:.4f}[/bold]", f"[bold]{result['macro_f1']:.4f}[/bold]"]
    f1 = result["baselines_macro_f1"]
    return [own, *([name, f"{value:.4f}", f"{f1[name]:.4f}"] for name, value in result["baselines"].items())]


def _print_folds(result: Mapping[str, Any]) -> None:
    keys = ("learned", "n", "accuracy", "macro_f1", "auc", "ece")
    rows = [
        [safe(fold["name"]), *(_number(fold[key]) for key in keys), f"{max(fold['baselines'].values()):.3f}"]
        for fold in result["folds"]
        if fold["frozen"]
    ]
    if rows:
        _print_table(("scored, frozen", "learned", "n", "accuracy", "macro F1", "AUC", "ECE", "best baseline"), rows)


def _print_table(heads: tuple[str, ...], rows: list[list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"
