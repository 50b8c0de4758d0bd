"""What drift and andon say on the metrics."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from models.drift import DriftMonitor
from streams.andon_metrics import Active, AndonMetrics
from streams.families import Families
from streams.metrics import Metrics


def samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *one.labels.values()): one.value
        for family in registry.collect()
        for one in family.samples
        if not one.name.endswith("_created")
    }


def detector(**changes: Any) -> dict[str, Any]:
    return {"statistic": 3.0, "threshold": 9.0, "divergence": None, "contributions": {}, "alarmed": False} | changes


def test_the_lamp_and_what_lights_it() -> None:
    """The lamp is a number; conditions of a kind are counted, and name the categories with their largest share."""
    registry = CollectorRegistry()
    andon = AndonMetrics(Families(registry))
    conditions = [
        Active("ConceptDrift", "warning", {"TypeErrors": 0.2}),
        Active("ConceptDrift", "warning", {"TypeErrors": 0.1, "TraitBounds": -0.1}),
        Active("ModelDegradation", "halt", {}),
    ]
    andon.observe_andon("3", "red", conditions)
    assert samples(registry) == {
        ("jidoka_andon_lamp", "3"): 2,
        ("jidoka_andon_active", "3", "ConceptDrift", "warning"): 2,
        ("jidoka_andon_active", "3", "ModelDegradation", "halt"): 1,
        ("jidoka_andon_contribution_nats", "3", "ConceptDrift", "TypeErrors"): 0.2,
        ("jidoka_andon_contribution_nats", "3", "ConceptDrift", "TraitBounds"): -0.1,
    }


def test_detectors() -> None:
    """A detector without a threshold yet, or without a divergence, shows what it has."""
    registry = CollectorRegistry()
    mix = detector(divergence=0.01, contributions={"TypeErrors": 0.02, "TraitBounds": -0.01}, alarmed=True)
    AndonMetrics(Families(registry)).observe_drift(
        "0", {"overall": {"categories": mix, "errors": detector(threshold=None)}, "projects": {"a/b": {}}}
    )
    assert samples(registry) == {
        ("jidoka_drift_statistic", "0", "categories"): 3,
        ("jidoka_drift_statistic", "0", "errors"): 3,
        ("jidoka_drift_threshold", "0", "categories"): 9,
        ("jidoka_drift_alarmed", "0", "categories"): 1,
        ("jidoka_drift_alarmed", "0", "errors"): 0,
        ("jidoka_drift_divergence_nats", "0", "categories"): 0.01,
        ("jidoka_drift_contribution_nats", "0", "TypeErrors"): 0.02,
        ("jidoka_drift_contribution_nats", "0", "TraitBounds"): -0.01,
    }


def test_takes_what_the_monitor_gives() -> None:
    """The view of a monitor that has seen nothing sets nothing, and is no error."""
    AndonMetrics(Families(CollectorRegistry())).observe_drift("0", DriftMonitor().view())


def test_partitions_that_left_are_forgotten() -> None:
    """Everything that drift and andon say of a partition is cleared with the rest of what speaks of it."""
    metrics = Metrics()
    metrics.andon.observe_andon("0", "amber", [Active("ConceptDrift", "warning", {"TypeErrors": 0.2})])
    metrics.andon.observe_drift("0", {"overall": {"categories": detector(divergence=0.1, contributions={"A": 0.1})}})
    for one in metrics.by_partition():
        one.clear()
    assert not [key for key in samples(metrics.registry) if "andon" in key[0] or "drift" in key[0]]
