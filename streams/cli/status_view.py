"""How the state of a line is shown to people: processes, counts, and what each partition's model has learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from streams.cli.console import out, safe

if TYPE_CHECKING:
    from rich.table import Table

SCORES = ("acc.", "last 500", "F1")
BASELINES = ("majority", "last", "lookup")
COUNTS = {
    "lag": "lag",
    "predictions": "predictions",
    "dead_letters": "dead letters",
    "unmatched_feedback": "feedback on unknown failures",
    "expired_feedback": "too late",
}
SHOWN = 3  # weights; `--json` has them all
RAISED = 1.05  # what is shown as 1.0 is not raised


def show_status(found: dict[str, Any]) -> None:
    """Print what ``jidoka status --json`` has, in short."""
    silent = f"  [red]does not answer: {', '.join(found['silent_brokers'])}[/red]" if found["silent_brokers"] else ""
    out.print(f"broker  kafka://{found['broker']}{silent}\nweb     {found['web'] or 'not up'}", soft_wrap=True)
    for worker in found["workers"]:
        state = "[green]ready[/green]" if worker["ready"] else "[red]not ready[/red]"
        state = f"[red]{safe(worker['problem'])}[/red]" if worker["problem"] else state
        out.print(f"worker  {worker['pid']}  {state}  partitions {worker['partitions']}  {worker['url']}")
    shown = [f"{text} {'?' if found[name] is None else found[name]}" for name, text in COUNTS.items()]
    out.print("  ".join(shown))
    at_work = [one for one in found["models"] if one["scored"] or one["failures"]]
    if at_work:
        out.print(_scores(at_work))
        out.print(_learned(at_work))
    for one in at_work:
        out.print(f"weights of partition {one['partition']}: {_raised(one['current_weights'])}", soft_wrap=True)
        if one.get("label_functions"):
            text = _functions(one["label_functions"], one["label_coverage"])
            out.print(
                f"labelling functions of partition {one['partition']}, accuracy (coverage): {text}", soft_wrap=True
            )
    for one in found["models"]:
        _print_challenges(one)


def _scores(partitions: Iterable[dict[str, Any]]) -> Table:
    table = _table("part", "model", "builds", *SCORES, *BASELINES)
    for one in partitions:
        scores = [one["accuracy"], one["rolling_accuracy"], one["macro_f1"], *one["baselines"].values()]
        shown = [f"{score:.3f}" if one["scored"] else "-" for score in scores]
        table.add_row(str(one["partition"]), safe(one["model_version"]), str(one["failures"]), *shown)
    return table


def _learned(partitions: Iterable[dict[str, Any]]) -> Table:
    table = _table("part", "threshold", "temp.", "kinds", "new, last 500")
    for one in partitions:
        numbers = [f"{one['threshold']:.2f}", f"{one['temperature']:.2f}", str(one["templates"]["held"])]
        table.add_row(str(one["partition"]), *numbers, f"{one['templates']['new_share']:.1%}")
    return table


def _raised(weights: dict[str, float]) -> str:
    """Return the categories that count more than others now, the heaviest first."""
    raised = sorted((one for one in weights.items() if one[1] >= RAISED), key=lambda one: (-one[1], one[0]))
    if not raised:
        return f"none raised, of {len(weights)} seen"
    text = ", ".join(f"{safe(category)} {weight:.1f}" for category, weight in raised[:SHOWN])
    more = f", {len(raised) - SHOWN} more above 1" if len(raised) > SHOWN else ""
    return f"{text}{more}, of {len(weights)} seen"


def _functions(accuracies: dict[str, dict[str, float]], coverage: dict[str, float]) -> str:
    """Return the most and the least trusted labelling functions by their mean accuracy, with their coverage."""
    means = {name: sum(by_category.values()) / len(by_category) for name, by_category in accuracies.items()}
    shares = {name: f" ({coverage[name]:.1%})" for name in means if name in coverage}
    in_order = sorted(means, key=lambda name: (-means[name], name))
    ranked = [f"{safe(name)} {means[name]:.2f}{shares.get(name, '')}" for name in in_order]
    if len(ranked) <= 2 * SHOWN:
        return ", ".join(ranked)
    return f"{', '.join(ranked[:SHOWN])}, … {', '.join(ranked[-SHOWN:])}, of {len(ranked)} judged"


def _print_challenges(one: dict[str, Any]) -> None:
    """Print a running challenge; when none runs, how the last one ended."""
    challenge, ended = one["challenge"], one["outcomes"][-1:]
    place = f"challenger of partition {one['partition']}: "
    if challenge:
        evidence = "beyond measure" if challenge["evidence"] is None else f"{challenge['evidence']:.3g}"
        votes = f"{challenge['wins']} votes for it, {challenge['losses']} against in {challenge['builds']} builds"
        text = f"{place}{safe(challenge['name'])}, {votes}; evidence {evidence} of {challenge['needed']:.0f}"
        out.print(text, soft_wrap=True)
    for last in ended if not challenge else []:
        votes = f"{last['wins']} votes for it, {last['losses']} against in {last['builds']} builds"
        text = f"{place}none; the last, {safe(last['name'])}, ended with {safe(last['verdict'])}: {votes}"
        out.print(text, soft_wrap=True)


def _table(*heads: str) -> Table:
    from rich.table import Table

    return Table(*heads, box=None, padding=(0, 1, 0, 0), header_style="dim")
