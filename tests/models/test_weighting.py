"""Static weights: the table's weight of each rule, counted."""

from __future__ import annotations

import orjson
import pytest

from models.taxonomy import code_rules, rule_for
from models.weighting import FEEDBACK_WEIGHT, StaticWeights


class TestStaticWeights:
    @pytest.mark.parametrize(("code", "weight"), [("E0308", 1.0), ("E0277", 1.5), ("E0106", 2.0), ("E0599", 1.2)])
    def test_weight_of_the_rule(self, code: str, weight: float) -> None:
        """An example counts as much as the table says of its rule."""
        rule = rule_for(code, "")
        assert rule is not None
        assert StaticWeights().weigh(rule.label, rule) == weight

    def test_no_rule(self) -> None:
        """Where no rule says more an example counts once."""
        assert StaticWeights().weigh("TypeErrors", None) == 1.0

    def test_switched_off(self) -> None:
        """Switched off, everything counts alike, and the means say so."""
        weights = StaticWeights(enabled=False)
        assert {weights.weigh(rule.label, rule) for rule in code_rules().values()} == {1.0}
        assert set(weights.mean().values()) == {1.0}

    def test_mean(self) -> None:
        """The mean of a label is over the examples learned as it, by label's name."""
        weights = StaticWeights()
        for code in ("E0502", "E0502", None):
            weights.weigh("OwnershipBorrow", rule_for(code, ""))
        weights.weigh("ApiMisuse", None)
        assert list(weights.mean().items()) == [("ApiMisuse", 1.0), ("OwnershipBorrow", (1.5 + 1.5 + 1) / 3)]

    def test_a_rule_about_another_label_does_not_weigh(self) -> None:
        """Where people overruled the table, the table's weight of its own label does not count."""
        assert StaticWeights().weigh("ApiMisuse", rule_for("E0106", "")) == 1.0

    def test_feedback_outweighs_every_rule(self) -> None:
        """One person's word counts more than any example that a rule labelled."""
        assert max(rule.weight for rule in code_rules().values()) < FEEDBACK_WEIGHT

    def test_saved(self) -> None:
        """Dumped as JSON and loaded, the means are the same and go on."""
        weights, loaded = StaticWeights(), StaticWeights()
        weights.weigh("LifetimeErrors", rule_for("E0106", ""))
        loaded.load(orjson.loads(orjson.dumps(weights.dump())))
        for one in (weights, loaded):
            one.weigh("LifetimeErrors", None)
        assert loaded.mean() == weights.mean() == {"LifetimeErrors": 1.5}
