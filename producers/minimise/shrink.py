"""Delta debugging: the smallest program found that still fails in the same way."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable

from producers.minimise.edits import candidates, size

MAX_TRIED = 200
MAX_SECONDS = 180.0


def minimise(
    source: str, still_fails: Callable[[str], bool], *, tried: int = MAX_TRIED, seconds: float = MAX_SECONDS
) -> str:
    """Return a program no larger than ``source`` on which ``still_fails`` holds, made by single edits.

    Each edit that keeps the failure is taken; it ends when none does, or when the budget is spent. ``source`` itself
    must fail.
    """
    best, left, end = source, tried, time.monotonic() + seconds
    known: set[str] = set()
    plain = ast.unparse(ast.parse(source))  # without comments
    if plain != source and size(plain) <= size(source) and still_fails(plain):
        best = plain
    progress = True
    while progress:
        progress = False
        for candidate in candidates(best):
            if candidate in known:
                continue
            if left <= 0 or time.monotonic() > end:
                return best
            known.add(candidate)
            left -= 1
            if still_fails(candidate):
                best, progress = candidate, True
                break
    return best
