"""Two mixes of labels side by side: what each label's share was and is, and what it adds to the divergence, in nats."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import NamedTuple

SMOOTHING = 0.5  # added to each count (Krichevsky and Trofimov 1981), so that a label never seen costs a finite amount


class Mixture(NamedTuple):
    """Shares of labels in a window and in the baseline, and each label's summand of KL(window || baseline)."""

    window: dict[str, float]
    baseline: dict[str, float]
    contributions: dict[str, float]

    @property
    def divergence(self) -> float:
        """Return KL(window || baseline) in nats: the sum of the contributions."""
        return sum(self.contributions.values())


def mixture(window: Mapping[str, float], baseline: Mapping[str, float]) -> Mixture:
    """Return the mixes of two counts; contributions, of smoothed shares, have the largest first.

    >>> one = mixture({"A": 3, "B": 1}, {"A": 2, "B": 2})
    >>> one.window, one.baseline, round(one.divergence, 3)
    ({'A': 0.75, 'B': 0.25}, {'A': 0.5, 'B': 0.5}, 0.082)
    """
    labels = sorted(label for label in window.keys() | baseline.keys() if window.get(label) or baseline.get(label))
    now, before = _smoothed(window, labels), _smoothed(baseline, labels)
    added = {label: now[label] * log(now[label] / before[label]) for label in labels}
    ranked = sorted(added, key=lambda label: (-added[label], label))
    return Mixture(_shares(window), _shares(baseline), {label: added[label] for label in ranked})


def _smoothed(counts: Mapping[str, float], labels: list[str]) -> dict[str, float]:
    total = sum(counts.values()) + SMOOTHING * len(labels)
    return {label: (counts.get(label, 0.0) + SMOOTHING) / total for label in labels}


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: count / total for label, count in counts.items() if count}
