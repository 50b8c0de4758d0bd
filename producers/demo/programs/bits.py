"""Bits, bytes, hashes and encodings."""

import base64
import hashlib
import struct
import zlib


def popcount(n: int) -> int:
    return bin(n).count("1")


def set_bit(n: int, position: int, on: bool) -> int:
    return n | 1 << position if on else n & ~(1 << position)


def is_power_of_two(n: int) -> bool:
    return n > 0 and n & n - 1 == 0


def gray(n: int) -> int:
    return n ^ n >> 1


def rotate_left(value: int, count: int, width: int = 32) -> int:
    count %= width
    mask = (1 << width) - 1
    return (value << count | value >> width - count) & mask


def parity(data: bytes) -> int:
    result = 0
    for byte in data:
        result ^= byte
    return bin(result).count("1") & 1


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def xor_bytes(data: bytes, key: bytes) -> bytes:
    return bytes(b ^ key[i % len(key)] for i, b in enumerate(data))


def to_hex(data: bytes) -> str:
    return " ".join(f"{b:02x}" for b in data)


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def encode(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def pack_header(kind: int, length: int) -> bytes:
    return struct.pack(">BI", kind, length)


def unpack_header(data: bytes) -> tuple[int, int]:
    kind, length = struct.unpack(">BI", data[:5])
    return kind, length


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def ip_to_int(address: str) -> int:
    a, b, c, d = map(int, address.split("."))
    return (a << 24) + (b << 16) + (c << 8) + d


def in_network(address: int, network: int, prefix: int) -> bool:
    mask = ~((1 << 32 - prefix) - 1)
    return address & mask == network & mask


def crc(data: bytes) -> int:
    return zlib.crc32(data) & 0xFFFFFFFF


def fnv(text: str) -> int:
    value = 0xCBF29CE484222325
    for c in text:
        value = (value ^ ord(c)) * 0x100000001B3 % 2**64
    return value


def bit_positions(n: int) -> list[int]:
    return [i for i in range(n.bit_length()) if n >> i & 1]


def subsets(items: list[str]) -> list[list[str]]:
    return [[item for i, item in enumerate(items) if mask & 1 << i] for mask in range(1 << len(items))]


class BloomFilter:
    def __init__(self, size: int = 64) -> None:
        self.size = size
        self.bits = 0

    def _positions(self, item: str) -> list[int]:
        digest = hashlib.md5(item.encode()).digest()
        return [digest[i] % self.size for i in range(3)]

    def add(self, item: str) -> None:
        for position in self._positions(item):
            self.bits |= 1 << position

    def __contains__(self, item: str) -> bool:
        return all(self.bits >> position & 1 for position in self._positions(item))
