"""The alert rules: they ask for metrics that are exported, lead to a section of the runbook, and are tried."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from models.andon.conditions import CONDITIONS
from streams.metrics import HttpMetrics, Metrics

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "dashboards" / "alerts"
RUNBOOK = ROOT / "dashboards" / "RUNBOOK.md"
ALL: list[dict[str, Any]] = [
    rule
    for file in sorted(ALERTS.glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
RULES = [rule for rule in ALL if "alert" in rule]
RECORDED = {rule["record"] for rule in ALL if "record" in rule}


def exported() -> set[str]:
    """Return the names of all samples that worker and web may export."""
    registry = CollectorRegistry()
    Metrics(registry)
    HttpMetrics(registry)
    found = set()
    for family in registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}
        found |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    return found


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.get("alert") or rule["record"])
def test_asks_for_what_is_exported(rule: dict[str, Any]) -> None:
    """Every metric in an expression is exported, recorded by another rule, or Prometheus' own ``up``."""
    text = re.sub(r"\{[^}]*\}", "", rule["expr"])
    names = set(re.findall(r"[a-z_]*:?(?:jidoka|process)_?[\w:]+|\bup\b", text))
    assert names
    assert names <= exported() | RECORDED | {"up"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_says_what_to_do(rule: dict[str, Any]) -> None:
    """An alert has a wait, a severity, a summary and a description, and its section of the runbook exists."""
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"dashboards/RUNBOOK.md#{rule['alert'].lower()}"
    assert rule["alert"] in sections()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_its_section_says_what_one_sees_does_and_checks(rule: dict[str, Any]) -> None:
    """The section of an alert has what one sees, what to do, and how to tell that it helped."""
    section = sections()[rule["alert"]]
    assert [word for word in ("**See**", "**Do**", "**Check**") if word not in section] == []


def sections() -> dict[str, str]:
    """Return the sections of the runbook by their headings."""
    parts = re.split(r"^## (.+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_runbook_has_no_alert_that_is_gone() -> None:
    """Every section named like an alert is an alert's."""
    assert {name for name in sections() if name.startswith("Jidoka")} == {rule["alert"] for rule in RULES}


def test_every_alert_is_tried() -> None:
    """Tests for promtool have a case for each alert in which it is quiet, then fires, then is over."""
    tried = defaultdict(list)
    for file in sorted((ALERTS / "tests").glob("*.yaml")):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for name in {case["alertname"] for case in test["alert_rule_test"]}:
                cases = [case for case in test["alert_rule_test"] if case["alertname"] == name]
                tried[name].append([bool(case["exp_alerts"]) for case in cases])
    assert tried.keys() == {rule["alert"] for rule in RULES}
    assert [name for name, cases in tried.items() if [False, True, False] not in cases] == []
    assert [name for name, cases in tried.items() if [False] not in cases] == []  # and on a line that is well


def test_every_condition_has_an_alert() -> None:
    """What may light the lamp has an alert under its own name, or one on the metric that shows it."""
    elsewhere = {"StalledWorker": "JidokaWorkerStalled", "LagGrowing": "JidokaLagGrowing"}
    elsewhere["DeadLetterSurge"] = "JidokaDeadLetters"
    expressions = {rule["alert"]: rule["expr"] for rule in RULES}
    other = expressions.pop("JidokaAndonOther")
    for kind in CONDITIONS:
        own = [name for name, text in expressions.items() if f'kind="{kind}"' in text]
        assert own or elsewhere[kind] in expressions
        assert re.search(rf"\b{kind}\b", other)
