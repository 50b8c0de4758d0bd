"""What is sent belongs to the trace of the request that is answered, or of the job that runs the command."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from models.trace_context import Headers
from producers.http.traced import traced
from producers.http_sender import HttpSender
from producers.trace import carrying, trace_headers

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.fixture
def _job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", PARENT)
    monkeypatch.setenv("TRACESTATE", "ci=1")


class TestHeaders:
    def test_nobody_said_anything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a request and without a job's trace there are no headers."""
        monkeypatch.delenv("TRACEPARENT", raising=False)
        assert trace_headers() == ()

    @pytest.mark.usefixtures("_job")
    def test_job_tells_by_its_environment(self) -> None:
        """A CI job's trace reaches what its commands send, over Kafka and over HTTP."""
        assert trace_headers() == (("traceparent", PARENT.encode()), ("tracestate", b"ci=1"))
        assert HttpSender("http://127.0.0.1:1")._headers["traceparent"] == PARENT

    @pytest.mark.usefixtures("_job")
    def test_request_is_asked_before_the_environment(self) -> None:
        """What a request brings belongs to its trace, and to none where it names none."""
        with carrying([("traceparent", OTHER)]):
            assert trace_headers() == (("traceparent", OTHER.encode()),)
        with carrying([]):
            assert trace_headers() == ()
        assert trace_headers()

    def test_requests_at_one_time_do_not_mix(self) -> None:
        """Two requests that are answered at once each keep their trace, in threads that they wait for too."""

        async def answer(_: web.Request) -> web.Response:
            here = trace_headers()
            await asyncio.sleep(0)
            there: Headers = await asyncio.to_thread(trace_headers)
            assert here == there
            return web.Response(text=",".join(value.decode() for _, value in there))

        async def ask() -> list[str]:
            app = web.Application()
            app.add_routes([web.get("/", traced(answer))])
            async with TestClient(TestServer(app)) as client:
                answers = [client.get("/", headers={"traceparent": one}) for one in (PARENT, OTHER, "none") * 5]
                return [await response.text() for response in await asyncio.gather(*answers)]

        assert asyncio.run(ask()) == [PARENT, OTHER, ""] * 5
