"""Counts named by a Fibonacci number: close together where one more matters, far apart where it does not."""

from __future__ import annotations

from bisect import bisect_right

BUCKETS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765)


def bucket(count: int) -> int:
    """Return the largest of ``BUCKETS`` that is not above ``count``, which is not negative.

    >>> bucket(4), bucket(20_000)
    (3, 6765)
    """
    return BUCKETS[bisect_right(BUCKETS, count) - 1]
