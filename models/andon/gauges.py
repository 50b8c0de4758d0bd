"""Levels that are read after each build: the share of something among the last ones, and how varied answers are."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from math import exp, log
from typing import Any

from models.andon.conditions import WINDOW

LEAST = 1.5  # labels' perplexity below which variety says nothing: a flood of one kind of build is no collapse
EVERY = 10  # votes between two readings of the variety: it costs more than all else here


class Share:
    """The share of true ones among the last ``size``; nothing before there are so many."""

    def __init__(self, size: int = WINDOW, flags: str = "") -> None:
        self.size = size
        self._flags = deque((flag == "1" for flag in flags), maxlen=size)
        self._true = sum(self._flags)
        self.value = self._true / size if len(self._flags) == size else None

    def push(self, flag: bool) -> float | None:
        """Take one in and return the share."""
        flags = self._flags
        if len(flags) == self.size:
            self._true -= flags[0]
        flags.append(flag)
        self._true += flag
        if len(flags) == self.size:
            self.value = self._true / self.size
        return self.value

    def dump(self) -> str:
        """Return the flags, oldest first, as ``0`` and ``1``."""
        return "".join("1" if flag else "0" for flag in self._flags)


class Variety:
    """How varied the model's labels are beside the true ones, over the last ``size`` builds: 1 as much, 0 all alike.

    The ratio of the two perplexities, each less 1 (perplexity: the exponential of Shannon's entropy, the number of
    equally frequent labels that would be as uncertain; Hill, "Diversity and evenness", Ecology 54, 1973).
    """

    def __init__(self, size: int = WINDOW, pairs: Iterable[tuple[str, str]] = (), votes: int = 0) -> None:
        self.size = size
        self._pairs: deque[tuple[str, str]] = deque(pairs, maxlen=size)
        self._said = Counter(said for said, _ in self._pairs)
        self._true = Counter(true for _, true in self._pairs)
        self._votes = votes % EVERY  # since the last reading

    def push(self, said: str, true: str) -> float | None:
        """Take in what was said and what was true of one build; return a reading now and then."""
        pairs = self._pairs
        if len(pairs) == self.size:
            for counts, gone in zip((self._said, self._true), pairs[0], strict=True):
                counts[gone] -= 1
                if not counts[gone]:
                    del counts[gone]
        pairs.append((said, true))
        self._said[said] += 1
        self._true[true] += 1
        self._votes = (self._votes + 1) % EVERY
        return None if self._votes or len(pairs) < self.size else self.value

    @property
    def value(self) -> float:
        """Return the ratio; 1 where the labels have no variety themselves."""
        labels = perplexity(self._true)
        return (perplexity(self._said) - 1.0) / (labels - 1.0) if labels >= LEAST else 1.0

    def dump(self) -> dict[str, Any]:
        """Return the pairs, oldest first, and how many votes were taken since the last reading."""
        return {"pairs": list(self._pairs), "votes": self._votes}


def perplexity(counts: Counter[str]) -> float:
    """Return the exponential of the entropy of these counts; 1 of nothing.

    >>> round(perplexity(Counter(a=5, b=5)), 6), perplexity(Counter(a=7)), perplexity(Counter())
    (2.0, 1.0, 1.0)
    """
    total = counts.total()
    if not total:
        return 1.0
    # Sorted: the order in which labels came must not show in the last digit, or a replay would differ.
    return max(1.0, exp(log(total) - sum([count * log(count) for count in sorted(counts.values())]) / total))
