"""Weights of examples: what is rare counts more, within bounds, and follows the stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.taxonomy import LABELS, Rule, code_rules, rule_for
from models.weighting import FEEDBACK_WEIGHT, MAX_LABELS, LongTailWeights, Reweighting

counts = st.floats(0, 1e9)
priors = st.floats(0.1, 10)
reweightings = st.builds(
    Reweighting,
    exponent=st.floats(0, 2),
    cap=st.floats(1, 4.9),
    smoothing=st.floats(0.01, 1e4),
    half_life=st.floats(1, 1e6),
)
streams = st.lists(st.sampled_from(LABELS), max_size=200)


def rule(code: str) -> Rule:
    """Return the table's rule of a code that it knows."""
    found = rule_for(code, "")
    assert found is not None
    return found


def learn(weights: LongTailWeights, labels: Iterable[str]) -> list[float]:
    """Weigh one example of each label, in order."""
    return [weights.weigh(label, None) for label in labels]


def loaded(weights: LongTailWeights) -> LongTailWeights:
    """Return the weights as they are after a restart."""
    other = LongTailWeights(weights.reweighting, enabled=weights.enabled)
    other.load(orjson.loads(orjson.dumps(weights.dump())))
    return other


class TestReweighting:
    @given(reweightings, counts, counts, priors)
    def test_bounds(self, reweighting: Reweighting, count: float, mean: float, prior: float) -> None:
        """Whatever the counts, a weight is between 1 and the cap."""
        assert 1.0 <= reweighting.weight(count, mean, prior) <= reweighting.cap

    @given(reweightings, counts, counts, counts, priors)
    def test_rarer_weighs_no_less(
        self, reweighting: Reweighting, one: float, other: float, mean: float, prior: float
    ) -> None:
        """Of two labels with one prior the rarer never weighs less."""
        rarer, commoner = sorted((one, other))
        assert reweighting.weight(rarer, mean, prior) >= reweighting.weight(commoner, mean, prior)

    @given(reweightings, counts, counts, priors, priors)
    def test_larger_prior_weighs_no_less(
        self, reweighting: Reweighting, count: float, mean: float, one: float, other: float
    ) -> None:
        """Of two labels as frequent as each other the one with the larger static weight never weighs less."""
        small, large = sorted((one, other))
        assert reweighting.weight(count, mean, large) >= reweighting.weight(count, mean, small)

    @given(reweightings, counts, counts, priors, st.integers(-20, 20))
    def test_only_proportions_count(
        self, reweighting: Reweighting, count: float, mean: float, prior: float, power: int
    ) -> None:
        """Counts and smoothing scaled alike leave the weight as it was."""
        by = 2.0**power
        larger = Reweighting(exponent=reweighting.exponent, cap=reweighting.cap, smoothing=reweighting.smoothing * by)
        assert larger.weight(count * by, mean * by, prior) == reweighting.weight(count, mean, prior)

    @given(priors)
    def test_the_prior_speaks_alone_before_any_example(self, prior: float) -> None:
        """Without examples the weight is the static one, within the bounds."""
        found = Reweighting(exponent=1.0, cap=4.0).weight(0.0, 0.0, prior)
        assert found == pytest.approx(min(max(prior, 1.0), 4.0))

    def test_many_examples_outvote_the_prior(self) -> None:
        """Far beyond the smoothing, priors of 0.5 and 2 make no difference that one could see."""
        reweighting = Reweighting(exponent=1.0)
        weights = [reweighting.weight(1e5, 2e5, prior) for prior in (0.5, 2.0)]
        assert weights == pytest.approx([2.0, 2.0], rel=1e-3)

    def test_without_exponent_all_weigh_alike(self) -> None:
        """An exponent of 0 is off."""
        assert {Reweighting(exponent=0.0).weight(count, 1e3, 2.0) for count in (0.0, 1.0, 1e6)} == {1.0}

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("exponent", -0.1),
            ("exponent", 2.1),
            ("cap", 0.9),
            ("cap", FEEDBACK_WEIGHT),
            ("smoothing", 0.0),
            ("half_life", 0.5),
            ("half_life", float("inf")),
            ("exponent", float("nan")),
        ],
    )
    def test_settings_outside_their_range_are_refused(self, setting: str, value: float) -> None:
        """A setting that would break the bounds is an error that names the range."""
        with pytest.raises(ValueError, match=setting):
            Reweighting(**{setting: value})


