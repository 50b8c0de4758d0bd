"""A trace through a real line: sender, worker, prediction; its span at a receiver of OTLP, its id at the metrics."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from models.records import Prediction
from models.trace_context import read_context
from producers.sender import Sender
from producers.trace import carrying

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Receiver(ThreadingHTTPServer):
    """Takes in spans as a collector does, OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Take)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.server.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_trace_goes_from_sender_to_prediction(
    line: Any, kit: SimpleNamespace, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    """What is sent within a trace is answered within it; the step is a span, the latency names the trace."""

    async def send() -> None:
        async with Sender(line.broker, {}, "/jidoka/http") as sender:
            with carrying([("traceparent", f"00-{TRACE}-{PARENT}-01")]):
                await sender.send(kit.make_failures(1)[0])

    asyncio.run(send())
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    worker = line.worker(**settings).start()
    line.wait_until_answered(1)
    (message,) = line.messages(Prediction)
    (span,) = eventually(lambda: receiver.spans)
    after = read_context(message.headers)
    assert after is not None
    assert (after.trace_id, after.traceparent.split("-")[2]) == (TRACE, span.span_id.hex())
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)

    url = json.loads(worker.announce.read_bytes())["url"]
    asked = urllib.request.Request(f"{url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=5) as response:  # noqa: S310 - our own worker
        text = response.read().decode()
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert any(line.startswith("jidoka_end_to_end_seconds_bucket") and TRACE in line for line in text.splitlines())
    assert worker.stop() == 0
