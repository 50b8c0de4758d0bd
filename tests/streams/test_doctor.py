"""The doctor's findings."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from streams import doctor, runfile
from streams.broker import ports
from streams.runfile import RunFile
from streams.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, http_port=ports.any_free())


def test_every_finding_that_is_not_well_says_what_to_do(settings: Settings) -> None:
    """On any machine all checks run to their end, and each that warns or fails comes with advice."""
    found = list(doctor.checks(settings))
    assert [check.name for check in found] == [
        "python", "java", "kafka", "broker", "disk", "port", "rustc", "depyler", "clock",
    ]  # fmt: skip
    assert all(check.detail for check in found)
    assert all(bool(check.fix) == (check.status != "ok") for check in found)


def test_java_runs(settings: Settings) -> None:
    """The Java runtime that pip installed runs here."""
    check = doctor.java_runtime(settings)
    assert (check.status, "version" in check.detail) == ("ok", True)


def test_an_old_python_fails() -> None:
    """A Python before 3.11 is a failure that names the version needed."""
    check = doctor.python((3, 10, 4))
    assert check.status == "fail"
    assert "3.11" in check.fix


def test_jars_not_yet_downloaded_are_a_warning(settings: Settings, tmp_path: Path) -> None:
    """Before the first start the missing download is announced, with its size; a cluster needs none."""
    check = doctor.kafka_jars(settings, tmp_path)
    assert check.status == "warn"
    assert "45 MB" in check.detail
    assert doctor.kafka_jars(Settings(broker="kafka:9092", data_dir=tmp_path), tmp_path).status == "ok"


class TestBroker:
    def test_unreachable_cluster_fails(self, tmp_path: Path) -> None:
        """A configured cluster that does not answer is a failure with its address."""
        address = f"127.0.0.1:{ports.any_free()}"
        check = doctor.broker(Settings(broker=address, data_dir=tmp_path), None)
        assert check.status == "fail"
        assert address in check.detail
        assert "JIDOKA_BROKER" in check.fix

    def test_wrong_security_settings_fail(self, tmp_path: Path) -> None:
        """Security settings that do not fit together are reported before anything is asked."""
        check = doctor.broker(Settings(broker="h:1", security_protocol="SASL_SSL", data_dir=tmp_path), None)
        assert (check.status, "JIDOKA_SASL_USERNAME" in check.detail) == ("fail", True)

    def test_line_that_is_up_but_silent_names_its_log(self, settings: Settings) -> None:
        """When the run file's broker does not answer, the advice names the broker's log."""
        runfile.write(settings.data_dir, RunFile(os.getpid(), f"127.0.0.1:{ports.any_free()}"))
        check = doctor.broker(settings, runfile.read(settings.data_dir))
        assert (check.status, "kafka.log" in check.fix) == ("fail", True)

    def test_answering_broker_is_well(self, broker: str, tmp_path: Path) -> None:
        """A broker that answers is reported with its cluster."""
        check = doctor.broker(Settings(broker=broker, data_dir=tmp_path), None)
        assert check.status == "ok", check
        assert broker in check.detail


class TestPort:
    def test_taken_by_another_program(self, tmp_path: Path) -> None:
        """A taken HTTP port is a warning that says how to choose another."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            check = doctor.http_port(Settings(http_port=taken.getsockname()[1], data_dir=tmp_path), None)
        assert (check.status, "JIDOKA_HTTP_PORT" in check.fix) == ("warn", True)

    def test_taken_by_our_own_line(self, settings: Settings) -> None:
        """The port of the line that is up is not a problem."""
        check = doctor.http_port(settings, RunFile(os.getpid(), "b", "http://127.0.0.1:8787"))
        assert (check.status, "8787" in check.detail) == ("ok", True)


class TestTool:
    def test_missing(self) -> None:
        """An optional program that is not there is a warning with the way to get it."""
        check = doctor.tool("no-such-program-here", "get it from x")
        assert (check.status, check.fix) == ("warn", "get it from x")

    def test_failing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program that does not even tell its version is a warning, not a crash."""
        broken = tmp_path / "broken-tool"
        broken.write_text("#!/bin/sh\nexit 3\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert doctor.tool("broken-tool", "reinstall").status == "warn"


def test_a_clock_behind_its_own_files_is_a_warning(tmp_path: Path) -> None:
    """A time before what is already written here cannot be right."""
    assert doctor.clock(tmp_path, 0.0).status == "warn"
