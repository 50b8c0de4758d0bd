"""Profiles by layer: whose time a stack's time is."""

from __future__ import annotations

import pytest

from benchmarks import layers

SITE = "/v/lib/python3.11/site-packages"
START = f"main (/r/streams/cli/__init__.py:1);execute ({SITE}/mode/worker.py:2);_run_once (/p/asyncio/base_events.py:3)"
TAKE = f"{START};_run (/p/asyncio/events.py:4);process (/r/streams/line.py:5)"
RAW = f"""\
{TAKE};step (/r/models/step.py:6);extract (/r/models/features.py:7) 40
{TAKE};step (/r/models/step.py:6);Record.to_bytes (/r/models/records.py:8) 20
{TAKE};parse (/r/models/records.py:9);BaseModel.model_validate ({SITE}/pydantic/main.py:9) 10
{START};_run (/p/asyncio/events.py:4);_next ({SITE}/faust/streams.py:1);get (/p/asyncio/queues.py:2) 20
{START};select (/p/selectors.py:9) 8
run (/p/threading.py:1);work (/p/concurrent/futures/thread.py:1) 2
"""


@pytest.fixture(scope="module")
def found() -> layers.Shares:
    """Return the shares of a small profile."""
    return layers.shares(layers.stacks(RAW.splitlines()))


class TestLayers:
    def test_time_belongs_to_the_innermost_layer(self, found: layers.Shares) -> None:
        """What a library does is its caller's; what started the event loop does nothing."""
        assert found.samples == 100
        assert dict(found.layers) == {
            "features": 0.4,
            "encode records": 0.2,
            "Faust": 0.2,
            "parse records": 0.1,
            layers.EVENT_LOOP: 0.08,
            layers.OTHER: 0.02,
        }

    def test_functions_count_alone_and_with_what_they_call(self, found: layers.Shares) -> None:
        """A function on every stack of a kind has all their time, and itself none."""
        assert dict(found.total)["step (models/step.py)"] == pytest.approx(0.6)
        assert "step (models/step.py)" not in dict(found.own)
        assert dict(found.own)["extract (models/features.py)"] == pytest.approx(0.4)

    def test_an_empty_profile_is_no_profile(self) -> None:
        """Without samples there are no shares."""
        with pytest.raises(ValueError, match="nothing ran"):
            layers.shares(layers.stacks([]))
