"""The supervisor: real processes brought up, watched, started again, and stopped without a rest."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams import runfile, supervisor
from streams.runfile import process_start
from streams.settings import Settings
from streams.supervisor import LineError, Supervisor, answers, child_environment, last_lines

pytestmark = pytest.mark.integration
Eventually = Callable[..., Any]


def gone(*pids: int) -> bool:
    return all(process_start(pid) is None for pid in pids)


def worker_pids(data_dir: Path) -> list[int]:
    run = runfile.read(data_dir)
    return [int(worker["pid"]) for worker in run.workers] if run else []


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cold(fresh_line: Settings) -> Settings:
    """Return settings for a line with empty topics, whose workers need no bundled model."""
    return fresh_line.model_copy(update={"warm_start": False})


class TestUp:
    def test_a_line_of_its_own(self, tmp_path: Path, said: list[str], eventually: Eventually) -> None:
        """With nothing configured the line brings its own broker up and down, and says what it does meanwhile.

        The run file names broker and worker while it is up; a second line in the folder is refused; a worker that
        dies is started again; after the end no process and no run file is left.
        """
        settings = Settings(broker=None, data_dir=tmp_path / "line", warm_start=False, partitions=2)
        with Supervisor(settings, 1, said.append, web=False) as line:
            assert line.broker is not None
            (broker_pid,), (worker,) = line.broker.pids, worker_pids(settings.data_dir)
            assert broker_pid is not None
            run = runfile.read(settings.data_dir)
            assert run is not None
            assert (run.pid, run.broker, run.web) == (os.getpid(), line.settings.broker, None)
            assert answers(f"{run.workers[0]['url']}/readyz")
            with (
                pytest.raises(LineError, match=rf"process {os.getpid()}.*--data-dir"),
                Supervisor(settings, 1, said.append, web=False),
            ):
                pytest.fail("a second line came up")
            assert not gone(worker)
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: not line.children[0].alive())
            line.watch()
            (successor,) = worker_pids(settings.data_dir)
            assert successor != worker
            assert "worker-1 died (status -9)" in said[-1]
            eventually(lambda: line.children[0].url() and answers(f"{line.children[0].url()}/readyz"), deadline_s=60)
            line.watch()
            again = runfile.read(settings.data_dir)
            assert again is not None
            assert again.workers == [{"pid": successor, "url": line.children[0].url()}]
        assert gone(broker_pid, worker, successor)
        assert runfile.read(settings.data_dir) is None
        assert not list(settings.data_dir.glob("*.json"))

    def test_two_workers_share(self, cold: Settings, said: list[str], eventually: Eventually) -> None:
        """Two workers come up together and share the partitions; stopping twice does no harm."""
        line = Supervisor(cold, 2, said.append, web=False)
        with line:
            pids = worker_pids(cold.data_dir)
            assert len(set(pids)) == 2

            def shares() -> list[set[int]]:
                found = [json.loads(get(f"{child.url()}/v1/state")) for child in line.children]
                return [{one["partition"] for one in state["partitions"]} for state in found]

            eventually(lambda: sorted(map(len, shares())) == [2, 2], deadline_s=30)
            line.stop()
            assert gone(*pids)
        line.stop()
        assert runfile.read(cold.data_dir) is None


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own worker
        body: bytes = response.read()
    return body


class TestFailures:
    def test_a_worker_that_dies_at_start_names_its_log(self, cold: Settings, said: list[str]) -> None:
        """When a worker cannot start, the error holds its last words and the place of its log; nothing stays up."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            settings = cold.model_copy(update={"ops_port": taken.getsockname()[1]})
            with (
                pytest.raises(LineError, match=r"(?s)worker-1 ended while starting: .*worker-1\.log") as error,
                Supervisor(settings, 1, said.append, web=False),
            ):
                pytest.fail("it came up")
        assert "address already in use" in str(error.value)
        assert runfile.read(settings.data_dir) is None

    def test_one_that_dies_again_and_again_ends_the_line(
        self, cold: Settings, said: list[str], eventually: Eventually, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that dies more often than a minute allows is not started for ever: the error names its log."""
        monkeypatch.setattr(supervisor, "MAX_RESTARTS", 1)
        with Supervisor(cold, 1, said.append, web=False) as line:
            for _ in range(2):
                (child,) = line.children
                assert child.process is not None
                child.process.kill()
                eventually(lambda child=child: not child.alive())
                if not child.restarts:
                    line.watch()
            with pytest.raises(LineError, match=r"worker-1 died 2 times in a minute: .*worker-1\.log"):
                line.watch()

    def test_topics_that_do_not_fit_are_told(self, cold: Settings, said: list[str]) -> None:
        """A cluster whose topics have another number of partitions is an error with the setting that fits."""
        settings = cold.model_copy(update={"partitions": 7})
        with (
            pytest.raises(LineError, match="JIDOKA_PARTITIONS=4"),
            Supervisor(settings, 1, said.append, web=False),
        ):
            pytest.fail("it came up")

    def test_the_last_lines_of_a_log(self, tmp_path: Path) -> None:
        """The last lines that say something are shown on one line, whatever bytes are in them."""
        log = tmp_path / "x.log"
        assert last_lines(log) == "it printed nothing"
        log.write_bytes(b"one\n\ntwo\xff\n   \nthree\nfour\n")
        assert last_lines(log) == "two\ufffd | three | four"


@pytest.fixture
def up(cold: Settings) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that runs ``jidoka up`` as a process of its own, as in a terminal."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "up", "--data-dir", str(cold.data_dir)],
            env=child_environment(cold),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


class TestCommand:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_stops_everything(
        self, number: signal.Signals, up: Any, cold: Settings, eventually: Eventually
    ) -> None:
        """Ctrl-C or SIGTERM ends ``jidoka up`` with 0 and no stack trace; no process of the line is left."""
        process = up()
        eventually(lambda: process.poll() is not None or worker_pids(cold.data_dir), deadline_s=60)
        pids = worker_pids(cold.data_dir)
        assert pids
        assert process.stdout.readline().startswith("the line is up")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert "stopped" in out
        assert gone(*pids)
        assert runfile.read(cold.data_dir) is None

    def test_an_impatient_ctrl_c_stops_everything_too(self, up: Any, cold: Settings, eventually: Eventually) -> None:
        """Ctrl-C while the workers are still starting ends with 130, no stack trace and no process left."""
        process = up()
        logs = cold.data_dir / "logs"
        eventually(lambda: process.poll() is not None or (logs / "worker-1.log").exists(), deadline_s=60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Traceback" not in err
        eventually(lambda: not children_of(str(cold.data_dir)), deadline_s=20)

    def test_its_children_do_not_outlive_it(self, up: Any, cold: Settings, eventually: Eventually) -> None:
        """After kill -9 of ``jidoka up`` itself its workers end by themselves."""
        process = up()
        eventually(lambda: process.poll() is not None or worker_pids(cold.data_dir), deadline_s=60)
        pids = worker_pids(cold.data_dir)
        assert pids
        process.kill()
        eventually(lambda: gone(*pids), deadline_s=30)
        assert runfile.read(cold.data_dir) is None


def children_of(data_dir: str) -> list[int]:
    """Return the processes of this machine that were started with this data folder."""
    if not Path("/proc/self").exists():
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if data_dir.encode() in words:
                found.append(int(entry.name))
    return found
