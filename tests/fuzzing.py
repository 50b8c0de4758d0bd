"""Hostile input for tests: records and HTTP requests, drawn anew from a seed, the same for the same seed."""

from __future__ import annotations

import copy
import gzip
import json
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from streams.topics import MAX_MESSAGE_BYTES

T = TypeVar("T")
GIANT = 5 << 20  # bytes: more than any record may have, less than what its topic takes
CODECS = (0, 0, 1, 2, 3, 4)  # none, gzip, snappy, lz4, zstd
LARGEST_BATCH = 1 << 20
NUMBERS = (
    "1e999",
    "-1e999",
    "9" * 400,
    "NaN",
    "Infinity",
    "-Infinity",
    "1e-400",
    "-0",
    "0.1e+00000001",
    str(1 << 64),
    str((1 << 63) - 1),
)

texts = st.text(st.characters(), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
NAMES = st.binary(max_size=20) | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))


def drawn(strategy: st.SearchStrategy[T], count: int, number: int) -> list[T]:
    """Return ``count`` examples of ``strategy``, always the same for a seed."""
    found: list[T] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        found.append(value)

    collect()
    return found


@dataclass(frozen=True)
class Raw:
    """A Kafka message as any client may send it; header names are bytes, the timestamp is in milliseconds."""

    value: bytes | None
    key: bytes | None = b"key"
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    timestamp: int = 0


