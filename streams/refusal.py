"""Why a broker refuses a connection: Kafka's clients only say that they found nobody."""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import Any

from streams.kafka import silenced

ADVICE = {
    "name": "its certificate is for another host name; use the name in the certificate in JIDOKA_BROKER, and see that "
    "the broker advertises it",
    "authority": "its certificate is signed by an authority that is not trusted here; name that one's PEM file in "
    "JIDOKA_SSL_CAFILE",
    "expired": "its certificate has expired, or the clock here is wrong",
    "own": "it demands a client certificate that it trusts; set JIDOKA_SSL_CERTFILE and JIDOKA_SSL_KEYFILE",
    "plain": "it does not speak TLS there; check the port and JIDOKA_SECURITY_PROTOCOL",
}
# OpenSSL's numbers for why a certificate was not accepted (X509_V_ERR_…)
HOST_NAME, IP_ADDRESS, EXPIRED, NOT_YET = 62, 64, 10, 9
OWN_CERTIFICATE = re.compile("CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE|HANDSHAKE_FAILURE|CERTIFICATE_UNKNOWN")


async def refusal(bootstrap: str, options: dict[str, Any], timeout_s: float) -> str | None:
    """Return why the first broker of ``bootstrap`` that can be reached refuses us, in one line with what to do.

    ``options``: as from ``client_options``. ``None`` when one lets us in, or none can be reached at all.
    """
    from aiokafka.conn import collect_hosts  # noqa: PLC0415 - 0.3 s that pure commands do without

    with silenced("aiokafka"):
        try:
            async with asyncio.timeout(timeout_s):
                for host, port, _ in collect_hosts(bootstrap):
                    error = await _try(host, port, options)
                    if error is None:
                        return None
                    if reason := _explained(error, options):
                        return f"the broker at {host}:{port} cannot be used: {reason}"
        except TimeoutError:
            return None
    return None


async def _try(host: str, port: int, options: dict[str, Any]) -> Exception | None:
    """Return the error that a connection with TLS handshake and login ends with, ``None`` when there is none."""
    from aiokafka.conn import create_conn  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    try:
        connection = await create_conn(host, port, **options)
    except (KafkaError, OSError) as error:
        return error
    connection.close()
    return None


def _explained(error: BaseException, options: dict[str, Any]) -> str | None:
    from aiokafka import errors  # noqa: PLC0415

    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if isinstance(error, errors.SaslAuthenticationFailed | errors.AuthenticationFailedError):
        user = options.get("sasl_plain_username")
        return f"it refuses the login of {user}; check JIDOKA_SASL_USERNAME, _PASSWORD and _MECHANISM"
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return f"it does not know the mechanism {options.get('sasl_mechanism')}; set JIDOKA_SASL_MECHANISM"
    if isinstance(error, ConnectionResetError) and options.get("ssl_context"):
        return ADVICE["plain"]  # Kafka hangs up on what it cannot read
    # With TLS 1.3 the broker says only after the handshake that a certificate is missing, and hangs up.
    cause = error.__cause__ or error.__context__
    return _explained(cause, options) if cause is not None else None


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        kinds = {HOST_NAME: "name", IP_ADDRESS: "name", EXPIRED: "expired", NOT_YET: "expired"}
        return ADVICE[kinds.get(error.verify_code, "authority")]
    text = f"{error.reason or ''} {error}".upper()
    if OWN_CERTIFICATE.search(text):
        return ADVICE["own"]
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        return ADVICE["plain"]
    return f"TLS failed ({error.reason or error})"
