"""Traces through the worker: a failure's context is passed on to its prediction; with the extra ``otel``, as a span.

Without OpenTelemetry, or where nobody is told where to send spans (``OTEL_EXPORTER_OTLP_ENDPOINT``), the context goes
through unchanged and costs a look at the headers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from models.trace_context import Headers, TraceContext, read_context

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

SERVICE = "jidoka-worker"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Step:
    """One record's way through the step; ``context`` is what goes on with its answers."""

    def __init__(self, context: TraceContext | None) -> None:
        self.context = context

    @property
    def headers(self) -> Headers:
        """Return the headers that tell of it."""
        return self.context.headers() if self.context is not None else ()

    @property
    def exemplar(self) -> str | None:
        """Return the id of a trace that somebody keeps: what a histogram may name as an example."""
        return self.context.trace_id if self.context is not None and self.context.sampled else None


@contextmanager
def stepping(message: ConsumerRecord[bytes, bytes]) -> Iterator[Step]:
    """Let a record's step happen within its trace; a span is made only for one that is sampled."""
    context = read_context(message.headers) if message.headers else None
    tracer = _tracer() if context is not None and context.sampled else None
    if context is None or tracer is None:
        yield Step(context)
        return
    with _span(tracer, context, message) as step:
        yield step


@contextmanager
def _span(tracer: Any, context: TraceContext, message: ConsumerRecord[bytes, bytes]) -> Iterator[Step]:
    from opentelemetry.propagate import get_global_textmap  # noqa: PLC0415 - an extra
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    textmap = get_global_textmap()
    parent = textmap.extract({name: value.decode() for name, value in context.headers()})
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
    }
    with tracer.start_as_current_span(
        f"process {message.topic}", parent, kind=SpanKind.CONSUMER, attributes=attributes
    ):
        carrier: dict[str, str] = {}
        textmap.inject(carrier)
        yield Step(read_context(carrier.items()) or context)


@cache
def _tracer() -> Any:
    """Return what makes spans; nothing where the extra is missing or nobody is told where to send them."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        return None
    # Resource.create lets OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES speak; ours is the name where they do not.
    named = os.environ.get("OTEL_SERVICE_NAME", SERVICE)
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("jidoka")
