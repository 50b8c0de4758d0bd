"""A cache that is bounded in bytes: what a stream of texts never seen before may cost is known beforehand."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LARGEST = 100  # a value that takes more than this part (1/100) of the budget is not kept


class BoundedCache(dict[K, V]):
    """A dictionary that is emptied when ``budget`` bytes, by the callers' own estimate, would be exceeded.

    Emptying it as a whole costs one refill of what is frequent, and reading stays what a dictionary's ``get`` costs:
    half of an LRU's. It must never change an answer, only the time that it takes.
    """

    def __init__(self, budget: int) -> None:
        super().__init__()
        self.budget, self.held = budget, 0

    def keep(self, key: K, value: V, size: int) -> V:
        """Hold ``value``, which takes ``size`` bytes together with its key, unless it is too large; return it."""
        if size * LARGEST <= self.budget and key not in self:
            if self.held + size > self.budget:
                self.clear()
                self.held = 0
            self[key] = value
            self.held += size
        return value
