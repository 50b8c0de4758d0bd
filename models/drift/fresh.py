"""Has a label come to stay that was never there before? One vote is none, three in a few hundred are a change.

New labels come at a rate of their own, in some streams without end (Good's missing mass, Biometrika 1953), which is
watched as a share like any other. Each new label is watched by itself for a while, against the share of one that was
as unseen as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, log1p
from typing import Any

from models.drift.cusum import RISES, Cusum
from models.drift.shiryaev_roberts import PRIOR

MAX_FRESH = 8  # labels watched at once; the one that voted longest ago gives way
LIFE = 1_000  # votes for which a new label is watched
AT_ONCE = 500.0  # votes: new labels that come within so many compete
UNSEEN = 0.25  # votes that a label counts with which the baseline never had
GROWN = 1.05  # growth of the baseline after which the rate of new labels is taken anew


class Fresh:
    """A label that was new at the ``born``-th vote, and its votes since."""

    __slots__ = ("born", "cusum", "votes")

    def __init__(self, born: int, votes: int, cusum: Cusum) -> None:
        self.born, self.votes, self.cusum = born, votes, cusum


class FreshLabels:
    """CUSUMs for labels since they were first seen, and one for the rate at which they come."""

    def __init__(self) -> None:
        self.labels: dict[str, Fresh] = {}  # the longest silent first
        self.met = 0.0  # new labels that the baseline had
        self.rate = Cusum(0.5, 1.0, 0, "rise")

    def settle(self, met: float, votes: int) -> None:
        """Begin after a baseline of ``votes`` votes, at the rate of ``met`` new labels in as many."""
        self.met = float(met)  # as a snapshot says it
        self.labels = {}
        self.rate = Cusum((met + PRIOR) / votes, votes, votes, "rise")

    def forget(self) -> None:
        """Watch none of the labels so far any longer."""
        self.labels = {}

    def vote(self, label: str, now: int, build: str, *, known: bool) -> float:
        """Take in a vote of a label outside the baseline's, the ``now``-th of all; return its largest sum."""
        one = self.labels.pop(label, None)
        if one is not None:
            if now - one.born > LIFE:
                return 0.0
            self.labels[label] = one
            one.votes += 1
            return one.cusum.vote(now, build) - self._choice(now)
        return 0.0 if known else self._welcome(label, now, build)

    def _welcome(self, label: str, now: int, build: str) -> float:
        top = self.rate.vote(now, build)
        rate = (self.met + PRIOR) / now
        self.met += 1.0
        if now >= GROWN * self.rate.frozen[1] and self.rate.idle:
            self.rate.freeze((self.met + PRIOR) / now, now, now)
        if len(self.labels) >= MAX_FRESH:
            del self.labels[next(iter(self.labels))]
        cusum = Cusum(UNSEEN / now, now, now, "rise", edge=0.0)
        cusum.credit([log(max(rise, rate) / rate) for rise in RISES])
        cusum.build = build
        self.labels[label] = Fresh(now, 1, cusum)
        return top

    def _choice(self, now: int) -> float:
        """Return what it costs to have so many new labels to choose from, in nats."""
        return log1p(AT_ONCE * self.met / now)

    def value(self, now: int) -> float:
        """Return the largest sum of all."""
        labels = max([one.cusum.value(now) for one in self.labels.values()], default=0.0) - self._choice(now)
        return max(self.rate.value(now), labels)

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        labels = [[label, one.born, one.votes, one.cusum.dump()] for label, one in self.labels.items()]
        return {"met": self.met, "rate": self.rate.dump(), "labels": labels}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned."""
        labels = {label: Fresh(born, votes, Cusum.loaded(one, "rise")) for label, born, votes, one in data["labels"]}
        self.met, self.rate, self.labels = data["met"], Cusum.loaded(data["rate"], "rise"), labels