class TestLongTailWeights:
    @given(reweightings, streams, st.sampled_from(sorted(code_rules())))
    def test_every_weight_of_any_stream_is_within_bounds(
        self, reweighting: Reweighting, labels: Sequence[str], code: str
    ) -> None:
        """Whatever comes in whatever order, with the rule of whatever code, a weight is between 1 and the cap."""
        weights = LongTailWeights(reweighting)
        found = [weights.weigh(label, rule(code)) for label in labels] + [weights.weigh(rule(code).label, rule(code))]
        assert all(1.0 <= one <= reweighting.cap for one in found)

    @given(reweightings, streams, streams)
    def test_saved(self, reweighting: Reweighting, before: Sequence[str], after: Sequence[str]) -> None:
        """Dumped as JSON and loaded, the weights go on to the last bit as if nothing had happened."""
        weights = LongTailWeights(reweighting)
        learn(weights, before)
        again = loaded(weights)
        assert orjson.dumps(again.dump()) == orjson.dumps(weights.dump())
        assert learn(again, after) == learn(weights, after)
        assert orjson.dumps(again.dump()) == orjson.dumps(weights.dump())
        assert again.mean() == weights.mean()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"step": 1e-320},
            {"step": 1e300},
            {"total": 1e308},
            {"total": -1.0},
            {"labels": {"TypeErrors": [1e308, 1.0, 1]}},
            {"labels": {"TypeErrors": [1.0, float("nan"), 1]}},
            {"labels": {"TypeErrors": [1.0, 1.0, 0]}},
            {"labels": {f"label {number}": [1.0, 1.0, 1] for number in range(MAX_LABELS + 1)}},
        ],
    )
    def test_numbers_that_no_stream_leads_to_are_refused(self, wrong: dict[str, Any]) -> None:
        """What would later give weights that are no numbers, or too many labels, is refused; nothing changes."""
        weights = LongTailWeights()
        learn(weights, ["TypeErrors", "ApiMisuse"])
        before = weights.dump()
        with pytest.raises(ValueError, match="no stream leads to"):
            weights.load(before | wrong)
        assert weights.dump() == before

    @given(st.lists(st.sampled_from(LABELS), min_size=1, max_size=100), reweightings)
    def test_labels_now_are_ordered_by_their_decayed_counts(
        self, labels: Sequence[str], reweighting: Reweighting
    ) -> None:
        """Of the labels of any stream, one with the smaller decayed count never weighs less now."""
        weights = LongTailWeights(reweighting)
        learn(weights, labels)
        growth = 2 ** (1 / reweighting.half_life)
        decayed = dict.fromkeys(labels, 0.0)
        for age, label in enumerate(reversed(labels)):
            decayed[label] += growth**-age
        now = weights.current()
        assert now.keys() == decayed.keys()
        for one in now:
            for other in now:
                assert decayed[one] >= decayed[other] * (1 - 1e-9) or now[one] >= now[other]

    @given(st.integers(20, 2_000))
    def test_a_shift_of_the_stream_is_followed_within_a_half_life(self, half_life: int) -> None:
        """Two labels that change places weigh alike after one half-life, however long the stream was before."""
        reweighting = Reweighting(exponent=1.0, cap=4.0, half_life=half_life)
        weights = LongTailWeights(reweighting)
        learn(weights, ["LifetimeErrors"] + ["TypeErrors"] * 10 * half_life)
        before = weights.current()
        assert before["LifetimeErrors"] > 1.0 == before["TypeErrors"]
        learn(weights, ["LifetimeErrors"] * (half_life + 1))
        after = weights.current()
        assert after["TypeErrors"] >= after["LifetimeErrors"] == 1.0

    def test_counts_are_scaled_down_in_time_and_without_a_trace(self) -> None:
        """With a half-life of one example, ten thousand of them leave finite counts and an unchanged weight."""
        weights = LongTailWeights(Reweighting(half_life=1.0, smoothing=0.5, exponent=1.0))
        pairs = learn(weights, ["TypeErrors", "TraitBounds"] * 5_000)
        assert pairs[100::2] == pytest.approx([pairs[100]] * len(pairs[100::2]))
        numbers = orjson.loads(orjson.dumps(weights.dump()))
        assert all(isinstance(one, float) and one < 2.0**62 for one in (numbers["step"], numbers["total"]))
        assert numbers["total"] == pytest.approx(sum(count for count, _, _ in numbers["labels"].values()))

    def test_rare_labels_are_raised_and_frequent_ones_left(self) -> None:
        """In a long tail the head counts once and the tail more, by how rare it is."""
        weights = LongTailWeights()
        learn(weights, (["TypeErrors"] * 90 + ["TraitBounds"] * 9 + ["LifetimeErrors"]) * 20)
        now = weights.current()
        assert 1.0 == now["TypeErrors"] < now["TraitBounds"] < now["LifetimeErrors"] <= weights.reweighting.cap

    def test_the_table_speaks_first(self) -> None:
        """The first example of a label weighs more where the table says that it is rare."""
        first = {code: LongTailWeights().weigh(rule(code).label, rule(code)) for code in ("E0106", "E0277", "E0308")}
        assert first["E0106"] > first["E0277"] > first["E0308"] == 1.0

    def test_a_rule_about_another_label_is_no_prior(self) -> None:
        """Where people overruled the table, the table's weight of its own label does not count."""
        assert LongTailWeights().weigh("ApiMisuse", rule("E0106")) == 1.0

    def test_switched_off(self) -> None:
        """Switched off, everything counts alike, the means say so, and frequencies are counted all the same."""
        off, on = LongTailWeights(enabled=False), LongTailWeights()
        labels = ["TypeErrors"] * 50 + ["LifetimeErrors"]
        assert set(learn(off, labels)) == set(off.mean().values()) == set(off.current().values()) == {1.0}
        on.load(off.dump())
        assert on.current()["LifetimeErrors"] > 1.0

    def test_mean(self) -> None:
        """The mean of a label is over the examples learned as it, by label's name."""
        weights = LongTailWeights()
        found = learn(weights, ["TypeErrors", "TypeErrors", "ApiMisuse"])
        assert list(weights.mean().items()) == [("ApiMisuse", found[2]), ("TypeErrors", (found[0] + found[1]) / 2)]

    def test_made_up_labels_take_no_room(self) -> None:
        """However many labels a stream brings, a bounded number is kept, and the others count once."""
        weights = LongTailWeights()
        found = learn(weights, (f"label {number}" for number in range(10 * MAX_LABELS)))
        assert len(weights.dump()["labels"]) == MAX_LABELS
        assert set(found[MAX_LABELS:]) == {1.0}

    def test_nothing_learned(self) -> None:
        """Before the first example there is nothing to tell."""
        assert LongTailWeights().mean() == LongTailWeights().current() == {}

    def test_feedback_outweighs_every_rule(self) -> None:
        """One person's word counts more than any example that a rule labelled."""
        assert max(rule.weight for rule in code_rules().values()) < FEEDBACK_WEIGHT
