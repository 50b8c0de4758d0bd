"""The agents that take records in: failed compilations are answered, feedback is learned by the same model."""

from __future__ import annotations

import faust
from faust.types import StreamT

from models.records import CompilerErrors, Feedback
from streams.line import Line
from streams.topics import topic_name


def attach(app: faust.App, line: Line, name: str, kind: type[CompilerErrors] | type[Feedback]) -> None:
    """Register the agent ``name``, which takes in the records of one kind."""
    source = app.topic(topic_name(kind), key_serializer="raw", value_serializer="raw")

    @app.agent(source, name=name)
    async def take(stream: StreamT[bytes]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]  # not in StreamT
            await line.process(event, kind)
