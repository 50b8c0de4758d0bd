"""Rule, model or person: who answers for one diagnostic, with what confidence, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from models.batch import Batch, Floats
from models.diagnostics import Diagnostic
from models.features import parts
from models.feedback import template_key
from models.hashing import Named
from models.memory import Example
from models.state import LineState
from models.taxonomy import UNKNOWN, Rule, rule_for

MIN_CONFIDENCE = 0.3  # of the model's best label; below it the answer is Unknown

Source = Literal["rule", "model", "feedback"]


class Observation(NamedTuple):
    """One diagnostic as the line sees it.

    ``shares`` are the model's probabilities by label; ``best`` is its label, nothing before it learned one.
    """

    diagnostic: Diagnostic
    parts: list[Named]
    example: Example
    rule: Rule | None
    shares: list[float]
    best: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Build:
    """All diagnostics of one failed compilation, and the model's opinion of them, formed without their codes.

    ``activations`` has shape (diagnostics, labels) and is what the classifier's ``activations`` returned.
    """

    seen: list[Observation]
    batch: Batch
    activations: Floats


class Decision(NamedTuple):
    """The answer for one diagnostic, before it becomes part of a record."""

    label: str
    confidence: float
    source: Source
    reason: str


def observe(state: LineState, diagnostics: Sequence[Diagnostic]) -> Build:
    """Look at the diagnostics of one build; nothing is learned."""
    classifier, total = state.classifier, len(diagnostics)
    described = [parts(one, place, total) for place, one in enumerate(diagnostics)]
    batch = classifier.batch([b"".join([part.hashes for part in of_one]) for of_one in described])
    activations = classifier.activations(batch)
    seen = []
    for one, of_one, hashed, row in zip(diagnostics, described, batch.examples(), activations.tolist(), strict=True):
        rule = rule_for(one.code, one.message)
        example = Example(template_key(one), one.code, rule.label if rule else None, hashed)
        seen.append(Observation(one, of_one, example, rule, *_opinion(classifier.labels, row)))
    return Build(seen, batch, activations)


def _opinion(labels: list[Any], activations: list[float]) -> tuple[list[float], str | None, float]:
    """Return the probabilities, the likeliest label and its probability; of a dozen numbers a list is quickest."""
    if not activations:
        return [], None, 0.0
    total = sum(activations)
    shares = [one / total for one in activations]
    confidence = max(shares)
    return shares, str(labels[shares.index(confidence)]), confidence


def decide(state: LineState, seen: Observation) -> Decision:
    """Return who answers: people who labelled this kind of message, else a trusted rule, else the model."""
    example, rule = seen.example, seen.rule
    verdict = state.feedback.verdict(example.key)
    if verdict is not None:
        said = f"{verdict.votes} of {verdict.total} labels that people gave this kind of message say {verdict.label}"
        return Decision(verdict.label, verdict.confidence, "feedback", said)
    if rule is not None and state.feedback.trusts(example.code):
        return Decision(rule.label, rule.confidence, "rule", f"{example.code or 'message'}: {rule.reason}")
    return _ask_model(seen)


def _ask_model(seen: Observation) -> Decision:
    label, confidence = seen.best, seen.confidence
    if label is None:
        return Decision(UNKNOWN, 0.0, "model", "no rule knows this message and the model has learned nothing yet")
    if confidence < MIN_CONFIDENCE:
        return Decision(UNKNOWN, confidence, "model", f"nearest is {label}, below the threshold of {MIN_CONFIDENCE}")
    why = "feedback has contradicted the rule for its code" if seen.rule else "no rule knows it"
    return Decision(label, confidence, "model", f"the words point to {label}; {why}")
