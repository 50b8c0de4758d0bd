"""(a): a Faust agent as the tutorial has it: decode, predict and learn one by one, send; no exactly once."""

from __future__ import annotations

import logging
from typing import Any

import faust

from benchmarks.contenders.learner import RiverLearner
from benchmarks.contenders.options import options


def main() -> None:
    """Run until a signal."""
    given = options()
    logging.basicConfig(level=logging.WARNING)
    app = faust.App(
        given.group,
        broker=f"kafka://{given.bootstrap}",
        value_serializer="json",
        store="memory://",
        datadir=given.folder,
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        producer_max_request_size=16 << 20,
        consumer_max_fetch_size=16 << 20,
    )
    builds = app.topic(given.source, key_serializer="raw")
    predictions = app.topic(given.sink, key_serializer="raw")
    learner = RiverLearner(given.features)

    @app.agent(builds)
    async def classify(stream: Any) -> None:
        async for key, build in stream.items():
            await predictions.send(key=key, value=learner.answer(build))

    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
