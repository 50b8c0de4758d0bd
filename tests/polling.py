"""Waiting in tests: ask again until a deadline, never sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def poll(predicate: Callable[[], T], *, deadline_s: float = 15.0, every_s: float = 0.05) -> T:
    """Return what ``predicate`` returns once that is true; fails after the deadline."""
    end = time.monotonic() + deadline_s
    while not (value := predicate()):
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline_s} s: {predicate}; last value {value!r}")
        time.sleep(every_s)
    return value
