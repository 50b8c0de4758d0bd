"""Has the mix of labels changed? The default detector: evidence that the whole mix moved, or the share of one label.

Each build votes once per label: the errors of one build are a cascade, not independent observations. The whole mix is
judged by ``DirichletShiryaevRoberts``, every label by a ``Cusum``, labels that are new by one each of their own. The
baseline is all that came before and grows as long as there is no alarm. Thresholds are those of independent votes times
the design effect of the detector's own history (``Dispersion``); where that says that votes come in bursts, single
shares are left alone and the whole mix has to move for longer than one burst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from math import log, log2
from typing import Any

import numpy as np

from models.drift.cusum import Cusum
from models.drift.dispersion import Dispersion
from models.drift.fresh import FreshLabels
from models.drift.mixture import Mixture, mixture
from models.drift.shiryaev_roberts import PRIOR, DirichletShiryaevRoberts
from models.drift.vocabulary import COLUMNS, OTHER, OTHERS, Vocabulary

BASELINE = 2_000  # votes before anything is judged
BUDGET = 100_000  # votes per false alarm
BUCKET = 8  # votes that the evidence of the whole mix is updated with at once
WHOLE, SINGLE, FRESH = 1.22, 1.2, 0.85  # threshold of each test over ln(budget), for one false alarm from all of them
TOGETHER = 0.15  # by which thresholds rise when builds have twice as many votes: labels that come together are alike
CLUMPED = 0.8  # and that of new labels, which one kind of build brings together: rare codes of one test, or one author
GROWN = 1.05  # growth of the baseline after which an idle sum compares with the longer one
STALE = 1.5  # and after which one that is not idle does
SHOWN = 500.0  # votes in the window whose divergence is shown


class MixDetector:
    """Shiryaev-Roberts on the whole mix and CUSUMs on single shares, calibrated to a budget of false alarms.

    ``alarm`` stays true once it is; a detector after an alarm takes nothing in.

    Parameters
    ----------
    baseline
        Votes before anything is judged.
    budget
        Votes in which one false alarm is allowed.
    bucket
        Votes that are taken together: more cost less, and delay an alarm by half as many.

    Examples
    --------
    >>> detector = MixDetector(baseline=300)
    >>> for build in range(600):
    ...     detector.update(["TypeErrors" if build % 3 else "TraitBounds"])
    >>> detector.alarm
    False
    >>> while not detector.alarm:
    ...     detector.update(["ImportErrors"])
    >>> detector.votes
    602
    """

    def __init__(self, baseline: int = BASELINE, budget: float = BUDGET, bucket: int = BUCKET) -> None:
        if baseline < 100 or budget < 100 or not 1 <= bucket <= 64:
            raise ValueError(f"baseline {baseline}, budget {budget}, bucket {bucket}: at least 100, 100, and 1 to 64")
        self.baseline, self.budget, self.bucket = baseline, budget, bucket
        self.votes = 0
        self.alarm = False
        self.cause = ""  # of the alarm: the label whose share moved, "" for the whole mix
        self.vocabulary = Vocabulary()
        self.order: list[list[str]] = []  # builds of the baseline, until it is full
        self.together = 1.0  # votes of a build in the baseline
        self.dispersion = Dispersion()
        self.whole: DirichletShiryaevRoberts | None = None
        self.shares: list[Cusum] = []
        self.fresh = FreshLabels()
        self._limits = (0.0, 0.0, 0.0)  # of the three tests
        self._pending: list[int] = []
        self._begun = ""  # the build of the first pending vote
        self._evidence = 0.0

    @property
    def threshold(self) -> float:
        """Return what ``statistic`` has to reach, in nats: ln(budget) times the design effect of the votes."""
        return self._raised(TOGETHER)

    def _raised(self, by: float) -> float:
        return log(self.budget) * self.dispersion.effect * (1.0 + by * log2(max(self.together, 1.0)))

    @property
    def statistic(self) -> float:
        """Return the largest evidence of all tests, in nats, on the scale of ``threshold``; 0 without a baseline."""
        if self.whole is None:
            return 0.0
        singles = 0.0 if self.whole.robust else max([one.value(self.votes) for one in self.shares])
        fresh = 0.0 if self.whole.robust else self.fresh.value(self.votes)
        threshold, tests = self.threshold, zip((self._evidence, singles, fresh), self._limits, strict=True)
        found = max(0.0, *[evidence * threshold / limit for evidence, limit in tests])
        return max(found, threshold) if self.alarm else found  # the vote after the last may speak against it

    def update(self, votes: Iterable[str], build: str = "") -> None:
        """Take in the labels of one build; ``build`` is its id."""
        if self.alarm:
            return
        labels: Collection[str] = set(votes)
        if len(labels) > 1:
            labels = sorted(labels)
        if self.whole is None:
            self._learn(labels)
            return
        others = False  # all labels without a column have one vote together
        for label in labels:
            column = self.vocabulary.own.get(label, OTHER)
            if column != OTHER or not others:
                self.votes += 1
                if not self._pending:
                    self._begun = build
                self._pending.append(column)
                if not self.whole.robust:
                    self._judge(column, build)
            if column == OTHER:
                others = True
                if not self.whole.robust:
                    self._judge_other(label, build)
            if self.alarm:
                return
        if len(self._pending) >= self.bucket:
            self._take()

    def _learn(self, labels: Iterable[str]) -> None:
        self.order.append(list(labels))
        self.votes += len(self.order[-1])
        if self.votes >= self.baseline:
            self._settle()

    def _settle(self) -> None:
        counted = [label for build in self.order for label in build]
        self.vocabulary.settle(Counter(counted))
        columns = [one for build in self.order for one in {self.vocabulary.column(label): None for label in build}]
        totals = np.zeros((len(columns) + 1, COLUMNS))
        totals[np.arange(1, len(columns) + 1), columns] = 1.0
        totals = totals.cumsum(0)
        self.dispersion.settle(totals)
        self.whole = DirichletShiryaevRoberts(totals[-1])
        self.whole.robust = self.dispersion.effect > 1.0
        half = len(counted) // 2
        self.votes = len(columns)
        self.together = self.votes / sum([bool(build) for build in self.order])
        self.fresh.settle(2 * len(set(counted[half:]) - set(counted[:half])), self.votes)
        self.shares = [Cusum((total + PRIOR) / self.votes, self.votes, self.votes) for total in totals[-1].tolist()]
        self.order = []
        self._calibrate()

    def _calibrate(self) -> None:
        threshold = self.threshold
        self._limits = (WHOLE * threshold, SINGLE * threshold, FRESH * self._raised(CLUMPED))

    def _judge(self, column: int, build: str) -> None:
        """Take a vote into the test of a single share."""
        share, now = self.shares[column], self.votes
        if share.vote(now, build) >= self._limits[1]:
            self.alarm, self.cause = True, self.vocabulary.names()[column]
        grown = now / share.frozen[1]
        if grown >= STALE or (share.idle and grown >= GROWN):
            self._refreeze(column)

    def _judge_other(self, label: str, build: str) -> None:
        known = not self.vocabulary.is_new(label)
        if self.fresh.vote(label, self.votes, build, known=known) >= self._limits[2]:
            self.alarm, self.cause = True, label

    def _refreeze(self, column: int) -> None:
        assert self.whole is not None  # noqa: S101 - there are no shares without it
        self.shares[column].freeze((float(self.whole.totals[column]) + PRIOR) / self.votes, self.votes, self.votes)

    def _take(self) -> None:
        """Take the pending votes into the test of the whole mix."""
        whole = self.whole
        assert whole is not None  # noqa: S101 - votes are pending after it is there
        self._evidence = whole.update(self._pending, self._begun)
        self._pending = []
        before = self.dispersion.effect
        self.dispersion.update(whole.totals)
        if self.dispersion.effect != before:
            self._believe()
        if self._evidence >= self._limits[0]:
            self.alarm = True
        elif not whole.robust and whole.bucket % 2 == 0:
            self._look_for_falls()

    def _look_for_falls(self) -> None:
        """Look at what is silent: a label that has vanished has no votes that would say so."""
        for column, share in enumerate(self.shares):
            if share.falls and share.value(self.votes) >= self._limits[1]:
                self.alarm, self.cause = True, self.vocabulary.names()[column]

    def _believe(self) -> None:
        """Act on another design effect; between the two regimes all evidence begins anew."""
        whole = self.whole
        assert whole is not None  # noqa: S101 - there is no effect without it
        robust = self.dispersion.effect > 1.0
        if robust != whole.robust:
            self.whole = DirichletShiryaevRoberts(whole.totals)
            self.whole.robust, self._evidence = robust, 0.0
            for column in range(COLUMNS):
                self._refreeze(column)
            self.fresh.forget()
        self._calibrate()

    def mixture(self, *, changed: bool = False) -> Mixture:
        """Return the window beside the baseline: some ``SHOWN`` votes, or where ``changed`` those since the change."""
        whole = self.whole
        if whole is None:
            return mixture({}, Counter([label for build in self.order for label in build]))
        start = self._start() if changed else whole.nearest(SHOWN)
        names = self.vocabulary.names()
        before = dict(zip(names, whole.before[start].tolist(), strict=True))
        window = dict(zip(names, (whole.totals - whole.before[start]).tolist(), strict=True))
        for label, one in self.fresh.labels.items():
            if one.born > whole.sizes[start]:  # all its votes are in the window, or pending
                window[label] = float(one.votes)
                window[OTHERS] = max(0.0, window[OTHERS] - one.votes)
        return mixture(window, before)

    def _start(self) -> int:
        whole = self.whole
        assert whole is not None  # noqa: S101 - an alarm comes after it is there
        fresh = self.fresh.labels.get(self.cause)
        return whole.latest_before(fresh.born) if fresh else whole.likeliest()

    @property
    def first_build(self) -> str | None:
        """Return the id of the build where the change is estimated to begin; ``None`` while there is no alarm."""
        if not self.alarm or self.whole is None:
            return None
        fresh = self.fresh.labels.get(self.cause)
        if fresh is not None:
            return fresh.cusum.build
        if self.cause:
            return self.shares[self.vocabulary.names().index(self.cause)].build or None
        return self.whole.builds[self._start()] or None

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "votes": self.votes,
            "alarm": self.alarm,
            "cause": self.cause,
            "together": self.together,
            "order": self._encoded(),
            "pending": self._pending.copy(),
            "begun": self._begun,
            "evidence": self._evidence,
            "vocabulary": self.vocabulary.dump(),
            "dispersion": self.dispersion.dump(),
            "whole": self.whole.dump() if self.whole is not None else None,
            "shares": [one.dump() for one in self.shares],
            "fresh": self.fresh.dump(),
        }

    def _encoded(self) -> dict[str, Any]:
        numbers: dict[str, int] = {}
        builds = [[numbers.setdefault(label, len(numbers)) for label in build] for build in self.order]
        return {"labels": [*numbers], "builds": builds}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; raises ``ValueError`` for what it cannot have returned.

        Types and lengths are for ``saved.SavedMix`` to check; an object that fails to load is of no use any longer.
        """
        self.vocabulary.load(data["vocabulary"])
        self.dispersion.load(data["dispersion"])
        self.fresh.load(data["fresh"])
        self.whole = None
        if data["whole"] is not None:
            self.whole = DirichletShiryaevRoberts(np.zeros(COLUMNS))
            self.whole.load(data["whole"])
        self.shares = [Cusum.loaded(one, "both") for one in data["shares"]]
        if len(self.shares) != (COLUMNS if self.whole else 0) or not all(0 <= one < COLUMNS for one in data["pending"]):
            raise ValueError("drift: shares of other columns than a detector's")
        self.votes, self.alarm, self.cause = data["votes"], data["alarm"], data["cause"]
        self.together = data["together"]
        labels = data["order"]["labels"]
        self.order = [[labels[one] for one in build] for build in data["order"]["builds"]]
        self._pending, self._begun = list(data["pending"]), data["begun"]
        self._evidence = data["evidence"]
        self._calibrate()
