"""What a partition without a checkpoint starts from."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta

from models.classifiers import HashedLogistic
from models.records import Model
from models.warm_start import pack
from producers.sender import Sender
from streams.published import fresh_state, newest_model
from streams.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def published(origin: str, days: int, payload: bytes | None = None) -> Model:
    """Return a model record; with ``payload``, one whose content is not what its hash says."""
    classifier = HashedLogistic()
    classifier.learn_one({"message:borrow": 1.0}, "OwnershipBorrow")
    packed = pack(classifier, origin)
    return Model(
        id=origin,
        time=NOW + timedelta(days=days),
        project="jidoka",
        name=origin,
        sha256=hashlib.sha256(packed).hexdigest(),
        payload=base64.b64encode(payload or packed).decode(),
    )


def send(settings: Settings, *models: Model) -> None:
    """Put models on the topic, in the given order."""

    async def work() -> None:
        async with Sender(settings.broker or "", {}, "/test") as sender:
            for model in models:
                await sender.send(model)

    asyncio.run(work())


class TestNewestModel:
    def test_none_is_published(self, fresh_line: Settings) -> None:
        """Without a published model a partition starts from the bundled one."""
        assert asyncio.run(newest_model(fresh_line)) is None
        assert fresh_state(fresh_line, None)().origin == "warm-start"

    def test_the_newest_by_its_own_time_wins(self, fresh_line: Settings) -> None:
        """The model with the latest time is taken, in whatever order they were published."""
        send(fresh_line, published("second", 2), published("first", 1))
        state = fresh_state(fresh_line, asyncio.run(newest_model(fresh_line)))()
        assert (state.origin, state.classifier.examples) == ("second", 1)

    def test_a_damaged_one_is_passed_over(self, fresh_line: Settings, caplog) -> None:
        """A newer model that is not what its hash says is named in the log, and the one before it is taken."""
        send(fresh_line, published("good", 1), published("damaged", 2, b"something else"))
        state = fresh_state(fresh_line, asyncio.run(newest_model(fresh_line)))()
        assert state.origin == "good"
        assert "damaged" in caplog.text

    def test_cold_start_is_a_setting(self, fresh_line: Settings) -> None:
        """With warm_start off a partition starts from nothing, whatever is published."""
        cold = fresh_line.model_copy(update={"warm_start": False})
        assert fresh_state(cold, b"")().model_version == "empty+0"

    def test_foreign_labels_are_refused(self, fresh_line: Settings) -> None:
        """A model that answers with names outside the taxonomy is not taken: its answers would be no records."""
        classifier = HashedLogistic()
        classifier.learn_one({"message:borrow": 1.0}, "SomethingElse")
        packed = pack(classifier, "foreign")
        foreign = published("foreign", 1).model_copy(
            update={"sha256": hashlib.sha256(packed).hexdigest(), "payload": base64.b64encode(packed).decode()}
        )
        send(fresh_line, foreign)
        assert asyncio.run(newest_model(fresh_line)) is None
