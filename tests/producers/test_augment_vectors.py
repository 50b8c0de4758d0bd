"""Examples between programs: MixUp and SMOTE on vectors of counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.augment.smote import smote
from producers.augment.vectors import DEPTHS, KINDS, mixup, vector


class TestVector:
    def test_counts(self) -> None:
        """Nodes are counted by kind and statements by depth, whatever they are called."""
        found = vector("def f(a):\n    if a:\n        return a + 1\n")
        by_name = dict(zip(KINDS, found, strict=False))
        assert (by_name["FunctionDef"], by_name["If"], by_name["Add"], by_name["Name"]) == (1, 1, 1, 2)
        assert found[len(KINDS) : len(KINDS) + DEPTHS].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
        assert np.array_equal(found, vector("def g(b):\n    if b:\n        return b + 2\n"))

    def test_what_does_not_parse(self) -> None:
        """Text that is no program has no vector."""
        with pytest.raises(SyntaxError):
            vector("def (")


class TestMixup:
    @given(st.integers(0, 2**32 - 1), st.integers(1, 50))
    def test_between_two(self, seed: int, count: int) -> None:
        """An example lies between two, and its label is as much of each."""
        examples, labels = np.arange(6.0).reshape(3, 2) ** 2, np.eye(3)
        mixed, shares = mixup(examples, labels, count, seed)
        assert np.allclose(mixed, shares @ examples)
        assert np.allclose(shares.sum(axis=1), 1.0)
        assert ((shares > 0).sum(axis=1) <= 2).all()

    def test_unequal_numbers(self) -> None:
        """As many labels as examples are needed."""
        with pytest.raises(ValueError, match="3 examples and 2 labels"):
            mixup(np.zeros((3, 2)), np.eye(2), 1, 0)


class TestSmote:
    def test_rare_labels_catch_up(self) -> None:
        """Every label comes as often as the commonest; new examples lie between old ones; a lone one is repeated."""
        random = np.random.default_rng(3)
        examples = np.concatenate([random.normal(0, 1, (30, 4)), random.normal(9, 1, (6, 4)), np.full((1, 4), 50.0)])
        labels = ["common"] * 30 + ["rare"] * 6 + ["alone"]
        grown, named = smote(examples, labels, seed=1)
        assert {label: named.count(label) for label in set(named)} == {"common": 30, "rare": 30, "alone": 30}
        rare = grown[[label == "rare" for label in named]]
        assert (rare.min(0) >= examples[30:36].min(0)).all()
        assert (rare.max(0) <= examples[30:36].max(0)).all()
        assert (grown[[label == "alone" for label in named]] == 50.0).all()

    def test_nothing_to_do(self) -> None:
        """With one label, or labels that come equally often, nothing is made."""
        examples = np.arange(8.0).reshape(4, 2)
        for labels in (["a"] * 4, ["a", "a", "b", "b"]):
            grown, named = smote(examples, labels, seed=1)
            assert (len(grown), named) == (4, labels)
