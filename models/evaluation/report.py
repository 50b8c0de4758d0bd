"""The scores of a replay as one HTML page: plots and tables, nothing loaded from elsewhere, no script.

It shows what ``evaluation.replay.backtest`` returned. Every text is escaped: labels and file names come from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from models.evaluation import plots
from models.evaluation.metrics import BINS
from models.evaluation.prequential import WINDOW

Result = Mapping[str, Any]
SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC-ROC",
    "auc_pr": "AUC-PR",
    "log_loss": "log loss",
    "ece": "ECE",
}

STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5d6b7a;--page:#f6f7f9;--card:#fff;--edge:#dfe4ea;--own:#0b6e99;
--rival:#aab4c0;--warm:214,90,40;--cool:11,110,153;--l1:#c2571a;--l2:#7a5195;--l3:#4a8f3c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9aa7b5;--page:#12171d;--card:#1a2129;--edge:#2c3641;
--own:#4fb3dc;--rival:#566270;--cool:79,179,220;--l1:#f0955a;--l2:#b992d6;--l3:#8cc97d}}
*{box-sizing:border-box}body{margin:0;padding:2rem 1rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}main{max-width:1060px;margin:auto}h1{margin:0;font-size:1.6rem}
h2{margin:0 0 .6rem;font-size:1.05rem}p{margin:.3rem 0 .8rem;color:var(--soft)}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:1.1rem 1.3rem;margin:1rem 0;
overflow-x:auto}.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));gap:1rem}
.pair section{margin:0}.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:.8rem;
margin:1.2rem 0}.tile{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:.7rem 1rem}
.tile b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}.tile span{color:var(--soft)}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:13px}svg .tick{fill:var(--soft);
font-size:11px}.grid{stroke:var(--edge)}polyline{fill:none;stroke-width:1.4;opacity:.85}
.line-0{stroke:var(--own);stroke-width:2.6;opacity:1}.line-1{stroke:var(--l1)}.line-2{stroke:var(--l2)}
.line-3{stroke:var(--l3)}.ideal{stroke:var(--soft);stroke-dasharray:5 4}.bar{fill:var(--own);opacity:.28}
.dot,.own{fill:var(--own)}.rival{fill:var(--rival)}.key span{margin-right:1.1rem}
.key i{display:inline-block;width:1.1rem;height:.2rem;margin-right:.35rem;vertical-align:middle}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}th,td{padding:.28rem .6rem;
text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}th{color:var(--soft);font-weight:500}
th:first-child,td:first-child{text-align:left}.heat td{text-align:center}.heat th{max-width:9rem;overflow:hidden;
text-overflow:ellipsis}.wrong{background:rgba(var(--warm),var(--h))}.right{background:rgba(var(--cool),var(--h))}
"""


def page(result: Result, title: str = "jidoka replay") -> str:
    """Return the page. ``result`` may also have ``importance``: rows with ``name`` and numbers, such as drops."""
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(described(result))}</p>",
        _tiles(result),
        '<div class="pair">',
        _section("Beside the baselines", _beside(result), "Accuracy on the same examples."),
        _section("Reliability", plots.reliability(result["reliability"], "reliability"), _about_calibration()),
        "</div>",
        _section(f"Accuracy of the last {WINDOW} predictions", _curve(result), ""),
        _switches(result["switch"]),
        _folds(result["folds"]),
        _section("Categories", _categories(result["per_category"]), ""),
        _section("Confusion", _confusion(result["confusion"]), "Rows are the truth, columns what was predicted."),
        _importance(result.get("importance") or []),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(part for part in parts if part)
    head += f"<style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>{body}</main></body></html>'


def described(result: Result) -> str:
    """Return in a sentence what was scored, and how."""
    order = {"shuffled": f"shuffled with seed {result.get('seed')}", "file": "in the order of the files"}
    how = order.get(str(result["order"]), f"in the order of {result['order']}")
    frozen = any(fold["frozen"] for fold in result["folds"])
    after = (
        f"scored by a model that had stopped learning; split: {result['split']}"
        if frozen
        else "predicted, then learned"
    )
    return f"{result['n']:,} examples of the task {result['task']}, {how}, {after}; {result['seconds']:.1f} s"


def _about_calibration() -> str:
    return f"How often a prediction of some confidence is right; on the diagonal it means what it says. {BINS} bins."


