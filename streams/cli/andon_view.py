"""How andon events are shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.cli.console import out, safe

if TYPE_CHECKING:
    from models.andon.standing import Key, Standing
    from models.records import AndonEvent

TIME = "%Y-%m-%d %H:%M:%S"
STYLES = {"green": "green", "amber": "yellow", "red": "red"}
OF_SEVERITY = {"info": "green", "warning": "yellow", "halt": "red"}
SIGNS = {"raised": "▲", "acknowledged": "●", "resumed": "▽", "cleared": "▽", "recalled": "↶"}


def event_line(event: AndonEvent) -> str:
    """Return one line of rich markup: when, which lamp, what happened, where, and what is recommended."""
    style = OF_SEVERITY[event.severity]
    lamp = f"lamp [{STYLES[event.lamp]}]{event.lamp}[/]" if event.lamp else ""
    parts = [
        f"[dim]{event.time:%H:%M:%S}[/dim]",
        f"[{style}]{SIGNS[event.transition]} {event.transition}[/]",
        f"[dim]partition {event.partition}[/dim]" if event.partition is not None else "",
        safe(event.message),
        f"[bold]{safe(event.recommendation)}[/bold]" if event.recommendation else "",
        f"[dim]“{safe(event.comment)}”[/dim]" if event.comment else "",
        lamp,
    ]
    return " ".join(part for part in parts if part)


def document(standing: Standing, key: Key, event: AndonEvent) -> dict[str, Any]:
    """Return what is lit as JSON-able data: the event that raised it, and who looks after it."""
    looked, recalled = standing.looked_after.get(key), standing.recalled.get(key)
    shown = event.model_dump(mode="json", exclude_none=True, exclude={"schema_version"})
    return shown | {
        "acknowledged": looked
        and {"time": looked.time.isoformat(), "author": looked.author, "comment": looked.comment},
        "recalled": recalled and recalled.time.isoformat(),
    }


def print_lit(standing: Standing, found: dict[Key, AndonEvent]) -> None:
    """Print the line's lamp and a table of what is lit."""
    from rich.table import Table

    colour = standing.colour
    lamps = " ".join(f"{number}:[{STYLES[one]}]{one}[/]" for number, one in sorted(standing.lamps.items()))
    out.print(f"lamp [bold {STYLES[colour]}]{colour}[/]  {lamps}", soft_wrap=True)
    if not found:
        return
    names = ("part", "condition", "since", "project", "watched", "looked after", "what")
    table = Table(*names, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for key, event in found.items():
        looked = standing.looked_after.get(key)
        who = "" if looked is None else safe(looked.author or "somebody")
        what = safe(event.message.partition(": ")[2])
        condition = f"[{OF_SEVERITY[event.severity]}]{safe(event.kind)}[/]"
        part = "" if event.partition is None else str(event.partition)
        since = f"{event.time:{TIME}}"
        table.add_row(part, condition, since, safe(event.scope or "all"), safe(event.signal or ""), who, what)
    out.print(table)


def print_whole(standing: Standing, key: Key, event: AndonEvent) -> None:
    """Print all that is known of one condition."""
    from models.andon.conditions import CONDITIONS

    style, condition = OF_SEVERITY[event.severity], CONDITIONS.get(event.kind)
    where = f"partition {event.partition}" if event.partition is not None else "the line"
    out.print(f"[bold {style}]{safe(event.kind)}[/]  {event.severity}  {where}  since {event.time:{TIME}}")
    rows = [("what", event.message), ("project", event.scope or "all")]
    if event.statistic is not None:
        rows.append(("statistic", f"{event.statistic:.6g} (threshold {event.threshold:.6g})"))
    rows += [(name, f"{value:.6g}") for name, value in event.details.items()]
    rows += [("moved" if not place else "", _moved(one)) for place, one in enumerate(event.categories)]
    rows += [("first", event.first_build or ""), ("examples", " ".join(event.examples))]
    if condition is not None:
        rows += [("means", condition.meaning), ("do", condition.action), ("page", condition.runbook)]
    if (looked := standing.looked_after.get(key)) is not None:
        rows.append(("looked after", f"by {looked.author or 'somebody'} since {looked.time:{TIME}}"))
    if key in standing.recalled:
        rows.append(("recalled", f"the last good model answers since {standing.recalled[key].time:{TIME}}"))
    for name, text in rows:
        if text:
            out.print(f"  [dim]{name:12}[/dim] {safe(text)}", soft_wrap=True)


def _moved(one: Any) -> str:
    shares = f"  {one.before:.1%} → {one.now:.1%} of builds" if one.before is not None and one.now is not None else ""
    return f"{one.category} {one.contribution:+.4g}{shares}"
