"""Which kind of compiler output an input is, told from its first bytes."""

from __future__ import annotations

import re
import zlib
from enum import StrEnum

HEAD_BYTES = 1 << 16  # enough to get past cargo's status lines to the first line of JSON

GZIP_MAGIC = b"\x1f\x8b"
PARQUET_MAGIC = b"PAR1"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# A quote inside JSON text is escaped, so that "key": in the bytes is a key and never a quotation.
_CARGO = re.compile(rb'"reason"\s*:')
_JSONL = re.compile(rb'"diagnostics"\s*:')
_RUSTC = re.compile(rb'"(?:\$message_type|spans|artifact)"\s*:')
_JSON_LINES = re.compile(rb"^[^\n{]{0,200}(\{.*)", re.MULTILINE)
_RENDERED = re.compile(rb"^.{0,120}?(?:error|warning)(?:\[[\w:]{1,64}\])?(?:\x1b\[[\d;]*m)*: ", re.MULTILINE)
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b\x08\x07")


class InputError(ValueError):
    """An input that cannot be read at all; the text says what was seen, what is allowed and what to do."""


class Format(StrEnum):
    """The kinds of compiler output that can be read."""

    CARGO = "cargo"
    RUSTC = "rustc"
    TEXT = "text"
    JSONL = "jsonl"
    PARQUET = "parquet"


ALLOWED = (
    "allowed are cargo --message-format=json, rustc --error-format=json, the compiler's text, jidoka's JSON lines, "
    "each also gzipped, and Parquet"
)


def detect(head: bytes, name: str | None = None) -> Format:
    """Return the format of an input that begins with ``head``; a gzipped one is looked into.

    ``name`` (a file's name, for the message and for JSON lines without a telling key) may be missing.
    Raises ``InputError`` if there is nothing, or nothing that can be read.
    """
    shown = name or "input"
    if head.startswith(GZIP_MAGIC):
        head = _unzipped(head, shown)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise InputError(f"{shown}: empty; {ALLOWED}. Did the compiler write to the other stream (2>&1)?")
    if head.startswith(PARQUET_MAGIC):
        return Format.PARQUET
    if head[257:262] == b"ustar":
        raise InputError(f"{shown}: a tar archive; unpack it and give the file with the compiler's output")
    if head.startswith(_UTF16_MARKS):
        raise InputError(f"{shown}: UTF-16 text; save it as UTF-8 (PowerShell: | Out-File -Encoding utf8)")
    return json_format(head) or _text_format(head, shown)


def json_format(head: bytes) -> Format | None:
    """Return the format that a line of JSON in ``head`` shows by its keys, or nothing."""
    for line in _JSON_LINES.findall(head):
        for pattern, found in ((_CARGO, Format.CARGO), (_JSONL, Format.JSONL), (_RUSTC, Format.RUSTC)):
            if pattern.search(line):
                return found
    return None


def _text_format(head: bytes, shown: str) -> Format:
    if _RENDERED.search(head):
        return Format.TEXT
    if _is_binary(head):
        raise InputError(f"{shown}: binary data (begins with {head[:8].hex(' ')}); {ALLOWED}")
    if shown.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return Format.JSONL
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        raise InputError(f"{shown}: JSON of an unknown kind ({head[:60].decode('utf-8', 'replace')!r}); {ALLOWED}")
    return Format.TEXT


def _is_binary(head: bytes) -> bool:
    """Return whether over a tenth of ``head`` is control characters or no UTF-8."""
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
    invalid = head.decode("utf-8", "replace").count("\N{REPLACEMENT CHARACTER}")
    return (controls + invalid) * 10 > len(head)


def _unzipped(head: bytes, shown: str) -> bytes:
    try:
        inner = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error as error:
        raise InputError(f"{shown}: begins like gzip but cannot be unpacked ({error}); {ALLOWED}") from None
    refuse_packed_parquet(inner, shown)
    return inner


def refuse_packed_parquet(inner: bytes, shown: str) -> None:
    """Raise ``InputError`` if what was gzipped is Parquet, which must be read from its end."""
    if inner.startswith(PARQUET_MAGIC):
        raise InputError(f"{shown}: Parquet inside gzip; unpack it first (Parquet is compressed by itself)")
