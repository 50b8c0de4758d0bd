"""Fixtures that need a broker, and the options of the test run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.broker import EmbeddedBroker, ports
from streams.settings import Settings
from streams.topic_admin import delete_topics, ensure_topics
from tests.command import Jidoka, in_process
from tests.polling import poll


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("jidoka")
    group.addoption(
        "--broker",
        default="embedded",
        metavar="embedded|docker|HOST:PORT",
        help="the Kafka that integration tests use; default: the embedded one, started once",
    )
    group.addoption(
        "--corpus", action="append", default=[], metavar="FILE", help="corpus for scale tests; may be given repeatedly"
    )
    group.addoption("--seed", type=int, metavar="N", help="seed of the kill tests; printed by each run")
    group.addoption("--minutes", type=float, default=30, help="how long the long kill test goes on; default: 30")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a broker; leave scale and long tests out unless ``-m`` speaks of them."""
    for item in items:
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker("integration")
    unasked = [name for name in ("scale", "long") if name not in config.getoption("markexpr")]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unasked)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def corpus(pytestconfig: pytest.Config) -> list[Path]:
    """Return the files given with ``--corpus``; a scale test fails without any."""
    files = [Path(name) for name in pytestconfig.getoption("--corpus")]
    missing = [str(path) for path in files if not path.is_file()]
    if missing or not files:
        pytest.fail(f"give corpus files that exist: pytest -m scale --corpus FILE (missing: {missing or 'all'})")
    return files


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a Kafka cluster that lives as long as the test session."""
    choice = pytestconfig.getoption("--broker")
    if choice == "embedded":
        with EmbeddedBroker(tmp_path_factory.mktemp("broker"), port=ports.any_free()) as embedded:
            yield embedded.bootstrap
    elif choice == "docker":
        yield from _container()
    else:
        yield choice


def _container() -> Iterator[str]:
    from testcontainers.kafka import KafkaContainer

    container = KafkaContainer().with_kraft()  # the library's own image: its start script fits few others
    for name, value in {
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(16 << 20),
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }.items():
        container.with_env(name, value)
    with container as running:
        yield running.get_bootstrap_server()


@pytest.fixture
def line_settings(broker: str, tmp_path: Path) -> Settings:
    """Return settings for a line of its own on the session's broker: its own consumer group and data folder."""
    return Settings(broker=broker, app_id=f"jidoka-{uuid.uuid4().hex[:12]}", data_dir=tmp_path / "data", http_port=0)


@pytest.fixture
def fresh_line(broker: str, line_settings: Settings) -> Settings:
    """Return ``line_settings`` after all topics of the line were made anew, empty and ready to use."""

    async def renew() -> None:
        await delete_topics(broker, line_settings)
        await ensure_topics(broker, line_settings)

    asyncio.run(renew())
    return line_settings


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Return a function that calls a predicate until it returns something true, and fails after a deadline."""
    return poll


@pytest.fixture
def jidoka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
    """Return a function that runs ``jidoka`` in this process, as its entry point does."""
    return in_process(monkeypatch, capsys)
