"""Alertmanager's routes, on a real one: who is told, and what a cause silences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.monitoring import ALERTMANAGER, ALERTS, Alertmanager, alertmanager, run, tool
from tests.polling import poll

SEVERITIES = {
    rule["alert"]: rule["labels"]
    for file in sorted(ALERTS.glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def alert(name: str, **labels: str) -> dict[str, str]:
    """Return the labels that Prometheus gives an alert."""
    return {"alertname": name, **SEVERITIES[name], **labels}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path) as up:
        yield up


def silenced(manager: Alertmanager) -> set[str]:
    return {one["labels"]["alertname"] for one in manager.alerts() if one["status"]["inhibitedBy"]}


def test_the_file_is_valid() -> None:
    """Alertmanager's own tool accepts the file as it is."""
    done = run(tool("amtool"), "check-config", str(ALERTMANAGER))
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_is_told(manager: Alertmanager) -> None:
    """What is critical goes to whoever is on call, the rest to the team, and no alert to both."""
    manager.push(*(alert(name, partition=name, instance=name) for name in SEVERITIES if name != "JidokaNoWorker"))
    critical = {name for name, labels in SEVERITIES.items() if labels["severity"] == "critical"} - {"JidokaNoWorker"}
    poll(lambda: manager.names("on-call") == critical)
    poll(lambda: manager.names("team") == set(SEVERITIES) - critical - {"JidokaNoWorker"})


@pytest.mark.parametrize("cause", ["JidokaWorkerStalled", "JidokaWorkerDown", "JidokaBrokerAway"])
def test_a_worker_that_cannot_work_silences_its_own_lag(manager: Alertmanager, cause: str) -> None:
    """Its lag and its missing commits are not told, another worker's are."""
    manager.push(
        alert("JidokaLagGrowing", instance="a", topic="t"),
        alert("JidokaNoCommits", instance="a"),
        alert("JidokaLagGrowing", instance="b", topic="t"),
        alert(cause, instance="a"),
    )
    poll(lambda: manager.names("on-call") == {cause} and manager.names("team"))
    told = [one["labels"]["instance"] for message in manager.told for one in message["alerts"]]
    assert sorted(told) == ["a", "b"]
    assert silenced(manager) == {"JidokaLagGrowing", "JidokaNoCommits"}


def test_a_halt_silences_warnings_of_its_partition(manager: Alertmanager) -> None:
    """One alert names what stopped partition 0; its drift and its lamp are not told, partition 1's drift is."""
    manager.push(
        alert("JidokaConceptDrift", partition="0", kind="ConceptDrift", signal="categories"),
        alert("JidokaBelowBaseline", partition="0"),
        alert("JidokaAndonRed", partition="0"),
        alert("JidokaModelDegradation", partition="0", kind="ModelDegradation", signal="errors"),
        alert("JidokaConceptDrift", partition="1", kind="ConceptDrift", signal="categories"),
        alert("JidokaDeadLetters"),
    )
    poll(lambda: manager.names("on-call") and manager.names("team") == {"JidokaConceptDrift", "JidokaDeadLetters"})
    assert manager.names("on-call") == {"JidokaModelDegradation"}
    told = [one["labels"].get("partition") for message in manager.told for one in message["alerts"]]
    assert sorted(told, key=str) == ["0", "1", None]
    assert silenced(manager) == {"JidokaConceptDrift", "JidokaBelowBaseline", "JidokaAndonRed"}


def test_a_red_lamp_that_nothing_explains_is_told(manager: Alertmanager) -> None:
    """Without the alert of its cause the lamp's own alert reaches whoever is on call."""
    manager.push(alert("JidokaAndonRed", partition="0"))
    poll(lambda: manager.names("on-call") == {"JidokaAndonRed"})


def test_no_worker_is_one_alert(manager: Alertmanager) -> None:
    """When none is up, that each of them is down is not told."""
    manager.push(
        alert("JidokaWorkerDown", instance="a"), alert("JidokaWorkerDown", instance="b"), alert("JidokaNoWorker")
    )
    poll(lambda: manager.names("on-call") == {"JidokaNoWorker"})
    assert silenced(manager) == {"JidokaWorkerDown"}
