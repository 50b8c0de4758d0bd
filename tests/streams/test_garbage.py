"""Looks for cycles: what is kept is passed over, cycles that are dropped go all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from streams.garbage import THRESHOLDS, settle


class Knot:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_is_passed_over() -> None:
    """A look for cycles after settling does not visit what was there before."""
    kept = [Knot() for _ in range(1_000)]
    settle()
    assert gc.get_threshold() == THRESHOLDS
    assert gc.get_freeze_count() > len(kept)
    assert not any(isinstance(one, Knot) for one in gc.get_objects())


def test_cycles_that_come_later_are_found() -> None:
    """Garbage made after settling is freed by a look for it."""
    settle()
    gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is None


def test_settling_again_frees_what_was_let_go() -> None:
    """A cycle that was kept at the first settling and dropped since is freed by the second."""
    knot = Knot()
    settle()
    gone = weakref.ref(knot)
    del knot
    gc.collect()
    assert gone() is not None
    settle()
    assert gone() is None
