"""The synthetic line: how many programs pass, what their failures reach, where the Rust does something else."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.panels import WORKER, Panel, bars, dashboard, lines, number, rows
from models.taxonomy import CATEGORIES, MAIN_LABELS

RATIO = "percentunit"
HOUR = "1h"
SAME = "none|not comparable|overflow"  # verdicts that are no finding: depyler's integers end by design
ALL = f"sum(increase(jidoka_programs_total{{{WORKER}}}[{HOUR}]))"
SECONDS = f"sum by (le) (rate(jidoka_program_seconds_bucket{{{WORKER}}}[$__rate_interval]))"


def build() -> Dashboard:
    """Return the dashboard."""
    says = "Generated programs through transpiler and compiler: acceptance, coverage, findings"
    made = dashboard("synthetic", "synthetic line", says, ("worker",))
    return rows(made, now=_now(), programs=_programs(), findings=_findings())


def _reached(categories: str) -> str:
    """Return the query for how many of these categories the failures have reached since the workers started."""
    counted = f"sum by (category) (jidoka_program_failures_total{{category=~'{categories}', {WORKER}}})"
    return f"count({counted} > 0) or vector(0)"


def _now() -> list[Panel]:
    main, every = "|".join(MAIN_LABELS), "|".join(CATEGORIES)
    return [
        number(
            "Accepted",
            "Programs of the last hour that transpile and compile.",
            (f'sum(increase(jidoka_programs_total{{outcome="compiled", {WORKER}}}[{HOUR}])) / {ALL}', "accepted"),
            unit=RATIO,
            steps=[(None, "red"), (0.25, "orange"), (0.5, "green")],
        ),
        number(
            "Programs in the hour",
            "Put through the transpiler; two workers on two cores do 1.8 times one.",
            (ALL, "programs"),
        ),
        number(
            "In hand",
            "How long the program in hand has taken, the longest of all workers; at 2,400 s it counts as stalled.",
            (f"max(jidoka_program_in_hand_seconds{{{WORKER}}})", "longest"),
            unit="s",
            steps=[(None, "green"), (60, "orange"), (600, "red")],
            alert="JidokaWorkerStalled",
        ),
        number(
            f"Main categories, of {len(MAIN_LABELS)}",
            "Reached by a program's first error since the workers started.",
            (_reached(main), "reached"),
        ),
        number(
            f"Categories, of {len(CATEGORIES)}",
            "Reached by a program's first error since the workers started.",
            (_reached(every), "reached"),
        ),
        number(
            "Miscompiled in the hour",
            "Programs whose Rust does something else, beyond integers that end; needs JIDOKA_VERIFY_PROGRAMS.",
            (f'sum(increase(jidoka_program_verdicts_total{{failure!~"{SAME}", {WORKER}}}[{HOUR}]))', "programs"),
            steps=[(None, "green"), (1, "orange")],
        ),
    ]


def _programs() -> list[Panel]:
    by_level = f"sum by (level) (increase(jidoka_programs_total{{{WORKER}}}[{HOUR}]))"
    compiled = f'sum by (level) (increase(jidoka_programs_total{{outcome="compiled", {WORKER}}}[{HOUR}]))'
    return [
        lines(
            "Accepted, by level",
            "Share of the last hour's programs that compile; a curriculum goes on at one half.",
            (f"{compiled} / ({by_level} > 0)", "{{level}}"),
            unit=RATIO,
            top=1,
        ),
        lines(
            "Outcomes",
            "Programs per minute by how far they came; crashed and timeout are the transpiler's own.",
            (f"sum by (outcome) (rate(jidoka_programs_total{{{WORKER}}}[$__rate_interval])) * 60", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            "Time for a program",
            "Transpiler and compiler together; what comes from the cache counts with the time it took once.",
            (f"histogram_quantile(0.5, {SECONDS})", "median"),
            (f"histogram_quantile(0.99, {SECONDS})", "99 %"),
            unit="s",
        ),
    ]


def _findings() -> list[Panel]:
    return [
        bars(
            "First errors, by category",
            "Programs that do not compile, since the workers started.",
            (f"sum by (category) (jidoka_program_failures_total{{{WORKER}}})", "{{category}}"),
            wide=12,
        ),
        bars(
            "How the two sides part",
            "Programs run beside their Rust since the workers started; `jidoka findings` shrinks and sorts them.",
            (f"sum by (failure) (jidoka_program_verdicts_total{{{WORKER}}})", "{{failure}}"),
            wide=12,
        ),
    ]
