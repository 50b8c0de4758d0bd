"""What is watched of one project, or of a whole partition: the mix of categories and the means beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from models.drift.alarm import Quantity
from models.drift.mix import BASELINE, BUCKET, BUDGET, MixDetector
from models.drift.rate import RateDetector, Side
from models.weighting import FEEDBACK_WEIGHT

SIDES: dict[Quantity, Side] = {
    "templates": "rise",  # fewer new kinds of message is what learning looks like
    "errors": "both",  # at once fewer errors: another stream
    "confidence": "both",
    "calibration": "both",
    "agreement": "fall",
    "transpile": "rise",
    "compile": "rise",
    "weights": "both",
}

OF_PROJECTS = frozenset({"templates", "errors", "transpile", "compile"})  # what the others say, one model says of all


class Seen(NamedTuple):
    """What one build shows a monitor; empty and ``None`` where it shows nothing.

    Parameters
    ----------
    project, build
        Whose it is, and the failure's id.
    labels
        Of its diagnostics, with multiplicity, in any order.
    new_templates
        How many of its messages are of a kind that was never seen before.
    confidences, correct
        Of the model's predictions where labels are known: probability of the predicted label, and whether it was right;
        equally long.
    agreement
        Per diagnostic, how far the label sources agree, 0 to 1.
    weights
        That the examples were learned with.
    transpiled, compiled
        Whether the program got through; ``None`` where it is not known.
    """

    project: str
    build: str
    labels: tuple[str, ...] | list[str] = ()
    new_templates: int = 0
    confidences: tuple[float, ...] | list[float] = ()
    correct: tuple[bool, ...] | list[bool] = ()
    agreement: tuple[float, ...] | list[float] = ()
    weights: tuple[float, ...] | list[float] = ()
    transpiled: bool | None = None
    compiled: bool | None = None


def means(seen: Seen) -> list[tuple[Quantity, float]]:
    """Return the quantities that a build shows, each a number between 0 and 1; rates of failure for programs."""
    found: list[tuple[Quantity, float]] = []
    known = len(seen.correct)
    if seen.labels:
        found.append(("templates", 1.0 if seen.new_templates else 0.0))
    if known:
        right = sum(seen.correct) / known
        found.append(("errors", 1.0 - right))
        if len(seen.confidences) == known:
            sure = sum(seen.confidences) / known
            found += [("confidence", sure), ("calibration", (1.0 + sure - right) / 2.0)]
    if seen.agreement:
        found.append(("agreement", sum(seen.agreement) / len(seen.agreement)))
    if seen.weights:
        found.append(("weights", sum(seen.weights) / len(seen.weights) / FEEDBACK_WEIGHT))
    if seen.transpiled is not None:
        found.append(("transpile", 0.0 if seen.transpiled else 1.0))
    if seen.compiled is not None:
        found.append(("compile", 0.0 if seen.compiled else 1.0))
    return found


class Scope:
    """The detectors of one project or partition; ``version`` counts its baselines, ``last`` is its last build's number.

    Detectors of means exist once there is something to watch.
    """

    def __init__(self, baseline: int = BASELINE, budget: float = BUDGET, bucket: int = BUCKET) -> None:
        self.settings = (baseline, budget, bucket)
        self.version, self.builds, self.last = 1, 0, 0
        self.mix = MixDetector(*self.settings)
        self.rates: dict[Quantity, RateDetector] = {}

    def update(self, seen: Seen, shown: list[tuple[Quantity, float]]) -> list[Quantity]:
        """Take in a build and the ``means`` that it shows; return the quantities that raise an alarm now."""
        self.builds += 1
        raised: list[Quantity] = []
        if seen.labels and not self.mix.alarm:
            self.mix.update(seen.labels, seen.build)
            if self.mix.alarm:
                raised.append("categories")
        rates = self.rates
        for quantity, value in shown:
            rate = rates.get(quantity)
            if rate is None:
                rate = rates[quantity] = RateDetector(SIDES[quantity], budget=self.settings[1])
            if not rate.alarm:
                rate.update(value, seen.build)
                if rate.alarm:
                    raised.append(quantity)
        return raised

    def rebaseline(self) -> None:
        """Take what comes from now on for normal."""
        self.version += 1
        self.mix = MixDetector(*self.settings)
        self.rates = {}

    def view(self) -> dict[str, dict[str, Any]]:
        """Return how each detector stands, by quantity; see ``DriftMonitor.view``."""
        found: dict[str, dict[str, Any]] = {"categories": self._mix()}
        for quantity, rate in self.rates.items():
            judged = rate.builds > rate.baseline
            found[quantity] = {
                "statistic": rate.statistic,
                "threshold": rate.threshold if judged else None,
                "divergence": None,
                "contributions": {},
                "window": {"": rate.recent},
                "baseline": {"": rate.mean},
                "builds": rate.builds,
                "alarmed": rate.alarm,
                "version": self.version,
            }
        return found

    def _mix(self) -> dict[str, Any]:
        mix, judged = self.mix, self.mix.whole is not None
        shown = mix.mixture(changed=mix.alarm)
        return {
            "statistic": mix.statistic,
            "threshold": mix.threshold if judged else None,
            "divergence": shown.divergence if judged else None,
            "contributions": shown.contributions if judged else {},
            "window": shown.window,
            "baseline": shown.baseline,
            "builds": self.builds,
            "alarmed": mix.alarm,
            "version": self.version,
        }

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "version": self.version,
            "builds": self.builds,
            "last": self.last,
            "mix": self.mix.dump(),
            "rates": {quantity: rate.dump() for quantity, rate in self.rates.items()},
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; raises ``ValueError`` for what it cannot have returned."""
        mix = MixDetector(*self.settings)
        mix.load(data["mix"])
        rates: dict[Quantity, RateDetector] = {}
        for quantity, one in data["rates"].items():
            if quantity not in SIDES:
                raise ValueError(f"drift: a rate called {quantity!r}")
            rates[quantity] = RateDetector(SIDES[quantity], budget=self.settings[1])
            rates[quantity].load(one)
        self.version, self.builds, self.last, self.mix, self.rates = (
            data["version"], data["builds"], data["last"], mix, rates,
        )  # fmt: skip
