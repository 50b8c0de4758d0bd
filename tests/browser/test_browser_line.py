"""The board of a whole line: real broker, real worker, `jidoka web` as a process, and people who click."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.records import AndonEvent, Feedback
from producers.sender import Sender
from streams import runfile
from streams.broker import ports
from streams.follow import Follower
from streams.runfile import RunFile
from streams.settings import Settings

CARGO = Path(__file__).parents[1] / "producers" / "data" / "cargo.json"
START_S = 60.0
TOKEN = "s3cret"  # noqa: S105 - of a test


class Processes:
    """A worker and a web process of one line, which can be ended and started again."""

    def __init__(self, settings: Settings, eventually: Callable[..., Any]) -> None:
        self.settings, self._eventually = settings, eventually
        self.port = ports.any_free()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        settings.data_dir.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, command: str) -> str:
        """Start ``jidoka COMMAND``, wait until it is ready, and return its address."""
        announce = self.settings.data_dir / f"{command}.json"
        announce.unlink(missing_ok=True)
        environment = os.environ | {
            "JIDOKA_BROKER": self.settings.broker or "",
            "JIDOKA_APP_ID": self.settings.app_id,
            "JIDOKA_DATA_DIR": str(self.settings.data_dir),
            "JIDOKA_HTTP_PORT": str(self.port),
            "JIDOKA_TOKEN": TOKEN,
        }
        line = [sys.executable, "-m", "streams.cli", command, "--announce", str(announce)]
        with (self.settings.data_dir / f"{command}.log").open("ab") as log:
            self._running[command] = subprocess.Popen(line, env=environment, stderr=log)
        address = str(self._eventually(lambda: self._ready(announce), deadline_s=START_S))
        if command == "worker":
            here = {"pid": self._running[command].pid, "url": address}
            run = RunFile(os.getpid(), self.settings.broker or "", self.url, [here])
            runfile.write(self.settings.data_dir, run)
        return address

    def _ready(self, announce: Path) -> str | None:
        try:
            address = str(orjson.loads(announce.read_bytes())["url"])
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as response:  # noqa: S310 - our own process
                return address if response.status == 200 else None
        except (OSError, ValueError):
            return None

    def end(self, command: str) -> None:
        """Ask a process to end, and wait for it."""
        running = self._running.pop(command)
        running.send_signal(signal.SIGTERM)
        assert running.wait(START_S) == 0

    def stop(self) -> None:
        for running in self._running.values():
            running.kill()
            running.wait()

    def push(self, project: str) -> None:
        """Post a real build over HTTP."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        address = f"{self.url}/v1/compiler-errors?project={project}"
        request = urllib.request.Request(address, CARGO.read_bytes(), headers)  # noqa: S310 - our own process
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            assert response.status == 202

    def halt(self, transition: str) -> None:
        """Put an andon event on its topic: a halt of partition 0 that was raised, or is over."""
        lamp = "red" if transition == "raised" else "green"
        about = {"id": transition, "time": datetime.now(UTC), "project": "acme/app", "partition": 0, "lamp": lamp}
        event = AndonEvent(kind="ModelDegradation", severity="halt", message="it errs", transition=transition, **about)

        async def send() -> None:
            async with Sender(self.settings.broker or "", {}, "/jidoka/andon") as sender:
                await sender.send(event)

        asyncio.run(send())

    def feedback(self) -> list[Feedback]:
        """Return the feedback that is on the topic."""

        async def read() -> list[Feedback]:
            async with Follower(self.settings, Feedback, from_beginning=True) as follower:
                return [record async for record in follower.until_end()]

        return asyncio.run(read())


@pytest.fixture
def line(fresh_line: Settings, eventually: Callable[..., Any]) -> Iterator[Processes]:
    with _ended(Processes(fresh_line, eventually)) as processes:
        processes.start("worker")
        processes.start("web")
        yield processes


@contextmanager
def _ended(processes: Processes) -> Iterator[Processes]:
    try:
        yield processes
    finally:
        processes.stop()


class TestLine:
    def test_build_is_shown_contradicted_and_outlives_restarts(self, stage: Any, line: Processes) -> None:
        """A pushed build appears live, a verdict lands on the topic, a halt shows; the page outlives web and worker."""

        async def scene(page: Any) -> None:
            await page.locator('#lamp[data-colour="green"]').wait_for()
            await _apart(line.push, "acme/app")
            row = page.locator(".row", has_text="acme/app").first
            await row.wait_for()
            await row.click()
            await page.locator("input[name=token]").fill(TOKEN)
            await page.get_by_role("button", name="Use it").click()
            await page.locator("article mark").first.wait_for()
            await page.locator("summary").first.click()
            await page.get_by_label("it is").first.select_option("ApiMisuse")
            await page.get_by_role("button", name="Send").first.click()
            await page.locator(".said", has_text="Noted").wait_for()
            await page.keyboard.press("Escape")

            await _apart(line.halt, "raised")
            await page.locator('#lamp[data-colour="red"]').wait_for()
            assert "it errs" in await page.locator("#lamp-why").inner_text()

            await _apart(line.end, "web")
            await page.locator('#lamp[data-colour="unknown"]').wait_for()
            await _apart(line.start, "web")
            await page.locator('#link[data-state="live"]').wait_for()
            await page.locator("#workers", has_text="1 of 1").wait_for()
            await page.locator('#lamp[data-colour="red"]').wait_for()  # read back from the topic
            await _apart(line.halt, "resumed")
            await page.locator('#lamp[data-colour="green"]').wait_for()

            await _apart(line.end, "worker")
            await page.locator('#lamp[data-colour="amber"]').wait_for()
            assert "does not answer" in await page.locator("#lamp-why").inner_text()
            await _apart(line.start, "worker")
            await page.locator('#lamp[data-colour="green"]').wait_for()
            await _apart(line.push, "acme/other")
            await page.locator(".row", has_text="acme/other").first.wait_for()

        faults = ["401 (Unauthorized)", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
        stage.at(f"{line.url}/board", scene, faults)
        (said,) = line.feedback()
        assert (said.project, said.category, said.index) == ("acme/app", "ApiMisuse", 0)


async def _apart(work: Callable[[str], Any], argument: str) -> None:
    await asyncio.to_thread(work, argument)
