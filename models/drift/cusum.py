"""Has one share moved? CUSUMs of likelihood ratios for several sizes of rise and fall of one label's share.

Page, "Continuous inspection schemes" (Biometrika 1954). The sums begin at zero with the share that the baseline has
then, and keep it until they are zero again: what a change brings does not move what it is compared with. The share is
taken at the edge of its own uncertainty, so that a baseline that is merely short does not look like a change.
"""

from __future__ import annotations

from math import log, log1p, sqrt
from typing import Any, Literal

RISES = (0.01, 0.03, 0.1, 0.3)  # share of all votes that the label takes from the others
FALLS = (0.5, 0.95)  # share of its own votes that the label loses
EDGE = 2.0  # standard errors by which a baseline's share is moved towards the alternative
APART = 5.0  # standard errors that an alternative is away from it: what is nearer, a longer baseline has to tell
LEAST = 20.0  # votes in the baseline below which a fall is not looked for
MOST = 0.999  # of all votes: a label that has them all has no higher share to rise to
SUMS = len(RISES) + len(FALLS)

Sides = Literal["both", "rise"]


class Cusum:
    """The sums of one label; between its votes they move by a constant each, so that only votes cost anything.

    ``frozen`` has share and votes of the baseline that it compares with; ``idle`` says that all sums were zero before
    the last vote, and ``build`` is where they last left it.
    """

    __slots__ = ("absent", "at", "build", "falls", "frozen", "idle", "sides", "sums", "voted")

    def __init__(self, share: float, votes: float, now: int, sides: Sides = "both", edge: float = EDGE) -> None:
        self.sides, self.build, self.idle = sides, "", True
        self.freeze(share, votes, now, edge)

    def freeze(self, share: float, votes: float, now: int, edge: float = EDGE) -> None:
        """Begin anew after ``now`` votes, and compare with this share of ``votes`` votes."""
        share = min(share, MOST)
        self.at, self.frozen, self.sums = now, (share, float(votes), edge), [0.0] * SUMS  # as a snapshot says it
        error = sqrt(share * (1.0 - share) / votes)
        high, low, apart = min(share + edge * error, MOST), share - edge * error, APART * error if edge else 0.0
        shares = [min(max(high + (1.0 - high) * rise, share + apart), 0.9995) for rise in RISES]
        self.voted = [log(one / high) for one in shares]
        self.absent = [log1p(-one) - log1p(-high) for one in shares]
        self.falls = self.sides == "both" and share * votes >= LEAST and low > 0.0
        if self.falls:
            shares = [min(low * (1.0 - fall), max(share - apart, 0.02 * share)) for fall in FALLS]
            self.voted += [log(one / low) for one in shares]
            self.absent += [log1p(-one) - log1p(-low) for one in shares]

    def vote(self, now: int, build: str) -> float:
        """Take in a vote, the ``now``-th of all, and return the largest sum."""
        gap, top, idle = max(0, now - self.at - 1), 0.0, True
        self.at, sums, place = now, self.sums, 0
        for step, drop in zip(self.voted, self.absent, strict=True):
            before = sums[place] + gap * drop
            if before > 0.0:
                idle = False
                top = max(top, before)  # of a fall, which this vote speaks against
                after = before + step
            else:
                after = step
            if after <= 0.0:
                sums[place] = 0.0
            else:
                sums[place] = after
                top = max(top, after)
            place += 1  # noqa: SIM113 - enumerate costs a tuple per sum, and this runs for every vote
        self.idle = idle
        if idle:
            self.build = build
        return top

    def value(self, now: int) -> float:
        """Return the largest sum after ``now`` votes."""
        gap = now - self.at
        return max(0.0, *[one + gap * step for one, step in zip(self.sums, self.absent, strict=False)])

    def credit(self, gains: list[float]) -> None:
        """Let the rises begin with these sums; what is below zero counts as zero."""
        self.sums[: len(RISES)] = [max(0.0, gain) for gain in gains]

    def dump(self) -> list[Any]:
        """Return everything as JSON-able data."""
        return [*self.frozen, self.at, self.sums.copy(), self.build]

    @classmethod
    def loaded(cls, data: list[Any], sides: Sides) -> Cusum:
        """Return what ``dump`` returned of, or raise ``ValueError`` for what it cannot have returned."""
        share, votes, edge, at, sums, build = data
        if not (0.0 < share < 1.0 and votes >= 1.0 and edge in {0.0, EDGE} and len(sums) == SUMS):
            raise ValueError("drift: a share or a sum that no stream leads to")
        found = cls(share, votes, at, sides, edge)
        found.sums, found.build = list(sums), build
        return found
