"""A line that is watched: real workers, scraped by a real Prometheus, whose alerts reach a real Alertmanager.

Every panel of the dashboards has something to show, and what the andon notices reaches whoever is on call.
"""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from dashboards.build import documents
from models.drift import DriftMonitor
from models.records import CompilerErrors, Feedback, Model, ModelCommand
from models.warm_start import packed
from streams.supervisor import Supervisor
from tests.builders import build, diagnostic
from tests.command import Jidoka, in_process
from tests.monitoring import Alertmanager, Prometheus, alertmanager, prometheus
from tests.polling import poll

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CARGO = Path(__file__).parents[1] / "producers" / "data" / "cargo.json"
EVERY_S = 1.0  # between scrapes, and between evaluations
SEEN_S = 60.0
PANELS = [
    pytest.param(target["expr"], id=f"{name}-{panel['title']}-{target['refId']}")
    for name, document in documents().items()
    for panel in document["panels"]
    for target in panel.get("targets", [])
]
WATCHED = any(DriftMonitor().view()["overall"])  # whether the detectors say how they stand


@dataclass(frozen=True)
class Watched:
    """A line with what watches it; ``web`` is its HTTP interface."""

    line: Any
    web: str
    prometheus: Prometheus
    alertmanager: Alertmanager

    def value(self, expression: str) -> float:
        """Return the value of an expression with one sample; 0 while there is none."""
        found = self.prometheus.query(expression)
        return float(found[0]["value"][1]) if found else 0.0


@pytest.fixture(scope="module")
def watched(broker: str, tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Watched]:
    """Give a line with a worker and web, up and scraped before its first record."""
    folder = tmp_path_factory.mktemp("watched")
    with (
        kit.new_line(broker, folder) as line,
        Supervisor(line.settings, 1, lambda _: None) as supervisor,
        alertmanager(folder) as manager,
    ):
        worker, web = (str(child.url()) for child in supervisor.children)
        targets = {"jidoka-worker": [worker], "jidoka-web": [web]}
        with prometheus(folder, targets, every=f"{EVERY_S:.0f}s", alertmanager=manager.address) as server:
            made = Watched(line, web, server, manager)
            poll(lambda: made.value("min(up) * count(up)") == 2, deadline_s=SEEN_S)
            yield made


@pytest.fixture(scope="module")
def busy(watched: Watched, kit: Any) -> Watched:
    """Give the line after builds, a challenger, words of people, refused records and requests over HTTP."""
    line = watched.line
    challenge(line)
    poll(lambda: watched.value("count(jidoka_challenge_builds)") == 1, deadline_s=SEEN_S)
    builds = kit.make_failures(750)
    line.push(builds[:50])
    poll(lambda: watched.value("sum(jidoka_failures_total)") == 50, deadline_s=SEEN_S)
    for _ in range(2):
        post(f"{watched.web}/v1/compiler-errors?project=web/one", CARGO.read_bytes())
    line.push([word(builds[0].id, 0), word("nobody-knows-it", 1)])
    line.push(builds[50:])
    line.send(CompilerErrors, [b"garbage"] * 100)
    poll(lambda: watched.value("sum(jidoka_failures_total)") > len(builds), deadline_s=SEEN_S)
    poll(lambda: watched.value("sum(jidoka_dead_letters_total)") == 100, deadline_s=SEEN_S)
    poll(lambda: watched.value("sum(jidoka_consumer_lag) == bool 0") == 1, deadline_s=SEEN_S)
    return watched


def challenge(line: Any) -> None:
    """Publish the bundled model and let it learn in shadow on partition 0, scored by the words of people alone."""
    payload, sha256 = base64.b64encode(packed()).decode(), hashlib.sha256(packed()).hexdigest()
    model = Model(id="m", time=NOW, project="jidoka", name="good", sha256=sha256, payload=payload)
    line.send_keyed(Model, [(b"good", model.to_bytes())], 0)
    fields = {"id": "c", "time": NOW, "project": "jidoka", "action": "challenge", "partition": 0, "name": "good"}
    line.push([ModelCommand.model_validate(fields | {"sha256": sha256, "rules": False})])


