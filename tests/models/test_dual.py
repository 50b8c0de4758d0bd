"""Dual logistic regression over a window: learns, forgets exactly, comes back bit by bit."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.programs import dual
from models.programs.dual import COST, DualLogistic, best_coordinate

Examples = list[tuple[list[int], bool]]
EXAMPLES = st.lists(st.tuples(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.booleans()), max_size=30)


def rows(*numbers: int) -> NDArray[np.uint32]:
    """Return the rows of an example."""
    return np.array(numbers, np.uint32)


def taught(examples: Examples, capacity: int = 1_000, revisits: int = 8) -> DualLogistic:
    """Return a model that learned these examples."""
    model = DualLogistic(bits=8, capacity=capacity, revisits=revisits)
    for numbers, verdict in examples:
        model.learn(rows(*numbers), verdict)
    return model


def same(one: DualLogistic, other: DualLogistic) -> bool:
    """Return whether two models would save the same."""
    (head, arrays), (other_head, others) = one.dump(), other.dump()
    return head == other_head and all(np.array_equal(arrays[name], others[name]) for name in arrays)


class TestLearning:
    def test_knows_nothing_at_first(self) -> None:
        """Before the first example, and of an example without features, nothing is said."""
        assert DualLogistic(bits=8).score(rows(1)) == 0.0
        assert taught([([1], True)]).score(rows()) == 0.0

    def test_tells_verdicts_apart(self) -> None:
        """Features seen with one verdict speak for it, also beside features never seen."""
        model = taught([([1, 2], True), ([2, 3], False)] * 20)
        assert model.score(rows(1, 99)) > 1 > -1 > model.score(rows(3, 99))

    def test_contributions_add_up(self) -> None:
        """What the features contribute sums to the score."""
        model = taught([([1, 2, 5], True), ([2, 3, 5], False), ([1, 4], False)] * 5)
        asked = rows(1, 2, 3, 5, 77)
        assert model.contributions(asked).sum() == pytest.approx(model.score(asked))

    def test_a_row_counts_once(self) -> None:
        """A feature named twice is present once."""
        model = taught([([1, 2], True), ([2, 3], False)] * 5)
        assert model.score(rows(1, 1, 2)) == model.score(rows(1, 2))

    def test_inputs_are_left_alone(self) -> None:
        """Rows that are given stay as they are, and need not be writable."""
        given_rows = rows(9, 3, 3)
        given_rows.setflags(write=False)
        model = taught([])
        model.learn(given_rows, True)
        model.score(given_rows)
        assert given_rows.tolist() == [9, 3, 3]

    def test_near_the_optimum(self) -> None:
        """Revisited often, every dual variable is where it is best while the others stay: the dual is solved."""
        model = taught([([1, 2], True), ([2, 3], False), ([1, 3], True), ([3, 4], False)], revisits=0)
        before = None
        for _ in range(300):
            for one in model._held:
                model._visit(one)
            shares = [one.share for one in model._held]
            if before == shares:
                break
            before = shares
        assert before == shares

    @given(st.floats(0, COST), st.floats(-50, 50), st.floats(0, 1))
    def test_one_coordinate(self, start: float, margin: float, spread: float) -> None:
        """The step for one coordinate ends inside its bounds, where the objective is no larger than at its start."""

        def objective(at: float) -> float:
            return spread * (at - start) ** 2 / 2 + margin * (at - start) + at * log(at) + (COST - at) * log(COST - at)

        found = best_coordinate(start, margin, spread)
        assert 0 < found < COST
        inside = min(max(start, dual.EDGE * COST), COST * (1 - dual.EDGE))
        assert objective(found) <= objective(inside) + 1e-3


class TestWindow:
    @given(EXAMPLES)
    def test_sums_are_those_of_what_is_held(self, examples: Examples) -> None:
        """Whatever came and went, sums and counts are exactly those of the examples that are still held."""
        model = taught(examples, capacity=5)
        sums, counts = np.zeros(256, np.int64), np.zeros((2, 256), np.int32)
        for one in model._held:
            sums[one.rows] += one.share
            counts[int(one.verdict), one.rows] += 1
        assert len(model) == min(len(examples), 5)
        assert np.array_equal(sums, model._sums)
        assert np.array_equal(counts, model._counts)

    def test_old_verdicts_are_forgotten(self) -> None:
        """When the world turns, the model turns with it as soon as the window has passed."""
        model = taught([([1, 2], True), ([2, 3], False)] * 20 + [([1, 2], False), ([2, 3], True)] * 20, capacity=40)
        assert model.score(rows(1)) < 0 < model.score(rows(3))

    def test_bounded_by_features(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However large the examples, no more features are held than the bound, and the newest example stays."""
        monkeypatch.setattr(dual, "MAX_FEATURES", 10)
        model = taught([([1, 2, 3, 4], True), ([5, 6, 7, 8], False), ([9, 10, 11, 12], True)])
        assert len(model) == 2
        assert model.dump()[1]["rows"].tolist() == [5, 6, 7, 8, 9, 10, 11, 12]

    def test_one_example_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of an example with too many features the first rows are taken."""
        monkeypatch.setattr(dual, "MAX_OF_ONE", 3)
        assert taught([([5, 4, 3, 2, 1], True)]).dump()[1]["rows"].tolist() == [1, 2, 3]


class TestSaving:
    @given(EXAMPLES, EXAMPLES)
    def test_round_trip(self, before: Examples, after: Examples) -> None:
        """A model that was saved and loaded goes on bit by bit like the one that was not."""
        model, loaded = taught(before, capacity=9), DualLogistic(bits=8, capacity=9, revisits=8)
        loaded.load(*model.dump())
        assert same(model, loaded)
        for numbers, verdict in after:
            assert model.score(rows(*numbers)) == loaded.score(rows(*numbers))
            model.learn(rows(*numbers), verdict)
            loaded.learn(rows(*numbers), verdict)
        assert same(model, loaded)

    @given(EXAMPLES)
    def test_the_same_examples_give_the_same_model(self, examples: Examples) -> None:
        """Nothing is left to chance."""
        assert same(taught(examples), taught(examples))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("rows", np.array([1, 2, 3, 256], np.uint32)),
            ("rows", np.array([2, 1, 3, 4], np.uint32)),
            ("rows", np.array([1, 2, 3], np.uint32)),
            ("rows", np.array([1, 2, 3, 4], np.int32)),
            ("sizes", np.array([4], np.uint32)),
            ("sizes", np.array([4, 0], np.uint32)),
            ("sizes", np.array([3, 2], np.uint32)),
            ("verdicts", np.array([1, 2], np.uint8)),
            ("shares", np.array([-1, 0], np.int64)),
            ("shares", np.array([2**62, 0], np.int64)),
            ("shares", np.array([-(2**63), 0], np.int64)),
        ],
    )
    def test_what_does_not_fit_is_refused(self, name: str, value: NDArray[np.generic]) -> None:
        """Arrays that no model dumps are refused, and the model that was asked to load them stays as it was."""
        header, arrays = taught([([1, 2], True), ([3, 4], False)]).dump()
        model, untouched = taught([([7], True)]), taught([([7], True)])
        with pytest.raises(ValueError, match=r"."):
            model.load(header, arrays | {name: value})
        assert same(model, untouched)

    @pytest.mark.parametrize("header", [{"bits": 9, "cursor": 0}, {"bits": 8, "cursor": 2}, {"bits": 8, "cursor": "0"}])
    def test_a_header_that_does_not_fit_is_refused(self, header: dict[str, object]) -> None:
        """Another table's size, or a cursor outside of the examples, is refused."""
        _, arrays = taught([([1, 2], True), ([3, 4], False)]).dump()
        with pytest.raises(ValueError, match="here are"):
            taught([]).load(header, arrays)

    def test_more_than_the_window_is_refused(self) -> None:
        """More examples than are held are refused."""
        with pytest.raises(ValueError, match="at most 1"):
            taught([], capacity=1).load(*taught([([1], True), ([3], False)]).dump())

    @pytest.mark.parametrize("settings", [{"bits": 7}, {"bits": 23}, {"capacity": 0}, {"revisits": -1}])
    def test_settings_out_of_range(self, settings: dict[str, int]) -> None:
        """Settings that make no sense are refused, with those that do."""
        with pytest.raises(ValueError, match="8 to 22"):
            DualLogistic(**settings)
