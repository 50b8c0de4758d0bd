"""Classifiers: one contract for all of them, and what the hashed logistic regression promises beyond it."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
from river import base
from river.checks import clf, common

from models.classifiers import CLASSIFIERS, SLICE, TOLERANCE, UNLEARNED, HashedLogistic
from models.features import extract, parts
from models.snapshots.snapshot import apply as load
from models.snapshots.snapshot import base as save
from models.sparse import joined
from models.state import LineState
from models.taxonomy import LABELS, rule_for
from tests.builders import random_builds

Stream = list[tuple[dict[Any, Any], str]]

each_classifier = pytest.mark.parametrize("name", CLASSIFIERS)

# Of river's checks those that need neither scikit-learn nor pandas and are not about other kinds of estimators.
PLAIN_CHECKS = (
    common.check_repr,
    common.check_str,
    common.check_tags,
    common.check_doc,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_clone_changes_memory_addresses,
    common.check_clone_with_new_params_applies,
    common.check_repr_roundtrips_clone,
    common.check_get_params_matches_signature,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_mutate_can_be_idempotent,
    common.check_pickling_supports_roundtrip,
    clf.check_multiclass_is_bool,
)
STREAM_CHECKS = (
    common.check_learn_one,
    common.check_predict_one_pure,
    common.check_predict_one_before_any_learn,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_radically_disappearing_features,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
    common.check_pickling,
    common.check_bounded_memory_growth,
    clf.check_predict_proba_one,
    clf.check_classifier_tracks_seen_labels,
)


def labelled(count: int, seed: int) -> Stream:
    """Return the features and labels of a seeded stream, those without a label left out."""
    found = []
    for record in random_builds(count, seed):
        for one in record.diagnostics:
            rule = rule_for(one.code, one.message)
            if rule:
                found.append((dict(extract(one)), rule.label))
    return found


STREAM = labelled(30, seed=7)
LATER = labelled(10, seed=8)
ROWS = [225_191, 223_835]


def trained(name: str, stream: Stream = STREAM) -> base.Classifier:
    """Return a classifier that has learned ``stream``."""
    model = CLASSIFIERS[name]()
    for x, y in stream:
        model.learn_one(x, y)
    return model


def answers(model: base.Classifier) -> list[dict[Any, float]]:
    """Return what a classifier says of later examples."""
    return [model.predict_proba_one(x) for x, _ in LATER]


class TestContract:
    @each_classifier
    @pytest.mark.parametrize("check", PLAIN_CHECKS, ids=lambda check: check.__name__)
    def test_river_conventions(self, name: str, check: Any) -> None:
        """Every classifier passes river's own checks of an estimator."""
        check(CLASSIFIERS[name]())

    @each_classifier
    @pytest.mark.parametrize("check", STREAM_CHECKS, ids=lambda check: check.__name__)
    def test_river_conventions_on_a_stream(self, name: str, check: Any) -> None:
        """Every classifier passes river's own checks of a classifier, on features of diagnostics."""
        random.seed(5)  # river's checks drop features at random
        check(CLASSIFIERS[name](), STREAM)

    @each_classifier
    def test_cold_start(self, name: str) -> None:
        """Before the first example there is no label: nothing is guessed."""
        model = CLASSIFIERS[name]()
        assert not model.predict_proba_one({"message:x": 1.0})
        assert model.predict_one({"message:x": 1.0}) is None

    @each_classifier
    def test_unseen_features(self, name: str) -> None:
        """An example of which nothing is known is answered with a distribution over the labels learned."""
        shares = trained(name).predict_proba_one({"never:seen": 1.0, "nor:this": 1.0})
        assert shares.keys() == {y for _, y in STREAM}
        assert sum(shares.values()) == pytest.approx(1.0)

    @each_classifier
    def test_no_features(self, name: str) -> None:
        """An example without features is answered and learned."""
        model = trained(name)
        model.learn_one({}, "TypeErrors")
        assert sum(model.predict_proba_one({}).values()) == pytest.approx(1.0)

    @each_classifier
    def test_inputs_stay_as_they_were(self, name: str) -> None:
        """Learning and predicting change neither the features nor their order."""
        x, y = copy.deepcopy(STREAM[0])
        model = CLASSIFIERS[name]()
        model.learn_one(x, y)
        model.predict_proba_one(x)
        assert list(x.items()) == list(STREAM[0][0].items())

    @each_classifier
    def test_repeatable(self, name: str) -> None:
        """Two classifiers that saw one stream give the same answers to the last bit."""
        assert answers(trained(name)) == answers(trained(name))

    @each_classifier
    def test_clone_is_untrained(self, name: str) -> None:
        """A clone has the parameters and knows nothing; training it leaves the original alone."""
        model = trained(name)
        before = answers(model)
        clone = model.clone()
        assert not clone.predict_proba_one(STREAM[0][0])
        clone.learn_one({"message:x": 1.0}, "TraitBounds")
        assert answers(model) == before

    @each_classifier
    def test_predicting_learns_nothing(self, name: str) -> None:
        """Asking, once or a hundred times, does not change an answer."""
        model = trained(name)
        before = answers(model)
        for _ in range(10):
            answers(model)
        assert answers(model) == before

    @each_classifier
    def test_learns_what_is_separable(self, name: str) -> None:
        """A stream in which the label follows from the words is learned almost without error."""
        model = trained(name, labelled(60, seed=1))
        assert sum(model.predict_one(x) == y for x, y in LATER) / len(LATER) > 0.95