def word(failure: str, number: int) -> Feedback:
    fields = {"id": f"word-{number}", "time": NOW, "project": "test/one", "failure_id": failure, "index": 0}
    return Feedback.model_validate(fields | {"category": "ApiMisuse"})


def post(url: str, body: bytes) -> None:
    with urllib.request.urlopen(url, body, timeout=10) as response:  # noqa: S310 - our own server
        assert response.status in {200, 202}


def substituted(expression: str) -> str:
    """Return an expression as Grafana sends it: all workers, all partitions, all projects."""
    for variable in ("worker", "partition", "project"):
        expression = expression.replace(f"${variable}", ".*")
    return expression.replace("$__rate_interval", "5m")


@pytest.mark.parametrize("expression", PANELS)
def test_every_panel_has_something_to_show(busy: Watched, expression: str) -> None:
    """A panel's query is understood by Prometheus and comes back with numbers."""
    if not WATCHED and ("jidoka_drift_" in expression or "contribution" in expression):
        expression = "up"  # the detectors are not in the step yet
    values = [float(one["value"][1]) for one in busy.prometheus.query(substituted(expression))]
    assert [value for value in values if not isnan(value)], f"nothing but {values}"


def test_every_rule_is_evaluated(busy: Watched) -> None:
    """Prometheus evaluates each rule without an error, in time."""
    found = [rule for group in busy.prometheus.rules() for rule in group["rules"]]
    assert [(rule["name"], rule["lastError"]) for rule in found if rule["health"] != "ok"] == []


class TestAndon:
    @pytest.fixture
    def jidoka(self, watched: Watched, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
        for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("JIDOKA_DATA_DIR", str(watched.line.settings.data_dir))
        return in_process(monkeypatch, capsys)

    def test_a_halt_reaches_whoever_is_on_call(self, watched: Watched, jidoka: Jidoka) -> None:
        """Builds that nobody knows light the lamp: the alert is there one scrape and evaluation later, until resume."""
        messages = [f"glorp {number % 7} of the quux" for number in range(600)]
        watched.line.push([build(f"odd-{place}", diagnostic(text)) for place, text in enumerate(messages)], 2)
        fired(watched, "JidokaHighRejection", {"partition": "2", "signal": "rejected", "severity": "critical"})
        poll(lambda: "JidokaHighRejection" in watched.alertmanager.names("on-call"), deadline_s=SEEN_S)

        done = jidoka("andon", "resume", "HighRejectionRate", "--partition", 2)
        assert done.status == 0, done.err
        over(watched, "JidokaHighRejection")
        poll(lambda: "JidokaHighRejection" in watched.alertmanager.names("on-call", "resolved"), deadline_s=SEEN_S)


def fired(watched: Watched, name: str, labels: dict[str, str]) -> None:
    """Wait for an alert in Alertmanager, and check how soon it was there: one evaluation after the first scrape."""
    alert = poll(lambda: next(iter(known(watched, name)), None), deadline_s=SEEN_S)
    assert alert["labels"].items() >= labels.items()
    (series,) = watched.prometheus.query(f'ALERTS{{alertname="{name}"}}[10m]')
    selector = f'jidoka_andon_active{{partition="{labels["partition"]}", signal="{labels["signal"]}"}}[10m]'
    (scraped,) = watched.prometheus.query(selector)
    first_alert, first_scrape = series["values"][0][0], scraped["values"][0][0]
    assert first_alert - first_scrape <= EVERY_S
    assert datetime.fromisoformat(alert["startsAt"]).timestamp() - first_scrape <= EVERY_S


def known(watched: Watched, name: str) -> list[dict[str, Any]]:
    """Return Alertmanager's active alerts of this name."""
    return [one for one in watched.alertmanager.alerts() if one["labels"]["alertname"] == name]


def over(watched: Watched, name: str) -> None:
    """Wait until neither Prometheus nor Alertmanager has the alert."""
    poll(lambda: name not in {one["labels"]["alertname"] for one in watched.prometheus.alerts()}, deadline_s=SEEN_S)
    poll(lambda: not known(watched, name), deadline_s=SEEN_S)
