"""The body of a request: who may send one, and its bytes, bounded in size and time."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import io
import zlib
from collections.abc import Iterator

from aiohttp import web
from pydantic import SecretStr

from producers.ci.formats import GZIP_MAGIC
from producers.http.limits import MIB, Limits
from producers.http.problems import Refusal

ENCODINGS = ("identity", "gzip", "deflate")
CHUNK_BYTES, PIECE_BYTES = 1 << 16, 1 << 20


def authorise(request: web.Request, token: SecretStr | None) -> None:
    """Raise ``Refusal`` (401) unless the request carries the bearer token, or none is set."""
    wanted = token.get_secret_value() if token else ""
    if not wanted:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted.encode())
    if scheme.lower() != "bearer" or not same:
        said = "the bearer token is wrong" if given else "a bearer token is needed"
        raise Refusal(
            401, f"{said}: send the header Authorization: Bearer TOKEN", {"WWW-Authenticate": 'Bearer realm="jidoka"'}
        )


async def receive(request: web.Request, limits: Limits, most: int) -> bytes:
    """Return the body, at most ``most`` bytes as sent and ``limits.inflated_bytes`` after its Content-Encoding.

    Raises ``Refusal``: 408 too slow, 413 too large, 415 an encoding or form that is not taken, 400 damaged.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ENCODINGS:
        raise Refusal(415, f"Content-Encoding {encoding[:40]!r} is not taken; allowed: {', '.join(ENCODINGS)}")
    if request.content_type.startswith("multipart/"):
        raise Refusal(415, "a form is not taken: send the log itself as body (curl --data-binary @build.json URL)")
    if (request.content_length or 0) > most:
        raise _too_large(most, "sent")
    try:
        async with asyncio.timeout(limits.receive_s):
            return await _collect(request, encoding, most, limits.inflated_bytes)
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {limits.receive_s:.0f} s") from None
    except (web.RequestPayloadError, OSError, EOFError, zlib.error):
        raise Refusal(400, f"the body cannot be read: damaged, cut off, or not {encoding}") from None


async def _collect(request: web.Request, encoding: str, most: int, inflated: int) -> bytes:
    body, sent, unpack = bytearray(), 0, _Unpacker(encoding)
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        sent += len(chunk)
        if sent > most:
            raise _too_large(most, "sent")
        for piece in unpack.pieces(chunk):
            body += piece
            if len(body) > inflated:
                raise _too_large(inflated, "taken after unpacking")
            await asyncio.sleep(0)  # a chunk may unpack to a thousand times its size
    if not unpack.complete:
        raise EOFError
    return bytes(body)


class _Unpacker:
    """Undoes a Content-Encoding in pieces of at most ``PIECE_BYTES``; raises ``zlib.error`` for anything else."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._zlib: zlib._Decompress | None = None

    @property
    def complete(self) -> bool:
        """Return whether what has come so far is whole."""
        return self._zlib is None or self._zlib.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to."""
        if self._encoding == "identity":
            yield chunk
            return
        while chunk:
            if self._zlib is None or (self._zlib.eof and self._encoding == "gzip"):  # gzip files may be joined
                self._zlib = zlib.decompressobj(self._window(chunk))
            elif self._zlib.eof:
                raise zlib.error("more bytes after the end")
            yield self._zlib.decompress(chunk, PIECE_BYTES)
            chunk = self._zlib.unconsumed_tail or self._zlib.unused_data

    def _window(self, chunk: bytes) -> int:
        """Return zlib's word for the format; "deflate" means zlib's, but some send the bare stream."""
        if self._encoding == "gzip":
            return 16 + zlib.MAX_WBITS
        return zlib.MAX_WBITS if chunk[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS


def inflate(body: bytes, limits: Limits) -> bytes:
    """Return a gzip file unpacked, once, anything else as it is; runs for as long as ``inflated_bytes`` need.

    Raises ``Refusal``: 413 when it would be larger, 415 for gzip within gzip, 400 when damaged.
    """
    if not body.startswith(GZIP_MAGIC):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            inflated = file.read(limits.inflated_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(400, f"begins like gzip but cannot be unpacked: {error}") from None
    if len(inflated) > limits.inflated_bytes:
        raise _too_large(limits.inflated_bytes, "taken after unpacking")
    if inflated.startswith(GZIP_MAGIC):
        raise Refusal(415, "gzip within gzip: compress the log once")
    return inflated


def _too_large(most: int, what: str) -> Refusal:
    size = f"{most // MIB} MiB" if most >= MIB else f"{most} bytes"
    return Refusal(
        413, f"at most {size} may be {what} in one request: send the log in parts, or use `jidoka push`, which streams"
    )
