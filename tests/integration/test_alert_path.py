"""A line that is watched: real workers, scraped by a real Prometheus, whose alerts reach a real Alertmanager.

Every panel of the dashboards has something to show, and what the andon notices reaches whoever is on call.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from dashboards.build import documents
from models.classifiers import HashedLogistic
from models.records import CompilerErrors, Feedback, Model, ModelCommand, Program
from models.warm_start import pack
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
MESSAGES = {
    "E0308": "mismatched types",
    "E0599": "no method named `x` found for struct `S`",
    "E0277": "the trait bound `S: T` is not satisfied",
    "E0425": "cannot find value `x` in this scope",
    "E0382": "use of moved value: `x`",
}
DRIFT = {"partition": "3", "signal": "categories", "severity": "warning", "category": "OwnershipBorrow"}


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
        (line.settings.data_dir / "go").touch()  # programs do not have to wait
        transpiling = line.worker("transpile", (str(Path(__file__).with_name("slow_transpiler.py")),)).start()
        targets = {"jidoka-worker": [worker, transpiling.url], "jidoka-web": [web]}
        with prometheus(folder, targets, every=f"{EVERY_S:.0f}s", alertmanager=manager.address) as server:
            made = Watched(line, web, server, manager)
            poll(lambda: made.value("min(up) * count(up)") == 3, deadline_s=SEEN_S)
            yield made


@pytest.fixture(scope="module")
def busy(watched: Watched, kit: Any) -> Watched:
    """Give the line after builds, a challenger, words of people, refused records, requests over HTTP, and a drift."""
    line = watched.line
    challenge(line)
    poll(lambda: watched.value("count(jidoka_challenge_builds)") == 1, deadline_s=SEEN_S)
    builds = kit.make_failures(300)
    line.push(builds[:50])
    poll(lambda: watched.value("sum(jidoka_failures_total)") == 50, deadline_s=SEEN_S)
    for _ in range(2):
        post(f"{watched.web}/v1/compiler-errors?project=web/one", CARGO.read_bytes())
    line.push([word(builds[0].id, 0), word("nobody-knows-it", 1)])
    line.push(builds[50:])
    line.push(stream(2_200, 1, "before", borrow=1), 3)  # detectors judge after 2,000 votes
    line.push(stream(500, 2, "after", borrow=4), 3)
    line.send(CompilerErrors, [b"garbage"] * 100)
    line.push([program(level) for level in ("basic", "expert")])
    poll(lambda: watched.value("sum(jidoka_programs_total)") == 2, deadline_s=SEEN_S)
    poll(lambda: watched.value("sum(jidoka_failures_total)") > len(builds) + 2_700, deadline_s=SEEN_S)
    poll(lambda: watched.value("sum(jidoka_dead_letters_total)") == 100, deadline_s=SEEN_S)
    poll(lambda: watched.value('count(ALERTS{alertname="JidokaConceptDrift"})') >= 1, deadline_s=SEEN_S)
    poll(lambda: watched.value("sum(jidoka_consumer_lag) == bool 0") == 1, deadline_s=SEEN_S)
    return watched


def program(level: str) -> Program:
    return Program(id=level, time=NOW, project="test/synthetic", source="pass", level=level)


def challenge(line: Any) -> None:
    """Publish a model and let it learn in shadow on partition 0, scored by the words of people alone."""
    classifier = HashedLogistic()
    classifier.learn_one({"message:mismatched": 1.0}, "TypeErrors")
    packed = pack(classifier, "good")
    payload, sha256 = base64.b64encode(packed).decode(), hashlib.sha256(packed).hexdigest()
    model = Model(id="m", time=NOW, project="jidoka", name="good", sha256=sha256, payload=payload)
    line.send_keyed(Model, [(b"good", model.to_bytes())], 0)
    fields = {"id": "c", "time": NOW, "project": "jidoka", "action": "challenge", "partition": 0, "name": "good"}
    line.push([ModelCommand.model_validate(fields | {"sha256": sha256, "rules": False})])


def stream(count: int, seed: int, name: str, *, borrow: int) -> list[CompilerErrors]:
    """Return builds of one diagnostic each, of a mix of five kinds, in which borrow errors have this weight of 12."""
    draw = random.Random(seed)  # noqa: S311 - test data
    codes = draw.choices(list(MESSAGES), [5, 3, 2, 2, borrow], k=count)
    return [build(f"{name}-{place}", diagnostic(MESSAGES[code], code)) for place, code in enumerate(codes)]


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
        labels = {"partition": "2", "signal": "rejected", "severity": "critical"}
        fired(watched, "JidokaHighRejection", labels)
        poll(lambda: "JidokaHighRejection" in watched.alertmanager.names("on-call"), deadline_s=SEEN_S)

        done = jidoka("andon", "resume", "HighRejectionRate", "--partition", 2)
        assert done.status == 0, done.err
        over(watched, "JidokaHighRejection", labels)
        poll(lambda: "JidokaHighRejection" in watched.alertmanager.names("on-call", "resolved"), deadline_s=SEEN_S)

    def test_drift_is_named(self, busy: Watched, jidoka: Jidoka) -> None:
        """The team is told which category moved, one scrape and evaluation after it was noticed, until resume."""
        fired(busy, "JidokaConceptDrift", DRIFT)
        poll(lambda: "categories drifted, most of all OwnershipBorrow" in summaries(busy, "team"), deadline_s=SEEN_S)

        done = jidoka("andon", "resume", "--rebaseline", "--partition", 3)
        assert done.status == 0, done.err
        over(busy, "JidokaConceptDrift", DRIFT)


def fired(watched: Watched, name: str, labels: dict[str, str]) -> None:
    """Wait for an alert in Alertmanager, and check how soon it was there: one evaluation after the first scrape."""
    alert = poll(lambda: next(iter(known(watched, name, labels)), None), deadline_s=SEEN_S)
    where = f'partition="{labels["partition"]}", signal="{labels["signal"]}"'
    (series,) = watched.prometheus.query(f'ALERTS{{alertname="{name}", alertstate="firing", {where}}}[10m]')
    (scraped,) = watched.prometheus.query(f"jidoka_andon_active{{{where}}}[10m]")
    first_alert, first_scrape = series["values"][0][0], scraped["values"][0][0]
    assert first_alert - first_scrape <= EVERY_S
    assert datetime.fromisoformat(alert["startsAt"]).timestamp() - first_scrape <= EVERY_S


def known(watched: Watched, name: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Return Alertmanager's active alerts of this name with these labels."""
    wanted = {"alertname": name, **labels}
    return [one for one in watched.alertmanager.alerts() if one["labels"].items() >= wanted.items()]


def over(watched: Watched, name: str, labels: dict[str, str]) -> None:
    """Wait until neither Prometheus nor Alertmanager has the alert."""
    wanted = {"alertname": name, **labels}.items()
    poll(lambda: not [one for one in watched.prometheus.alerts() if one["labels"].items() >= wanted], deadline_s=SEEN_S)
    poll(lambda: not known(watched, name, labels), deadline_s=SEEN_S)


def summaries(watched: Watched, receiver: str) -> str:
    """Return what a receiver was told in words."""
    messages = [message for message in list(watched.alertmanager.told) if message["receiver"] == receiver]
    return "\n".join(alert["annotations"]["summary"] for message in messages for alert in message["alerts"])
