"""The agents that take records in: failures are answered, feedback is learned, commands are obeyed by one model."""

from __future__ import annotations

import faust
from faust.types import StreamT

from streams.line import Line
from streams.restore import Source
from streams.topics import topic_name


def attach(app: faust.App, line: Line, name: str, kind: type[Source]) -> None:
    """Register the agent ``name``, which takes in the records of one kind."""
    source = app.topic(topic_name(kind), key_serializer="raw", value_serializer="raw")

    @app.agent(source, name=name)
    async def take(stream: StreamT[bytes]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]  # not in StreamT
            await line.process(event, kind)
