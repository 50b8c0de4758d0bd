"""The embedded broker's settings, storage, ports, locks and error texts, without a JVM."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import runfile
from streams.broker import (
    BrokerError,
    EmbeddedCluster,
    Listener,
    Security,
    config,
    errors,
    jars,
    ownership,
    pins,
    ports,
    storage,
)
from streams.broker.config import Place
from streams.broker.locking import FileLock
from streams.runfile import RunFile, process_start
from streams.topics import MAX_MESSAGE_BYTES

META = "cluster.id=abc\ndirectory.id=d\nnode.id=1\nversion=1\n"


def places(count: int) -> list[Place]:
    return [Place(number, 1000 + number, 2000 + number) for number in range(1, count + 1)]


class TestServerProperties:
    @pytest.mark.parametrize("count", [1, 3])
    def test_listens_on_the_loopback_only(self, count: int) -> None:
        """No listener, the controllers' and the secured ones included, is reachable from another machine."""
        security = Security([Listener("SSL", Path("c"), Path("a"))])
        one, *others = places(count)
        one = Place(one.node, one.client_port, one.controller_port, (3000,))
        properties = config.server_properties(one, [one, *others], security)
        hosts = re.findall(r"(?://|@)([^:]+):", "".join(properties.values()))
        assert set(hosts) == {"127.0.0.1"}
        assert "SECURE0://127.0.0.1:3000" in properties["advertised.listeners"]

    def test_takes_the_largest_record_of_the_line(self) -> None:
        """The broker accepts messages as large as the topics allow."""
        assert int(config.server_properties(*_alone())["message.max.bytes"]) == MAX_MESSAGE_BYTES

    def test_three_hold_everything_and_two_of_them_suffice(self) -> None:
        """With three brokers whatever is stored has three copies, two at least when it is acknowledged."""
        for place in places(3):
            properties = config.server_properties(place, places(3))
            copies = {value for name, value in properties.items() if name.endswith("replication.factor")}
            least = {value for name, value in properties.items() if name.endswith(("min.isr", "min.insync.replicas"))}
            assert (copies, least) == ({"3"}, {"2"})
            assert properties["unclean.leader.election.enable"] == "false"
            assert properties["controller.quorum.voters"].count("@") == 3
        assert config.server_properties(*_alone())["offsets.topic.replication.factor"] == "1"

    @given(client=st.integers(1, 65535), controller=st.integers(1, 65535))
    def test_renders_as_one_ascii_line_for_each_setting(self, client: int, controller: int) -> None:
        """What Kafka reads back is what was set."""
        place = Place(1, client, controller, (5,))
        security = Security([Listener("SASL_SSL", Path("é"), Path("#"))], {"u": "p"}, authorize=True)
        properties = config.server_properties(place, [place], security)
        text = config.render(properties)
        assert text.isascii()
        assert dict(line.split("=", 1) for line in text.splitlines()) == properties

    @pytest.mark.parametrize("bad", ['a"b', "a;b", "a\\b", "a,b", "a]", "", "ä", "a b", "a\n"])
    def test_refuses_logins_that_settings_would_read_otherwise(self, bad: str) -> None:
        """A name or password that would end its place in Kafka's settings is refused, and never shown."""
        with pytest.raises(ValueError, match="letters, digits"):
            Security(users={bad: "p"})
        with pytest.raises(ValueError, match="letters, digits") as caught:
            Security(users={"u": bad})
        assert not bad or bad not in str(caught.value).partition(":")[0]
        assert "secret" not in repr(Security(users={"u": "secret"}))


def _alone() -> tuple[Place, list[Place]]:
    (place,) = places(1)
    return place, [place]


