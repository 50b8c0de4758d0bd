"""The alert rules: they ask for metrics that are exported, and lead to a section of the runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from streams.metrics import HttpMetrics, Metrics

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "dashboards" / "alerts"
RUNBOOK = ROOT / "docs" / "operations" / "runbook.md"
RULES: list[dict[str, Any]] = [
    rule
    for file in sorted(ALERTS.glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]


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


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
class TestRules:
    def test_asks_for_what_is_exported(self, rule: dict[str, Any]) -> None:
        """Every metric in the expression is one that ``streams/metrics.py`` exports, or Prometheus' own ``up``."""
        names = set(re.findall(r"\b(?:jidoka|process)_\w+|\bup\b", rule["expr"])) - {"jidoka_worker", "jidoka_web"}
        assert names
        assert names <= exported() | {"up"}

    def test_says_what_to_do(self, rule: dict[str, Any]) -> None:
        """It waits before it alarms, has a severity and a summary, and its section of the runbook exists."""
        assert re.fullmatch(r"\d+[sm]", rule["for"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert ROOT / file == RUNBOOK
        headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
        assert anchor == rule["alert"].lower()
        assert rule["alert"] in headings


def test_every_alert_is_tried() -> None:
    """Each alert stands in the tests for promtool with a case in which it must fire."""
    tests = yaml.safe_load((ALERTS / "tests" / "jidoka.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in RULES}
