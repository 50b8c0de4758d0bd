"""(b): Quix Streams as its tutorial has it: decode, predict and learn one by one, to a topic; at least once."""

from __future__ import annotations

from pathlib import Path

from quixstreams import Application

from benchmarks.contenders.learner import RiverLearner
from benchmarks.contenders.options import options


def main() -> None:
    """Run until a signal."""
    given = options()
    app = Application(
        broker_address=given.bootstrap,
        consumer_group=given.group,
        auto_offset_reset="earliest",
        state_dir=Path(given.folder),
        loglevel="WARNING",
        producer_extra_config={"message.max.bytes": 16 << 20},
    )
    builds = app.topic(given.source, value_deserializer="json", key_deserializer="bytes")
    predictions = app.topic(given.sink, value_serializer="json", key_serializer="bytes")
    learner = RiverLearner(given.features)
    app.dataframe(builds).apply(learner.answer).to_topic(predictions)
    app.run()


if __name__ == "__main__":
    main()