class TestSizes:
    @pytest.mark.parametrize("count", [0, 2, 4, -1])
    def test_one_or_three(self, tmp_path: Path, count: int) -> None:
        """Any other number of brokers is refused."""
        with pytest.raises(BrokerError, match="one, or three"):
            EmbeddedCluster(tmp_path, count)

    @pytest.mark.parametrize(("there", "wanted", "said"), [("kafka", 3, "--brokers 1"), ("kafka-2", 1, "--brokers 3")])
    def test_data_of_another_size_are_left_alone(self, tmp_path: Path, there: str, wanted: int, said: str) -> None:
        """Data that one broker made are not used by three, nor the other way round: the error says what would."""
        (tmp_path / there / config.DATA / "topic-0").mkdir(parents=True)
        with pytest.raises(BrokerError, match=rf"(?s)holds the data of .*{said}.*--data-dir"):
            EmbeddedCluster(tmp_path, wanted).start()
        assert [path.name for path in tmp_path.iterdir()] == [there]

    def test_folders_of_different_clusters_are_not_mixed(self, tmp_path: Path) -> None:
        """Three folders with two cluster ids are refused before a broker runs."""
        for number, cluster_id in enumerate((*[storage.new_cluster_id()] * 2, storage.new_cluster_id()), 1):
            data = tmp_path / f"kafka-{number}" / config.DATA
            data.mkdir(parents=True)
            (data / "meta.properties").write_text(META.replace("abc", cluster_id))
        with pytest.raises(BrokerError, match="belong to different clusters"):
            EmbeddedCluster(tmp_path, 3).start()


