"""Windows against a baseline: the divergence that people know, with a fixed threshold or one from a bootstrap.

``kl_threshold`` is the classic: it says nothing of how often it cries wolf, and at 0.5 nats hardly ever speaks. Without
it the threshold of each window is what blocks of the detector's own baseline, drawn anew (Künsch, Annals of Statistics
1989), come to once in the budget; beyond what can be drawn, their tail is continued as exponential.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from math import log

import numpy as np

from models.drift.shiryaev_roberts import PRIOR, Floats
from models.drift.vocabulary import COLUMNS, Vocabulary

BASELINE = 2_000
BUDGET = 100_000
WINDOWS = (100, 300, 1_000, 3_000)  # votes; they share the budget
BLOCK = 25  # votes that are drawn together
DRAWS = 400  # windows
TAIL = 0.1  # of the draws, from which the tail is continued


class WindowedDivergence:
    """KL(window || baseline) of several windows; one vote per build and label; ``alarm`` stays true once it is.

    ``statistic`` is the largest share that a window's divergence has of its threshold, so that ``threshold`` is 1; with
    ``kl_threshold`` it is the divergence itself, in nats.
    """

    def __init__(
        self,
        windows: tuple[int, ...] = WINDOWS,
        kl_threshold: float | None = None,
        baseline: int = BASELINE,
        budget: float = BUDGET,
        seed: int = 0,
    ) -> None:
        if not windows or min(windows) < BLOCK or (kl_threshold is not None and kl_threshold <= 0.0):
            raise ValueError(f"windows {windows}: at least {BLOCK} votes each; kl_threshold {kl_threshold}: above 0")
        self.windows, self.kl_threshold, self.baseline, self.budget = windows, kl_threshold, baseline, budget
        self.vocabulary = Vocabulary()
        self.threshold = 1.0 if kl_threshold is None else kl_threshold
        self.statistic = 0.0
        self.alarm = False
        self.limits: list[float] = []
        self._seed = seed
        self._order: list[str] = []
        self._total = np.zeros(COLUMNS)
        self._kept: deque[int] = deque(maxlen=max(windows))
        self._counts = [np.zeros(COLUMNS) for _ in windows]

    def update(self, votes: Iterable[str], build: str = "") -> None:  # noqa: ARG002 - the same for all detectors
        """Take in the labels of one build."""
        if self.alarm:
            return
        labels = sorted(set(votes))
        if not self.limits:
            self._order += labels
            if len(self._order) >= self.baseline:
                self._settle()
            return
        for label in labels:
            self._slide(self.vocabulary.column(label))
        self._judge()

    def _settle(self) -> None:
        self.vocabulary.settle(Counter(self._order))
        columns = np.array([self.vocabulary.column(label) for label in self._order])
        self._total = np.bincount(columns, minlength=COLUMNS).astype(float)
        self.limits = [self.kl_threshold or self._limit(columns, size) for size in self.windows]
        self._order = []

    def _limit(self, columns: Floats, size: int) -> float:
        """Return the divergence that a window reaches about once in its share of the budget."""
        draw = np.random.default_rng(self._seed)
        blocks = max(1, size // BLOCK)
        starts = draw.integers(0, len(columns) - BLOCK, (DRAWS, blocks))
        drawn = columns[starts[:, :, None] + np.arange(BLOCK)].reshape(DRAWS, -1)
        again = draw.integers(0, len(columns) - BLOCK, (DRAWS, len(columns) // BLOCK))  # a baseline's own noise
        base = columns[again[:, :, None] + np.arange(BLOCK)].reshape(DRAWS, -1)
        found = np.sort([_divergence(_count(one), _count(other)) for one, other in zip(drawn, base, strict=True)])
        knee = found[int(DRAWS * (1.0 - TAIL))]
        beyond = float((found[found > knee] - knee).mean()) if found[-1] > knee else 0.0
        wanted = self.budget * len(self.windows) / size  # windows without overlap per false alarm
        return float(knee) + beyond * log(max(1.0, 4.0 * wanted * TAIL))  # overlapping ones count about four times

    def _slide(self, column: int) -> None:
        for place, size in enumerate(self.windows):
            counts = self._counts[place]
            if len(self._kept) >= size:
                gone = self._kept[-size]
                counts[gone] -= 1.0
                if size == self._kept.maxlen:
                    self._total[gone] += 1.0  # what has left the longest window is baseline
            counts[column] += 1.0
        self._kept.append(column)

    def _judge(self) -> None:
        self.statistic = 0.0
        for size, counts, limit in zip(self.windows, self._counts, self.limits, strict=True):
            if len(self._kept) >= size:
                divergence = _divergence(counts, self._total)
                self.statistic = max(self.statistic, divergence / (1.0 if self.kl_threshold else limit))
        self.alarm = self.statistic >= self.threshold


def _count(columns: Floats) -> Floats:
    return np.bincount(columns, minlength=COLUMNS).astype(float)


def _divergence(window: Floats, baseline: Floats) -> float:
    used = (window + baseline) > 0.0
    p, q = window[used] + PRIOR, baseline[used] + PRIOR
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())
