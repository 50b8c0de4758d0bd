"""TLS, logins, client certificates and rights: the real line against a real broker that demands them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography.hazmat.primitives import serialization

from models.records import Prediction
from streams.broker import EmbeddedBroker, Listener, Security, ports
from streams.follow import Follower
from streams.kafka import client_options
from streams.settings import Settings
from streams.supervisor import child_environment
from streams.topics import TOPICS

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "tests" / "producers" / "data" / "cargo.json"
ROLES = ("producer", "worker", "trainer", "consumer", "operator")
PASSWORDS = {role: f"s3cret-of-{role}" for role in ROLES}
WRONG = "s3cret-that-is-wrong"
LOGIN, CERTIFICATE, OTHER_NAME = range(3)  # the broker's listeners
# What docs/operations/acl.md says.
WRITE: dict[str, set[str]] = {
    "producer": {"compiler-errors", "feedback", "programs", "transpile-results"},
    "worker": {"predictions", "model-checkpoints", "model-commands", "andon-events", "dead-letters"},
    "trainer": {"models"},
    "consumer": set(),
    "operator": {"compiler-errors", "feedback", "model-commands", "andon-events"},
}
READ: dict[str, set[str]] = {
    "producer": {"predictions", "compiler-errors", "andon-events"},
    "worker": {"compiler-errors", "feedback", "model-commands", "models", "model-checkpoints"},
    "trainer": {"compiler-errors", "feedback"},
    "consumer": {"predictions", "andon-events"},
    "operator": {topic.record.topic for topic in TOPICS},
}
Eventually = Callable[..., Any]


def pem(authority: trustme.CA, folder: Path, *names: str, user: str | None = None) -> Path:
    """Return a file with a key (PKCS #8, as Kafka reads it) and its certificate from ``authority``."""
    issued = authority.issue_cert(*names, common_name=user)
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{'-'.join([*names, user or ''])}.pem"
    path.write_bytes(key.private_bytes(*form) + b"".join(one.bytes() for one in issued.cert_chain_pems))
    return path


@dataclass
class Secured:
    """A broker with listeners for logins and for certificates, its rights those of docs/operations/acl.md."""

    broker: EmbeddedBroker
    folder: Path
    authority: trustme.CA
    ca_file: Path

    def settings(self, role: str, mechanism: str | None = "PLAIN", **changes: Any) -> Settings:
        """Return the settings of a process with this role: a login by ``mechanism``, ``None``: a certificate."""
        listener = CERTIFICATE if mechanism is None else LOGIN
        known: dict[str, Any] = {"ssl_cafile": self.ca_file, "broker": self.broker.secure_bootstrap(listener)}
        if mechanism is None:
            file = self.folder / f"{role}.example-{role}.pem"
            if not file.exists():
                pem(self.authority, self.folder, f"{role}.example", user=role)
            known |= {"security_protocol": "SSL", "ssl_certfile": file}
        else:
            known |= {"security_protocol": "SASL_SSL", "sasl_mechanism": mechanism}
            known |= {"sasl_username": role, "sasl_password": PASSWORDS[role]}
        known |= {"data_dir": self.folder / "data", "partitions": 2, "warm_start": False}
        return Settings(**(known | changes))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    authority, ca_file = trustme.CA(), folder / "authority.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    ours, theirs = pem(authority, folder, "127.0.0.1"), pem(authority, folder, "kafka.example.org")
    listeners = [Listener("SASL_SSL", ours, ca_file), Listener("SSL", ours, ca_file)]
    listeners.append(Listener("SASL_SSL", theirs, ca_file))
    security = Security(listeners, PASSWORDS, authorize=True)
    with EmbeddedBroker(folder, port=ports.any_free(), security=security) as broker:
        give_rights(broker.bootstrap, documented_commands(folder))
        made = Secured(broker, folder, authority, ca_file)
        assert run(made.settings("operator"), "topics", "create").returncode == 0
        yield made


def documented_commands(folder: Path) -> list[list[str]]:
    """Run the shell commands of docs/operations/acl.md with a stand-in for Kafka's tool, and return what it got."""
    (script,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "operations" / "acl.md").read_text(), re.DOTALL)
    tool, got = folder / "kafka-acls.sh", folder / "commands"
    tool.write_text(f'#!/bin/sh\nprintf "%s\\037" "$@" >> "{got}"; echo >> "{got}"\n')
    tool.chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "BROKER": "host:1"}
    subprocess.run(["bash", "-euc", script], env=environment, check=True)
    return [line.split("\037")[:-1] for line in got.read_text().splitlines()]


