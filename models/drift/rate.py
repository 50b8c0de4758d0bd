"""Has a mean changed? For what is a number between 0 and 1 in each build: an error rate, a confidence, an agreement.

A bank of bets: each multiplies its capital by 1 + λ(x - m), which is fair as long as the mean of x is m, whatever else
the distribution does (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024),
and begins anew when it has lost everything it won, as CUSUM does (Shin, Ramdas and Rinaldo, NEJSDS 2024). The baseline
m is a decayed mean, moved by its standard error. Builds are taken in groups: groups that are like their neighbours tell
of bursts, and raise the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log, prod, sqrt
from typing import Any, Literal

BASELINE = 1_000  # builds before anything is judged
GROUP = 8  # builds that are taken together
HALF_LIFE = 4_000.0  # builds after which one counts half in the baseline
BUDGET = 100_000  # builds per false alarm
TREND = 150.0  # and in a second one, that follows what learns or fades: only what is beyond both is a change
OVERHEAD = 0.0  # nats above ln(budget) for all bets together
SIZES = (0.1, 0.25, 0.6)  # bets over the standard deviation: best for changes by as many of them
EDGE = 0.5  # standard errors by which the baseline is moved towards the alternative
STAKE = 0.9  # of the capital that one bet may lose
LAG = 16  # groups after which one is taken into the baseline: a change does not excuse itself at once
SHOWN = 0.05  # of a group in the mean that is shown as the window
_KEPT, _FADING = 0.5 ** (GROUP / HALF_LIFE), 0.5 ** (GROUP / TREND)

Side = Literal["rise", "fall", "both"]


class RateDetector:
    """Bets that the mean rises, falls, or either; ``alarm`` stays true once it is.

    ``baseline`` counts builds; ``side`` is the direction that is watched.

    >>> detector = RateDetector(side="rise")
    >>> for build in range(2_000):
    ...     detector.update(float(build % 10 == 0))
    >>> detector.alarm, round(detector.mean, 1)
    (False, 0.1)
    >>> while not detector.alarm:
    ...     detector.update(float(detector.builds % 2))
    >>> detector.builds, detector.first_build
    (2032, '')
    """

    def __init__(self, side: Side = "both", baseline: int = BASELINE, budget: float = BUDGET) -> None:
        if baseline < 5 * GROUP or budget < 100:
            raise ValueError(f"baseline {baseline}, budget {budget}: at least {5 * GROUP} builds, and 100")
        self.side, self.baseline, self.budget = side, baseline, budget
        self.signs = {"rise": (1.0,), "fall": (-1.0,), "both": (1.0, -1.0)}[side]
        self.builds = 0
        self.alarm = False
        self.first_build: str | None = None  # where the change began; ``None`` while there is no alarm
        self.mean, self.square, self.weight = 0.0, 0.0, 0.0  # decayed: of builds, of their squares; number of groups
        self.between, self.serial = 0.0, 0.0  # decayed, of groups: squared deviations, and products of neighbours'
        self.trend = 0.0  # the mean with the shorter memory
        self.recent = 0.0  # the mean of late, which is shown
        self.wealth = [0.0] * (len(self.signs) * len(SIZES))  # log capital of each bet
        self.begun = [(0, "")] * len(self.wealth)  # number and id of the build with which each bet began anew
        self._last, self._first = 0.0, ""
        self._pending: list[float] = []
        self._held: list[tuple[float, float]] = []  # means of groups, and of squares, that are not yet in the baseline

    @property
    def threshold(self) -> float:
        """Return what ``statistic`` has to reach, in nats: more where neighbouring builds are alike."""
        return (log(self.budget) + OVERHEAD) * self._effect()

    @property
    def statistic(self) -> float:
        """Return the largest log capital, in nats."""
        return max(0.0, *self.wealth)

    def _effect(self) -> float:
        """Return the design effect of an autoregression of the first order (Kish 1965), of groups."""
        alike = min(max(self.serial / self.between, 0.0), 0.9) if self.between > 0.0 else 0.0
        significant = 3.0 / sqrt(max(self.weight, 1.0))
        return (1.0 + alike) / (1.0 - alike) if alike > significant else 1.0

    def update(self, value: float, build: str = "") -> None:
        """Take in one build's number, 0 to 1; what lies outside counts as the nearer end."""
        if self.alarm:
            return
        if not self._pending:
            self._first = build
        self.builds += 1
        self._pending.append(value)
        if len(self._pending) == GROUP:
            values, self._pending = self._pending, []
            if min(values) < 0.0 or max(values) > 1.0:
                values = [min(max(one, 0.0), 1.0) for one in values]
            self._take(values)

    def _take(self, values: list[float]) -> None:
        group = (sum(values) / GROUP, sum([one * one for one in values]) / GROUP)
        self.recent = self.recent + SHOWN * (group[0] - self.recent) if self.weight else group[0]
        if self.builds <= self.baseline:
            self._learn(*group)
            return
        self._bet(values)
        self._held.append(group)
        if len(self._held) > LAG:
            self._learn(*self._held.pop(0))

    def _learn(self, mean: float, square: float) -> None:
        self.weight = self.weight * _KEPT + 1.0
        step, apart = 1.0 / self.weight, mean - self.mean
        self.serial += step * (apart * (self._last - self.mean) - self.serial)
        self.between += step * (apart * apart - self.between)
        self.mean += step * apart
        self.square += step * (square - self.square)
        self.trend += max(step, 1.0 - _FADING) * (mean - self.trend)
        self._last = mean

    def _bet(self, values: list[float]) -> None:
        builds = self.weight * GROUP
        spread = sqrt(max(self.square - self.mean * self.mean, 1e-6) + 0.25 / builds)
        error = EDGE * spread / sqrt(builds)
        place, wealth = 0, self.wealth
        for sign in self.signs:
            fair = max(self.mean * sign, self.trend * sign) * sign + sign * error
            room = fair if sign > 0 else 1.0 - fair  # the most that a bet can miss by
            for size in SIZES:
                stake = min(size / spread, STAKE / max(room, 1e-9))
                before, stake = wealth[place], sign * stake
                if before <= 0.0:
                    self.begun[place] = (self.builds - GROUP + 1, self._first)
                base = 1.0 - stake * fair
                wealth[place] = max(0.0, before + log(prod([base + stake * one for one in values])))
                place += 1
        if max(wealth) >= self.threshold:
            self.alarm, self.first_build = True, self._began()

    def _began(self) -> str:
        """Return the latest beginning of a bet that has won half of what it takes."""
        enough = 0.5 * self.threshold
        return max(one for one, won in zip(self.begun, self.wealth, strict=True) if won >= enough)[1]

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "builds": self.builds,
            "alarm": self.alarm,
            "first_build": self.first_build,
            "moments": [
                self.mean,
                self.square,
                self.weight,
                self.between,
                self.serial,
                self.trend,
                self.recent,
                self._last,
            ],
            "wealth": self.wealth.copy(),
            "begun": [list(one) for one in self.begun],
            "first": self._first,
            "held": [list(one) for one in self._held],
            "pending": self._pending.copy(),
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; raises ``ValueError`` for what it cannot have returned."""
        moments, wealth = list(data["moments"]), list(data["wealth"])
        held = [(float(mean), float(square)) for mean, square in data["held"]]
        pending = list(data["pending"])
        if not all(isfinite(one) for one in [*moments, *wealth, *pending]):
            raise ValueError("drift: numbers of a rate that are not finite")
        if len(moments) != 8 or len(wealth) != len(self.wealth) or len(data["begun"]) != len(wealth):
            raise ValueError("drift: a rate with another number of bets")
        if (
            len(held) > LAG
            or len(pending) >= GROUP
            or moments[2] < 0.0
            or not all(0.0 <= one <= 1.0 for pair in [moments[:1], *held] for one in pair)
        ):
            raise ValueError("drift: a rate that no stream leads to")
        self.mean, self.square, self.weight, self.between, self.serial, self.trend, self.recent, self._last = moments
        self.builds, self.alarm, self.first_build = data["builds"], data["alarm"], data["first_build"]
        self._pending = pending
        self.wealth, self._held, self._first = wealth, held, data["first"]
        self.begun = [(number, build) for number, build in data["begun"]]
