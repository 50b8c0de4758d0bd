"""Precision, recall and calibration as counts: what a query makes of them is what scikit would say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from models.evaluation.metrics import label_scores
from models.state import LineState
from models.step import answer
from streams.families import Families
from streams.score_metrics import BINS, Calibration, ScoreMetrics
from tests.builders import random_builds

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def values(registry: CollectorRegistry, name: str, label: str) -> dict[str, float]:
    return {one.labels[label]: one.value for family in registry.collect() for one in family.samples if one.name == name}


def test_ratios_of_the_counts_are_the_scores() -> None:
    """Correct / predicted is each category's precision, correct / labelled its recall."""
    registry, state = CollectorRegistry(), LineState()
    scores = ScoreMetrics(Families(registry))
    state.scores.confusion = Counter({("A", "A"): 3, ("A", "B"): 1, ("B", "B"): 2, ("B", ""): 5, ("C", "A"): 4})
    scores.observe_partition("0", state)
    labelled, predicted, correct = (
        values(registry, f"jidoka_category_{name}_total", "category") for name in ("labelled", "predicted", "correct")
    )
    for category, score in label_scores(state.scores.confusion).items():
        assert correct[category] == pytest.approx(score.recall * labelled[category])
        assert correct[category] == pytest.approx(score.precision * predicted[category])
        assert labelled[category] == score.support
    assert labelled.keys() == predicted.keys() == correct.keys() == {"A", "B", "C"}


def test_every_bin_is_there_from_the_start() -> None:
    """Prometheus sees no increase in a series that begins with its first count."""
    registry = CollectorRegistry()
    ScoreMetrics(Families(registry))
    assert len(values(registry, "jidoka_scored_total", "bin")) == BINS


def test_predictions_are_counted_as_the_state_scores_them() -> None:
    """Of every prediction that a label came for, the bins hold the confidence and whether it was right."""
    registry, state, watch = CollectorRegistry(), LineState(), Calibration()
    scores = ScoreMetrics(Families(registry))
    for failure in random_builds(60, seed=1):
        answer(state, failure, NOW, watch.watch)
    watch.count(scores)
    scored, right, confidence = (
        values(registry, f"jidoka_{name}_total", "bin") for name in ("scored", "scored_right", "scored_confidence")
    )
    known = Counter[Any]({pair: n for pair, n in state.scores.confusion.items() if pair[1]})
    assert sum(scored.values()) == known.total() > 0
    assert sum(right.values()) == sum(n for (truth, predicted), n in known.items() if truth == predicted)
    for lower, total in confidence.items():
        assert float(lower) * scored[lower] <= total <= (float(lower) + 1 / BINS) * scored[lower] + 1e-9
