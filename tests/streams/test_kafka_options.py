"""Security options for Kafka's clients."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import faust
import pytest

from streams.kafka import (
    KafkaConfigError,
    client_options,
    describe_cluster,
    faust_credentials,
    quiet_loggers,
    run_anywhere,
    silent_addresses,
)
from streams.settings import Settings

LOGIN = {"sasl_username": "u", "sasl_password": "hunter2"}


def settings(**given: Any) -> Settings:
    return Settings(**given)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a self-signed certificate, its key, and the key under a passphrase."""
    openssl = shutil.which("openssl")
    assert openssl, "install openssl to run this test"
    folder = tmp_path_factory.mktemp("pem")
    certificate, key, locked = folder / "cert.pem", folder / "key.pem", folder / "locked.pem"
    request: list[str | Path] = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=kafka",
        "-days",
        "2",
    ]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    encrypt: list[str | Path] = [openssl, "rsa", "-aes256", "-passout", "pass:x", "-in", key, "-out", locked]
    subprocess.run(encrypt, check=True, capture_output=True)
    return certificate, key, locked


class TestClientOptions:
    def test_plain_by_default(self) -> None:
        """Without settings a client connects plainly, and Faust gets no credentials."""
        assert client_options(settings()) == {"security_protocol": "PLAINTEXT"}
        assert faust_credentials(settings()) is None

    @pytest.mark.parametrize("mechanism", [None, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    def test_login_without_tls(self, mechanism: str | None) -> None:
        """A SASL login reaches aiokafka and Faust with the mechanism asked for, PLAIN when none is."""
        given = settings(security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism, **LOGIN)
        assert client_options(given) == {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": mechanism or "PLAIN",
            "sasl_plain_username": "u",
            "sasl_plain_password": "hunter2",
        }
        credentials = faust_credentials(given)
        assert isinstance(credentials, faust.SASLCredentials)
        assert (credentials.username, credentials.password) == ("u", "hunter2")
        assert credentials.mechanism.value == (mechanism or "PLAIN")
        assert credentials.protocol.value == "SASL_PLAINTEXT"

    def test_login_over_tls(self, pem: tuple[Path, Path, Path]) -> None:
        """SASL_SSL verifies the broker against the given authority, for Faust as well."""
        given = settings(security_protocol="SASL_SSL", ssl_cafile=pem[0], **LOGIN)
        context = client_options(given)["ssl_context"]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        credentials = faust_credentials(given)
        assert isinstance(credentials, faust.SASLCredentials)
        assert credentials.protocol.value == "SASL_SSL"

    def test_certificate_of_our_own(self, pem: tuple[Path, Path, Path]) -> None:
        """SSL with a certificate and its key is accepted, and Faust gets the same."""
        given = settings(security_protocol="SSL", ssl_cafile=pem[0], ssl_certfile=pem[0], ssl_keyfile=pem[1])
        assert client_options(given)["ssl_context"].get_ca_certs()
        assert isinstance(faust_credentials(given), faust.SSLCredentials)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"security_protocol": "SASL_SSL"}, "JIDOKA_SASL_USERNAME"),
            ({"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u"}, "JIDOKA_SASL_PASSWORD"),
            (LOGIN, "SASL_SSL"),
            ({"security_protocol": "SSL", **LOGIN}, "SASL_SSL"),
            ({"ssl_cafile": "ca.pem"}, "TLS files are set"),
            ({"security_protocol": "SSL", "ssl_cafile": "absent.pem"}, "absent.pem"),
            ({"security_protocol": "SSL", "ssl_keyfile": "key.pem"}, "JIDOKA_SSL_CERTFILE"),
        ],
    )
    def test_settings_that_do_not_fit_are_named(self, given: dict[str, Any], said: str) -> None:
        """A missing or left-over security setting is an error that names it, never the password."""
        with pytest.raises(KafkaConfigError, match=said) as caught:
            client_options(settings(**given))
        assert "hunter2" not in str(caught.value)

    def test_a_file_that_is_no_certificate_is_named(self, tmp_path: Path) -> None:
        """A CA file without a certificate in it is reported with its path."""
        junk = tmp_path / "junk.pem"
        junk.write_text("no certificate")
        with pytest.raises(KafkaConfigError, match=r"junk\.pem.*PEM"):
            client_options(settings(security_protocol="SSL", ssl_cafile=junk))

    def test_a_key_with_a_passphrase_never_prompts(self, pem: tuple[Path, Path, Path]) -> None:
        """A protected key is refused instead of asking at the terminal."""
        given = settings(security_protocol="SSL", ssl_certfile=pem[0], ssl_keyfile=pem[2])
        with pytest.raises(KafkaConfigError, match="passphrase"):
            client_options(given)


def test_clients_log_warnings_only() -> None:
    """After quietening, the clients' INFO lines are off."""
    quiet_loggers()
    assert not logging.getLogger("aiokafka.consumer.fetcher").isEnabledFor(logging.INFO)
    assert logging.getLogger("aiokafka.consumer.fetcher").isEnabledFor(logging.WARNING)


def test_nobody_there_is_a_connection_error(caplog: pytest.LogCaptureFixture) -> None:
    """Asking where nothing listens raises one error with the address, and logs nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}"):
        asyncio.run(describe_cluster(f"127.0.0.1:{port}", {}, 3))
    assert not caplog.records


def test_a_silent_server_is_given_up() -> None:
    """A server that accepts and never answers costs the time limit, no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=address):
            run_anywhere(lambda: describe_cluster(address, {}, 0.5))


def test_addresses_where_nobody_listens_are_found() -> None:
    """Of several addresses, those without a listener are named, whatever else they are."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as gone:
        listening, silent = (f"127.0.0.1:{one.getsockname()[1]}" for one in (server, gone))
        gone.close()
        assert silent_addresses(f"{listening},{silent},no-port,{listening}") == [silent, "no-port"]


def test_coroutines_run_inside_a_running_loop() -> None:
    """Plain code that was called from a coroutine can still ask the cluster."""

    async def name() -> str:
        return threading.current_thread().name

    async def outer() -> str:
        return run_anywhere(name)

    assert asyncio.run(outer()) != threading.current_thread().name
