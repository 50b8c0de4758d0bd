"""The demo keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.console import load_settings
from streams.cli.demo import on_its_own


def test_a_demo_never_uses_a_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever cluster the settings name, the demo starts a broker of its own: it must not teach a line in use."""
    monkeypatch.setenv("JIDOKA_BROKER", "kafka://production:9092")
    monkeypatch.setenv("JIDOKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("JIDOKA_SASL_USERNAME", "me")
    monkeypatch.setenv("JIDOKA_HTTP_HOST", "0.0.0.0")  # noqa: S104 - that is the point
    own = on_its_own(load_settings(data_dir=str(tmp_path)))
    assert (own.broker, own.security_protocol, own.sasl_username, own.http_host) == (
        None,
        "PLAINTEXT",
        None,
        "127.0.0.1",
    )
    assert own.data_dir == tmp_path
