"""Caches: bounded in bytes whatever comes, and never what decides an answer."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from models import code_features, explanations, features, hashing, hybrid, masking
from models.caching import LARGEST, BoundedCache
from models.features import parts
from tests.builders import diagnostic, random_builds, span

CACHES = (
    features._TEXTS,
    code_features._LINES,
    hybrid._KINDS,
    code_features._TOKENS,
    explanations._READ,
    explanations._SAID,
    features._COUNTS,
    hashing._KNOWN,
    masking._MASKED,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), max_size=200))
def test_never_more_than_its_budget(kept: list[tuple[int, int]]) -> None:
    """Whatever is kept, the sizes held stay within the budget, and what is too large is not held at all."""
    cache: BoundedCache[int, int] = BoundedCache(1_000)
    sizes: dict[int, int] = {}
    for key, size in kept:
        sizes.setdefault(key, size)
        if key not in cache:
            sizes[key] = size
        assert cache.keep(key, -key, size) == -key
        assert sum(sizes[one] for one in cache) == cache.held <= cache.budget
        assert all(sizes[one] * LARGEST <= cache.budget for one in cache)


def test_a_stream_of_new_texts_stays_bounded() -> None:
    """Texts, lines and tokens never seen before fill the caches to their budgets and no further."""
    source = random.Random(3)  # noqa: S311 - a stream, not a secret
    for _ in range(3_000):
        line = " ".join(f"v{source.getrandbits(40)}" for _ in range(30))
        words = " ".join(f"w{source.getrandbits(40)}" for _ in range(40))
        parts(diagnostic(words, spans=(span(f"{line} «x»"),)))
    assert features._TEXTS.budget / 4 < max(cache.held for cache in CACHES)
    assert all(cache.held <= cache.budget for cache in CACHES)


def test_caches_decide_nothing() -> None:
    """The same diagnostics have the same features from empty caches as from full ones."""
    builds = random_builds(30, seed=12)
    warm = [parts(one) for record in builds for one in record.diagnostics]
    for cache in CACHES:
        cache.clear()
        cache.held = 0
    masking._shape.cache_clear()
    assert [parts(one) for record in builds for one in record.diagnostics] == warm
