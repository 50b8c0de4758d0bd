"""Dead letters: made from whatever Kafka may carry, and sent again byte for byte."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from models.records import CompilerErrors, DeadLetter, ModelCheckpoint, parse
from streams.dead_letters import CUT, FEWER_HEADERS, DeadLetterError, dead_letter, letter_key, resend
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = topic_name(CompilerErrors)


def message(**fields: Any) -> Any:
    given_ = {"topic": SOURCE, "partition": 2, "offset": 7, "key": b"k", "value": b"v", "headers": []} | fields
    return SimpleNamespace(**given_)


def wire(letter: DeadLetter) -> bytes:
    """Return the letter as it goes on its topic, checked to be readable and small enough for one message."""
    data = letter.to_bytes()
    assert len(data) < MAX_MESSAGE_BYTES - 65_536
    assert parse(DeadLetter, data, MAX_MESSAGE_BYTES) == letter
    return data


class TestMaking:
    def test_holds_the_bytes_and_the_place(self) -> None:
        """The letter says where the record stood and why it was refused, and holds key, value and headers as bytes."""
        letter = dead_letter(message(key=b"\xff", value=b"\x00\xfe", headers=[("h", b"\x80")]), "no JSON", NOW)
        assert (letter.source_topic, letter.partition, letter.offset, letter.reason) == (SOURCE, 2, 7, "no JSON")
        assert letter.id == f"{SOURCE}-2-7"
        assert base64.b64decode(letter.value or "") == b"\x00\xfe"
        assert base64.b64decode(letter.key or "") == b"\xff"
        assert base64.b64decode(letter.headers["h"]) == b"\x80"
        wire(letter)

    @given(
        key=st.none() | st.binary(max_size=50),
        value=st.none() | st.binary(max_size=200),
        headers=st.none() | st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=20)), max_size=5),
        reason=st.text(max_size=50),
    )
    def test_takes_any_message(self, key: Any, value: Any, headers: Any, reason: str) -> None:
        """Whatever Kafka carries becomes a letter that can be written and read; null stays apart from empty."""
        if any(0xD800 <= ord(letter) <= 0xDFFF for text in [reason, *(n for n, _ in headers or ())] for letter in text):
            return  # no UTF-8: Kafka has no such header, and no reason of ours quotes one
        letter = dead_letter(message(key=key, value=value, headers=headers), reason, NOW)
        wire(letter)
        assert letter.value == (None if value is None else base64.b64encode(value).decode())
        assert letter.key == (None if key is None else base64.b64encode(key).decode())

    @pytest.mark.parametrize(
        "fields",
        [
            {"value": b"x" * (MAX_MESSAGE_BYTES - 1000)},
            {"key": b"x" * (MAX_MESSAGE_BYTES - 1000)},
            {"key": b"x" * (5 << 20), "value": b"x" * (5 << 20), "headers": [("h", b"x" * (5 << 20))]},
            {"headers": [("h", b"x" * (MAX_MESSAGE_BYTES - 1000))]},
            {"headers": [(f"h{number}", b"x" * 1000) for number in range(15_000)]},
            {"headers": [("h" * 60_000, b"x")]},
        ],
        ids=["value", "key", "all", "header", "headers", "name"],
    )
    def test_the_largest_message_fits(self, fields: dict[str, Any]) -> None:
        """A message as large as Kafka lets through still makes a letter that fits into one, and says what is cut."""
        letter = dead_letter(message(**fields), "why", NOW)
        assert len(wire(letter)) + len(letter_key(message(**fields))) < MAX_MESSAGE_BYTES - 65_536
        assert letter.reason.startswith("why (")
        assert letter.reason.endswith(CUT) is ("value" in fields or "key" in fields)
        assert (FEWER_HEADERS in letter.reason) is ("headers" in fields)

    def test_headers_of_one_name_are_not_lost_in_silence(self) -> None:
        """Of two headers with one name the letter keeps the last, and says that it does not hold all."""
        letter = dead_letter(message(headers=[("h", b"1"), ("h", b"2")]), "why", NOW)
        assert (base64.b64decode(letter.headers["h"]), letter.reason) == (b"2", f"why {FEWER_HEADERS}")

    def test_a_long_reason_is_cut(self) -> None:
        """A reason that quotes a whole record is shortened."""
        assert len(dead_letter(message(), "x" * 100_000, NOW).reason) < 16_384


class TestResending:
    def read(self, broker: str, count: int) -> list[Any]:
        async def go() -> list[Any]:
            reader = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
            async with reader, asyncio.timeout(20):
                reader.assign([TopicPartition(SOURCE, 2)])
                return [await reader.getone() for _ in range(count)]

        return asyncio.run(go())

    def test_sends_the_original_bytes(self, broker: str, fresh_line: Settings) -> None:
        """Key, value and headers arrive as they were, on the same partition; null stays null."""
        originals = [
            message(key=b"\xff\x00", value=b"\xfe\xfd", headers=[("ce_id", b"\x80"), ("", b"")]),
            message(key=b"k", value=None),
            message(key=None, value=b""),
        ]
        asyncio.run(resend(fresh_line, [dead_letter(one, "why", NOW) for one in originals]))
        found = self.read(broker, 3)
        assert [(one.key, one.value) for one in found] == [(one.key, one.value) for one in originals]
        assert list(found[0].headers) == originals[0].headers

    def test_a_message_of_nothing_can_be_sent(self, broker: str, fresh_line: Settings) -> None:
        """Neither key nor value: an empty value is sent, because the client refuses to send nothing."""
        asyncio.run(resend(fresh_line, [dead_letter(message(key=None, value=None), "why", NOW)]))
        (found,) = self.read(broker, 1)
        assert (found.key, found.value) == (None, b"")

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"source_topic": "payments"}, "payments"),
            ({"source_topic": topic_name(DeadLetter)}, "workers read only"),
            ({"source_topic": topic_name(ModelCheckpoint)}, "workers read only"),
            ({"value": "nöt bäse64"}, "base64"),
            ({"partition": 4}, r"partitions \[0, 1, 2, 3\]"),
            ({"value": "not base64!"}, "base64"),
            ({"headers": {"h": "%"}}, "base64"),
            ({"reason": f"why {CUT}"}, "all of its bytes"),
        ],
    )
    def test_one_bad_letter_stops_all_before_the_first(
        self, fields: dict[str, Any], told: str, broker: str, fresh_line: Settings
    ) -> None:
        """A letter that cannot be sent is named, and none of the others has been sent then."""
        good = dead_letter(message(), "why", NOW)
        bad = good.model_copy(update={"id": "the-bad-one", **fields})
        with pytest.raises(DeadLetterError, match=f"the-bad-one.*{told}"):
            asyncio.run(resend(fresh_line, [good, bad]))
        asyncio.run(resend(fresh_line, [good.model_copy(update={"value": base64.b64encode(b"mark").decode()})]))
        assert [one.value for one in self.read(broker, 1)] == [b"mark"]

    def test_bad_letters_may_be_passed_over(self, broker: str, fresh_line: Settings) -> None:
        """Where somebody is told of those that cannot be sent, the others are sent, in their order, under their key."""
        good = [dead_letter(message(key=b"order", value=b"%d" % number), "why", NOW) for number in range(50)]
        bad = good[0].model_copy(update={"id": "the-bad-one", "partition": 9})
        told: list[str] = []
        assert asyncio.run(resend(fresh_line, [*good[:20], bad, *good[20:]], told.append)) == 50
        assert [one.split(":")[0] for one in told] == ["dead letter the-bad-one"]
        found = self.read(broker, 50)
        assert [one.value for one in found] == [b"%d" % number for number in range(50)]
        assert {one.key for one in found} == {b"order"}
