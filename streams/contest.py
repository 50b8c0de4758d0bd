"""How a partition's champion and its challenger stand, as JSON-able data: for a worker's state, and for cards."""

from __future__ import annotations

from math import isfinite
from typing import Any

from models.challenge import ALPHA, MINIMUM, RETIRE_ALPHA, Challenge
from models.state import LineState


def contest(state: LineState) -> dict[str, Any]:
    """Return the running ``challenge``, if there is one, and the ``outcomes`` of the last ones."""
    challenge = None if state.challenge is None else _challenge(state.challenge)
    return {"challenge": challenge, "outcomes": [outcome._asdict() for outcome in state.outcomes]}


def _challenge(challenge: Challenge) -> dict[str, Any]:
    """Return how a challenger stands: builds, votes, evidence and how much of it decides (``models/challenge.py``)."""
    test, counts = challenge.test, challenge.counts
    return {
        "name": challenge.name,
        "rules": challenge.rules,
        "examples": challenge.classifier.examples,
        "builds": counts.builds,
        "minimum": MINIMUM,
        "wins": test.wins,
        "losses": test.losses,
        "evidence": _finite(test.evidence),
        "needed": 1.0 / ALPHA,
        "counter_evidence": _finite(test.counter_evidence),
        "retired_at": 1.0 / RETIRE_ALPHA,
        "counts": vars(counts).copy(),
    }


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None  # JSON has no infinity
