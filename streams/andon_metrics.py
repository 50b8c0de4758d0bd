"""What drift detectors and andon say, by partition: the lamp, what lights it, and how far from alarm the rest is.

``jidoka_andon_contribution_nats`` is what an active condition named when it was raised and stays as it is until the
condition ends, so that an alert keeps its labels; ``jidoka_drift_contribution_nats`` moves with the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.families import Families

LAMPS = ("green", "amber", "red")  # the value of the lamp is the place here


class Active(NamedTuple):
    """A condition that is raised; ``moved`` has the categories that it names, with their contributions (nats)."""

    kind: str
    severity: str
    moved: Mapping[str, float]


class AndonMetrics:
    """The lamp of each partition, its conditions, and the detectors that watch its stream as a whole."""

    def __init__(self, families: Families) -> None:
        gauge = families.of_partition
        self.lamp = gauge("jidoka_andon_lamp", "0 green, 1 amber, 2 red: learning has stopped")
        self.active = gauge("jidoka_andon_active", "Conditions raised now", "kind", "severity")
        self.named = gauge(
            "jidoka_andon_contribution_nats", "What moved when the condition was raised", "kind", "category"
        )
        self.events = families.counter("jidoka_andon_events_total", "Andon events sent", "kind", "severity")
        self.statistic = gauge("jidoka_drift_statistic", "Of the detector; it alarms at its threshold", "quantity")
        self.threshold = gauge("jidoka_drift_threshold", "Of the detector, for its false-alarm budget", "quantity")
        self.alarmed = gauge("jidoka_drift_alarmed", "1: it has alarmed and waits for a new baseline", "quantity")
        self.divergence = gauge("jidoka_drift_divergence_nats", "KL(window || baseline)", "quantity")
        self.contribution = gauge(
            "jidoka_drift_contribution_nats", "Summands of the divergence of categories", "category"
        )

    def observe_andon(self, number: str, lamp: str, conditions: Iterable[Active]) -> None:
        """Set one partition's lamp (one of ``LAMPS``) and what lights it; several of a kind are counted."""
        self.lamp.labels(number).set(LAMPS.index(lamp))
        named: dict[tuple[str, str], float] = {}
        for kind, severity, moved in conditions:
            self.active.labels(number, kind, severity).inc()
            for category, contribution in moved.items():
                named[kind, category] = max(contribution, named.get((kind, category), contribution))
        for (kind, category), contribution in named.items():
            self.named.labels(number, kind, category).set(contribution)

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