def give_rights(bootstrap: str, commands: list[list[str]]) -> None:
    """Do what ``kafka-acls.sh`` would: its options become requests, by Kafka's numbers for them."""
    resources = {"--topic": 2, "--group": 3, "--transactional-id": 5}
    operations = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}

    async def give() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            for _, _, _, _, add, _, user, *words in commands:
                assert add == "--add"
                pairs = list(zip(words[::2], words[1::2], strict=True))
                pattern = 4 if ("--resource-pattern-type", "prefixed") in pairs else 3
                wanted = [(resources[kind], name) for kind, name in pairs if kind in resources]
                for operation in (operations[name] for kind, name in pairs if kind == "--operation"):
                    for kind, name in wanted:
                        request = CreateAclsRequest(kind, name, pattern, user, "*", operation, 3)  # 3: allow
                        answer = await admin._send_request(request)
                        assert [one[0] for one in answer.creation_responses] == [0], answer
        finally:
            await admin.close()

    asyncio.run(give())


def run(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    """Run ``jidoka`` to its end; whatever happens, it shows no stack trace and no password."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *command],
        env=child_environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert "s3cret" not in said, said
    return done


@pytest.fixture
def worker(secured: Secured, eventually: Eventually) -> Iterator[Callable[[Settings], Path]]:
    """Return a function that starts a real worker and returns its log once it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def start(settings: Settings) -> Path:
        log, announce = secured.folder / f"{settings.app_id}.log", secured.folder / f"{settings.app_id}.json"
        command = [sys.executable, "-m", "streams.cli", "worker", "--announce", str(announce)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=child_environment(settings))
        started.append(process)
        eventually(lambda: process.poll() is not None or announce.exists(), deadline_s=60)
        assert process.poll() is None, log.read_text()
        return log

    yield start
    for process in started:
        process.kill()
        process.wait()


class TestTheLine:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512", None], ids=["plain", "scram", "certificate"])
    def test_goes_from_push_to_prediction(
        self,
        mechanism: str | None,
        secured: Secured,
        worker: Callable[[Settings], Path],
        eventually: Eventually,
    ) -> None:
        """Sender, worker and reader work over TLS, each with its own login or certificate and rights."""
        pushed = run(
            secured.settings("producer", mechanism), "push", str(BUILD), "--project", f"p/{mechanism}", "--json"
        )
        assert pushed.returncode == 0, pushed.stderr
        failures = set(json.loads(pushed.stdout)["failure_ids"])
        assert failures
        app_id = f"jidoka-{(mechanism or 'certificate').lower()}"
        log = worker(secured.settings("worker", mechanism, app_id=app_id))
        consumer = secured.settings("consumer", mechanism)
        eventually(lambda: asyncio.run(answered(consumer)) >= failures, deadline_s=30)
        for word in ("Traceback", "s3cret"):
            assert word not in log.read_text()

    def test_the_operator_sees_it(self, secured: Secured) -> None:
        """``status``, ``topics`` and ``doctor`` work with the operator's login."""
        operator = secured.settings("operator", "SCRAM-SHA-512")
        assert "lag" in run(operator, "status").stdout
        assert "jidoka.predictions.v1" in run(operator, "topics").stdout
        (check,) = [one for one in json.loads(run(operator, "doctor", "--json").stdout) if one["name"] == "broker"]
        assert check["status"] == "ok"


async def answered(settings: Settings) -> set[str]:
    async with Follower(settings, Prediction, from_beginning=True) as follower:
        return {one.failure_id async for one in follower.until_end()}


@pytest.fixture(scope="module")
def stranger(secured: Secured) -> dict[str, tuple[Settings, str]]:
    """Return settings that the broker, or we, must refuse, each with what is to be said."""
    other, file = trustme.CA(), secured.folder / "other-authority.pem"
    other.cert_pem.write_to_path(str(file))
    foreign = pem(other, secured.folder, "stranger.example", user="producer")
    wrong_name = secured.broker.secure_bootstrap(OTHER_NAME)
    password = {"sasl_password": WRONG}
    own = secured.settings("producer", None)
    return {
        "plain password": (secured.settings("producer", **password), "refuses the login of producer"),
        "scram password": (secured.settings("producer", "SCRAM-SHA-512", **password), "JIDOKA_SASL_USERNAME"),
        "mechanism": (secured.settings("producer", "SCRAM-SHA-256"), "mechanism SCRAM-SHA-256"),
        "authority": (secured.settings("producer", ssl_cafile=file), "JIDOKA_SSL_CAFILE"),
        "host name": (secured.settings("producer", broker=wrong_name), "another host name"),
        "no certificate": (own.model_copy(update={"ssl_certfile": None}), "JIDOKA_SSL_CERTFILE"),
        "foreign certificate": (own.model_copy(update={"ssl_certfile": foreign}), "client certificate"),
        "no TLS": (secured.settings("producer", broker=secured.broker.bootstrap), "does not speak TLS"),
    }


class TestRefusals:
    @pytest.mark.parametrize(
        ("who", "command"),
        [
            *[(who, "push") for who in ("plain password", "scram password", "mechanism", "authority", "host name")],
            *[(who, "push") for who in ("no certificate", "foreign certificate", "no TLS")],
            *[(who, "worker") for who in ("plain password", "authority", "host name", "no certificate")],
            *[("plain password", command) for command in ("topics", "status", "tail", "web", "up")],
        ],
    )
    def test_are_told_in_one_line(self, who: str, command: str, stranger: dict[str, tuple[Settings, str]]) -> None:
        """A login or certificate that does not do ends every command with status 2 and one line that says which."""
        settings, said = stranger[who]
        arguments = {"push": [str(BUILD), "--project", "p"], "tail": ["predictions"]}.get(command, [])
        done = run(settings, command, *arguments)
        assert done.returncode == 2, done
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("jidoka: the broker at 127.0.0.1:")
        assert said in line

    def test_are_found_by_the_doctor(self, stranger: dict[str, tuple[Settings, str]]) -> None:
        """``doctor`` names the same reason, and ends with status 1."""
        settings, said = stranger["plain password"]
        done = run(settings, "doctor", "--json")
        assert done.returncode == 1
        (check,) = [one for one in json.loads(done.stdout) if one["name"] == "broker"]
        assert check["status"] == "fail"
        assert said in check["detail"]


class TestRights:
    """What each role may do on each topic; everything else is refused."""

    @pytest.mark.parametrize("role", ROLES)
    def test_of_a_role_are_those_documented(self, role: str, secured: Secured) -> None:
        """A role can read and write the topics that its row names, and no other."""
        settings = secured.settings(role)
        assert asyncio.run(writable(settings)) == WRITE[role]
        assert asyncio.run(readable(settings)) == READ[role]

    def test_of_groups_are_kept_apart(self, secured: Secured) -> None:
        """A consumer reads in groups of its own and not in the workers', whose offsets it could move."""
        consumer = secured.settings("consumer")
        assert asyncio.run(can_join(consumer, "readers-1"))
        assert not asyncio.run(can_join(consumer, "jidoka-plain"))

    @pytest.mark.parametrize(("role", "said"), [("consumer", "any topic"), ("worker", "jidoka.compiler-errors.v1")])
    def test_that_are_missing_are_told(self, role: str, said: str, secured: Secured) -> None:
        """A push by somebody who may not write there ends with status 2 and says so in one line."""
        done = run(secured.settings(role), "push", str(BUILD), "--project", "p")
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert f"not allowed to write to {said}" in line


async def writable(settings: Settings) -> set[str]:
    """Return the topics that take a record; it is one that no worker can read, and they are told apart by its key."""
    found = set()
    async with AIOKafkaProducer(bootstrap_servers=settings.broker, **client_options(settings)) as producer:
        for topic in TOPICS:
            try:
                await producer.send_and_wait(topic.name, b"{}", key=b"rights", partition=0)
            except TopicAuthorizationFailedError:
                continue
            found.add(topic.record.topic)
    return found


async def readable(settings: Settings) -> set[str]:
    """Return the topics that can be read: first those that are seen at all, as a reader waits for one that is not."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker, **client_options(settings))
    await admin.start()
    try:
        described = await admin.describe_topics([topic.name for topic in TOPICS])
    finally:
        await admin.close()
    seen = {one["topic"] for one in described if not one["error_code"]}
    found = set()
    for topic in (topic for topic in TOPICS if topic.name in seen):
        place = TopicPartition(topic.name, 0)
        reader = AIOKafkaConsumer(
            bootstrap_servers=settings.broker, auto_offset_reset="earliest", **client_options(settings)
        )
        async with reader, asyncio.timeout(20):
            reader.assign([place])
            reader.seek(place, 0)
            try:
                await reader.getmany(place, timeout_ms=500)
            except TopicAuthorizationFailedError:
                continue
        found.add(topic.record.topic)
    return found


async def can_join(settings: Settings, group: str) -> bool:
    reader = AIOKafkaConsumer(
        "jidoka.predictions.v1", bootstrap_servers=settings.broker, group_id=group, **client_options(settings)
    )
    try:
        await reader.start()
    except GroupAuthorizationFailedError:
        return False
    finally:
        await reader.stop()
    return True


def test_no_password_is_in_any_log(secured: Secured) -> None:
    """The broker's logs hold none of the passwords; its settings, which must, are for their owner only."""
    logs = [path for path in (secured.folder / "logs").iterdir() if path.is_file()]
    assert any("kafka" in path.name for path in logs)
    assert not [path.name for path in logs if "s3cret" in path.read_text(errors="replace")]
    home = secured.broker.home
    holding = [path for path in home.iterdir() if path.is_file() and b"s3cret" in path.read_bytes()]
    assert [path.name for path in holding] == ["server.properties"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
