"""Rivals: river's own battery of checks in full, the projection that trees need, and how an ensemble weighs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import base, checks, datasets, dummy, naive_bayes

from models.classifiers import HashedLogistic
from models.evaluation.rivals import RIVALS, PrequentialEnsemble, SignedProjection
from models.features import extract
from models.taxonomy import rule_for
from tests.builders import random_builds

DEFAULT = PrequentialEnsemble(**next(PrequentialEnsemble._unit_test_params()))

Check = Callable[[base.Estimator], None]


def streams(_: base.Estimator, scale: int = 1) -> Iterator[Any]:
    """Yield the streams that river gives a multiclass classifier; its own function wants scikit-learn for others."""
    yield datasets.Phishing().take(200 * scale)
    yield ((x, np.bool_(y)) for x, y in datasets.Phishing().take(200 * scale))
    yield datasets.ImageSegments().take(200 * scale)


def battery(model: base.Classifier) -> list[Any]:
    """Return river's checks for ``model``, each with its stream."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_yield_datasets", streams)
        skipped = model._unit_test_skips()
        return [
            pytest.param(model, check, id=f"{type(model).__name__}-{place}-{check.__name__}")
            for place, check in enumerate(checks.yield_checks(model))
            if check.__name__ not in skipped
        ]


def ensemble(**fields: Any) -> PrequentialEnsemble:
    """Return an ensemble of one that repeats the last label and one that learns."""
    return PrequentialEnsemble([dummy.NoChangeClassifier(), naive_bayes.MultinomialNB()], **fields)


def alternating(model: base.Classifier, count: int) -> None:
    """Let ``model`` learn two labels in turn, each with a word of its own."""
    for number in range(count):
        word, label = (("mismatched", "TypeErrors"), ("borrow", "OwnershipBorrow"))[number % 2]
        model.learn_one({word: 1}, label)


@pytest.mark.parametrize(("model", "check"), battery(HashedLogistic()) + battery(DEFAULT))
def test_river_conventions(model: base.Classifier, check: Check) -> None:
    """The classifier of the line and the ensemble pass every check that river makes of its own classifiers."""
    random.seed(5)  # river's checks shuffle features
    check(model.clone())


class TestRegistry:
    @pytest.mark.parametrize("name", RIVALS)
    def test_learns_from_diagnostics(self, name: str) -> None:
        """Every rival takes the features of diagnostics as they are, and beats guessing the commonest label."""
        model, right, total, counts = RIVALS[name](), 0, 0, dict[str, int]()
        for record in random_builds(60, seed=3):
            for place, one in enumerate(record.diagnostics):
                rule, x = rule_for(one.code, one.message), dict(extract(one, place, len(record.diagnostics)))
                if rule:
                    right += model.predict_one(x) == rule.label
                    total += 1
                    counts[rule.label] = counts.get(rule.label, 0) + 1
                    model.learn_one(x, rule.label)
        assert right / total > 1.5 * max(counts.values()) / total

    @pytest.mark.parametrize("name", RIVALS)
    def test_repeatable(self, name: str) -> None:
        """Two of one kind that saw one stream answer alike."""
        answers = []
        for _ in range(2):
            model = RIVALS[name]()
            alternating(model, 80)
            answers.append(model.predict_proba_one({"borrow": 1}))
        assert answers[0] == answers[1]


class TestSignedProjection:
    @given(st.dictionaries(st.text(max_size=8), st.floats(-1e6, 1e6) | st.text(max_size=4), max_size=20))
    def test_columns_and_length(self, x: dict[Any, Any]) -> None:
        """Whatever comes in, all columns come out, of length one, or all zero where features cancel."""
        found = SignedProjection(width=5).transform_one(x)
        assert list(found) == [0, 1, 2, 3, 4]
        length = sum(value * value for value in found.values())
        assert length == pytest.approx(1.0) or length == 0.0

    def test_keeps_what_is_alike_alike(self) -> None:
        """The product of two projections is near that of the examples: nearly nothing in common stays nearly zero."""
        projection = SignedProjection(width=256)
        words = [f"message:word {number}" for number in range(60)]

        def product(one: list[str], other: list[str]) -> float:
            a, b = (projection.transform_one(dict.fromkeys(names, 1.0)) for names in (one, other))
            return float(sum(a[place] * b[place] for place in a))

        assert product(words[:30], words[:30]) == pytest.approx(1.0)
        assert product(words[:30], words[15:45]) == pytest.approx(0.5, abs=0.2)
        assert product(words[:30], words[30:]) == pytest.approx(0.0, abs=0.2)

    def test_texts_and_numbers(self) -> None:
        """A text counts as the presence of ``name=value``, a number as itself."""
        projection = SignedProjection(width=64)
        assert projection.transform_one({"os": "linux"}) == projection.transform_one({"os=linux": 1.0})
        assert projection.transform_one({"a": 5.0}) == projection.transform_one({"a": 1.0})
        assert projection.transform_one({"a": -1.0}) != projection.transform_one({"a": 1.0})

    def test_no_width(self) -> None:
        """Nothing to project on is refused."""
        with pytest.raises(ValueError, match="width is 0"):
            SignedProjection(width=0)


class TestPrequentialEnsemble:
    def test_weights_by_hand(self) -> None:
        """An error leaves a member with e^-rate of its weight; then a share of all is spread evenly."""
        model = ensemble(rate=0.7, share=0.1)
        model.learn_one({"borrow": 1}, "OwnershipBorrow")
        assert model.weights == pytest.approx([0.5, 0.5])  # neither knew anything
        model.learn_one({"borrow": 1}, "OwnershipBorrow")
        assert model.weights == pytest.approx([0.5, 0.5])  # both were right
        model.models[0].learn_one({}, "TypeErrors")  # which it will say next
        model.learn_one({"borrow": 1}, "OwnershipBorrow")
        lost = np.exp(-0.7) / (1 + np.exp(-0.7))
        assert model.weights == pytest.approx([0.9 * lost + 0.05, 0.9 * (1 - lost) + 0.05])

    def test_follows_the_better_member(self) -> None:
        """The member that is always wrong loses its weight, and the answer is the other's."""
        model = ensemble()
        alternating(model, 100)
        assert model.weights[1] > 0.95
        assert model.predict_one({"borrow": 1}) == "OwnershipBorrow"

    def test_comes_back(self) -> None:
        """A member that becomes the best after long being the worst has most of the weight within twenty labels."""
        model = ensemble(share=0.01)
        alternating(model, 1_000)
        assert model.weights[0] < 0.05
        for number in range(20):  # words mislead now, the last label is right
            model.learn_one({"borrow" if number % 2 else "mismatched": 1}, "Syntax" if number < 10 else "TraitBounds")
        assert model.weights[0] > 0.5

    def test_probabilities_are_a_distribution(self) -> None:
        """The answers of members that know different labels add up to one; before any label there is none."""
        model = ensemble()
        assert model.predict_proba_one({"x": 1}) == {}
        alternating(model, 11)
        assert sum(model.predict_proba_one({"x": 1}).values()) == pytest.approx(1.0)

    @pytest.mark.parametrize("fields", [{"rate": -1.0}, {"share": 1.0}, {"share": -0.1}])
    def test_out_of_range(self, fields: dict[str, float]) -> None:
        """A rate or a share that means nothing is refused."""
        with pytest.raises(ValueError, match="the rate is not negative"):
            ensemble(**fields)

    def test_one_member_is_none(self) -> None:
        """An ensemble has at least two members."""
        with pytest.raises(ValueError, match="At least 2 models"):
            PrequentialEnsemble([HashedLogistic(bits=8)])
