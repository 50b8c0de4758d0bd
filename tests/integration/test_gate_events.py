"""A tool's gate tells the line that is up."""

from __future__ import annotations

import os
from typing import Any

import pytest

from models.records import AndonEvent
from streams.cli.gate_events import tell_andon

pytestmark = pytest.mark.integration


def test_a_gate_tells_the_andon(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that is not passed is an event of its condition, with what was measured; no line, nothing told."""
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(line.settings.data_dir / "elsewhere"))
    assert not tell_andon("HighRejectionRate", "augment: rejection 0.4", 0.4, 0.25)
    monkeypatch.setenv("JIDOKA_BROKER", f"kafka://{line.broker}")
    assert tell_andon("HighRejectionRate", "augment: rejection 0.4", 0.4, 0.25)
    (event,) = line.records(AndonEvent)
    assert (event.kind, event.severity, event.statistic, event.threshold) == ("HighRejectionRate", "halt", 0.4, 0.25)
    assert event.runbook
