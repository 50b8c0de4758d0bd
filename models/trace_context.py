"""W3C Trace Context: which trace a message belongs to, as headers; passed on, whoever makes the spans.

Source: W3C Recommendation "Trace Context" (2021), ``traceparent`` and ``tracestate``; in Kafka both are message headers
of that name (OpenTelemetry's semantic conventions for Kafka).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
SAMPLED = 0x01
MAX_STATE_CHARS = 512
MAX_PARENT_CHARS = 128  # a later version may have more fields than the 55 characters of the first

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(rf"[\x20-\x7e]{{1,{MAX_STATE_CHARS}}}")

Headers = tuple[tuple[str, bytes], ...]


class TraceContext(NamedTuple):
    """The trace that a message belongs to, and the span that sent it."""

    traceparent: str
    tracestate: str | None = None

    @property
    def trace_id(self) -> str:
        """Return the trace's id, 32 hex digits."""
        return self.traceparent[3:35]

    @property
    def sampled(self) -> bool:
        """Return whether somebody keeps the spans of this trace."""
        return bool(int(self.traceparent[53:55], 16) & SAMPLED)

    def headers(self) -> Headers:
        """Return the headers of a message that belongs to it."""
        state = ((TRACESTATE, self.tracestate.encode()),) if self.tracestate else ()
        return ((TRACEPARENT, self.traceparent.encode()), *state)


def read_context(headers: Iterable[tuple[str, bytes | str | None]]) -> TraceContext | None:
    """Return the context in a message's or a request's headers; nothing where there is none that is valid.

    More than one ``traceparent`` is none, as the standard says: the trace begins anew.

    >>> read_context([("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]).trace_id
    '0af7651916cd43dd8448eb211c80319c'
    """
    parents, states = [], []
    for name, value in headers:
        if len(name) == len(TRACEPARENT) and name.lower() == TRACEPARENT:
            parents.append(value)
        elif len(name) == len(TRACESTATE) and name.lower() == TRACESTATE:
            states.append(value)
    if len(parents) != 1:
        return None
    parent, found = _text(parents[0]).strip(), [text for one in states if (text := _text(one).strip())]
    match = _PARENT.fullmatch(parent) if len(parent) <= MAX_PARENT_CHARS else None
    if match is None or (match[1] == "00" and match[5]):
        return None
    state = ",".join(found)
    return TraceContext(parent, state if _STATE.fullmatch(state) else None)


def _text(value: bytes | str | None) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value or ""
