"""Pieces of an andon event: what moved, and by how much."""

from __future__ import annotations

from typing import Literal

from models.diagnostics import Part, Probability, Short

Lamp = Literal["green", "amber", "red"]


class Moved(Part):
    """A category and its summand of the statistic that was reached; ``before`` and ``now`` are its shares of builds."""

    category: Short
    contribution: float
    before: Probability | None = None
    now: Probability | None = None
