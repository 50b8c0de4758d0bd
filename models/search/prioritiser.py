"""Which program to try next: the one likeliest to show a failure that nobody has seen yet.

Thompson sampling (``thompson``) over what can be known of a program beforehand (constructs, strategy, level), where a
success is a *new* failure, not any failure: what always fails in the same way is worth nothing after the first time.
Its posterior sinks with every program that shows nothing new, and decays, so that it is tried again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from models.search.thompson import Candidate, ConstructBandit

DECAY = 0.99  # of what was seen 100 programs ago a third counts: what was new then is known now


class Prioritiser:
    """Chooses among programs and learns from each outcome; randomness is the caller's.

    Examples
    --------
    >>> chooser = Prioritiser()
    >>> for _ in range(30):
    ...     chooser.learn(("for",), new=False)
    ...     chooser.learn(("match",), new=True)
    >>> chooser.choose([Candidate(("for",)), Candidate(("match",))], Random(1))
    1
    """

    def __init__(self, decay: float = DECAY) -> None:
        self._bandit = ConstructBandit(decay)

    def choose(self, candidates: Sequence[Candidate], rng: Random) -> int:
        """Return the place of the program to try next; there has to be one."""
        return self._bandit.rank(candidates, rng)[0]

    def learn(self, constructs: Sequence[str], *, new: bool) -> None:
        """Take in whether a program showed a failure that was not known."""
        self._bandit.update(constructs, failed=new)
