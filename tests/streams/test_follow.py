"""Following a topic: what is committed, from the beginning or from now on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from models.records import AndonEvent, Prediction
from streams.broker import ports
from streams.follow import Follower
from streams.settings import Settings
from streams.topic_admin import delete_topics
from streams.topics import topic_name

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPIC = topic_name(AndonEvent)


def event(number: int) -> AndonEvent:
    return AndonEvent(id=f"e{number}", time=NOW, project="p", kind="test", severity="info", message="hello")


async def send(broker: str, *values: bytes | None, transaction: str | None = None) -> None:
    """Put values on the topic; with ``transaction`` in one that is aborted."""
    async with AIOKafkaProducer(
        bootstrap_servers=broker, transactional_id=f"{transaction}" if transaction else None
    ) as producer:
        if transaction:
            await producer.begin_transaction()
        for value in values:
            await producer.send_and_wait(TOPIC, value, key=b"p")
        if transaction:
            await producer.abort_transaction()


async def everything(settings: Settings) -> tuple[list[str], int]:
    async with asyncio.timeout(30), Follower(settings, AndonEvent, from_beginning=True) as follower:
        return [record.id async for record in follower.until_end()], follower.unreadable


class TestFollower:
    def test_reads_from_the_beginning_to_the_end(self, broker: str, fresh_line: Settings) -> None:
        """All committed records come in order, then it ends; what cannot be read is counted."""

        async def go() -> tuple[list[str], int]:
            await send(broker, *(event(number).to_bytes() for number in range(5)))
            await send(broker, b"garbage", None, event(5).to_bytes())
            return await everything(fresh_line)

        assert asyncio.run(go()) == ([f"e{number}" for number in range(6)], 2)

    def test_an_empty_topic_ends_at_once(self, fresh_line: Settings) -> None:
        """Where nothing is, there is nothing to wait for."""
        assert asyncio.run(everything(fresh_line)) == ([], 0)

    def test_what_was_aborted_is_never_seen(self, broker: str, fresh_line: Settings) -> None:
        """Records of a transaction that was aborted are passed over, at the end of the topic too."""

        async def go() -> tuple[list[str], int]:
            await send(broker, event(0).to_bytes())
            await send(broker, event(1).to_bytes(), event(2).to_bytes(), transaction=fresh_line.app_id)
            return await everything(fresh_line)

        assert asyncio.run(go()) == (["e0"], 0)

    def test_from_now_on_only_what_is_new(self, broker: str, fresh_line: Settings) -> None:
        """Without ``from_beginning`` the records before are passed over, and those after come as they are written."""

        async def go() -> list[str]:
            await send(broker, event(0).to_bytes())
            async with asyncio.timeout(30), Follower(fresh_line, AndonEvent) as follower:
                records = follower.forever()
                found = []
                for number in (1, 2):
                    await send(broker, event(number).to_bytes())
                    found.append((await anext(records)).id)
            return found

        assert asyncio.run(go()) == ["e1", "e2"]

    def test_a_missing_topic_is_told(self, broker: str, fresh_line: Settings) -> None:
        """A topic that is not there is an error that says how to make it, and it is not made by looking."""

        async def go() -> None:
            await delete_topics(broker, fresh_line)
            for _ in range(2):
                with pytest.raises(ConnectionError, match=rf"{topic_name(Prediction)}.*jidoka topics create"):
                    async with asyncio.timeout(30), Follower(fresh_line, Prediction):
                        pytest.fail("it was there")

        asyncio.run(go())

    def test_an_absent_broker_is_told(self, line_settings: Settings) -> None:
        """Where nobody listens, connecting fails and nothing is left open."""
        settings = line_settings.model_copy(update={"broker": f"127.0.0.1:{ports.any_free()}"})

        async def go() -> None:
            async with Follower(settings, AndonEvent):
                pytest.fail("it was there")

        with pytest.raises(Exception, match="bootstrap"):
            asyncio.run(go())
