"""How models and checkpoints are shown to people."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from streams.cli.console import out, safe

if TYPE_CHECKING:
    from streams.cards import Card

SHORT = 12  # characters of a hash
TIME = "%Y-%m-%d %H:%M:%S"
ENDED = {"promote": "promoted", "retire": "retired"}  # the others say it themselves: replaced, given up


def document(card: Card) -> dict[str, Any]:
    """Return a card as JSON-able data."""
    from dataclasses import asdict

    return asdict(card)


def print_checkpoints(found: list[Card], each_delta: bool) -> None:
    """Print a table of checkpoints, by partition and sequence; deltas in a row share a line, but for damaged ones."""
    from rich.table import Table

    names = ("part", "sequence", "kind", "time", "model", "examples", "acc.", "kB", "sha256", "jidoka/river", "offsets")
    table = Table(*names, box=None, padding=(0, 1, 0, 0), header_style="dim")
    for (partition, apart), run in groupby(found, lambda card: (card.partition, _apart(card, each_delta))):
        shown = list(run)
        for row in [_row(card) for card in shown] if apart else [_run(partition, shown)]:
            table.add_row(*row)
    if table.row_count:
        out.print(table)


def _apart(card: Card, each_delta: bool) -> bool:
    return each_delta or card.kind == "base" or card.problem is not None


def _run(partition: int, run: list[Card]) -> list[str]:
    first, last = run[0], run[-1]
    kind, number = f"{len(run)} deltas", f"{first.sequence}-{last.sequence}"
    shown = [str(partition), number, kind, f"{last.time:{TIME}}", "", "", "", _kb(sum(card.size for card in run))]
    return [*shown, "", "", _offsets(last)]


def _row(card: Card) -> list[str]:
    model = card.model or {}
    said = f"[red]{safe(card.problem)}[/red]" if card.problem else safe(model.get("version", ""))
    score = f"{model['accuracy']:.3f}" if model.get("scored") else ""
    version = safe(f"{card.code_version}/{card.river_version}")
    shown = [str(card.partition), str(card.sequence), card.kind, f"{card.time:{TIME}}", said]
    return [*shown, str(model.get("examples", "")), score, _kb(card.size), card.sha256[:SHORT], version, _offsets(card)]


def _offsets(card: Card) -> str:
    from streams.topics import PREFIX, SUFFIX

    return safe(" ".join(f"{k.removeprefix(PREFIX).removesuffix(SUFFIX)} {v}" for k, v in card.offsets.items()))


def _kb(size: int) -> str:
    return f"{size / 1000:.1f}"


def said(model: dict[str, Any]) -> str:
    """Return in words which model it is and how good it was."""
    score = f", accuracy {model['accuracy']:.3f} of {model['scored']} at that time" if model.get("scored") else ""
    return f"model {safe(model.get('version', '?'))}, {model.get('examples', 0)} examples{score}"


def print_card(card: Card) -> None:
    """Print all that is known of one checkpoint."""
    kind = f"{card.kind} {card.sequence} of partition {card.partition}"
    out.print(f"[bold]{kind}[/bold]  {card.time:{TIME}}  {_kb(card.size)} kB  {_offsets(card)}")
    state = f"[red]not usable: {safe(card.problem)}[/red]" if card.problem else "[green]verified[/green]"
    out.print(f"sha256    {safe(card.sha256)}  {state}", soft_wrap=True)
    out.print(f"versions  jidoka {safe(card.code_version)}, river {safe(card.river_version)}")
    model = card.model
    if model is None:
        return
    out.print(f"model     {said(model)}; {model['failures']} failures answered", soft_wrap=True)
    out.print(f"labels    {safe(', '.join(model['labels'])) or 'none yet'}", soft_wrap=True)
    if model["scored"]:
        rivals = "  ".join(f"{name} {score:.3f}" for name, score in model["baselines"].items())
        scores = f"accuracy {model['accuracy']:.3f}  last 500 {model['rolling_accuracy']:.3f}"
        out.print(f"scores    {scores}  macro F1 {model['macro_f1']:.3f}  beside  {rivals}", soft_wrap=True)
    print_contest("contest ", model)


def print_contest(where: str, found: dict[str, Any]) -> None:
    """Print who challenges the model of ``found`` and how that stands, and how the last challengers ended."""
    challenge, outcomes = found["challenge"], found["outcomes"]
    if challenge is not None:
        out.print(f"{where}  challenger {safe(challenge['name'])}: {_how_it_stands(challenge)}", soft_wrap=True)
    for place, what in (("student", "answers with student"), ("trial", "student on trial")):
        if (served := found[place]) is not None:
            out.print(f"{where}  {what} {safe(served['name'])}: {_how_it_stands(served)}", soft_wrap=True)
    if outcomes:
        out.print(f"{where}  challengers before: {', '.join(map(_ended, reversed(outcomes)))}", soft_wrap=True)


def _how_it_stands(challenge: dict[str, Any]) -> str:
    counts, evidence = challenge["counts"], challenge["evidence"]
    shown = "beyond any number" if evidence is None else f"{evidence:.2f}"
    labels = "rules and people" if challenge["rules"] else "people alone"
    return (
        f"{challenge['builds']} builds scored by labels of {labels} (verdict from {challenge['minimum']} on), "
        f"votes {challenge['wins']} for, {challenge['losses']} against, evidence {shown} of {challenge['needed']:g}; "
        f"both right {counts['both_right']}, only it {counts['only_challenger']}, "
        f"only the model {counts['only_champion']}, neither {counts['both_wrong']}"
    )


def _ended(outcome: dict[str, Any]) -> str:
    how = ENDED.get(outcome["verdict"], safe(outcome["verdict"]))
    return f"{safe(outcome['name'])} {how} after {outcome['builds']} builds, {outcome['wins']}:{outcome['losses']}"


def print_published(published: list[dict[str, Any]]) -> None:
    """Print a line for each published model."""
    for model in published:
        scores = "  ".join(f"{safe(name)} {score:.3f}" for name, score in model["scores"].items())
        state = f"[red]not usable: {safe(model['problem'])}[/red]" if model["problem"] else f"{_kb(model['size'])} kB"
        name = f"{safe(model['name'])} ({model['kind']})"
        out.print(f"published {name}  {model['time']}  {model['sha256'][:SHORT]}  {state}  {scores}")
