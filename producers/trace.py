"""The trace that what is sent belongs to: of the request that is answered, or of the job that runs the command."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from models.trace_context import TRACEPARENT, TRACESTATE, Headers, TraceContext, read_context

_NOBODY_SAID = "nobody said"  # unlike None: somebody said that there is none
_current: ContextVar[TraceContext | str | None] = ContextVar("trace_context", default=_NOBODY_SAID)


@contextmanager
def carrying(headers: Iterable[tuple[str, bytes | str | None]]) -> Iterator[None]:
    """Let what is sent meanwhile belong to the trace in these headers, or to none."""
    token = _current.set(read_context(headers))
    try:
        yield
    finally:
        _current.reset(token)


def trace_headers() -> Headers:
    """Return the headers that a message sent now has to have.

    Outside of ``carrying`` it is the trace in the environment (``TRACEPARENT``, ``TRACESTATE``), by which CI systems
    tell the commands of a job: OpenTelemetry, "Environment Variables as Context Propagation Carriers".
    """
    current = _current.get()
    if isinstance(current, TraceContext):
        return current.headers()
    if current is None:
        return ()
    found = read_context(
        (name, os.environ.get(name.upper())) for name in (TRACEPARENT, TRACESTATE) if name.upper() in os.environ
    )
    return found.headers() if found else ()
