r"""Records whose header names are no UTF-8: Kafka takes them, aiokafka 0.14 cannot read them.

A broker does not look into header names, and librdkafka sends any bytes. aiokafka decodes each name strictly while it
unpacks what was fetched, so that one such record ended every consumer of its partition, again and again. Here the
batch is unpacked once more by aiokafka's plain Python reader, with what is no UTF-8 shown as ``\xff``.

Leans on ``aiokafka.consumer.fetcher``: ``Fetcher`` makes ``MemoryRecords`` of the fetched bytes and iterates them in
``PartitionRecords._unpack_records``, which keeps ``next_fetch_offset`` at the first record not yet given out.
``tests/streams/test_odd_headers.py`` fails when an upgrade changes that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_HEAD = struct.Struct(">qi")  # of a batch: its first offset, and how many bytes follow
_MAGIC_AT, _MAGIC = 16, 2


class _Name(bytes):
    """Bytes whose decoding cannot fail."""

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Buffer(bytearray):
    """What the plain reader cuts header names out of."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found if isinstance(found, int) else _Name(found)


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types here
    """A batch whose header names may be any bytes."""

    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Buffer):
            self._buffer = _Buffer(self._buffer)


class _Fetched:
    """What a fetch brought: aiokafka's records of it, and the bytes for a second reading."""

    def __init__(self, raw: bytes) -> None:
        records: Any = MemoryRecords(raw)
        self.raw = raw
        self.has_next, self.next_batch, self.size_in_bytes = records.has_next, records.next_batch, records.size_in_bytes


class _Again:
    """The second reading: the batches that hold records from ``offset`` on."""

    def __init__(self, raw: bytes, offset: int) -> None:
        self.raw = raw
        self._batches = (batch for batch in _batches(raw) if batch.next_offset > offset)
        self._next = next(self._batches, None)

    def has_next(self) -> bool:
        return self._next is not None

    def next_batch(self) -> _Batch | None:
        batch, self._next = self._next, next(self._batches, None)
        return batch


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's, which reads again what it could not read."""

    _records: Any

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            self._records = _Again(self._records.raw, self.next_fetch_offset)
            yield from super()._unpack_records()


def accept() -> None:
    """Let every consumer of this process, those made from now on, take such records; doing it twice does no harm."""
    fetcher.MemoryRecords = _Fetched
    fetcher.PartitionRecords = _PartitionRecords


def _batches(raw: bytes) -> Iterator[_Batch]:
    """Yield the whole batches in ``raw``; the last may be cut off. Older formats than 2 have no headers."""
    position = 0
    while position + _HEAD.size <= len(raw):
        end = position + _HEAD.size + int(_HEAD.unpack_from(raw, position)[1])
        if end > len(raw):
            return
        if raw[position + _MAGIC_AT] >= _MAGIC:
            yield _Batch(memoryview(raw)[position:end])
        position = end
