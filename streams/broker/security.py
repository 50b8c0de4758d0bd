"""Listeners of the embedded broker that demand TLS and a login or a certificate; pure functions.

A line on one machine needs none: they are there to try the line's own security settings against real Kafka.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MECHANISMS = ("PLAIN", "SCRAM-SHA-512")
PLAIN_TEXT = re.compile(r"[A-Za-z0-9._-]+")  # what neither JAAS, nor property files, nor StorageTool read otherwise
JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Listener:
    """A listener with TLS, beside the plain one on the loopback.

    ``protocol``: with ``SASL_SSL`` clients log in as one of ``Security.users``; with ``SSL`` they present a certificate
    signed by ``authority``, and its common name is their user name.
    ``certificate``: a PEM file of the private key (PKCS #8) and the chain; ``authority``: one of trusted certificates.
    """

    protocol: Literal["SSL", "SASL_SSL"]
    certificate: Path
    authority: Path


@dataclass(frozen=True)
class Security:
    """Who may connect besides the owner, and whether rights (ACLs) count; the plain listener's users may do all.

    ``users``: names and passwords. While storage is formatted they stand in the process list: not for production.
    """

    listeners: Sequence[Listener] = ()
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorize: bool = False

    def __post_init__(self) -> None:
        for name, password in self.users.items():
            if not PLAIN_TEXT.fullmatch(name) or not PLAIN_TEXT.fullmatch(password):
                raise ValueError(f"user {name!r}: names and passwords are made of letters, digits and . _ -")


def listener_name(index: int) -> str:
    """Return the name of ``Security.listeners[index]`` in Kafka's settings."""
    return f"SECURE{index}"


def files(security: Security) -> dict[str, Path]:
    """Return what to copy into the broker's home folder, by the name there: property files want ASCII names."""
    found = {}
    for index, listener in enumerate(security.listeners):
        found[_key_store(index)] = listener.certificate
        found[_trust_store(index)] = listener.authority
    return found


def properties(security: Security) -> dict[str, str]:
    """Return Kafka's settings for the listeners' TLS and logins, and for rights."""
    found = {}
    if security.authorize:
        found["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        found["super.users"] = "User:ANONYMOUS"  # whoever uses the plain listener: this machine's brokers and owner
    for index, listener in enumerate(security.listeners):
        own = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": _key_store(index),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": _trust_store(index),
        }
        own |= _logins(security.users) if listener.protocol == "SASL_SSL" else _certificates()
        found |= {f"listener.name.{listener_name(index).lower()}.{name}": value for name, value in own.items()}
    return found


def format_arguments(security: Security) -> list[str]:
    """Return StorageTool's arguments that create the users for SCRAM."""
    logins = [f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in security.users.items()]
    return [word for login in logins for word in ("--add-scram", login)]


def _key_store(index: int) -> str:
    return f"{listener_name(index)}.pem"


def _trust_store(index: int) -> str:
    return f"{listener_name(index)}-authority.pem"


def _certificates() -> dict[str, str]:
    return {"ssl.client.auth": "required", "ssl.principal.mapping.rules": "RULE:^(?:.*,)?CN=([^,]+).*$/$1/,DEFAULT"}


def _logins(users: Mapping[str, str]) -> dict[str, str]:
    known = "".join(f' user_{name}="{password}"' for name, password in users.items())
    return {
        "ssl.client.auth": "none",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "plain.sasl.jaas.config": f"{JAAS}.plain.PlainLoginModule required{known};",
        "scram-sha-512.sasl.jaas.config": f"{JAAS}.scram.ScramLoginModule required;",
    }
