"""What people say about earlier answers in; the model of the same partition learns it."""

from __future__ import annotations

import faust
from faust.types import StreamT

from models.records import Feedback
from streams.line import Line
from streams.topics import topic_name


def attach(app: faust.App, line: Line) -> None:
    """Register the agent that takes feedback."""
    source = app.topic(topic_name(Feedback), key_serializer="raw", value_serializer="raw")
    size, wait = line.settings.batch_size, line.settings.batch_wait_s

    @app.agent(source, name="feedback")
    async def feedback(stream: StreamT[bytes]) -> None:
        async for events in stream.noack_take(size, within=wait):  # type: ignore[attr-defined]  # not in StreamT
            await line.process(events, Feedback)
