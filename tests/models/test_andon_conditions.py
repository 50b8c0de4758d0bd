"""The table of conditions: whole, without contradictions, and shown to people as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.andon.conditions import CONDITIONS, PAGE, Condition
from models.andon.page import render

ROOT = Path(__file__).parents[2]

each = pytest.mark.parametrize("condition", CONDITIONS.values(), ids=lambda one: one.name)


@each
class TestTable:
    def test_says_what_to_do(self, condition: Condition) -> None:
        """Every condition says what it means, what a person does and what is recommended."""
        assert condition.meaning.endswith(".")
        assert condition.action.endswith(".")
        assert condition.recommendation

    def test_levels_fit(self, condition: Condition) -> None:
        """The level that clears lies on the good side of the one that raises; what never clears is latched."""
        assert condition.readings >= 1
        assert condition.latched == (condition.clear_at is None and condition.noticed_by == "step")
        if condition.raise_at is not None and condition.clear_at is not None:
            assert (condition.clear_at > condition.raise_at) == condition.falling
            assert not condition.beyond(condition.clear_at)
            assert condition.over(condition.clear_at)

    def test_has_its_section(self, condition: Condition) -> None:
        """Its link leads to a section of the page."""
        page, _, anchor = condition.runbook.partition("#")
        headings = re.findall(r"^## (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in [heading.lower() for heading in headings]


def test_what_metrics_notice_is_an_alert() -> None:
    """Every condition that metrics notice names a rule for Prometheus that exists; no other condition does."""
    rules = "".join(path.read_text() for path in sorted((ROOT / "dashboards" / "alerts").glob("*.yaml")))
    named = {one.alert for one in CONDITIONS.values() if one.noticed_by == "metrics"}
    assert None not in named
    assert named <= set(re.findall(r"alert: (\w+)", rules))
    assert all(one.alert is None for one in CONDITIONS.values() if one.noticed_by == "step")


def test_the_page_is_current() -> None:
    """``docs/operations/andon.md`` shows the table as it is; ``make docs`` writes it anew."""
    assert (ROOT / PAGE).read_text(encoding="utf-8") == render()


def test_the_specified_thresholds() -> None:
    """Halts and levels are those that the product's contract names."""
    halts = {name for name, one in CONDITIONS.items() if one.severity == "halt" and one.noticed_by == "step"}
    assert halts == {"HighRejectionRate", "DiversityCollapse", "ModelDegradation", "TrainingFailure"}
    assert (CONDITIONS["HighRejectionRate"].raise_at, CONDITIONS["HighRejectionRate"].falling) == (0.95, False)
    assert (CONDITIONS["DiversityCollapse"].raise_at, CONDITIONS["DiversityCollapse"].falling) == (0.1, True)
    assert CONDITIONS["ConceptDrift"].recommendation == "Retrain"
