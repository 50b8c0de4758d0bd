"""The benchmark of weights: its streams, its scores, and one small run from end to end."""

from __future__ import annotations

import argparse
from collections import Counter

import pytest

from benchmarks import longtail
from benchmarks.longtail import Example
from models.taxonomy import rule_for

CODES = ("E0308", "E0277", "E0382", "E0425")


def example(code: str, number: int = 0) -> Example:
    """Return an example whose one feature is its own."""
    rule = rule_for(code, "")
    assert rule is not None
    return Example(number.to_bytes(4, "little"), rule.label, rule)


@pytest.fixture
def known() -> list[Example]:
    """Return 2,000 distinct examples of each of four labels."""
    return [example(code, 4 * number + place) for number in range(2_000) for place, code in enumerate(CODES)]


class TestStreams:
    def test_a_tail_falls_from_its_head_to_a_hundredth(self, known: list[Example]) -> None:
        """The counts of a tail's labels fall by one ratio, and another seed orders the labels otherwise."""
        counts = [Counter(one.label for one in longtail.stream("tail", known, seed)).most_common() for seed in range(4)]
        assert [[count for _, count in one] for one in counts] == [[800, 172, 37, 8]] * 4
        assert len({tuple(label for label, _ in one) for one in counts}) > 1

    def test_a_shift_turns_the_tail_round(self, known: list[Example]) -> None:
        """What was most frequent in the first half is rarest in the second; no example comes twice."""
        found = longtail.stream("shift", known, 1)
        half = len(found) // 2
        first, second = (Counter(one.label for one in part) for part in (found[:half], found[half:]))
        assert [label for label, _ in first.most_common()] == [label for label, _ in second.most_common()][::-1]
        assert len({one.hashes for one in found}) == len(found)

    def test_the_mix_is_everything_and_depends_on_the_seed_alone(self, known: list[Example]) -> None:
        """A seed draws one order of all examples."""
        assert sorted(longtail.stream("mix", known, 3)) == sorted(known)
        assert longtail.stream("mix", known, 3) == longtail.stream("mix", known, 3) != longtail.stream("mix", known, 4)

    def test_too_small_a_corpus_is_refused(self, known: list[Example]) -> None:
        """Where labels have too few examples the benchmark says so."""
        with pytest.raises(ValueError, match="larger corpus"):
            longtail.stream("tail", known[:100], 0)


class TestScores:
    def test_measures(self) -> None:
        """Accuracy, macro F1, the recall of the rare third and the calibration error are those worked out by hand."""
        scores = longtail.Scores()
        for truth, answer, confidence in (("a", "a", 1.0), ("a", "b", 0.5), ("b", "b", 1.0), ("c", "a", 1.0)):
            scores.update(truth, answer, confidence)
        found = scores.found()
        assert found["rare"] == {"b": [1.0, 1]}
        assert (found["accuracy"], found["rare_recall"]) == (0.5, 1.0)
        assert found["macro_f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)
        assert found["ece"] == pytest.approx((0.5 + 1.0) / 4)

    def test_differences_are_between_runs_on_one_stream(self) -> None:
        """Two seeds that differ much but gain the same have a difference without error."""
        base, more = ([dict.fromkeys(longtail.MEASURES, value) for value in both] for both in ((0.2, 0.8), (0.3, 0.9)))
        found = longtail.compare({"none": base, "more": more})["more"]["accuracy"]
        assert found == pytest.approx({"mean": 0.6, "difference": 0.1, "standard_error": 0.0})


class TestWeights:
    def test_the_effective_number_has_a_mean_of_one(self) -> None:
        """Weights by the effective number do not change how much is learned in all."""
        weights = longtail.EffectiveNumber(0.999)
        for number in range(200):
            weights.weigh("rare" if number % 20 == 0 else "frequent", example("E0308").rule)
        rare, frequent = (weights.weigh(one, example("E0308").rule) for one in ("rare", "frequent"))
        assert rare > 1.0 > frequent
        assert (11 * rare + 191 * frequent) / 202 == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("task", longtail.TASKS)
def test_a_run_on_the_bundled_failures(task: str) -> None:
    """From the corpus to the table: every weighting that was asked for stands there beside no weights."""
    arguments = argparse.Namespace(corpus=[], streams=["mix"], task=task, seeds=1, only="default")
    found = longtail.run(arguments)
    scores = found["streams"]["mix"]["weights"]
    assert scores.keys() == {"none", "decayed (the default)"}
    assert all(0.0 < one["accuracy"]["mean"] <= 1.0 for one in scores.values())
    text = longtail.report(found)
    assert f"task {task}" in text
    assert "decayed (the default)" in text