class TestJars:
    def test_one_version_of_kafka_is_pinned(self) -> None:
        """All of Kafka's own jars have the version that the project names, the client included."""
        kafka = [jar for jar in pins.JARS if jar.coordinates.startswith("org.apache.kafka:")]
        assert len(kafka) > 10
        assert {jar.coordinates.rpartition(":")[2] for jar in kafka} == {pins.KAFKA_VERSION}

    def test_the_logging_binding_fits(self) -> None:
        """The slf4j binding is there, for slf4j 1.7 and at log4j's own version: without it the broker logs nothing."""
        versions = {jar.coordinates.split(":")[1]: jar.coordinates.rpartition(":")[2] for jar in pins.JARS}
        assert versions["slf4j-api"].startswith("1.7.")
        assert versions["log4j-slf4j-impl"] == versions["log4j-core"]

    def test_no_two_jars_share_a_file_name(self) -> None:
        """Every pinned jar has a file of its own in the flat cache folder."""
        assert len({jar.filename for jar in pins.JARS}) == len(pins.JARS)

    def test_says_what_is_missing_or_short(self, tmp_path: Path) -> None:
        """An absent jar and one that was cut short are missing; one of the right size is not."""
        jar, other = pins.JARS[0], pins.JARS[1]
        (tmp_path / jar.filename).write_bytes(b"x" * jar.size)
        (tmp_path / other.filename).write_bytes(b"x" * (other.size - 1))
        assert set(jars.missing(tmp_path)) == set(pins.JARS) - {jar}

    def test_sees_changed_content_of_the_right_size(self, tmp_path: Path) -> None:
        """A jar of the right size with other bytes is damaged."""
        jar = pins.JARS[0]
        (tmp_path / jar.filename).write_bytes(b"x" * jar.size)
        assert jar in jars.damaged(tmp_path)

    def test_an_unreachable_repository_is_explained(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without network the error names the file, the reason and the ways out, and leaves nothing half-done."""
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(BrokerError, match=r"could not download .*\n.*HTTPS_PROXY.*\n.*JIDOKA_BROKER"):
            jars.fetch(directory=tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


class TestStorage:
    def test_formats_once_and_keeps_the_cluster_id(self, tmp_path: Path) -> None:
        """The second preparation finds the first one's storage and formats nothing."""
        asked: list[str] = []
        formatter = _Formatter(tmp_path, asked)
        first = storage.prepare(tmp_path, formatter)
        assert storage.prepare(tmp_path, formatter) == first
        assert asked == [first]

    def test_a_format_cut_short_is_done_again(self, tmp_path: Path) -> None:
        """What an interrupted format left behind is removed, not used."""
        (tmp_path / config.FORMATTING).mkdir()
        (tmp_path / config.FORMATTING / "meta.properties").write_text("cluster.id=half")
        assert storage.prepare(tmp_path, _Formatter(tmp_path, [])) != "half"
        assert not (tmp_path / config.FORMATTING).exists()

    @pytest.mark.parametrize("left", [None, "", "#\ncluster.id=abc\n"])
    def test_lost_meta_properties_are_restored(self, tmp_path: Path, left: str | None) -> None:
        """Data whose meta.properties is gone, empty or cut short is kept, with the copy put in its place."""
        cluster_id = storage.prepare(tmp_path, _Formatter(tmp_path, []))
        (tmp_path / config.DATA / "topic-0").mkdir()
        meta = tmp_path / config.DATA / "meta.properties"
        meta.unlink() if left is None else meta.write_text(left)
        assert storage.prepare(tmp_path, _Formatter(tmp_path, [])) == cluster_id
        assert (tmp_path / config.DATA / "topic-0").exists()

    def test_data_that_nobody_can_name_is_not_overwritten(self, tmp_path: Path) -> None:
        """Data without meta.properties and without a copy stop the start with advice, and stay."""
        (tmp_path / config.DATA / "topic-0").mkdir(parents=True)
        with pytest.raises(BrokerError, match=r"move .* away"):
            storage.prepare(tmp_path, _Formatter(tmp_path, []))
        assert (tmp_path / config.DATA / "topic-0").exists()

    def test_cluster_ids_fit_a_command_line(self) -> None:
        """No id begins with a dash, all have Kafka's 22 characters."""
        ids = [storage.new_cluster_id() for _ in range(500)]
        assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", text) for text in ids)


class _Formatter:
    """Does what StorageTool does to the folder, and notes the ids it is given."""

    def __init__(self, home: Path, asked: list[str]) -> None:
        self.home, self.asked = home, asked

    def __call__(self, cluster_id: str) -> None:
        self.asked.append(cluster_id)
        (self.home / config.FORMATTING).mkdir()
        meta = META.replace("abc", cluster_id)
        (self.home / config.FORMATTING / "meta.properties").write_text(meta)


class TestPorts:
    def test_prefers_the_wanted_then_the_last_port(self, tmp_path: Path) -> None:
        """A wanted free port wins over that of the last run, which wins over any other."""
        wanted, last = ports.any_free(), ports.any_free()
        ports.remember(tmp_path, last)
        assert ports.choose(tmp_path, wanted) == wanted
        assert ports.choose(tmp_path) == last

    def test_free_ports_are_different(self) -> None:
        """Several ports asked for at once differ from each other and from those already given."""
        taken = set(ports.several_free(200))
        more = ports.several_free(200, taken)
        assert len(taken | set(more)) == 400

    def test_replaces_a_taken_port(self, tmp_path: Path) -> None:
        """A port that another server listens on is not chosen."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert not ports.is_free(port)
            assert ports.choose(tmp_path, port) != port

    @pytest.mark.parametrize("kept", ["", "x", "-1", "0", "70000"])
    def test_a_spoilt_port_file_is_ignored(self, tmp_path: Path, kept: str) -> None:
        """A port file with anything but a port counts as none."""
        (tmp_path / ports.LAST_PORT).write_text(kept)
        assert ports.last(tmp_path) == 0


class TestOwnership:
    def test_refuses_a_folder_in_use_and_says_by_whom(self, tmp_path: Path) -> None:
        """A second broker in a folder whose owner lives is refused, with the owner's process number."""
        held = ownership.take(tmp_path, print)
        with pytest.raises(BrokerError, match=rf"process {os.getpid()}\b.*--data-dir"):
            ownership.take(tmp_path, print)
        held.release()

    @pytest.mark.parametrize("left", ["", "{", "[]", '{"owner": "x"}', '{"owner": 1, "owner_start": "never"}'])
    def test_a_stale_lock_file_does_not_hinder(self, tmp_path: Path, left: str) -> None:
        """A lock file left by a dead process, whatever it says, is simply taken over."""
        (tmp_path / "lock").write_text(left)
        ownership.take(tmp_path, print).release()

    def test_ends_a_broker_whose_owner_is_gone(self, tmp_path: Path) -> None:
        """A process that still holds the folder after its owner died is stopped, and the folder taken."""
        lock = FileLock(tmp_path / "lock")
        assert lock.acquire()
        command = [sys.executable, "-c", "input()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock.descriptor,)) as orphan:
            lock.write(ownership.describe(orphan.pid) | {"owner_start": "an earlier process"})
            lock.release()
            said: list[str] = []
            ownership.take(tmp_path, said.append).release()
            assert orphan.wait(10) != 0
        assert str(orphan.pid) in said[0]


class TestErrors:
    def test_names_cause_lines_and_log(self, tmp_path: Path) -> None:
        """The error says the known cause with advice, shows the errors of the log and names the file."""
        log = tmp_path / "kafka.log"
        log.write_text("x")
        lines = [
            "2026 INFO fine (k)",
            "2026 ERROR broken (k)",
            "java.io.IOException: No space left on device",
            "\tat x",
        ]
        text = str(errors.failed("Kafka ended while starting", log, lines=lines))
        assert "disk is full" in text
        assert "ERROR broken" in text
        assert "INFO fine" not in text
        assert "\tat x" not in text
        assert str(log) in text

    def test_reads_only_what_a_run_wrote(self, tmp_path: Path) -> None:
        """Lines of earlier runs are left out; after a rollover the whole new file counts; a missing file is empty."""
        log = tmp_path / "kafka.log"
        log.write_text("old\nnew\n")
        assert errors.last_lines(log, 4) == ["new"]
        assert errors.last_lines(log, 1000) == ["old", "new"]
        assert errors.last_lines(tmp_path / "none") == []


class TestRunFile:
    def test_reads_what_was_written(self, tmp_path: Path) -> None:
        """A run file of a living process is read back as it was written, and is gone once removed."""
        run = RunFile(os.getpid(), "127.0.0.1:9092", "http://127.0.0.1:8787", [{"pid": 1, "url": "http://x"}])
        runfile.write(tmp_path / "new", run)
        assert runfile.read(tmp_path / "new") == run
        runfile.remove(tmp_path / "new")
        runfile.remove(tmp_path / "new")
        assert runfile.read(tmp_path / "new") is None

    def test_a_dead_process_is_not_up(self, tmp_path: Path) -> None:
        """Once its process has ended, a run file counts as none."""
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            runfile.write(tmp_path, RunFile(process.pid, "b"))
            assert runfile.read(tmp_path) is not None
        assert runfile.read(tmp_path) is None

    def test_another_process_with_the_number_is_not_up(self, tmp_path: Path) -> None:
        """A process number that was given to a later process does not bring the line back."""
        runfile.write(tmp_path, RunFile(os.getpid(), "b"))
        value = json.loads((tmp_path / runfile.NAME).read_text())
        (tmp_path / runfile.NAME).write_text(json.dumps(value | {"started": "long ago"}))
        assert runfile.read(tmp_path) is None

    @given(
        junk=st.binary(max_size=50)
        | st.recursive(st.none() | st.integers(), st.lists).map(lambda x: json.dumps(x).encode())
    )
    def test_junk_is_not_up(self, junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Whatever bytes the file holds, reading it gives none instead of failing."""
        folder = tmp_path_factory.mktemp("junk")
        (folder / runfile.NAME).write_bytes(junk)
        assert runfile.read(folder) is None

    def test_a_process_that_ended_uncollected_is_dead(self) -> None:
        """A zombie does not count as a process."""
        process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) is None
        process.wait()
