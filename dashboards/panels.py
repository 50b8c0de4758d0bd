"""What all dashboards share: kinds of panels with one look, the variables, the links.

A panel says in its description what one sees and when to worry, and names the alert that watches the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models import common, prometheus
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="jidoka-prometheus")
WORKER, PARTITION, PROJECT = 'instance=~"$worker"', 'partition=~"$partition"', 'project=~"$project"'
RUNBOOK_URL = "/d/jidoka-runbook"
LAMPS = {"0": ("green", "green"), "1": ("amber", "orange"), "2": ("red", "red")}
_QUERIES = {  # of the variables
    "worker": 'label_values(up{job="jidoka-worker"}, instance)',
    "partition": "label_values(jidoka_model_examples, partition)",
    "project": "label_values(jidoka_project_failures_total, project)",
}

Query = tuple[str, str]  # an expression, and the legend
Panel = TimeSeries | Stat | BarGauge | StateTimeline


def lines(title: str, says: str, *queries: Query, unit: str = "short", **look: Any) -> TimeSeries:
    """Return curves over time; ``top`` is the end of the scale, ``stacked`` puts them on each other."""
    panel = (
        TimeSeries()
        .legend(VizLegendOptions().display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM))
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .line_width(1)
        .fill_opacity(30 if look.get("stacked") else 5)
        .show_points(common.VisibilityMode.NEVER)
    )
    if look.get("stacked"):
        panel.stacking(StackingConfig().mode(common.StackingMode.NORMAL))
    _dress(panel, title, says, unit, look).span(look.get("wide", 8)).height(8)
    for place, (expression, legend) in enumerate(queries):
        panel.with_target(_query(expression, legend, place))
    return panel


def number(title: str, says: str, *queries: Query, unit: str = "short", **look: Any) -> Stat:
    """Return the newest value, large; ``steps`` are (from value, colour), the first from any."""
    panel = Stat().graph_mode(common.BigValueGraphMode.NONE).color_mode(common.BigValueColorMode.VALUE)
    _dress(panel, title, says, unit, look).span(look.get("wide", 4)).height(4)
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    for place, (expression, legend) in enumerate(queries):
        panel.with_target(_query(expression, legend, place).instant())
    return panel


def bars(title: str, says: str, *queries: Query, unit: str = "short", **look: Any) -> BarGauge:
    """Return the newest value of each series as a bar."""
    panel = BarGauge().orientation(common.VizOrientation.HORIZONTAL).display_mode(common.BarGaugeDisplayMode.BASIC)
    _dress(panel, title, says, unit, look).span(look.get("wide", 8)).height(8)
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    for place, (expression, legend) in enumerate(queries):
        panel.with_target(_query(expression, legend, place).instant())
    return panel


def states(title: str, says: str, *queries: Query, **look: Any) -> StateTimeline:
    """Return stretches of time by value, which ``names`` (value → text, colour) explains."""
    panel = StateTimeline().show_value(common.VisibilityMode.NEVER).merge_values(True)
    _dress(panel, title, says, "short", look).span(look.get("wide", 24)).height(look.get("high", 6))
    for place, (expression, legend) in enumerate(queries):
        panel.with_target(_query(expression, legend, place))
    return panel


def _dress(panel: Any, title: str, says: str, unit: str, look: dict[str, Any]) -> Any:
    """Give a panel what all kinds have."""
    panel.title(title).description(says).datasource(SOURCE).unit(unit)
    if "top" in look:
        panel.min(0).max(look["top"])
    steps = [Threshold(value=value, color=colour) for value, colour in look.get("steps", [(None, "green")])]
    panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    if names := look.get("names"):
        results = {
            value: ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, (text, colour)) in enumerate(names.items())
        }
        panel.mappings([ValueMap(options=results)])
    if alert := look.get("alert"):
        panel.links([DashboardLink(f"Runbook: {alert}").url(RUNBOOK_URL)])
    return panel


def _query(expression: str, legend: str, place: int) -> Dataquery:
    query = Dataquery().expr(expression).legend_format(legend or "{{instance}}").ref_id(chr(ord("A") + place))
    return query.datasource(SOURCE).editor_mode(prometheus.QueryEditorMode.CODE)


def dashboard(name: str, title: str, says: str, variables: Sequence[str] = ()) -> Dashboard:
    """Return an empty dashboard, ``uid`` ``jidoka-<name>``, with links to the others, the runbook first."""
    made = (
        Dashboard(f"jidoka / {title}")
        .uid(f"jidoka-{name}")
        .description(says)
        .tags(["jidoka"])
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("browser")
        .link(DashboardLink("Runbook").type(DashboardLinkType.LINK).url(RUNBOOK_URL).icon("doc"))
        .link(
            DashboardLink("jidoka")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["jidoka"])
            .keep_time(True)
            .as_dropdown(True)
        )
        .annotation(conditions())
    )
    for variable in variables:
        made.with_variable(
            QueryVariable(variable)
            .label(variable.capitalize())
            .datasource(SOURCE)
            .query({"query": _QUERIES[variable], "refId": variable})
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(VariableSort.ALPHABETICAL_ASC)
            .multi(True)
            .include_all(True)
            .all_value(".*")
            .current(VariableOption(selected=True, text="All", value="$__all"))
        )
    return made


def conditions() -> AnnotationQuery:
    """Return the marks of lit andon conditions: a region from the event that raised one to the one that ended it."""
    return (
        AnnotationQuery()
        .name("Andon")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("red")
        .expr("max by (partition, kind, signal) (jidoka_andon_active)")
    )


def rows(made: Dashboard, **parts: Sequence[Panel]) -> Dashboard:
    """Put panels on a dashboard, in rows named by the keywords."""
    for title, panels in parts.items():
        made.with_row(Row(title.replace("_", " ").capitalize()))
        for panel in panels:
            made.with_panel(panel)
    return made