class Fuzzer:
    """Makes hostile records out of valid ones."""

    def __init__(self, number: int, valid: Sequence[bytes]) -> None:
        self.draw = random.Random(number)  # noqa: S311 - test data
        self.valid = valid
        self.values = drawn(JSON, 400, number)
        self.names = drawn(NAMES, 200, number)
        self.binary = drawn(st.binary(max_size=300), 200, number)
        self._makers: tuple[Callable[[], bytes | None], ...] = (
            self._good,
            self._noise,
            self._cut,
            self._damaged,
            self._nested,
            self._with_number,
            self._wrong_type,
            self._wrong_type,
            self._surrogate,
            self._version,
            self._twice,
            self._bare,
            self._giant,
            self._encoded,
            self._void,
        )

    def records(self, count: int) -> Iterator[Raw]:
        """Yield ``count`` messages: every kind of value, and now and then an odd key, odd headers, an odd time."""
        for _ in range(count):
            yield Raw(self.value(), self._key(), self._headers(), self._time())

    def value(self) -> bytes | None:
        """Return one value of any kind."""
        return self.draw.choice(self._makers)()

    def _base(self) -> bytes:
        return self.draw.choice(self.valid)

    def _good(self) -> bytes:
        return self._base()

    def _noise(self) -> bytes:
        return self.draw.choice(self.binary)

    def _cut(self) -> bytes:
        base = self._base()
        return base[: self.draw.randrange(len(base))]

    def _damaged(self) -> bytes:
        found = bytearray(self._base())
        for _ in range(self.draw.randint(1, 4)):
            at = self.draw.randrange(len(found))
            found[at : at + self.draw.randint(0, 3)] = self.draw.randbytes(self.draw.randint(0, 3))
        return bytes(found)

    def _nested(self) -> bytes:
        depth = self.draw.choice((10, 200, 900, 1100, 20_000))
        opened, closed = self.draw.choice(((b"[", b"]"), (b'{"a":', b"}")))
        whole = opened * depth + b"1" + closed * (depth if self.draw.random() < 0.7 else 0)
        return self._replaced(whole) if self.draw.random() < 0.7 else whole

    def _with_number(self) -> bytes:
        return self._replaced(self.draw.choice(NUMBERS).encode())

    def _replaced(self, literal: bytes) -> bytes:
        """Return a record with one value somewhere in it replaced by a literal that need not be JSON."""
        document = json.loads(self._base())
        self._set(document, "@HERE@")
        return json.dumps(document).encode().replace(b'"@HERE@"', literal)

    def _wrong_type(self) -> bytes:
        document = json.loads(self._base())
        for _ in range(self.draw.randint(1, 3)):
            self._set(document, copy.deepcopy(self.draw.choice(self.values)))
        return json.dumps(document).encode()

    def _set(self, document: Any, value: Any) -> None:
        """Put ``value`` in a random place of a document, at any depth; or a new field, or none where there was one."""
        while True:
            places = list(document if isinstance(document, dict) else range(len(document)))
            place = self.draw.choice(places)
            if isinstance(document[place], dict | list) and document[place] and self.draw.random() < 0.7:
                document = document[place]
                continue
            if isinstance(document, dict) and self.draw.random() < 0.2:
                del document[place]
                place = self.draw.choice(("", "extra", "schema_version", place))
            document[place] = value
            return

    def _surrogate(self) -> bytes:
        return self._replaced(
            self.draw.choice((b'"\\ud800"', b'"x\\udfffx"', b'"\xed\xa0\x80"', b'"\\ud83d"', b'"\\u0000"'))
        )

    def _version(self) -> bytes:
        version = self.draw.choice((0, 1, 1, 2, 99, -1, 1 << 31, 1 << 63, 1.0, "1", True, None, [1]))
        return json.dumps(json.loads(self._base()) | {"schema_version": version}).encode()

    def _twice(self) -> bytes:
        base = self._base()
        return b"{" + self.draw.choice((b'"id": "twice",', b'"project": 7,', b'"time": null,' * 50)) + base[1:]

    def _bare(self) -> bytes:
        return json.dumps(self.draw.choice(self.values)).encode()

    def _giant(self) -> bytes:
        size = GIANT - 65_536 if self.draw.random() < 0.02 else self.draw.choice((300, 17_000, 30_000))
        return self._replaced(b'"' + self.draw.choice((b"x", b"\\u0001", "é".encode())) * (size // 6) + b'"')

    def _encoded(self) -> bytes:
        base = self._base()
        return self.draw.choice(
            (
                gzip.compress(base),
                zlib.compress(base),
                base.decode().encode("utf-16"),
                b"\xef\xbb\xbf" + base,
                base + base,
            )
        )

    def _void(self) -> bytes | None:
        return self.draw.choice((None, b"", b" ", b"null", b"{}", b"\x00"))

    def _key(self) -> bytes | None:
        return self.draw.choice((None, b"", b"test/key", b"somebody/else", self._noise(), b"k" * 3_000))

    def _headers(self) -> list[tuple[bytes, bytes | None]]:
        if self.draw.random() < 0.7:
            return []
        count = self.draw.choice((1, 2, 5, 60))
        return [(self.draw.choice(self.names), self.draw.choice((None, b"", self._noise()))) for _ in range(count)]

    def _time(self) -> int:
        now = int(time.time() * 1000)  # a broker refuses what is more than an hour ahead
        return self.draw.choice((now, now, now, now + 3_000_000, -1, -5, 0, 1, -(1 << 40), -(1 << 62)))


class HeaderName(str):
    """A header's name that is written as any bytes."""

    def __new__(cls, raw: bytes) -> HeaderName:
        made = super().__new__(cls, "")
        made.raw = raw
        return made

    raw: bytes

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return self.raw


async def send_raw(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Raw], codec: int = 0
) -> int:
    """Send messages as one batch; return the first one's offset. Raises aiokafka's error when the broker refuses."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, 0, MAX_MESSAGE_BYTES)
    for number, one in enumerate(records):
        headers = [(HeaderName(name), value) for name, value in one.headers]
        if builder.append(number, one.timestamp, one.key, one.value, headers) is None:
            raise ValueError("larger than one batch may be")
    batch: Any = producer.create_batch()
    batch._buffer, batch._relative_offset = builder.build(), len(records)
    batch.close()
    return int((await (await producer.send_batch(batch, topic, partition=partition))).offset)


def in_batches(records: Sequence[Raw], draw: random.Random) -> Iterator[list[Raw]]:
    """Yield the records in batches of a random size that a broker takes."""
    batch: list[Raw] = []
    size, wanted = 0, draw.randint(1, 200)
    for one in records:
        large = len(one.value or b"") + len(one.key or b"") + sum(len(n) + len(v or b"") for n, v in one.headers)
        if batch and (len(batch) >= wanted or size + large > LARGEST_BATCH):
            yield batch
            batch, size, wanted = [], 0, draw.randint(1, 200)
        batch.append(one)
        size += large
    if batch:
        yield batch


@dataclass
class Request:
    """A request as bytes on the wire. ``proper``: HTTP as it should be, so that the answer is the service's own."""

    wire: bytes
    proper: bool = True
    cut: bool = field(default=False)  # the client hangs up before it has sent all that it promised


class RequestFuzzer:
    """Makes hostile HTTP requests for the two addresses that take records in."""

    BOMB = gzip.compress(b"\n" * (70 << 20))  # 68 KiB that unpack to more than is taken

    def __init__(self, number: int, records: Fuzzer, feedback: Fuzzer, logs: Sequence[bytes]) -> None:
        self.draw = random.Random(number)  # noqa: S311 - test data
        self.records, self.feedback, self.logs = records, feedback, logs

    def requests(self, count: int) -> Iterator[Request]:
        """Yield ``count`` requests: mostly proper HTTP with hostile content, some that are hardly HTTP."""
        for _ in range(count):
            yield self.draw.choices((self._proper, self._lying, self._garbled), (20, 2, 1))[0]()

    def _body(self) -> tuple[bytes, bytes]:
        """Return an address, and what may be sent there."""
        kind = self.draw.random()
        if kind < 0.25:
            return b"/v1/feedback", self.feedback.value() or b""
        if kind < 0.6:
            lines = [self.records.value() or b"" for _ in range(self.draw.choice((1, 1, 3)))]
            return self._address(), b"\n".join(lines)
        log = bytearray(self.draw.choice(self.logs))
        for _ in range(self.draw.choice((0, 1, 20))):
            at = self.draw.randrange(len(log))
            log[at : at + self.draw.randint(0, 40)] = self.records._noise()[:40]
        return self._address(), bytes(log[: self.draw.randint(1, len(log))])

    def _address(self) -> bytes:
        query = (
            b"?project=acme/app",
            b"?project=acme/app&run=%ED%A0%80&commit=%00",
            b"?project=acme/app&format=text&warnings=1",
            b"?project=acme/app&format=" + self.draw.choice((b"cargo", b"rustc", b"jsonl", b"xml")),
            b"",
            b"?project=%FF",
            b"?project=" + b"x" * 300,
            b"?project=a&project=b&project=c",
            b"?%00=%0d%0a&a=b",
        )
        return b"/v1/compiler-errors" + self.draw.choice(query[:4] * 3 + query)

    def _proper(self) -> Request:
        address, body = self._body()
        headers = [self._content_type()] if self.draw.random() < 0.3 else []
        packing = self.draw.random()
        if packing < 0.002:
            body = self.BOMB
            headers += [b"Content-Encoding: gzip"] * self.draw.randint(0, 1)
        elif packing < 0.2:
            encoding = self.draw.choice(
                (b"gzip", b"deflate", b"identity", b"br", b"zstd", b"compress", b"gzip, gzip", b"\xff")
            )
            headers.append(b"Content-Encoding: " + encoding)
            body = self.draw.choice((body, gzip.compress(body), zlib.compress(body), gzip.compress(body)[:-5]))
        elif packing < 0.25:
            body = self.draw.choice((gzip.compress(body), gzip.compress(gzip.compress(body)), gzip.compress(body)[:-9]))
        headers += self._odd_headers()
        if self.draw.random() < 0.15:
            return Request(
                _head(b"POST", address, [*headers, b"Transfer-Encoding: chunked"]) + _chunked(body, self.draw)
            )
        return Request(_head(b"POST", address, [*headers, b"Content-Length: %d" % len(body)]) + body)

    def _content_type(self) -> bytes:
        kinds = (b"application/json", b"text/plain; charset=utf-16", b"application/x-www-form-urlencoded", b";;;", b"")
        kinds += (b"multipart/form-data; boundary=x", b"\xff\xfe/x", b"application/json; charset=\xff", b"a" * 2_000)
        return b"Content-Type: " + self.draw.choice(kinds)

    def _odd_headers(self) -> list[bytes]:
        if self.draw.random() < 0.8:
            return []
        odd = (
            [b"Authorization: Bearer \xff\xfe"],
            [b"Authorization: " + b"x" * 4_000],
            [b"Origin: http://elsewhere.example"],
            [b"X-%d: %d" % (number, number) for number in range(90)],
            [b"Accept: \xe2\x28\xa1"],
            [b"Expect: 100-nothing"],
            [b"Content-MD5: =="],
            [b"Cookie: " + b"a=b; " * 200],
        )
        return list(self.draw.choice(odd))

    def _lying(self) -> Request:
        """Return a request whose length is not what it says."""
        address, body = self._body()
        body = body[:2_000] or b"x"
        kind = self.draw.randrange(7)
        if kind == 0:
            return Request(_head(b"POST", address, [b"Content-Length: %d" % (len(body) + 50)]) + body, cut=True)
        if kind == 1:
            return Request(_head(b"POST", address, [b"Transfer-Encoding: chunked"]) + b"40\r\nshort", cut=True)
        lies = (
            [b"Content-Length: -1"],
            [b"Content-Length: 99999999999999999999999"],
            [b"Content-Length: 5", b"Content-Length: 6"],
            [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
            [b"Content-Length: 0x10"],
        )
        return Request(_head(b"POST", address, lies[kind - 2]) + body, proper=False, cut=True)

    def _garbled(self) -> Request:
        """Return what is hardly HTTP, or not at all."""
        noise = self.records._noise().replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
        kinds = (
            noise,
            b"POST /v1/feedback HTTP/9.9\r\n\r\n",
            b"POST http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
            _head(b"PO\x00ST", b"/v1/feedback", []),
            _head(b"BREW", b"/v1/feedback", [b"Content-Length: 0"]),
            _head(b"POST", b"/v1/feedback", [b"A: " + b"x" * 20_000]),
            _head(b"POST", b"/v1/feedback", [b"No colon here"]),
            _head(b"POST", b"/v1/feedback", [b"A\xff: b"]),
            _head(b"POST", b"/v1/feedback", [b"A: b\x00c"]),
            _head(b"POST", b"/v1/feedback", [b"A: 1\r\n folded"]),
            _head(b"POST", b"/" + b"x" * 10_000, []),
            _head(b"POST", b"/v1/compiler-errors", [b"Transfer-Encoding: chunked"]) + b"zz\r\nnot a size\r\n0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + struct.pack(">I", 7) * 8,
        )
        return Request(self.draw.choice(kinds), proper=False, cut=True)


def _head(method: bytes, address: bytes, headers: Sequence[bytes]) -> bytes:
    return b"\r\n".join([method + b" " + address + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""])


def _chunked(body: bytes, draw: random.Random) -> bytes:
    pieces, position = [], 0
    while position < len(body):
        piece = body[position : position + draw.choice((1, 100, 10_000)) + len(body) // 20]
        pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        position += len(piece)
    return b"".join([*pieces, b"0\r\n\r\n"])
