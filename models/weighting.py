"""How much an example counts when it is learned.

Version one: the static weights of the organizational-intelligence-plugin, which raise what is rare and costly to
repair (lifetimes 2.0) above what is frequent and cheap (style 0.5); they stand in the taxonomy's tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.taxonomy import Rule

FEEDBACK_WEIGHT = 5.0  # one person's correction against the many rule-labelled examples that taught the mistake


class StaticWeights:
    """The table's weight of each rule; ``enabled=False`` weighs everything alike."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._sums: dict[str, tuple[float, int]] = {}

    def weigh(self, label: str, rule: Rule | None) -> float:
        """Return the weight of an example that is learned as ``label``, and count it; 1 where no rule says more."""
        fits = rule is not None and rule.label == label  # else people said so, and the rule is about another label
        weight = rule.weight if self.enabled and rule is not None and fits else 1.0
        total, count = self._sums.get(label, (0.0, 0))
        self._sums[label] = (total + weight, count + 1)
        return weight

    def mean(self) -> dict[str, float]:
        """Return the mean weight that each label's examples had so far."""
        return {label: total / count for label, (total, count) in sorted(self._sums.items())}

    def dump(self) -> dict[str, list[float]]:
        """Return the sums as JSON-able data."""
        return {label: [total, count] for label, (total, count) in self._sums.items()}

    def load(self, data: Mapping[str, Sequence[float]]) -> None:
        """Replace the sums by what ``dump`` returned."""
        self._sums = {label: (float(total), int(count)) for label, (total, count) in data.items()}
