"""What drift and andon say on the metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from models.andon.watchman import Sight, Watchman
from models.drift import Seen
from streams.andon_metrics import AndonMetrics
from streams.families import Families
from streams.metrics import Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *one.labels.values()): one.value
        for family in registry.collect()
        for one in family.samples
        if not one.name.endswith("_created")
    }


def detector(**changes: Any) -> dict[str, Any]:
    return {"statistic": 3.0, "threshold": 9.0, "divergence": None, "contributions": {}, "alarmed": False} | changes


def lit(kind: str, severity: str, signal: str, **moved: float) -> dict[str, Any]:
    categories = [{"category": name, "contribution": amount} for name, amount in moved.items()]
    return {"kind": kind, "severity": severity, "signal": signal, "categories": categories}


def test_the_lamp_and_what_lights_it() -> None:
    """The lamp is a number; conditions of a kind are counted, and name the categories with their largest share."""
    registry = CollectorRegistry()
    view = Watchman().view() | {
        "lamp": "red",
        "lit": [
            lit("ConceptDrift", "warning", "categories", TypeErrors=0.2),
            lit("ConceptDrift", "warning", "categories", TypeErrors=0.1, TraitBounds=-0.1),
            lit("ModelDegradation", "halt", "errors"),
        ],
    }
    AndonMetrics(Families(registry)).observe("3", view)
    found = {key: value for key, value in samples(registry).items() if "andon" in key[0]}
    assert found == {
        ("jidoka_andon_lamp", "3"): 2,
        ("jidoka_andon_active", "3", "ConceptDrift", "warning", "categories"): 2,
        ("jidoka_andon_active", "3", "ModelDegradation", "halt", "errors"): 1,
        ("jidoka_andon_contribution_nats", "3", "ConceptDrift", "warning", "categories", "TypeErrors"): 0.2,
        ("jidoka_andon_contribution_nats", "3", "ConceptDrift", "warning", "categories", "TraitBounds"): -0.1,
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


def test_takes_what_the_watchman_gives() -> None:
    """What a watchman tells of a partition with a lit lamp is taken as it is: red, and why."""
    registry, watchman = CollectorRegistry(), Watchman()
    watchman.observe(Sight(Seen("p", "build-1"), finite=False), NOW)
    AndonMetrics(Families(registry)).observe("0", watchman.view())
    found = samples(registry)
    assert found["jidoka_andon_lamp", "0"] == 2
    assert found["jidoka_andon_active", "0", "TrainingFailure", "halt", "weights-finite"] == 1


def test_partitions_that_left_are_forgotten() -> None:
    """Everything that drift and andon say of a partition is cleared with the rest of what speaks of it."""
    metrics = Metrics()
    mix = detector(divergence=0.1, contributions={"TypeErrors": 0.1})
    condition = lit("ConceptDrift", "warning", "categories", TypeErrors=0.2)
    metrics.andon.observe("0", {"lamp": "amber", "lit": [condition], "drift": {"overall": {"categories": mix}}})
    assert [key for key in samples(metrics.registry) if "andon" in key[0] or "drift" in key[0]]
    for one in metrics.by_partition():
        one.clear()
    assert not [key for key in samples(metrics.registry) if "andon" in key[0] or "drift" in key[0]]