class TestHashedLogistic:
    @pytest.mark.parametrize("bits", [-1, 0, 7, 23, 64])
    def test_bits_out_of_range(self, bits: int) -> None:
        """A table too small or too large is refused with the allowed range."""
        with pytest.raises(ValueError, match=rf"bits is {bits}: 8 to 22 are allowed"):
            HashedLogistic(bits=bits)

    def test_probabilities_are_a_distribution(self) -> None:
        """Probabilities come in the order of the labels, are not negative and sum to one."""
        model = trained("logistic")
        assert isinstance(model, HashedLogistic)
        for x, _ in LATER:
            shares = model.probabilities(model.hash(x))
            assert len(shares) == len(model.labels)
            assert shares.min() >= 0
            assert float(shares.sum()) == pytest.approx(1.0, abs=1e-6)

    def test_feature_order_does_not_matter(self) -> None:
        """Features in another order give the same answers up to the rounding of 32-bit sums."""
        mixed = []
        for x, y in STREAM:
            names = list(x)
            random.Random(3).shuffle(names)  # noqa: S311 - an order, not a secret
            mixed.append(({name: x[name] for name in names}, y))
        for one, other in zip(answers(trained("logistic")), answers(trained("logistic", mixed)), strict=True):
            assert one == pytest.approx(other, abs=1e-5)

    def test_labels_grow_without_losing_weights(self) -> None:
        """With the 9th and the 17th label the table grows; what was learned before stays."""
        model = HashedLogistic(bits=12)
        for count, label in enumerate(LABELS, start=1):
            learned = model.weights[:, : len(model.labels)].copy()
            rows = model.learn(model.hash({f"message:{label}": 1.0}), label)
            untouched = np.setdiff1d(np.arange(1 << 12), rows)
            assert np.array_equal(model.weights[untouched, : count - 1], learned[untouched])
        for _ in range(5):
            for label in LABELS:
                model.learn_one({f"message:{label}": 1.0}, label)
        assert model.weights.shape == (1 << 12, 32)
        assert [model.predict_one({f"message:{label}": 1.0}) for label in LABELS] == list(LABELS)

    def test_columns_without_a_label_stay_empty(self) -> None:
        """Columns beyond the labels hold zeros: a later label starts from nothing."""
        model = trained("logistic")
        assert isinstance(model, HashedLogistic)
        assert not model.weights[:, len(model.labels) :].any()

    def test_one_step_by_hand(self) -> None:
        """The first step is the learning rate against the sign of the gradient, spread over equal features."""
        model = HashedLogistic(bits=20, learning_rate=2.0)
        model.learn_one({"a": 1.0}, "One")
        model.learn_one({"b": 1.0, "c": 1.0}, "Two")
        value = 1 / np.sqrt(2)
        gradient = np.array([UNLEARNED, UNLEARNED - 1.0]) * value
        squares = (gradient**2).sum()
        row = int(model.hash({"b": 1.0}).rows[0])
        assert model.weights[row, :2] == pytest.approx(-gradient * 2.0 / np.sqrt(squares + 1e-6), rel=1e-5)
        assert model.squares[row] == pytest.approx(squares, rel=1e-5)

    def test_weight_counts(self) -> None:
        """A weight of zero changes no row, and of two contradicting examples the heavier wins."""
        model = HashedLogistic(bits=10)
        model.learn_one({"a": 1.0}, "One", w=0.0)
        assert not model.weights.any()
        model = HashedLogistic(bits=10)
        model.learn_one({"b": 1.0}, "Two")
        for _ in range(20):
            model.learn_one({"a": 1.0}, "One", w=5.0)
            model.learn_one({"a": 1.0}, "Two", w=0.5)
        assert model.predict_one({"a": 1.0}) == "One"

    def test_memory_does_not_grow(self) -> None:
        """A stream of names never seen before leaves the table its size."""
        model = HashedLogistic(bits=8)
        size = model.weights.nbytes + model.squares.nbytes
        for number in range(0, 20_000, 1_000):
            model.learn_one({f"name{number + index}": 1.0 for index in range(1_000)}, "One")
        assert model.weights.nbytes + model.squares.nbytes == size

    def test_rows_are_those_of_the_parts(self) -> None:
        """Features by name and the same features by hash, as the line makes them, fall on the same rows and values."""
        model = HashedLogistic()
        for record in random_builds(20, seed=4):
            total = len(record.diagnostics)
            hashes = [b"".join(p.hashes for p in parts(d, i, total)) for i, d in enumerate(record.diagnostics)]
            for (index, one), found in zip(enumerate(record.diagnostics), model.batch(hashes).examples(), strict=True):
                expected = model.hash(extract(one, index, total))
                assert np.array_equal(np.sort(found.rows), expected.rows)
                assert np.array_equal(found.values, expected.values)

    def test_rows_never_change(self) -> None:
        """A name's row is part of every saved model: it is the same in every process and version."""
        assert HashedLogistic().hash({"message:mismatched types": 1.0, "bias": 1.0}).rows.tolist() == sorted(ROWS)

    def test_many_at_once(self) -> None:
        """Several examples learned at once come from one set of weights; those asked at once are answered as alone."""
        one, other, xs = HashedLogistic(), HashedLogistic(), [{"a": 1.0, "b": 1.0}, {"c": 1.0}, {"a": 1.0}]
        one.learn_many(xs, ["A", "B", "A"], [1.0, 2.0, 0.5])
        for x, y in zip(reversed(xs), "ABA", strict=True):
            other.learn_one(x, y)  # in whatever order: that several at once equal no sequence is the point
        assert one.examples == 3
        assert one.predict_proba_many(xs) == [one.predict_proba_one(x) for x in xs]
        assert [one.predict_one(x) for x in xs] == ["A", "B", "A"]
        assert one.predict_proba_one(xs[0]) != other.predict_proba_one(xs[0])

    def test_no_examples_at_once(self) -> None:
        """Nothing to learn changes nothing."""
        model = HashedLogistic(bits=10)
        model.learn_many([], [])
        assert (model.examples, model.predict_proba_many([])) == (0, [])

    def test_a_cascade_is_not_many_opinions(self) -> None:
        """Equal examples of one slice move the weights √n times as far as one, and shrink later steps no more."""
        moved, squares = [], []
        for many in (1, SLICE):
            model = HashedLogistic(bits=10)
            rows = model.hash({"a": 1.0}).rows
            model.learn_many([{"a": 1.0}] * many, ["A"] * many)
            moved.append(float(model.weights[rows[0], 0]))
            squares.append(float(model.squares[rows[0]]))
        assert moved[1] == pytest.approx(moved[0] * SLICE**0.5, rel=1e-4)
        assert squares[1] == pytest.approx(squares[0])

    def test_what_is_known_is_not_learned_again(self) -> None:
        """Once every label is within the tolerance of the truth, an example is counted and changes no row."""
        model = HashedLogistic(bits=10)
        for _ in range(300):
            model.learn_one({"a": 1.0}, "A")
            model.learn_one({"b": 1.0}, "B")
        before = model.weights.copy(), model.examples
        hashed = model.hash({"a": 1.0})
        assert len(model.learn(hashed, "A")) == 0
        assert np.array_equal(model.weights, before[0])
        assert model.examples == before[1] + 1
        assert model.predict_proba_one({"a": 1.0})["A"] > 1 - 2 * TOLERANCE

    def test_a_new_label_in_the_middle(self) -> None:
        """Labels that come with the batch itself start from one half, whether or not the table has to grow for them."""
        for count in (3, 9):
            model, labels = HashedLogistic(bits=12), [f"label {number}" for number in range(count)]
            model.learn_many([{label: 1.0} for label in labels], labels)
            assert [model.predict_one({label: 1.0}) for label in labels] == labels

    def test_numbers_and_texts(self) -> None:
        """A number keeps its value, a text counts as the presence of ``name=value``; the length becomes one."""
        model = HashedLogistic()
        hashed = model.hash({"lines": 3, "ratio": 4.0, "off": False})
        assert sorted(hashed.values) == pytest.approx([0.0, 0.6, 0.8])
        assert np.array_equal(model.hash({"os": "linux"}).rows, model.hash({"os=linux": 1.0}).rows)
        assert not np.array_equal(model.hash({"os": "linux"}).rows, model.hash({"os": "macos"}).rows)

    def test_any_text_is_a_name(self) -> None:
        """Names of any script, even half a surrogate pair, have a row."""
        assert len(HashedLogistic().hash({"message:日本": 1.0, "message:\ud800": 1.0, "": 1.0}).rows) == 3

    def test_contributions(self) -> None:
        """What speaks for a label has the largest contribution, in the order of the features; unknown labels none."""
        model = HashedLogistic()
        for _ in range(10):
            model.learn_one({"noise": 1.0, "borrow": 1.0}, "OwnershipBorrow")
            model.learn_one({"noise": 1.0, "type": 1.0}, "TypeErrors")
        hashed = model.hash({"noise": 1.0, "type": 1.0, "borrow": 1.0})
        speaks, unknown = model.contributions(
            joined([hashed, hashed], model.bits), [model.labels.index("TypeErrors"), -1]
        )
        assert speaks.argmax() == 1
        assert speaks.argmin() == 2
        assert not unknown.any()


