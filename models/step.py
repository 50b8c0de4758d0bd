"""The one step of the line: (state, record) → (state, outputs). Worker, replay and tests all call it.

One failed compilation goes predict → label → weigh → learn: every diagnostic of the build is predicted before any
of them is learned. The state is changed in place; time comes in as an argument; nothing here does I/O.
"""

from __future__ import annotations

from datetime import datetime

from models.features import extract
from models.feedback import template_key
from models.hybrid import Observation, classification, decide
from models.labelling import label_of
from models.memory import Example, Recent
from models.records import CompilerErrors, Feedback, Prediction, content_id, parse
from models.state import LineState
from models.taxonomy import PHASES, rule_for
from models.weighting import FEEDBACK_WEIGHT


def step(state: LineState, record: CompilerErrors | Feedback, now: datetime) -> list[Prediction]:
    """Take one record in and return what goes out; feedback changes the state and puts out nothing.

    A failure that was answered before is answered with the same prediction and not learned again; feedback that was
    taken before is not taken again. Ids count within a project: two projects may both have a ``build-17``.
    """
    if isinstance(record, Feedback):
        _learn_feedback(state, record)
        return []
    known = state.recent.get(_key(record.project, record.id))
    if known is not None:
        state.repeats += 1
        return [parse(Prediction, known.prediction)]
    return [_classify(state, record, now)]


def _classify(state: LineState, record: CompilerErrors, now: datetime) -> Prediction:
    seen = [_observe(state, record, index) for index in range(len(record.diagnostics))]
    answers = [classification(state, index, one, decide(state, one)) for index, one in enumerate(seen)]
    prediction = Prediction(
        id=content_id("prediction", record.project, record.id),
        time=now,
        project=record.project,
        failure_id=record.id,
        run=record.run,
        commit=record.commit,
        part=record.part,
        parts=record.parts,
        model_version=state.model_version,
        root=_root(seen),
        classifications=tuple(answers),
    )
    key = _key(record.project, record.id)
    if state.recent.learned(key):
        state.repeats += 1
    else:
        _learn(state, seen)
        state.failures += 1
    state.recent.add(Recent(key, prediction.to_bytes(), tuple(one.example for one in seen)))
    return prediction


def _observe(state: LineState, record: CompilerErrors, index: int) -> Observation:
    """Look at one diagnostic; the model's opinion is formed without its code."""
    diagnostic = record.diagnostics[index]
    rule = rule_for(diagnostic.code, diagnostic.message)
    names = extract(diagnostic, index, len(record.diagnostics))
    hashed = state.classifier.hash(names)
    example = Example(template_key(diagnostic), diagnostic.code, rule.label if rule else None, hashed)
    return Observation(diagnostic, names, example, rule, state.classifier.probabilities(hashed))


def _learn(state: LineState, seen: list[Observation]) -> None:
    labels = []
    for one in seen:
        label = label_of(one.example, one.rule, state.feedback)
        if label is None:
            continue
        labels.append(label)
        state.scores.update(label, _best(state, one), one.example.code)
        weight = state.weights.weigh(label, one.rule)
        state.changed_rows.append(state.classifier.learn(one.example.hashed, label, weight))
    state.drift.update(labels)


def _best(state: LineState, seen: Observation) -> str | None:
    """Return what the model alone said, before any diagnostic of the build was learned."""
    return str(state.classifier.labels[int(seen.probabilities.argmax())]) if len(seen.probabilities) else None


def _learn_feedback(state: LineState, feedback: Feedback) -> None:
    """Join feedback with the failure it speaks of; a failure no longer held is counted, not an error."""
    key = _key(feedback.project, feedback.id, "feedback")  # an id of its own: it may equal the failure's
    if state.recent.learned(key):
        return
    held = state.recent.get(_key(feedback.project, feedback.failure_id))
    if held is None or feedback.index >= len(held.examples):
        state.unmatched_feedback += 1
        return
    state.recent.add_id(key)
    example = held.examples[feedback.index]
    state.feedback.learn(example.key, example.code, example.rule_label, feedback.category)
    state.changed_rows.append(state.classifier.learn(example.hashed, feedback.category, FEEDBACK_WEIGHT))


def _key(project: str, record_id: str, kind: str = "failure") -> str:
    return f"{kind} {project} {record_id}"


def _root(seen: list[Observation]) -> int:
    """Return the index of the likeliest first cause: the earliest compiler phase, and in it the first error."""
    phases = [PHASES.index(one.rule.phase) if one.rule else len(PHASES) for one in seen]
    return phases.index(min(phases))
