"""A worker that is started again lets the killed one before it leave the group."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from models.records import CompilerErrors
from streams import predecessor
from streams.settings import Settings
from streams.topics import topic_name

pytestmark = pytest.mark.integration
SESSION_MS, HEARTBEAT_MS = 60_000, 20_000  # so long that nothing but the test makes a member leave


async def members(settings: Settings) -> set[str]:
    """Return the client ids of the group's members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([settings.app_id])
    finally:
        await admin.close()
    return {member[1] for member in answer.groups[0][5]}


async def replaced(settings: Settings, note: Path, member: str) -> tuple[set[str], set[str]]:
    """Return the members before and after a worker takes the place of the one in ``note``."""
    consumer = AIOKafkaConsumer(
        topic_name(CompilerErrors),
        bootstrap_servers=settings.broker,
        group_id=settings.app_id,
        client_id=member,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
    )
    async with consumer:
        before = await members(settings)
        await asyncio.to_thread(predecessor.replace, note, "new", settings.broker or "", {}, settings.app_id)
        return before, await members(settings)


def test_the_former_member_leaves(fresh_line: Settings, tmp_path: Path) -> None:
    """The member that the note names is out of the group at once, and the note names the new worker."""
    note = tmp_path / "worker.member"
    note.write_text("former")
    assert asyncio.run(replaced(fresh_line, note, "former")) == ({"former"}, set())
    assert note.read_text() == "new"


def test_nobody_else_leaves(fresh_line: Settings, tmp_path: Path) -> None:
    """A member that the note does not name stays."""
    note = tmp_path / "worker.member"
    note.write_text("former")
    assert asyncio.run(replaced(fresh_line, note, "other")) == ({"other"}, {"other"})


def test_a_broker_that_is_away_is_no_reason_to_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without a broker the worker starts all the same: the session will end by itself."""
    note = tmp_path / "worker.member"
    note.write_text("former")
    with caplog.at_level(logging.WARNING, "streams.predecessor"):
        predecessor.replace(note, "new", "127.0.0.1:1", {}, "group")
    assert "until its session ends" in caplog.text
    assert note.read_text() == "new"
