"""Failed compilations in, predictions out."""

from __future__ import annotations

import faust
from faust.types import StreamT

from models.records import CompilerErrors
from streams.line import Line
from streams.topics import topic_name


def attach(app: faust.App, line: Line) -> None:
    """Register the agent that answers failed compilations."""
    source = app.topic(topic_name(CompilerErrors), key_serializer="raw", value_serializer="raw")
    size, wait = line.settings.batch_size, line.settings.batch_wait_s

    @app.agent(source, name="classify")
    async def classify(stream: StreamT[bytes]) -> None:
        async for events in stream.noack_take(size, within=wait):  # type: ignore[attr-defined]  # not in StreamT
            await line.process(events, CompilerErrors)
