"""Batches: sparse products equal the dense ones, also where rows repeat, and no row lies outside the table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sparse import Batch, Hashed, joined, present

BITS = 4

unhurried = settings(deadline=None)  # time is no part of what these promise

examples = st.lists(
    st.lists(st.tuples(st.integers(0, (1 << 32) - 1), st.floats(-2, 2, width=32)), max_size=8), min_size=1, max_size=6
)


def hashed(features: list[tuple[int, float]]) -> Hashed:
    """Return an example with these rows and values."""
    return Hashed(np.array([row for row, _ in features], np.uint32), np.array([v for _, v in features], np.float32))


def dense(batch: Batch) -> np.ndarray:
    """Return the batch as a full matrix; features on one row add up."""
    matrix = np.zeros((len(batch.bounds) - 1, 1 << BITS))
    for line, one in zip(matrix, batch.examples(), strict=True):
        np.add.at(line, one.rows, one.values)
    return matrix


def table(seed: int = 1) -> np.ndarray:
    """Return a table of weights with three columns."""
    return np.random.default_rng(seed).normal(size=(1 << BITS, 3)).astype(np.float32)


@unhurried
@given(examples)
def test_scores_are_the_matrix_product(features: list[list[tuple[int, float]]]) -> None:
    """Scores equal the dense product, whatever rows repeat, and for examples without features they are zero."""
    batch = joined([hashed(one) for one in features], BITS)
    assert batch.scores(table()) == pytest.approx(dense(batch) @ table(), abs=1e-4)


@unhurried
@given(examples)
def test_adding_is_the_transposed_product(features: list[list[tuple[int, float]]]) -> None:
    """What is added to the table equals the dense product of features and gradients; other rows keep their bits."""
    batch, gradients, weights = joined([hashed(one) for one in features], BITS), table(2)[: len(features)], table()
    batch.add(batch.values, np.ascontiguousarray(gradients), weights)
    assert weights == pytest.approx(table() + dense(batch).T @ gradients, abs=1e-4)
    untouched = np.setdiff1d(np.arange(1 << BITS), batch.rows)
    assert np.array_equal(weights[untouched], table()[untouched])


@unhurried
@given(st.lists(st.binary(max_size=40).map(lambda raw: raw[: len(raw) // 4 * 4]), min_size=1, max_size=5))
def test_present_features(hashes: list[bytes]) -> None:
    """Any hashes give rows inside the table and examples of unit length, each in its place."""
    batch = present(hashes, BITS)
    assert all(0 <= row < 1 << BITS for row in batch.rows.tolist())
    for raw, one in zip(hashes, batch.examples(), strict=True):
        assert one.rows.tolist() == [number % (1 << BITS) for number in np.frombuffer(raw, np.uint32).tolist()]
        assert float((one.values**2).sum()) == pytest.approx(1.0 if raw else 0.0, rel=1e-5)


@unhurried
@given(examples, st.data())
def test_taking_some(features: list[list[tuple[int, float]]], data: st.DataObject) -> None:
    """The examples taken are those of the batch, in the order asked for."""
    whole = [hashed(one) for one in features]
    wanted = data.draw(st.lists(st.sampled_from(range(len(features))), min_size=1, unique=True).map(sorted))
    for index, one in zip(wanted, joined(whole, BITS).take(wanted).examples(), strict=True):
        assert np.array_equal(one.rows, whole[index].rows % (1 << BITS))
        assert np.array_equal(one.values, whole[index].values)
