"""The agent that takes programs in: each is worked on, and what comes of it goes out in one transaction."""

from __future__ import annotations

import faust
from faust.types import StreamT

from models.records import Program
from streams.programs import Programs
from streams.topics import topic_name


def attach(app: faust.App, programs: Programs) -> None:
    """Register the agent ``transpile``."""
    source = app.topic(topic_name(Program), key_serializer="raw", value_serializer="raw")

    @app.agent(source, name="transpile")
    async def take(stream: StreamT[bytes]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]  # not in StreamT
            await programs.process(event)
