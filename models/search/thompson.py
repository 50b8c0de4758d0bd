"""Which programs to try first: Thompson sampling over the constructs that programs use.

Each construct has a Beta posterior over "a program with it fails". One probability is drawn from each posterior, and
programs are tried in the order in which the draws say that they fail: constructs that are known to break come early,
and so do those that nobody has tried. Chapelle and Li, "An Empirical Evaluation of Thompson Sampling" (NIPS 2011);
Russo, Van Roy, Kazerouni, Osband and Wen, "A Tutorial on Thompson Sampling" (2018), section 6.3 for the decay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, log, sqrt
from random import Random
from typing import Any, NamedTuple

DECAY = 0.999  # kept of every count at each outcome: what was seen 1,000 programs ago counts a third
MAX_CONSTRUCTS = 2_000  # remembered; the one that was seen longest ago is forgotten first
PRIOR = 1.0  # failures and successes, each, that a construct starts with


class Candidate(NamedTuple):
    """A program to try: its constructs, and what a model says of its failing (a half: nothing)."""

    constructs: tuple[str, ...]
    fails: float = 0.5


class ConstructBandit:
    """Posteriors of failure by construct.

    Randomness comes from the caller: the same outcomes and the same ``Random`` give the same order.

    Examples
    --------
    >>> bandit = ConstructBandit()
    >>> for _ in range(50):
    ...     bandit.update(("yield",), failed=True)
    ...     bandit.update(("for",), failed=False)
    >>> bandit.rank([Candidate(("for",)), Candidate(("yield",))], Random(1))
    [1, 0]
    """

    def __init__(self, decay: float = DECAY, capacity: int = MAX_CONSTRUCTS) -> None:
        if not 0.0 < decay <= 1.0 or capacity < 1:
            raise ValueError(f"decay {decay}, capacity {capacity}: above 0 and at most 1; at least 1 construct")
        self.decay, self.capacity = decay, capacity
        self.outcomes = 0
        self._counts: dict[str, tuple[float, float, int]] = {}  # failed, did not, as of that outcome; oldest first

    def update(self, constructs: Iterable[str], failed: bool) -> None:
        """Take in the outcome of one program that uses ``constructs``."""
        self.outcomes += 1
        for construct in dict.fromkeys(constructs):
            bad, good = self._seen(construct)
            self._counts.pop(construct, None)
            self._counts[construct] = (bad + failed, good + (not failed), self.outcomes)
        while len(self._counts) > self.capacity:
            del self._counts[next(iter(self._counts))]

    def _seen(self, construct: str) -> tuple[float, float]:
        """Return the decayed counts of failures and successes."""
        bad, good, when = self._counts.get(construct, (0.0, 0.0, self.outcomes))
        kept = self.decay ** (self.outcomes - when)
        return bad * kept, good * kept

    def posterior(self, construct: str) -> tuple[float, float]:
        """Return the parameters of the Beta distribution over the probability that a program with it fails."""
        bad, good = self._seen(construct)
        return PRIOR + bad, PRIOR + good

    def rank(self, candidates: Sequence[Candidate], rng: Random) -> list[int]:
        """Return the places of the candidates, the one to try first in front.

        A candidate's score is the log odds drawn for its constructs, summed over their root number, plus those that the
        model gives it: several doubtful constructs are worse than one. The largest draw alone, though one construct
        that breaks is enough, found fewer failures. Equals stay in their order.
        """
        names = dict.fromkeys(name for one in candidates for name in one.constructs)
        drawn = {name: _log_odds(rng.betavariate(*self.posterior(name))) for name in names}
        scores = [
            sum(drawn[name] for name in one.constructs) / sqrt(len(one.constructs) or 1) + _log_odds(one.fails)
            for one in candidates
        ]
        return sorted(range(len(candidates)), key=lambda place: -scores[place])

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {"outcomes": self.outcomes, "counts": [[name, *counts] for name, counts in self._counts.items()]}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned; raises ``ValueError`` before anything has changed."""
        counts = {str(name): (float(bad), float(good), int(when)) for name, bad, good, when in data["counts"]}
        outcomes = int(data["outcomes"])
        if len(counts) > self.capacity or not all(_fits(one, outcomes) for one in counts.values()):
            raise ValueError(f"{len(counts)} constructs after {outcomes} outcomes: at most {self.capacity}, none later")
        self.outcomes, self._counts = outcomes, counts


def _fits(counts: tuple[float, float, int], outcomes: int) -> bool:
    bad, good, when = counts
    return bad >= 0 and good >= 0 and isfinite(bad) and isfinite(good) and 0 < when <= outcomes


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return log(share / (1 - share))
