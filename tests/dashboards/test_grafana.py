"""Grafana dashboards: what stands in the files is what the code builds, complete and provisioned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.build import FOLDER, documents, text
from tests.monitoring import ROOT

BUILT = documents()
PANELS = [
    pytest.param(name, panel, id=f"{name}-{panel['title']}")
    for name, document in BUILT.items()
    for panel in document["panels"]
    if panel["type"] not in {"row", "text"}
]
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
GRAFANA = ROOT / "docker" / "grafana"


def test_files_are_what_the_code_builds() -> None:
    """``python -m dashboards.build`` has been run since code or runbook changed, and no other file lies there."""
    assert {file.stem for file in FOLDER.iterdir()} == BUILT.keys()
    stale = [name for name, document in BUILT.items() if (FOLDER / f"{name}.json").read_text() != text(document)]
    assert stale == []


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_is_complete(name: str, panel: dict[str, Any]) -> None:
    """It says what one sees, asks the provisioned Prometheus, with a legend, and its alert is in the runbook."""
    assert panel["description"].endswith(".")
    assert panel["targets"]
    source = yaml.safe_load((GRAFANA / "datasources" / "jidoka.yaml").read_text())["datasources"][0]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}
        assert target["legendFormat"]
    runbook = (ROOT / "dashboards" / "RUNBOOK.md").read_text()
    for link in panel.get("links", []):
        assert f"\n## {link['title'].removeprefix('Runbook: ')}\n" in runbook
        assert link["url"] == f"/d/{BUILT['runbook']['uid']}"


@pytest.mark.parametrize("name", BUILT)
def test_a_dashboard_has_what_its_panels_need(name: str) -> None:
    """Every variable in a query is one of the dashboard, no panel hides another, and ids are its own."""
    document = BUILT[name]
    queries = [target["expr"] for panel in document["panels"] for target in panel.get("targets", [])]
    asked = {found for query in queries for found in re.findall(r"\$(?!__)(\w+)", query)}
    assert asked == {variable["name"] for variable in document["templating"].get("list", [])}
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [cell for panel in document["panels"] for cell in covered(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert "/d/jidoka-runbook" in [link["url"] for link in document["links"] if link["type"] == "link"]


def covered(place: dict[str, int]) -> list[tuple[int, int]]:
    """Return the cells of the grid, 24 wide, that a panel covers."""
    assert place["x"] + place["w"] <= 24
    across, down = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return [(x, y) for x in across for y in down]


def test_the_runbook_is_whole() -> None:
    """The runbook's dashboard has every section of the file, word for word."""
    shown = {panel["title"]: panel["options"]["content"] for panel in BUILT["runbook"]["panels"]}
    sections = re.split(r"^## (.+)$", (ROOT / "dashboards" / "RUNBOOK.md").read_text(), flags=re.MULTILINE)
    assert {title: shown[title] for title in sections[1::2]} == {
        title: body.strip() for title, body in zip(sections[1::2], sections[2::2], strict=True)
    }


def test_compose_provisions_them() -> None:
    """Grafana's container finds data sources and dashboards where their files are mounted."""
    mounts = dict(volume.split(":")[:2] for volume in COMPOSE["services"]["grafana"]["volumes"])
    provider = yaml.safe_load((GRAFANA / "dashboards" / "jidoka.yaml").read_text())["providers"][0]
    assert mounts["./grafana"] == "/etc/grafana/provisioning"
    assert (ROOT / "docker" / "../dashboards/grafana").resolve() == FOLDER
    assert mounts["../dashboards/grafana"] == provider["options"]["path"]
    home = Path(COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.parent == Path(provider["options"]["path"])
    assert home.stem in BUILT
    for source in yaml.safe_load((GRAFANA / "datasources" / "jidoka.yaml").read_text())["datasources"]:
        assert re.fullmatch(r"http://(prometheus|alertmanager):\d+", source["url"])