def _section(title: str, content: str, said: str) -> str:
    about = f"<p>{escape(said)}</p>" if said else ""
    return f"<section><h2>{escape(title)}</h2>{about}{content}</section>"


def _tiles(result: Result) -> str:
    shown = {name: number(result.get(key), 4) for key, name in SCORES.items()}
    latency = result.get("latency") or {}
    if latency:
        shown["µs median / p99"] = f"{latency['p50_us']:.0f} / {latency['p99_us']:.0f}"
    return f'<div class="tiles">{"".join(_tile(name, value) for name, value in shown.items())}</div>'


def _tile(name: str, value: str) -> str:
    return f'<div class="tile"><b>{value}</b><span>{escape(name)}</span></div>'


def number(value: Any, digits: int = 3) -> str:
    """Return a number as people read it; a dash for nothing."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}"


def _beside(result: Result) -> str:
    return plots.bars({"model": result["accuracy"], **result["baselines"]}, "accuracy beside the baselines")


def _curve(result: Result) -> str:
    points, switches = result["curve"], [one["at"] for one in result["switch"]]
    names = [name for name in (points[0] if points else {}) if name != "n"]
    series = {name: [(point["n"], point[name]) for point in points] for name in names}
    colours = ("own", "l1", "l2", "l3")
    key = "".join(
        f'<span><i style="background:var(--{colour})"></i>{escape(name)}</span>'
        for name, colour in zip(names, colours, strict=False)
    )
    return f'{plots.lines(series, "rolling accuracy", switches)}<div class="key">{key}</div>'


def _categories(found: Mapping[str, Mapping[str, Any]]) -> str:
    heads = ("category", "precision", "recall", "F1", "support", "AUC-ROC", "AUC-PR")
    keys = ("precision", "recall", "f1", "support", "auc", "auc_pr")
    ordered = sorted(found.items(), key=lambda one: (-one[1]["support"], one[0]))
    return table(heads, ([name, *(number(one.get(key)) for key in keys)] for name, one in ordered))


def _confusion(found: Mapping[str, Any]) -> str:
    labels, missing = found["labels"], any(found["unanswered"])
    heads = "".join(f"<th>{escape(label)}</th>" for label in [*labels, *(["no answer"] if missing else [])])
    rows = []
    for place, (label, counts, none) in enumerate(zip(labels, found["counts"], found["unanswered"], strict=True)):
        total = sum(counts) + none or 1
        cells = [_cell(count, total, right=column == place) for column, count in enumerate(counts)]
        cells += [_cell(none, total, right=False)] if missing else []
        rows.append(f"<tr><th>{escape(label)}</th>{''.join(cells)}</tr>")
    return f'<table class="heat"><tr><th></th>{heads}</tr>{"".join(rows)}</table>'


def _cell(count: int, total: int, *, right: bool) -> str:
    if not count:
        return "<td></td>"
    heat = 0.08 + 0.72 * (count / total if right else (count / total) ** 0.5)
    return f'<td class="{"right" if right else "wrong"}" style="--h:{heat:.2f}">{count:,}</td>'


def _switches(found: Sequence[Mapping[str, Any]]) -> str:
    if not found:
        return ""
    heads = ("from example", "the last 1,000 before", "the first 500 after", "examples until back within 2 points")
    keys = ("at", "before", "after", "recovered_after")
    return _section(
        "From one file to the next", table(heads, ([number(one[key]) for key in keys] for one in found)), ""
    )


def _folds(found: Sequence[Mapping[str, Any]]) -> str:
    if not any(fold["frozen"] for fold in found):
        return ""
    keys = ("learned", "learned_accuracy", "n", *SCORES)
    heads = ("scored", "learned", "accuracy then", "n", *SCORES.values())
    rows = ([fold["name"], *(number(fold[key]) for key in keys)] for fold in found)
    return _section("Learned, then scored without learning", table(heads, rows), "")


def _importance(found: Sequence[Mapping[str, Any]]) -> str:
    if not found:
        return ""
    heads = list(found[0])
    rows = ([str(one[key]) if key == "name" else number(one[key], 4) for key in heads] for one in found)
    said = "What the model loses when a group of features is permuted between examples."
    return _section("Importance", table(heads, rows), said)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table of texts, escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
