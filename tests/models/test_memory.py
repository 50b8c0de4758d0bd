"""The memory of recent failures: bounded, oldest out first, and what a checkpoint has to carry."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.labels.model import Votes
from models.memory import MAX_FEATURES, Example, Recent, RecentFailures, key_hash
from models.sparse import Hashed


def held(key: str) -> Recent:
    """Return an answered failure without diagnostics."""
    return Recent(key, key.encode(), ())


def filled(*keys: str, capacity: int = 3, seen_capacity: int = 5) -> RecentFailures:
    """Return a memory to which these failures were added."""
    memory = RecentFailures(capacity, seen_capacity)
    for key in keys:
        memory.add(held(key))
    return memory


class TestRecentFailures:
    def test_empty(self) -> None:
        """An empty memory holds nothing and has learned nothing."""
        memory = RecentFailures()
        assert memory.get("a") is None
        assert not memory.learned("a")
        assert memory.contents() == ([], [])

    def test_oldest_go_first(self) -> None:
        """The oldest failure is dropped first; its id is known for longer, and then dropped too."""
        memory = filled(*"abcdef")
        assert [key for key in "abcdef" if memory.get(key)] == ["d", "e", "f"]
        assert [key for key in "abcdef" if memory.learned(key)] == ["b", "c", "d", "e", "f"]

    def test_adding_again_renews(self) -> None:
        """A failure that is added again is the newest, and is held once."""
        memory = filled(*"abcad")
        assert [one.key for one in memory.contents()[0]] == ["c", "a", "d"]

    def test_reading_does_not_renew(self) -> None:
        """Looking a failure up does not keep it longer: what is held follows from the records alone."""
        memory = filled(*"abc")
        memory.get("a")
        memory.learned("a")
        memory.add(held("d"))
        assert memory.get("a") is None

    def test_ids_alone(self) -> None:
        """An id can be noted without a failure to hold."""
        memory = RecentFailures()
        memory.add_id("said")
        assert memory.learned("said")
        assert memory.get("said") is None

    def test_added_since_saved(self) -> None:
        """What was added since ``mark_saved`` is listed in order, and afterwards forgotten."""
        memory = filled("a")
        memory.mark_saved()
        memory.add(held("b"))
        memory.add_id("c")
        assert [one.key for one in memory.added] == ["b"]
        assert memory.added_ids == [key_hash("b"), key_hash("c")]
        memory.mark_saved()
        assert (memory.added, memory.added_ids) == ([], [])
        assert memory.get("b") is not None

    @given(st.lists(st.sampled_from("abcdefghij"), max_size=40), st.integers(0, 40))
    def test_base_and_additions_make_the_whole(self, keys: list[str], saved: int) -> None:
        """What was held at a base, extended by what was added since, is what is held now, in the same order."""
        memory = filled(*keys[:saved])
        restored = RecentFailures(3, 5)
        restored.extend(*memory.contents())
        memory.mark_saved()
        for key in keys[saved:]:
            memory.add(held(key))
        restored.extend(memory.added, memory.added_ids)
        assert restored.contents() == memory.contents()

    @given(st.lists(st.text("ab", max_size=3), max_size=50))
    def test_never_more_than_its_capacity(self, keys: list[str]) -> None:
        """However many failures come, no more than the capacities are held."""
        recents, ids = filled(*keys).contents()
        assert len(recents) <= 3
        assert len(ids) <= 5

    def test_ids_are_64_bits_that_stay(self) -> None:
        """An id's hash is part of every checkpoint: it never changes."""
        assert key_hash("build-1") == 15_808_638_629_626_112_467
        assert 0 <= key_hash("") < 1 << 64


def test_what_is_held_is_bounded_by_features() -> None:
    """However large the diagnostics, the oldest failures go when their features would take more than the bound."""
    memory = RecentFailures(capacity=10)
    rows = np.zeros(MAX_FEATURES // 3, np.uint32)
    example = Example("k", Votes(()), Hashed(rows, rows.astype(np.float32)))
    for number in range(6):
        memory.add(Recent(f"p {number}", b"{}", (example,)))
    held = [recent.key for recent in memory.contents()[0]]
    assert held == ["p 3", "p 4", "p 5"]
    assert memory.learned("p 0")
