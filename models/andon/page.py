"""The page that shows the conditions to people, rendered from the table: ``python -m models.andon.page``.

The command writes ``docs/operations/andon.md`` (or the file it is given); a test fails while the page is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from models.andon.conditions import CONDITIONS, PAGE, Condition

_PAGE = """\
# Andon

Every partition has a lamp. **Green**: nothing is lit. **Amber**: a warning; the line goes on and learns on. **Red**: a
halt; the line goes on answering, with the model as it was, and **learns nothing** until a person resumes (*halt means
halt*). What people say (`jidoka label`) counts at once all the same. Every transition is a record on `andon-events`, in
one transaction with the predictions; the lamp is part of the partition's checkpoint, so a restart changes nothing.

| command | does |
| --- | --- |
| `jidoka andon list` | what is lit, since when, by what; exit status 1 when something is |
| `jidoka andon show [CONDITION]` | all that is known of it: what moved, first affected build, examples, what to do |
| `jidoka andon acknowledge [CONDITION]` | somebody looks after it; the lamp stays as it is |
| `jidoka andon resume [CONDITION]` | it is over: the lamp goes out, the line learns again |
| `jidoka andon resume --rebaseline` | the same, and what comes from now on is normal |
| `jidoka tail andon` | every transition as it comes |

`--partition N` and `--project P` narrow all of them. A command is a record that the partition's worker reads in order:
it is obeyed once, also when workers die meanwhile.

{table}

*By itself*: the lamp goes out when the readings have been back below the lower level for as many readings in a row as
raised it. Everything else stays until a person resumes. A drift detector that alarmed is silent until `--rebaseline`.
"""


def render() -> str:
    """Return the page: same table, same text."""
    head = "| condition | lamp | raised | goes out | recommendation |\n| --- | --- | --- | --- | --- |\n"
    table = head + "\n".join(_row(one) for one in CONDITIONS.values())
    return _PAGE.format(table=table) + "".join(_section(one) for one in CONDITIONS.values())


def _row(one: Condition) -> str:
    lamp = "red" if one.severity == "halt" else "amber"
    return f"| [{one.name}](#{one.name.lower()}) | {lamp} | {_raised(one)} | {_out(one)} | {one.recommendation} |"


def _raised(one: Condition) -> str:
    if one.alert is not None:
        return f"alert {one.alert}"
    if one.raise_at is None:
        return "by a sequential test" if one.name in {"ModelDegradation", "ConceptDrift"} else "at once"
    level = f"{'below' if one.falling else 'above'} {one.raise_at:,g}"
    return f"{level}, {one.readings} readings in a row"


def _out(one: Condition) -> str:
    if one.latched:
        return "resume"
    return "by itself" if one.clear_at is None else f"by itself, {'above' if one.falling else 'at'} {one.clear_at:,g}"


def _section(one: Condition) -> str:
    return "\n".join(_lines(one))


def _filled(text: str) -> str:
    return fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _lines(one: Condition) -> Iterator[str]:
    noticed = "by the partition, with each build"
    if one.alert is not None:
        runbook = f"../../dashboards/RUNBOOK.md#{one.alert.lower()}"
        noticed = f"by Prometheus as the alert [{one.alert}]({runbook}): not on `andon-events`, not resumed by hand"
    yield f"\n## {one.name}\n"
    yield _filled(f"**See**: {one.meaning}") + "\n"
    yield _filled(f"**Do**: {one.action}") + "\n"
    yield _filled(f"**Noticed** {noticed}. **Recommendation**: {one.recommendation}.") + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if sys.argv[1:] else PAGE).write_text(render(), encoding="utf-8")