class TestRestore:
    def test_bit_equal_through_a_snapshot(self) -> None:
        """Saved and loaded, the table is the same to the last bit, and so is every answer."""
        model = trained("logistic")
        assert isinstance(model, HashedLogistic)
        copied = LineState()
        load(copied, save(LineState(classifier=model)))
        assert copied.classifier.weights.tobytes() == model.weights.tobytes()
        assert copied.classifier.squares.tobytes() == model.squares.tobytes()
        assert (copied.classifier.labels, copied.classifier.examples) == (model.labels, model.examples)
        assert answers(copied.classifier) == answers(model)

    @pytest.mark.parametrize(
        ("labels", "rows", "weights", "squares"),
        [
            pytest.param(["B"], [1], (1, 1), (1,), id="other label first"),
            pytest.param([], [1], (1, 0), (1,), id="label lost"),
            pytest.param(["A", "A"], [1], (1, 2), (1,), id="label twice"),
            pytest.param(["A", "B"], [1], (1, 1), (1,), id="column missing"),
            pytest.param(["A"], [1, 2], (1, 1), (2,), id="row missing"),
            pytest.param(["A"], [1], (1, 1, 1), (1,), id="axis too many"),
            pytest.param(["A"], [1, 2], (2, 1), (1,), id="square missing"),
            pytest.param(["A", "B"], [256], (1, 2), (1,), id="row beyond the table"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, labels: list[str], rows: list[int], weights: tuple[int, ...], squares: tuple[int, ...]
    ) -> None:
        """Labels in another order, or arrays of another shape, are refused and change nothing."""
        model = HashedLogistic(bits=8)
        model.learn_one({"a": 1.0}, "A")
        before = copy.deepcopy(model)
        with pytest.raises(ValueError, match=r"labels|row"):
            model.restore(
                labels, 9, np.array(rows, np.uint32), np.ones(weights, np.float32), np.ones(squares, np.float32)
            )
        assert (model.labels, model.examples) == (before.labels, before.examples)
        assert np.array_equal(model.weights, before.weights)
        assert np.array_equal(model.squares, before.squares)
