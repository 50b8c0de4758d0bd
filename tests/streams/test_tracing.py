"""Traces inside a worker: passed on, made into spans where that is wanted, and named by the latency's exemplars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from models.records import CompilerErrors
from models.state import LineState
from models.trace_context import TraceContext, read_context
from streams import tracing
from streams.batch import Batch
from streams.checkpoints import Partition
from streams.metrics import Metrics
from streams.topics import topic_name
from tests.builders import build, diagnostic

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED, DROPPED = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"
TOPIC = topic_name(CompilerErrors)


def message(headers: Any) -> ConsumerRecord[bytes, bytes]:
    value = build("b1", diagnostic("mismatched types")).to_bytes()
    return ConsumerRecord(
        TOPIC, 3, 7, int(datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000), 0, b"k", value, None, 1, 1, headers
    )


def step(*headers: tuple[str, bytes | None]) -> Batch:
    batch = Batch(Partition(3, LineState()), CompilerErrors)
    batch.take(message(headers))
    return batch


def carried(batch: Batch) -> TraceContext | None:
    (prediction,) = [one for one in batch.outgoing if one.topic.startswith("jidoka.predictions")]
    return read_context(prediction.headers)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Give the spans that are made, kept in memory by OpenTelemetry's own SDK."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


class TestPassedOn:
    def test_prediction_belongs_to_the_failures_trace(self) -> None:
        """Without OpenTelemetry being told where to send spans, the context goes through unchanged."""
        headers = (("ce_id", b"x"), ("traceparent", SAMPLED.encode()), ("tracestate", b"v=1"))
        assert carried(step(*headers)) == TraceContext(SAMPLED, "v=1")

    @pytest.mark.parametrize("headers", [(), (("traceparent", None),), (("traceparent", b"\xff"),)])
    def test_failure_without_a_trace_is_answered_without(self, headers: Any) -> None:
        """No context, or none that is valid, and the prediction has none."""
        assert carried(step(*headers)) is None

    def test_only_a_trace_that_is_kept_is_an_example(self) -> None:
        """An exemplar names a trace that somebody can look up."""
        assert [trace for _, trace in step(("traceparent", SAMPLED.encode())).arrivals] == [TRACE]
        assert [trace for _, trace in step(("traceparent", DROPPED.encode())).arrivals] == [None]


class TestSpans:
    def test_step_is_a_span_of_the_trace(self, spans: InMemorySpanExporter) -> None:
        """With OpenTelemetry the step is a consumer's span under the sender's, and the prediction's parent."""
        after = carried(step(("traceparent", SAMPLED.encode()), ("tracestate", b"v=1")))
        (span,) = spans.get_finished_spans()
        assert (span.name, span.kind.name) == (f"process {TOPIC}", "CONSUMER")
        assert span.parent is not None
        assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
        assert after is not None
        assert (after.trace_id, after.tracestate) == (TRACE, "v=1")
        assert span.context is not None
        assert after.traceparent.split("-")[2] == f"{span.context.span_id:016x}"
        assert span.attributes is not None
        assert span.attributes["messaging.destination.name"] == TOPIC
        assert span.attributes["messaging.kafka.offset"] == 7

    def test_trace_that_nobody_keeps_costs_no_span(self, spans: InMemorySpanExporter) -> None:
        """An unsampled context goes through unchanged, without a span."""
        assert carried(step(("traceparent", DROPPED.encode()))) == TraceContext(DROPPED)
        assert spans.get_finished_spans() == ()

    def test_without_an_address_there_are_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Spans are made only where the environment says where to send them."""
        for name in tracing.ENDPOINTS:
            monkeypatch.delenv(name, raising=False)
        tracing._tracer.cache_clear()
        assert tracing._tracer() is None
        tracing._tracer.cache_clear()


class TestExemplars:
    def test_latency_names_a_trace(self) -> None:
        """In OpenMetrics the bucket of the latency has the trace as its exemplar; all metrics can be read back."""
        metrics = Metrics()
        metrics.end_to_end.observe(0.2, {"trace_id": TRACE})
        families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
        samples = [sample for family in families for sample in family.samples]
        found = [one for one in samples if one.exemplar is not None]
        assert [(one.name, one.labels["le"], one.exemplar.labels) for one in found if one.exemplar] == [
            ("jidoka_end_to_end_seconds_bucket", "0.25", {"trace_id": TRACE})
        ]
