"""Records whose header names are no UTF-8 are read like any other."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from models.records import CompilerErrors
from streams import odd_headers
from streams.kafka import client_options
from streams.settings import Settings
from streams.topics import topic_name
from tests.fuzzing import HeaderName, Raw, send_raw

PLACE = TopicPartition("t", 0)
PLAIN, ODD = (
    Raw(b"plain", headers=[(b"a", b"1")]),
    Raw(b"odd", headers=[(b"\xff\xc3\x28", b"\xff"), ("é".encode(), None)]),
)
NAMES = [("\\xff\\xc3(", b"\xff"), ("é", None)]


def fetched(*batches: Sequence[Raw], codec: int = 0, producer: int = -1) -> bytes:
    """Return batches as a broker sends them; those of a ``producer`` are transactional."""
    raw, offset = b"", 0
    for batch in batches:
        builder = _DefaultRecordBatchBuilderPy(2, codec, int(producer >= 0), producer, 0, 0, 1 << 20)
        for number, one in enumerate(batch):
            builder.append(number, 1, one.key, one.value, [(HeaderName(name), value) for name, value in one.headers])
        raw += struct.pack(">q", offset) + bytes(builder.build())[8:]
        offset += len(batch)
    return raw


def read(raw: bytes, start: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> list[Any]:
    """Return what aiokafka's consumer makes of fetched bytes."""
    odd_headers.accept()
    arguments = (fetcher.MemoryRecords(raw), list(aborted), start, None, None, True, fetcher.READ_COMMITTED)
    return list(fetcher.PartitionRecords(PLACE, *arguments))


class TestReading:
    @pytest.mark.parametrize("codec", [0, 1, 2, 3, 4], ids=["plain", "gzip", "snappy", "lz4", "zstd"])
    def test_every_record_comes_once_and_in_order(self, codec: int) -> None:
        """Records before, between and after odd ones come once each; what is no UTF-8 in a name is shown as escapes."""
        found = read(fetched([PLAIN, ODD, PLAIN], [ODD], [PLAIN, PLAIN], codec=codec))
        assert [one.offset for one in found] == list(range(6))
        assert [one.value for one in found] == [b"plain", b"odd", b"plain", b"odd", b"plain", b"plain"]
        assert list(found[1].headers) == list(found[3].headers) == NAMES
        assert (found[1].key, list(found[2].headers)) == (b"key", [("a", b"1")])

    def test_starts_where_it_is_told(self) -> None:
        """What lies before the position asked for is not given out."""
        assert [one.offset for one in read(fetched([ODD, ODD], [ODD, PLAIN]), start=3)] == [3]

    def test_a_batch_that_is_cut_off_waits(self) -> None:
        """The last batch of a fetch may be cut off: it is left for the next one."""
        whole = fetched([PLAIN, ODD], [ODD])
        assert [one.offset for one in read(whole[:-5])] == [0, 1]

    def test_what_was_aborted_stays_unseen(self) -> None:
        """The second reading gives out nothing of a transaction that was aborted."""
        assert read(fetched([ODD], [ODD, PLAIN], producer=5), aborted=[(5, 0)]) == []

    def test_upstream_still_needs_it(self) -> None:
        """By itself aiokafka cannot read such names; when it can, this module has to go."""
        with pytest.raises(UnicodeDecodeError):
            list(next(iter([MemoryRecords(fetched([ODD])).next_batch()])))  # type: ignore[arg-type]


def test_through_a_broker(broker: str, fresh_line: Settings) -> None:
    """A broker takes such a record, and a consumer with our options reads past it."""

    async def go() -> list[Any]:
        topic = topic_name(CompilerErrors)
        async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
            await send_raw(producer, topic, 1, [PLAIN, ODD, PLAIN], codec=3)
        options = client_options(fresh_line)
        async with AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest", **options) as reader:
            reader.assign([TopicPartition(topic, 1)])
            async with asyncio.timeout(20):
                return [await reader.getone() for _ in range(3)]

    found = asyncio.run(go())
    assert [one.value for one in found] == [b"plain", b"odd", b"plain"]
    assert list(found[1].headers) == NAMES
