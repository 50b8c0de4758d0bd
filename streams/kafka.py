"""What every Kafka client of the process is given: security, quiet loggers; and the first question to a cluster."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from streams.settings import Settings

if TYPE_CHECKING:
    import faust

CLIENT_LOGGERS = ("aiokafka", "kafka", "faust.transport.drivers.aiokafka", "faust.transport.consumer", "mode")
RETRY_S = 0.1
T = TypeVar("T")


class KafkaConfigError(ValueError):
    """The security settings do not fit together; the text names the setting."""


@dataclass(frozen=True)
class Cluster:
    """What a cluster says of itself."""

    id: str
    brokers: int
    controller: int


def client_options(settings: Settings) -> dict[str, Any]:
    """Return aiokafka's security arguments; for a producer, a consumer or an admin client alike.

    Raises ``KafkaConfigError`` when a setting is missing, left over, or names a file that cannot be used.
    """
    from streams import odd_headers  # noqa: PLC0415 - 0.3 s that pure commands do without

    odd_headers.accept()
    options: dict[str, Any] = {"security_protocol": settings.security_protocol}
    _reject_leftovers(settings)
    if _is_sasl(settings):
        username, password = _login(settings)
        options |= {
            "sasl_mechanism": settings.sasl_mechanism or "PLAIN",
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    if _is_tls(settings):
        options["ssl_context"] = ssl_context(settings)
    return options


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return the same for ``faust.App(broker_credentials=…)``; ``None`` for a plain connection.

    Raises as ``client_options`` does.
    """
    import faust  # noqa: PLC0415 - half a second that only workers spend

    options = client_options(settings)
    context = options.get("ssl_context")
    if _is_sasl(settings):
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that verifies the broker, with our own certificate when one is set.

    Raises ``KafkaConfigError`` naming the file that is missing or is no PEM file.
    """
    if settings.ssl_keyfile and not settings.ssl_certfile:
        raise KafkaConfigError("JIDOKA_SSL_KEYFILE is set without JIDOKA_SSL_CERTFILE; set both or neither")
    for path in (settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile):
        if path and not path.is_file():
            raise KafkaConfigError(f"the TLS file {path} does not exist; check JIDOKA_SSL_CAFILE, _CERTFILE, _KEYFILE")
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password=_no_passphrase)
    except ssl.SSLError as error:
        files = ", ".join(str(p) for p in (settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile) if p)
        raise KafkaConfigError(f"cannot use the TLS files {files}: {error}; PEM files are needed") from error
    return context


def quiet_loggers() -> None:
    """Let Kafka's clients log warnings and worse only: at INFO they cost 10 % of the throughput, and name users."""
    for name in CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


async def describe_cluster(bootstrap: str, options: dict[str, Any], timeout_s: float) -> Cluster:
    """Ask the cluster at ``bootstrap`` for its metadata.

    Raises ``ConnectionError`` with the reason when it does not answer within ``timeout_s``.
    """
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 - 0.3 s that pure commands do without
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from streams.refusal import refusal  # noqa: PLC0415 - it needs this module

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(timeout_s * 1000), **options)
    try:
        with silenced("aiokafka"):
            async with asyncio.timeout(timeout_s):
                await client.start()
                answer = await patiently(client.describe_cluster, timeout_s)
    except (KafkaError, TimeoutError, OSError) as error:
        reason = await refusal(bootstrap, options, timeout_s) if "security_protocol" in options else None
        raise ConnectionError(reason or f"no Kafka answers at {bootstrap}: {error or type(error).__name__}") from error
    finally:
        await client.close()
    return Cluster(answer["cluster_id"] or "", len(answer["brokers"]), answer["controller_id"])


async def patiently(ask: Callable[[], Awaitable[T]], limit_s: float) -> T:
    """Return the answer of ``ask``, asked again while that may help, for ``limit_s`` at most.

    An admin client asks any broker of its list, one that has just died included.
    """
    from aiokafka.errors import KafkaError  # noqa: PLC0415 - as above

    deadline = time.monotonic() + limit_s
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(RETRY_S)


def silent_addresses(bootstrap: str) -> list[str]:
    """Return those of the addresses at which nothing listens; a cluster's own list still has a broker that just died.

    It takes up to a second for each address that is not even refused.
    """
    return [address for address in bootstrap.split(",") if not _listens(address)]


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def run_anywhere(coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``coroutine`` to its end from plain code, also where this thread has a running event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(coroutine())).result()


def _is_sasl(settings: Settings) -> bool:
    return settings.security_protocol.startswith("SASL")


def _is_tls(settings: Settings) -> bool:
    return settings.security_protocol.endswith("SSL")


def _login(settings: Settings) -> tuple[str, str]:
    if not settings.sasl_username or settings.sasl_password is None:
        raise KafkaConfigError(
            f"{settings.security_protocol} needs a login: set JIDOKA_SASL_USERNAME and JIDOKA_SASL_PASSWORD"
        )
    return settings.sasl_username, settings.sasl_password.get_secret_value()


def _reject_leftovers(settings: Settings) -> None:
    """A password or a certificate beside a protocol that ignores it is a mistake that would go unseen."""
    if not _is_sasl(settings) and (settings.sasl_username or settings.sasl_password or settings.sasl_mechanism):
        raise KafkaConfigError(
            f"a SASL login is set but the security protocol is {settings.security_protocol}; "
            "set JIDOKA_SECURITY_PROTOCOL to SASL_SSL (or SASL_PLAINTEXT on a trusted network)"
        )
    if not _is_tls(settings) and (settings.ssl_cafile or settings.ssl_certfile or settings.ssl_keyfile):
        raise KafkaConfigError(
            f"TLS files are set but the security protocol is {settings.security_protocol}; "
            "set JIDOKA_SECURITY_PROTOCOL to SSL or SASL_SSL"
        )


def _no_passphrase() -> str:
    """Refuse keys with a passphrase: a service must never wait at a prompt on the terminal."""
    raise KafkaConfigError("JIDOKA_SSL_KEYFILE is protected by a passphrase; give a key without one")


@contextmanager
def silenced(name: str) -> Iterator[None]:
    """Keep a logger from telling what the raised error says anyway."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
