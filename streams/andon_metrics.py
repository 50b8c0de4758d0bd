"""What drift detectors and andon say, by partition: the lamp, what lights it, and how far from alarm the rest is.

``jidoka_andon_contribution_nats`` is what an active condition named when it was raised and stays as it is until the
condition ends, so that an alert keeps its labels; ``jidoka_drift_contribution_nats`` moves with the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.families import Families

LAMPS = ("green", "amber", "red")  # the value of the lamp is the place here


class AndonMetrics:
    """The lamp of each partition, its conditions, and the detectors that watch its stream as a whole."""

    def __init__(self, families: Families) -> None:
        gauge = families.of_partition
        self.lamp = gauge("jidoka_andon_lamp", "0 green, 1 amber, 2 red: learning has stopped")
        self.active = gauge("jidoka_andon_active", "Conditions lit now", "kind", "severity", "signal")
        self.named = gauge(
            "jidoka_andon_contribution_nats",
            "What moved when the condition was raised",
            *("kind", "severity", "signal", "category"),
        )
        self.events = families.counter("jidoka_andon_events_total", "Andon events sent", "kind", "severity")
        self.statistic = gauge("jidoka_drift_statistic", "Of the detector; it alarms at its threshold", "quantity")
        self.threshold = gauge("jidoka_drift_threshold", "Of the detector, for its false-alarm budget", "quantity")
        self.alarmed = gauge("jidoka_drift_alarmed", "1: it has alarmed and waits for a new baseline", "quantity")
        self.divergence = gauge("jidoka_drift_divergence_nats", "KL(window || baseline)", "quantity")
        self.contribution = gauge(
            "jidoka_drift_contribution_nats", "Summands of the divergence of categories", "category"
        )

    def count(self, events: Mapping[tuple[str, str], int]) -> None:
        """Count events that were sent, by kind and severity."""
        for labels, number in events.items():
            self.events.labels(*labels).inc(number)

    def observe(self, number: str, view: Mapping[str, Any]) -> None:
        """Set what ``Watchman.view`` tells of one partition: its lamp, what is lit, how far the rest is from it.

        The same condition in several projects is counted; of what they name the largest contribution is shown.
        """
        self.lamp.labels(number).set(LAMPS.index(view["lamp"]))
        named: dict[tuple[str, ...], float] = {}
        for lit in view["lit"]:
            labels = (str(lit["kind"]), str(lit["severity"]), str(lit["signal"]))
            self.active.labels(number, *labels).inc()
            for moved in lit["categories"]:
                key: tuple[str, ...] = (*labels, str(moved["category"]))
                contribution = float(moved["contribution"])
                named[key] = max(contribution, named.get(key, contribution))
        for names, largest in named.items():
            self.named.labels(number, *names).set(largest)
        self.observe_drift(number, view["drift"])

    def observe_drift(self, number: str, view: Mapping[str, Any]) -> None:
        """Set what ``DriftMonitor.view`` tells of the partition's whole stream; single projects have no series."""
        for quantity, detector in view["overall"].items():
            self.statistic.labels(number, quantity).set(detector["statistic"])
            self.alarmed.labels(number, quantity).set(bool(detector["alarmed"]))
            if detector["threshold"] is not None:
                self.threshold.labels(number, quantity).set(detector["threshold"])
            if detector["divergence"] is not None:
                self.divergence.labels(number, quantity).set(detector["divergence"])
        for category, share in view["overall"].get("categories", {}).get("contributions", {}).items():
            self.contribution.labels(number, category).set(share)
