"""Metrics: equal to their definitions, and to what no rescaling may change."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.evaluation import metrics
from models.evaluation.metrics import LabelScore

grades = st.integers(0, 12)  # few values, so that there are ties
ranking = st.lists(st.tuples(st.booleans(), grades), min_size=1, max_size=40)
sure = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)
answers = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["A", "B", "C", "D", ""])), max_size=60)


def split(pairs: list[tuple[bool, int]]) -> tuple[metrics.Flags, metrics.Array]:
    """Return flags and scores as arrays."""
    return np.array([flag for flag, _ in pairs]), np.array([float(score) for _, score in pairs])


class TestLabelScores:
    @given(answers)
    def test_equals_counting(self, pairs: list[tuple[str, str]]) -> None:
        """Precision, recall, F1 and support of each label are what counting by hand gives."""
        found = metrics.label_scores(Counter(pairs))
        assert found.keys() == {label for pair in pairs for label in pair} - {""}
        for label, score in found.items():
            hits = sum(truth == answer == label for truth, answer in pairs)
            true, said = sum(truth == label for truth, _ in pairs), sum(answer == label for _, answer in pairs)
            assert score.support == true
            assert score.precision == (hits / said if said else 0)
            assert score.recall == (hits / true if true else 0)
            if score.precision + score.recall:
                harmonic = 2 * score.precision * score.recall / (score.precision + score.recall)
                assert score.f1 == pytest.approx(harmonic)

    def test_by_hand(self) -> None:
        """A label that is only predicted has no support, and lowers the macro-F1."""
        confusion = {("A", "A"): 3, ("A", "B"): 1}
        assert metrics.label_scores(confusion) == {
            "A": LabelScore(1.0, 0.75, 6 / 7, 4),
            "B": LabelScore(0.0, 0.0, 0.0, 0),
        }
        assert metrics.macro_f1(confusion) == pytest.approx(3 / 7)
        assert metrics.accuracy(confusion) == 0.75

    def test_nothing(self) -> None:
        """Of nothing, scores are zero."""
        assert (metrics.accuracy({}), metrics.macro_f1({}), metrics.label_scores({})) == (0, 0, {})


class TestAuc:
    @given(ranking)
    def test_is_the_chance_to_rank_right(self, pairs: list[tuple[bool, int]]) -> None:
        """It is the share of pairs in which the positive scores higher, ties one half."""
        high, low = [s for flag, s in pairs if flag], [s for flag, s in pairs if not flag]
        found = metrics.auc(*split(pairs))
        if not high or not low:
            assert found is None
        else:
            won = sum((a > b) + (a == b) / 2 for a in high for b in low)
            assert found == pytest.approx(won / (len(high) * len(low)))

    @given(ranking)
    def test_only_the_order_counts(self, pairs: list[tuple[bool, int]]) -> None:
        """Any strictly growing map of the scores leaves both areas as they are."""
        flags, scores = split(pairs)
        assert metrics.auc(flags, np.exp(scores / 3) - 7) == metrics.auc(flags, scores)
        assert metrics.average_precision(flags, scores**3 + 1) == metrics.average_precision(flags, scores)

    @given(ranking)
    def test_the_other_way_round(self, pairs: list[tuple[bool, int]]) -> None:
        """Negated scores give the complement."""
        flags, scores = split(pairs)
        found = metrics.auc(flags, scores)
        assume(found is not None)
        assert metrics.auc(flags, -scores) == pytest.approx(1 - (found or 0))


class TestAveragePrecision:
    @given(ranking)
    def test_is_the_sum_over_thresholds(self, pairs: list[tuple[bool, int]]) -> None:
        """It sums precision times gained recall over the distinct scores, highest first."""
        positives = sum(flag for flag, _ in pairs)
        found, recall = 0.0, 0.0
        for threshold in sorted({score for _, score in pairs}, reverse=True):
            taken = [flag for flag, score in pairs if score >= threshold]
            if positives:
                found += sum(taken) / len(taken) * (sum(taken) / positives - recall)
                recall = sum(taken) / positives
        expected = pytest.approx(found) if positives else None
        assert metrics.average_precision(*split(pairs)) == expected

    def test_by_hand(self) -> None:
        """Right, wrong, right: (1 + 2/3) / 2."""
        found = metrics.average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]))
        assert found == pytest.approx((1 + 2 / 3) / 2)

    def test_by_label_leaves_out_what_is_not_defined(self) -> None:
        """A column that was never true, or always, has no area."""
        areas, precisions = metrics.by_label(np.array([0, 0, 1]), np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [0, 1, 0]]))
        assert areas == precisions == {0: 1.0, 1: 1.0}


class TestLogLoss:
    def test_by_hand(self) -> None:
        """It is the mean of -ln of what the truth was given."""
        found = metrics.log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.75, 0.25]]))
        assert found == pytest.approx((log(2) + log(4)) / 2)

    def test_impossible_truths_are_bounded(self) -> None:
        """What was given nothing costs a bounded amount, not infinity."""
        assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-log(metrics.SMALLEST))

    def test_nothing(self) -> None:
        """Of nothing there is none."""
        assert metrics.log_loss(np.zeros(0, np.intp), np.zeros((0, 2))) is None


class TestCalibration:
    @given(sure, st.integers(1, 20))
    def test_equals_its_definition(self, pairs: list[tuple[float, bool]], bins: int) -> None:
        """Each prediction lies in the bin (k/n, (k+1)/n] of its confidence; the error weighs the bins by their size."""
        confidence, right = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
        found = metrics.reliability(confidence, right, bins)
        assert len(found) == bins
        expected = 0.0
        for place, one in enumerate(found):
            lowest = -1.0 if place == 0 else place
            inside = [(c, r) for c, r in pairs if lowest < np.float64(c) * bins <= place + 1]
            assert (one.size if one else 0) == len(inside)
            if one:
                assert one.confidence == pytest.approx(sum(c for c, _ in inside) / len(inside))
                assert one.accuracy == pytest.approx(sum(r for _, r in inside) / len(inside))
                expected += abs(sum(r for _, r in inside) - sum(c for c, _ in inside)) / len(pairs)
        error = metrics.calibration_error(confidence, right, bins)
        assert error == pytest.approx(expected, abs=1e-12)

    @given(sure)
    def test_bounds(self, pairs: list[tuple[float, bool]]) -> None:
        """The error lies between 0 and 1; one bin gives the difference of the means, which more bins never lower."""
        confidence, right = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
        error, coarse = metrics.calibration_error(confidence, right), metrics.calibration_error(confidence, right, 1)
        assert coarse == pytest.approx(abs(float(right.mean() - confidence.mean())), abs=1e-12)
        assert (coarse or 0) - 1e-12 <= (error or 0) <= 1 + 1e-12

    def test_nothing(self) -> None:
        """Of nothing there is none."""
        assert metrics.calibration_error(np.zeros(0), np.zeros(0, np.bool_)) is None
        assert metrics.mean([]) is None


class TestRolling:
    @given(st.lists(st.booleans(), max_size=50), st.integers(1, 12))
    def test_equals_slices(self, flags: list[bool], window: int) -> None:
        """After each example it is the mean of the last ``window`` ones."""
        found = metrics.rolling(np.array(flags, np.bool_), window)
        slices = [flags[max(0, end - window) : end] for end in range(1, len(flags) + 1)]
        assert found.tolist() == pytest.approx([sum(one) / len(one) for one in slices])
