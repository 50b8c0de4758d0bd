"""The sender against a real broker."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Program, parse
from producers import sender as sender_module
from producers.sender import Sender, SenderError
from streams.broker import ports
from streams.settings import Settings
from streams.topic_admin import delete_topics, ensure_topics
from streams.topics import topic_name

TOPIC = topic_name(CompilerErrors)


def record(number: int, project: str = "demo") -> CompilerErrors:
    diagnostic = Diagnostic(code="E0308", level="error", message=f"mismatched types {number}")
    return CompilerErrors(
        id=f"r{number}", time=datetime(2026, 1, 2, tzinfo=UTC), project=project, diagnostics=(diagnostic,)
    )


async def send_all(bootstrap: str, records: list[CompilerErrors]) -> int:
    async with Sender(bootstrap, {}, "/jidoka/test") as sender:
        for item in records:
            await sender.send(item)
        await sender.flush()
        return sender.acknowledged


async def received(bootstrap: str, count: int) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


class TestSender:
    def test_record_arrives_with_key_value_and_headers(self, fresh_line: Settings) -> None:
        """A record is on its topic with its project as key and CloudEvents attributes as headers."""
        assert fresh_line.broker is not None
        assert asyncio.run(send_all(fresh_line.broker, [record(1)])) == 1
        (message,) = asyncio.run(received(fresh_line.broker, 1))
        attributes = dict(message.headers)
        assert message.key == b"demo"
        assert parse(CompilerErrors, message.value) == record(1)
        assert attributes["ce_id"] == b"r1"
        assert attributes["ce_type"] == b"jidoka.compiler-errors.v1"
        assert attributes["ce_source"] == b"/jidoka/test"
        assert attributes["content-type"] == b"application/json"

    def test_one_project_keeps_its_order(self, fresh_line: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """Records of a project stay on one partition in the order sent, also when sends must wait for room."""
        assert fresh_line.broker is not None
        monkeypatch.setattr(sender_module, "MAX_IN_FLIGHT", 7)
        sent = [record(number, project=f"p{number % 3}") for number in range(60)]
        assert asyncio.run(send_all(fresh_line.broker, sent)) == 60
        messages = asyncio.run(received(fresh_line.broker, 60))
        for project in (b"p0", b"p1", b"p2"):
            mine = [message for message in messages if message.key == project]
            assert len({message.partition for message in mine}) == 1
            numbers = [int(parse(CompilerErrors, message.value).id[1:]) for message in mine]
            assert numbers == sorted(numbers)
            assert len(numbers) == 20

    def test_missing_topic_names_the_command(self, broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the topic, the error says which command creates it."""
        monkeypatch.setattr(sender_module, "CONNECT_TIMEOUT_S", 2.0)
        settings = Settings(broker=broker)
        asyncio.run(delete_topics(broker, settings))
        try:
            with pytest.raises(SenderError, match="jidoka topics create"):
                asyncio.run(send_all(broker, [record(1)]))
        finally:
            asyncio.run(ensure_topics(broker, settings))

    def test_too_large_record_names_its_size(self, fresh_line: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """A record that fits no message is refused with its size, before anything is sent."""
        assert fresh_line.broker is not None
        monkeypatch.setattr(sender_module, "MAX_REQUEST_BYTES", 1_000)
        large = record(1).model_copy(update={"target": "x" * 2_000})
        with pytest.raises(SenderError, match=r"record r1 has \d+ bytes: at most 1000"):
            asyncio.run(send_all(fresh_line.broker, [large]))


def test_unreachable_broker_is_told_in_time() -> None:
    """Nobody listening: a clear error within the time limit, not a stack of retries."""
    begin = time.monotonic()
    with pytest.raises(SenderError, match=r"no Kafka at 127\.0\.0\.1:\d+ within 10 s.*jidoka up"):
        asyncio.run(send_all(f"127.0.0.1:{ports.any_free()}", [record(1)]))
    assert time.monotonic() - begin < 12


def test_send_outside_the_context_is_refused() -> None:
    """A sender that was not entered says how it is used."""

    async def misuse() -> None:
        program = Program(id="a", time=datetime(2026, 1, 2, tzinfo=UTC), project="demo", source="x = 1")
        await Sender("127.0.0.1:1", {}, "/jidoka/test").send(program)

    with pytest.raises(SenderError, match="async with"):
        asyncio.run(misuse())
