"""How a partition's champion and its challenger stand, as JSON-able data: for a worker's state, and for cards."""

from __future__ import annotations

from math import isfinite
from typing import Any

from models.challenge import ALPHA, MINIMUM, RETIRE_ALPHA, Challenge, Duel
from models.state import LineState


def contest(state: LineState) -> dict[str, Any]:
    """Return the running ``challenge``, the ``student`` that answers, the one on ``trial``, and the last ``outcomes``.

    The duel of a student that answers is of the classifier alone against the two: its wins are the student's losses.
    """
    challenge = None if state.challenge is None else _challenge(state.challenge)
    students = {
        place: None if served is None else _duel(served.duel)
        for place, served in (("student", state.students.answering), ("trial", state.students.trial))
    }
    return {"challenge": challenge, **students, "outcomes": [outcome._asdict() for outcome in state.outcomes]}


def _challenge(challenge: Challenge) -> dict[str, Any]:
    """Return how a challenger stands: builds, votes, evidence and how much of it decides (``models/challenge.py``)."""
    return {"examples": challenge.classifier.examples} | _duel(challenge)


def _duel(duel: Duel) -> dict[str, Any]:
    test, counts = duel.test, duel.counts
    return {
        "name": duel.name,
        "rules": duel.rules,
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
