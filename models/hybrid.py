"""Person, rule, model or labelling functions: who answers for one diagnostic, with what confidence, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from models.caching import BoundedCache
from models.change import Change, change_part
from models.diagnostics import Diagnostic
from models.features import parts
from models.feedback import template_key
from models.hashing import NAME_BYTES, Named
from models.labelling import votes_of_build
from models.labels.model import SoftLabel
from models.masking import mask
from models.memory import Example
from models.sparse import Batch, Floats
from models.state import LineState
from models.taxonomy import UNKNOWN, Rule, rule_for

MIN_CONFIDENCE = 0.3  # of the model's best label; below it the answer is Unknown

MAX_NAMED = 4  # labelling functions in a reason

_KINDS: BoundedCache[tuple[str | None, str], str] = BoundedCache(4 << 20)

Source = Literal["rule", "model", "feedback"]


class Observation(NamedTuple):
    """One diagnostic as the line sees it.

    ``probabilities`` are the model's calibrated ones by label; ``best`` is its label, nothing before it learned one,
    and ``confidence`` that label's probability. ``soft`` is the label to learn, without a look at the model: by people,
    the code table or the labelling functions; nothing where they abstain.
    """

    diagnostic: Diagnostic
    parts: list[Named]
    example: Example
    rule: Rule | None
    soft: SoftLabel | None
    probabilities: list[float]
    best: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Build:
    """All diagnostics of one failed compilation, and the model's opinion of them, formed without their codes.

    ``logits``, ``answered`` and ``probabilities`` have shape (diagnostics, labels): what the classifier's ``scores``
    returned, the same with a student's evidence where one answers beside it, and what the calibrator made of that.
    """

    seen: list[Observation]
    batch: Batch
    logits: Floats
    answered: Floats
    probabilities: Floats


class Decision(NamedTuple):
    """The answer for one diagnostic, before it becomes part of a record."""

    label: str
    confidence: float
    source: Source
    reason: str


def observe(state: LineState, diagnostics: Sequence[Diagnostic], change: Change | None = None) -> Build:
    """Look at the diagnostics of one build; nothing is learned. ``change``, where known, describes each of them too."""
    classifier, total = state.classifier, len(diagnostics)
    described = [parts(one, place, total) for place, one in enumerate(diagnostics)]
    if change is not None:
        described = [[*of_one, change_part(change)] for of_one in described]
    batch = classifier.batch([b"".join([part.hashes for part in of_one]) for of_one in described])
    logits = classifier.scores(batch)
    answered = _joined(state, logits, described, change) if state.students else logits
    probabilities = state.calibrator.apply(answered)
    rules = [rule_for(one.code, one.message) for one in diagnostics]
    votes = votes_of_build(state.labels, diagnostics, rules)
    known = zip(diagnostics, described, rules, votes, batch.examples(), probabilities.tolist(), strict=True)
    seen = []
    for one, of_one, rule, said, hashed, row in known:
        example = Example(_kind(one), said, hashed)
        soft = state.labels.judge(said, state.feedback.verdict(example.key))
        seen.append(Observation(one, of_one, example, rule, soft, *_opinion(classifier.labels, row)))
    return Build(seen, batch, logits, answered, probabilities)


def _joined(state: LineState, logits: Floats, described: list[list[Named]], change: Change | None) -> Floats:
    """Return the log-odds with those of students, who were not taught what a change is: it is the last part."""
    shown = described if change is None else [of_one[:-1] for of_one in described]
    hashes = [b"".join([part.hashes for part in of_one]) for of_one in shown]
    return state.students.join(logits, hashes, state.classifier.labels)


def _opinion(labels: list[Any], probabilities: list[float]) -> tuple[list[float], str | None, float]:
    """Return the probabilities, the likeliest label and its own; of a dozen numbers a list is quickest."""
    if not probabilities:
        return probabilities, None, 0.0
    most = max(probabilities)
    return probabilities, str(labels[probabilities.index(most)]), most


def _kind(diagnostic: Diagnostic) -> str:
    """Return the diagnostic's ``template_key``, which for messages of one kind is made once."""
    known = diagnostic.code, mask(diagnostic.message)
    return _KINDS.get(known) or _KINDS.keep(known, template_key(diagnostic), 4 * len(known[1]) + 2 * NAME_BYTES)


def decide(state: LineState, seen: Observation) -> Decision:
    """Return who answers.

    People who labelled this kind of message; else the code table, as long as people do not contradict it for this code;
    else the surer of model and labelling functions together, which are rules too.
    """
    soft, example, rule = seen.soft, seen.example, seen.rule
    if soft is None:
        return _ask_model(seen)
    verdict = state.feedback.verdict(example.key)
    if soft.source == "feedback" and verdict is not None:
        said = f"{verdict.votes} of {verdict.total} labels that people gave this kind of message say {verdict.label}"
        return Decision(soft.label, soft.confidence, "feedback", said)
    if soft.source == "rule" and rule is not None:
        return Decision(rule.label, rule.confidence, "rule", f"{example.votes.code or 'message'}: {rule.reason}")
    if seen.confidence < soft.confidence:
        return Decision(soft.label, soft.confidence, "rule", _told_by(state.labels.speakers(example.votes, soft.label)))
    return _ask_model(seen)


def _told_by(functions: Sequence[str]) -> str:
    named, more = ", ".join(functions[:MAX_NAMED]), len(functions) - MAX_NAMED
    told = f"{named} and {more} more" if more > 0 else named
    return f"the code table is silent and the model less sure than labelling functions: {told}"


def _ask_model(seen: Observation) -> Decision:
    label, confidence = seen.best, seen.confidence
    if label is None:
        return Decision(UNKNOWN, 0.0, "model", "no rule knows this message and the model has learned nothing yet")
    if confidence < MIN_CONFIDENCE:
        return Decision(UNKNOWN, confidence, "model", f"nearest is {label}, below the threshold of {MIN_CONFIDENCE}")
    why = "feedback has contradicted the rule for its code" if seen.rule else "no rule knows it"
    return Decision(label, confidence, "model", f"the words point to {label}; {why}")
