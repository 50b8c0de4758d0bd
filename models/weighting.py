"""How much an example counts when it is learned: what is rare in the stream counts more, within bounds.

Feldman, "Does learning require memorization? A short tale about a long tail" (STOC 2020): when most kinds of an error
are seen only a few times, a learner that does not fit those few examples loses all of them. A learner that minimises
the mean loss does just that, so rare labels are raised, with the inverse frequency smoothed and damped as in Cui et
al., "Class-balanced loss based on effective number of samples" (CVPR 2019) and Menon et al., "Long-tail learning via
logit adjustment" (ICLR 2021). Frequencies are decayed counts and so follow the stream. The static weights of the
organizational-intelligence-plugin, which stand in the taxonomy's tables, are the prior: they speak as long as few
examples do. ``docs/decisions/0010-long-tail-weights.md`` has what each choice brings and costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.taxonomy import Rule

FEEDBACK_WEIGHT = 5.0  # one person's correction against the many rule-labelled examples that taught the mistake
MAX_LABELS = 64  # that are counted, as many as a snapshot may hold; the taxonomy has 23
STEP_LIMIT = 2.0**60  # of the growing step; counts are scaled down by it, which for a power of two is exact
_MOST = 2.0**200  # far beyond what counts and sums come to


@dataclass(frozen=True, slots=True)
class Reweighting:
    """From a label's count and the mean label's to a weight between 1 and ``cap``.

    Nothing is lowered: weights below 1 would cost the frequent labels accuracy and calibration (measured).

    Parameters
    ----------
    exponent
        0 weighs all alike, 1 by inverse frequency; 0 to 2.
    cap
        The largest weight, from 1 up; below ``FEEDBACK_WEIGHT``, or a rule's word counts as much as a person's.
    smoothing
        Examples that are added to every label's count, divided by the prior: above 0.
    half_life
        Examples, of any label, after which one counts half; at least 1.

    Examples
    --------
    >>> reweighting = Reweighting(exponent=0.5, cap=4.0, smoothing=10.0)
    >>> reweighting.weight(count=300.0, mean=100.0), reweighting.weight(count=1.0, mean=1750.0)
    (1.0, 4.0)
    >>> round(reweighting.weight(count=10.0, mean=100.0), 2)
    2.35
    """

    exponent: float = 0.5
    cap: float = 4.0
    smoothing: float = 10.0
    half_life: float = 5_000.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.exponent <= 2.0 and 1.0 <= self.cap < FEEDBACK_WEIGHT):
            raise ValueError(f"{self}: exponent is 0 to 2, cap is 1 or more and below {FEEDBACK_WEIGHT}")
        if not (0.0 < self.smoothing < STEP_LIMIT and 1.0 <= self.half_life < STEP_LIMIT):
            raise ValueError(f"{self}: smoothing is above 0, half_life at least 1, both below 2^60")

    def weight(self, count: float, mean: float, prior: float = 1.0) -> float:
        """Return the weight of an example of a label with ``count`` decayed examples, where labels have ``mean``.

        ``prior`` (above 0) is the static weight: without any examples the result is a power of it.
        """
        smoothing = self.smoothing
        raised: float = ((mean + smoothing) / (count + smoothing / prior)) ** self.exponent
        return 1.0 if raised <= 1.0 else min(raised, self.cap)


@dataclass(slots=True)
class _Label:
    count: float = 0.0  # in steps
    weight: float = 0.0  # sum over its examples
    examples: int = 0


class LongTailWeights:
    """Weights that follow the stream; ``enabled=False`` weighs everything alike, and counts all the same.

    Instead of every count decaying with each example, the step by which a count grows gets larger; a count is worth
    its value divided by the step of now. Trap: a label's own example is counted before it is weighed.

    >>> weights = LongTailWeights()
    >>> frequent = [weights.weigh("TypeErrors", None) for _ in range(500)]
    >>> frequent[-1], round(weights.weigh("LifetimeErrors", None), 1)
    (1.0, 4.0)
    """

    def __init__(self, reweighting: Reweighting | None = None, *, enabled: bool = True) -> None:
        self.reweighting = reweighting or Reweighting()
        self.enabled = enabled
        self._growth = 2.0 ** (1.0 / self.reweighting.half_life)
        self._step = 1.0
        self._total = 0.0  # of all counts
        self._labels: dict[str, _Label] = {}

    def weigh(self, label: str, rule: Rule | None) -> float:
        """Return the weight of an example that is learned as ``label``, and count it.

        A rule about another label than ``label`` (people overruled it) is no prior. Labels beyond ``MAX_LABELS``
        count once and are not kept.
        """
        entry = self._labels.get(label)
        if entry is None:
            if len(self._labels) >= MAX_LABELS:
                return 1.0
            entry = self._labels[label] = _Label()
        step = self._step = self._step * self._growth
        count = entry.count = entry.count + step
        total = self._total = self._total + step
        weight = 1.0
        if self.enabled:
            prior = rule.weight if rule is not None and rule.label == label else 1.0
            weight = self.reweighting.weight(count / step, total / (step * len(self._labels)), prior)
        entry.weight += weight
        entry.examples += 1
        if step > STEP_LIMIT:
            self._scale_down()
        return weight

    def _scale_down(self) -> None:
        self._step /= STEP_LIMIT
        self._total /= STEP_LIMIT
        for entry in self._labels.values():
            entry.count /= STEP_LIMIT

    def mean(self) -> dict[str, float]:
        """Return the mean weight that each label's examples had so far."""
        return {label: one.weight / one.examples for label, one in sorted(self._labels.items())}

    def current(self) -> dict[str, float]:
        """Return the weight that each label's frequency gives it now, where the table has no opinion."""
        if not self.enabled:
            return dict.fromkeys(sorted(self._labels), 1.0)
        mean = self._total / (self._step * max(len(self._labels), 1))
        return {
            label: self.reweighting.weight(one.count / self._step, mean) for label, one in sorted(self._labels.items())
        }

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {
            "step": self._step,
            "total": self._total,
            "labels": {label: [one.count, one.weight, one.examples] for label, one in self._labels.items()},
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned; the reweighting stays that of this object.

        Raises ``ValueError``, and then nothing has changed, for numbers that ``dump`` cannot have returned: some would
        make weights that are no numbers.
        """
        step, total = float(data["step"]), float(data["total"])
        labels = {
            label: _Label(float(count), float(weight), int(examples))
            for label, (count, weight, examples) in data["labels"].items()
        }
        fit = all(
            0.0 <= one.count <= _MOST and 0.0 <= one.weight <= _MOST and one.examples > 0 for one in labels.values()
        )
        if not (fit and 1.0 <= step <= STEP_LIMIT and 0.0 <= total <= _MOST and len(labels) <= MAX_LABELS):
            raise ValueError("weights: a step, a count or a number of examples that no stream leads to")
        self._step, self._total, self._labels = step, total, labels
