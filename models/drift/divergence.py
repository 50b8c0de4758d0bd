"""Has the mix of categories changed? Kullback-Leibler divergence of a window against a baseline, in nats.

The vote is one per build and label: the errors of one build are a cascade, not independent observations.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from math import log
from typing import Any

SMOOTHING = 0.5  # added to each count (Krichevsky and Trofimov 1981), so that a label never seen costs a finite amount


class CategoryDivergence:
    """Divergence of the last ``window`` votes from the first ``baseline`` votes.

    ``update`` takes the labels of one build. ``value`` is ``None`` until baseline and window are both full.
    """

    def __init__(self, baseline: int = 500, window: int = 500) -> None:
        self.baseline_size, self.window_size = baseline, window
        self.baseline: Counter[str] = Counter()
        self.window: deque[str] = deque(maxlen=window)
        self._votes = 0  # in the baseline

    def update(self, labels: Iterable[str]) -> None:
        """Take in the votes of one build."""
        for label in sorted(set(labels)):
            if self._votes < self.baseline_size:
                self.baseline[label] += 1
                self._votes += 1
            else:
                self.window.append(label)

    @property
    def value(self) -> float | None:
        """Return KL(window || baseline) in nats."""
        if len(self.window) < self.window_size:
            return None
        return sum(self.contributions().values())

    def contributions(self) -> dict[str, float]:
        """Return each label's summand of the divergence; they sum to it."""
        now = Counter(self.window)
        labels = sorted(now.keys() | self.baseline.keys())
        extra = SMOOTHING * len(labels)
        p = {label: (now[label] + SMOOTHING) / (now.total() + extra) for label in labels}
        q = {label: (self.baseline[label] + SMOOTHING) / (self.baseline.total() + extra) for label in labels}
        return {label: p[label] * log(p[label] / q[label]) for label in labels}

    def dump(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        return {"baseline": dict(self.baseline), "window": list(self.window)}

    def load(self, data: dict[str, Any]) -> None:
        """Replace the counts by what ``dump`` returned."""
        self.baseline = Counter(data["baseline"])
        self._votes = self.baseline.total()
        self.window = deque(data["window"], maxlen=self.window_size)
