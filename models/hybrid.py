"""Rule, model or person: who answers for one diagnostic, with what confidence, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.classifiers import Floats
from models.diagnostics import Diagnostic
from models.features import COUNTED, Features
from models.memory import Example
from models.records import Classification, Ranked
from models.state import LineState
from models.taxonomy import UNKNOWN, Rule, category_of, subcategory_of

MIN_CONFIDENCE = 0.3  # of the model's best label; below it the answer is Unknown
MAX_WORDS = 5
SHOWN = 240  # characters of the compiler's message repeated in a prediction


Source = Literal["rule", "model", "feedback"]


@dataclass(frozen=True)
class Observation:
    """One diagnostic as the line sees it: its named features, what is kept of it, its rule, the model's opinion."""

    diagnostic: Diagnostic
    names: Features
    example: Example
    rule: Rule | None
    probabilities: Floats


@dataclass(frozen=True)
class Decision:
    """The answer for one diagnostic, before it becomes part of a record."""

    label: str
    confidence: float
    source: Source
    reason: str


def decide(state: LineState, seen: Observation) -> Decision:
    """Return who answers: people who labelled this kind of message, else a trusted rule, else the model."""
    example, rule = seen.example, seen.rule
    verdict = state.feedback.verdict(example.key)
    if verdict is not None:
        said = f"{verdict.votes} of {verdict.total} labels that people gave this kind of message say {verdict.label}"
        return Decision(verdict.label, verdict.confidence, "feedback", said)
    if rule is not None and state.feedback.trusts(example.code):
        return Decision(rule.label, rule.confidence, "rule", f"{example.code or 'message'}: {rule.reason}")
    return _ask_model(state, rule, seen.probabilities)


def _ask_model(state: LineState, rule: Rule | None, probabilities: Floats) -> Decision:
    if not len(probabilities):
        return Decision(UNKNOWN, 0.0, "model", "no rule knows this message and the model has learned nothing yet")
    best = int(probabilities.argmax())
    label, confidence = str(state.classifier.labels[best]), float(probabilities[best])
    if confidence < MIN_CONFIDENCE:
        return Decision(UNKNOWN, confidence, "model", f"nearest is {label}, below the threshold of {MIN_CONFIDENCE}")
    why = "feedback has contradicted the rule for its code" if rule else "no rule knows it"
    return Decision(label, confidence, "model", f"the words point to {label}; {why}")


def classification(state: LineState, index: int, seen: Observation, decision: Decision) -> Classification:
    """Return the decision as part of a prediction: with runners-up and the words that decided."""
    return Classification(
        index=index,
        code=seen.diagnostic.code,
        message=seen.diagnostic.message[:SHOWN],
        category=category_of(decision.label),
        subcategory=subcategory_of(decision.label),
        confidence=min(1.0, decision.confidence),
        top=_ranked(state, decision, seen.probabilities),
        source=decision.source,
        words=_words(state, seen, decision.label),
        reason=decision.reason,
    )


def _ranked(state: LineState, decision: Decision, probabilities: Floats) -> tuple[Ranked, ...]:
    """Return the decided label first, then the model's best others with their share of what confidence is left."""
    ranked = sorted(zip(probabilities.tolist(), state.classifier.labels, strict=True), key=lambda one: -one[0])
    rest = [(str(label), p) for p, label in ranked if label != decision.label]
    others, mass = rest[:2], sum(p for _, p in rest)
    left = 1.0 - decision.confidence
    first = [] if decision.label == UNKNOWN else [(decision.label, decision.confidence)]
    scaled = others if decision.source == "model" else [(label, left * p / mass) for label, p in others if mass > 0]
    return tuple(
        Ranked(category=category_of(label), subcategory=subcategory_of(label), probability=min(1.0, max(0.0, p)))
        for label, p in first + sorted(scaled, key=lambda one: -one[1])
    )


def _words(state: LineState, seen: Observation, label: str) -> tuple[str, ...]:
    """Return the features that speak most for ``label``, strongest first, as a person reads them."""
    contributions = state.classifier.contributions(seen.example.hashed, label)
    readable = list(seen.names)
    best = [readable[i] for i in contributions.argsort()[::-1].tolist()[: 3 * MAX_WORDS] if contributions[i] > 0]
    chosen = [name for name in best if not name.startswith(COUNTED)]  # a count decides too, but it is no word
    return tuple(word[:250] for word in chosen[:MAX_WORDS])
