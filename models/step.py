"""The one step of the line: (state, record) → (state, outputs). Worker, replay and tests all call it.

One failed compilation goes predict → label → weigh → learn: every diagnostic of the build is predicted before any
of them is learned. The state is changed in place; time comes in as an argument; nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from models.andon.look import judge, refuse_broken, sight
from models.answers import documents
from models.classifiers import sigmoid
from models.cloudevents import rfc3339
from models.hybrid import Build, Observation, decide, observe
from models.labelling import label_of
from models.masking import mask
from models.memory import Recent, Said
from models.records import CompilerErrors, Feedback, Prediction, content_id, parse
from models.shadow import contend, late
from models.state import LineState
from models.taxonomy import PHASES
from models.weighting import FEEDBACK_WEIGHT

Watch = Callable[[Build, list[str | None]], None]  # a build as it was predicted, and the labels it is learned as

_PHASE = {phase: place for place, phase in enumerate(PHASES)}


class Answer(NamedTuple):
    """A ``Prediction`` as it goes on the topic, with what its headers and a worker's metrics need.

    ``time`` is RFC 3339 text; ``decided`` has the category and the source of each diagnostic's classification.
    """

    id: str
    time: str
    value: bytes
    decided: list[tuple[str, str]]


def step(state: LineState, record: CompilerErrors | Feedback, now: datetime) -> list[Prediction]:
    """Take one record in and return what goes out as records; what ``answer`` does, for those who want objects."""
    return [parse(Prediction, one.value) for one in answer(state, record, now)]


def answer(
    state: LineState, record: CompilerErrors | Feedback, now: datetime, watch: Watch | None = None
) -> list[Answer]:
    """Take one record in and return what goes out; feedback changes the state and puts out nothing.

    ``watch`` is shown what a failure's diagnostics were predicted and labelled, before any of them is learned.

    A failure that was answered before is answered with the same prediction and not learned again; feedback that was
    taken before is not taken again. Ids count within a project: two projects may both have a ``build-17``.
    """
    if isinstance(record, Feedback):
        _learn_feedback(state, record, now)
        return []
    key = _key(record.project, record.id)
    known = state.recent.get(key)
    if known is not None:
        state.repeats += 1
        return [_answer(orjson.loads(known.prediction), known.prediction)]
    return [_classify(state, record, key, now, watch)]


def _classify(state: LineState, record: CompilerErrors, key: str, now: datetime, watch: Watch | None) -> Answer:
    build = observe(state, record.diagnostics, record.change)
    learned = state.recent.learned(key)  # then its kinds were counted too
    masked = [] if learned else [mask(one.message) for one in record.diagnostics]
    met = state.templates.observe_build(masked, rfc3339(now)) if masked else []
    decisions = [decide(state, one) for one in build.seen]
    answers = documents(state, build, decisions, met)
    document = _prediction(state, record, now, _root(build.seen), answers)
    value = orjson.dumps(document)
    examples = [one.example for one in build.seen]
    if learned:
        state.repeats += 1
    else:
        said, found, weights = _learn(state, build, watch)
        state.watch.observe(sight(record, build, decisions, found, met=met, weights=weights), now)
        judge(state, record.id, now)
        if said:
            examples = [one._replace(said=opinions) for one, opinions in zip(examples, said, strict=True)]
        state.failures += 1
    state.recent.add(Recent(key, value, tuple(examples)))
    return _answer(document, value)


def _prediction(
    state: LineState, record: CompilerErrors, now: datetime, root: int, answers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the prediction as JSON-able values in the order of ``Prediction``'s fields."""
    document = {
        "schema_version": Prediction.version,
        "id": content_id("prediction", record.project, record.id),
        "time": rfc3339(now),
        "project": record.project,
        "failure_id": record.id,
        "run": record.run,
        "commit": record.commit,
        "part": record.part,
        "parts": record.parts,
        "model_version": state.model_version,
        "root": root,
        "classifications": answers,
    }
    return {name: value for name, value in document.items() if value is not None}


def _answer(document: dict[str, Any], value: bytes) -> Answer:
    decided = [(one["category"], one["source"]) for one in document["classifications"]]
    return Answer(document["id"], document["time"], value, decided)


def _learn(state: LineState, build: Build, watch: Watch | None) -> tuple[list[Said], list[str | None], list[float]]:
    """Learn a build, unless the andon has stopped learning: then it is scored only.

    Returned is what champion and challenger said of it, if labels for it are still to come; the labels that are known;
    and the weights that they were learned with.
    """
    stopped = state.watch.learning_stopped
    found = [label_of(one.example, one.rule, state.feedback) for one in build.seen]
    if watch is not None:
        watch(build, found)
    labels, weights, known = [], [], []
    for index, (one, label) in enumerate(zip(build.seen, found, strict=True)):
        if label is not None:
            known.append(index)
            labels.append(label)
            if not stopped:
                weights.append(state.weights.weigh(label, one.rule))
            state.scores.update(label, one.best, one.example.code)
    said = contend(state, build, found, weights)
    if labels and not stopped:
        everything = len(known) == len(build.seen)
        logits = build.logits if everything else build.logits[known]
        probabilities = build.probabilities if everything else build.probabilities[known]
        state.calibrator.learn(logits, probabilities, state.classifier.columns(labels))
        changed = state.classifier.learn_batch(build.batch.take(known), labels, weights, sigmoid(logits))
        if len(changed):
            state.changed_rows.append(changed)
            refuse_broken(state, changed)
    state.drift.update(labels)
    return said, found, weights


def _learn_feedback(state: LineState, feedback: Feedback, now: datetime) -> None:
    """Join feedback with the failure it speaks of; a failure no longer held is counted, not an error.

    While learning is stopped it still overrides what rules and model say of such messages.
    """
    key = _key(feedback.project, feedback.id, "feedback")  # an id of its own: it may equal the failure's
    if state.recent.learned(key):
        return
    held = state.recent.get(_key(feedback.project, feedback.failure_id))
    if held is None or feedback.index >= len(held.examples):
        state.unmatched_feedback += 1
        return
    state.recent.add_id(key)
    example = held.examples[feedback.index]
    if example.said is not None:
        late(state, example, feedback.category)
        state.recent.replace(held._replace(examples=tuple([one._replace(said=None) for one in held.examples])))
    state.feedback.learn(example.key, example.code, example.rule_label, feedback.category)
    if not state.watch.learning_stopped:
        state.changed_rows.append(state.classifier.learn(example.hashed, feedback.category, FEEDBACK_WEIGHT))
        if state.challenge is not None:
            state.challenge_rows.append(
                state.challenge.classifier.learn(example.hashed, feedback.category, FEEDBACK_WEIGHT)
            )
    judge(state, feedback.id, now)


def _key(project: str, record_id: str, kind: str = "failure") -> str:
    return f"{kind} {project} {record_id}"


def _root(seen: Sequence[Observation]) -> int:
    """Return the index of the likeliest first cause: the earliest compiler phase, and in it the first error."""
    phases = [_PHASE[one.rule.phase] if one.rule else len(PHASES) for one in seen]
    return phases.index(min(phases))
