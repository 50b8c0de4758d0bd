"""Prometheus and Alertmanager for tests: the real programs, each with a folder and a free port of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.broker import ports
from tests.polling import poll

ROOT = Path(__file__).parent.parent
ALERTS = ROOT / "dashboards" / "alerts"
ALERTMANAGER = ROOT / "docker" / "alertmanager.yml"
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
START_S = 30.0


def tool(name: str) -> str:
    """Return a program's path; without it the test is skipped, in CI it fails."""
    found = shutil.which(name) or (name == "prometheus-alertmanager" and shutil.which("alertmanager"))
    if found:
        return found
    message = f"{name} is missing: apt install {PACKAGES[name]}, or unpack it and put it on PATH"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, within a minute."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own programs
        return json.load(response)


@contextmanager
def serving(folder: Path, name: str, health: str, *command: str) -> Iterator[None]:
    """Run a program until the block ends; its output is shown when it does not become healthy."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        poll(lambda: process.poll() is not None or healthy(health), deadline_s=START_S)
        assert process.poll() is None, log.read_text()[-4000:]
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own programs
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Prometheus:
    """A Prometheus that is up."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; an expression that Prometheus refuses fails the test."""
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            answer = get(url)
        except urllib.error.HTTPError as error:
            pytest.fail(f"{expression}: {error.read().decode(errors='replace')}")
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing."""
        found: list[dict[str, Any]] = get(f"{self.url}/api/v1/alerts")["data"]["alerts"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return the groups of rules with how their last evaluation went."""
        found: list[dict[str, Any]] = get(f"{self.url}/api/v1/rules")["data"]["groups"]
        return found


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], *, every: str = "1s", alertmanager: str | None = None
) -> Iterator[Prometheus]:
    """Give a Prometheus that scrapes targets (URLs, by job) and evaluates the project's rules."""
    program, port = tool("prometheus"), ports.any_free()
    config = {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [f"{ALERTS}/*.yaml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [urllib.parse.urlsplit(url).netloc for url in urls]}]}
            for job, urls in targets.items()
        ],
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{port}"
    options = (f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}", "--log.level=warn")
    with serving(folder, "prometheus", f"{url}/-/ready", program, *options, f"--web.listen-address=127.0.0.1:{port}"):
        yield Prometheus(url)


class Alertmanager:
    """An Alertmanager that is up, and what its receivers were told, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[dict[str, Any]] = []

    def push(self, *alerts: dict[str, str]) -> None:
        """Let alerts with these labels fire for an hour, as Prometheus would tell it."""
        now = datetime.now(UTC)
        body = [
            {"labels": labels, "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
            for labels in alerts
        ]
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own program
            assert response.status == 200

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it knows, silenced ones too."""
        found: list[dict[str, Any]] = get(f"http://{self.address}/api/v2/alerts")
        return found

    def names(self, receiver: str, status: str = "firing") -> set[str]:
        """Return the names of the alerts that a receiver was told of."""
        return {
            alert["labels"]["alertname"]
            for message in list(self.told)
            if message["receiver"] == receiver
            for alert in message["alerts"]
            if alert["status"] == status
        }


@contextmanager
def alertmanager(folder: Path, *, wait: str = "1s") -> Iterator[Alertmanager]:
    """Give an Alertmanager with the project's routes, whose receivers all end here."""
    program, port = tool("prometheus-alertmanager"), ports.any_free()
    manager = Alertmanager(f"127.0.0.1:{port}")
    with receiving(manager.told) as url:
        config = yaml.safe_load(ALERTMANAGER.read_text())
        config["route"] |= {"group_wait": wait, "group_interval": "1s"}
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": url, "send_resolved": True}]
        file = folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(config))
        options = (f"--config.file={file}", f"--storage.path={folder / 'alertmanager'}", "--cluster.listen-address=")
        health = f"http://{manager.address}/-/ready"
        with serving(folder, "alertmanager", health, program, *options, f"--web.listen-address={manager.address}"):
            yield manager


@contextmanager
def receiving(told: list[dict[str, Any]]) -> Iterator[str]:
    """Collect what is posted to the address that is given."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
