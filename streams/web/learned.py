"""What a partition has learned, told: as JSON for people, as gauges for Prometheus."""

from __future__ import annotations

from typing import Any

from models.challenge import Challenge
from models.hybrid import MIN_CONFIDENCE
from models.labels.model import LabelModel
from models.state import LineState
from streams.contest import contest
from streams.metrics import Metrics


def describe(state: LineState) -> dict[str, Any]:
    """Return what a person wants to know of a partition's state, as JSON-able data.

    ``weights`` are the mean ones that were learned with, ``current_weights`` those of a category's next example.
    """
    scores, templates = state.scores, state.templates
    return {
        "model_version": state.model_version,
        "failures": state.failures,
        "repeats": state.repeats,
        "unmatched_feedback": state.unmatched_feedback,
        "expired_feedback": state.expired_feedback,
        "dead_letters": state.dead_letters,
        "scored": scores.n,
        "accuracy": scores.accuracy,
        "rolling_accuracy": scores.rolling_accuracy,
        "macro_f1": scores.macro_f1,
        "baselines": scores.baselines,
        "threshold": MIN_CONFIDENCE,
        "temperature": state.calibrator.temperature,
        "weights": state.weights.mean(),
        "current_weights": state.weights.current(),
        "templates": {"held": len(templates), "created": templates.created, "new_share": templates.new_share},
        "divergence": state.drift.value,
        "andon": state.watch.view(),
        **contest(state),
        **describe_labels(state.labels),
    }


def describe_labels(model: LabelModel) -> dict[str, Any]:
    """Return ``label_functions``, what the votes of each labelling function are worth by category, and their coverage.

    A worth is the share of such votes that is believed to be right; functions that were never judged are left out.
    ``label_coverage`` is the share of diagnostics that a function votes on; those that never did are left out.
    """
    return {"label_functions": model.agreement.accuracies(), "label_coverage": model.coverage.shares()}


def observe_partition(metrics: Metrics, number: str, state: LineState) -> None:
    """Bring the gauges of one partition up to date; they were cleared before."""
    metrics.examples.labels(number).set(state.classifier.examples)
    metrics.origin.labels(number, state.origin).set(1)
    metrics.threshold.labels(number).set(MIN_CONFIDENCE)
    metrics.temperature.labels(number).set(state.calibrator.temperature)
    for category, weight in state.weights.current().items():
        metrics.weight.labels(number, category).set(weight)
    metrics.templates.labels(number).set(len(state.templates))
    metrics.templates_created.set((number,), state.templates.created)
    metrics.new_templates.labels(number).set(state.templates.new_share)
    metrics.by_category.observe_partition(number, state)
    metrics.andon.observe(number, state.watch.view())
    observe_labels(metrics, number, state.labels)
    _observe_scores(metrics, number, state)
    _observe_challenge(metrics, number, state.challenge)


def _observe_scores(metrics: Metrics, number: str, state: LineState) -> None:
    scores = state.scores
    if not scores.n:
        return
    metrics.accuracy.labels(number).set(scores.accuracy)
    metrics.rolling.labels(number).set(scores.rolling_accuracy)
    metrics.macro_f1.labels(number).set(scores.macro_f1)
    for name, accuracy in scores.baselines.items():
        metrics.baseline.labels(number, name).set(accuracy)


def _observe_challenge(metrics: Metrics, number: str, challenge: Challenge | None) -> None:
    if challenge is None:
        return
    metrics.challenge_builds.labels(number).set(challenge.counts.builds)
    metrics.challenge_wins.labels(number).set(challenge.test.wins)
    metrics.challenge_losses.labels(number).set(challenge.test.losses)
    metrics.challenge_evidence.labels(number).set(challenge.test.evidence)


def observe_labels(metrics: Metrics, number: str, model: LabelModel) -> None:
    """Bring one partition's labelling functions up to date: how much of the stream each votes on, and how good it is.

    Its accuracy is the mean over the categories it voted for.
    """
    for name, share in model.coverage.shares().items():
        metrics.function_coverage.labels(number, name).set(share)
    for name, by_category in model.agreement.accuracies().items():
        metrics.function_accuracy.labels(number, name).set(sum(by_category.values()) / len(by_category))
