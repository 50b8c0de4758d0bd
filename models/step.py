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
from models.fixes import template_of
from models.hybrid import Build, Observation, decide, observe
from models.labelling import is_verifier
from models.labels.model import VERIFIER_PART
from models.lessons import Lesson, lesson_of
from models.masking import mask
from models.memory import Recent, Said
from models.records import CompilerErrors, Feedback, Prediction, content_id, parse
from models.shadow import contend, late
from models.state import LineState
from models.taxonomy import PHASES
from models.weighting import FEEDBACK_WEIGHT

Watch = Callable[[Build, list[str | None]], None]  # a build as it was predicted, its labels by people and code table

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

    ``watch`` is shown what a failure's diagnostics were predicted and labelled, before any of them is learned; a label
    that only labelling functions have for one is none.

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
    time = rfc3339(now)
    met = state.templates.observe_build(masked, time) if masked else []
    decisions = [decide(state, one) for one in build.seen]
    answers = documents(state, build, decisions, met)
    document = _prediction(state, record, time, _root(build.seen), answers)
    value = orjson.dumps(document)
    examples = [one.example for one in build.seen]
    if learned:
        state.repeats += 1
    else:
        said, lesson = _learn(state, build, watch)
        seen = sight(record, build, decisions, lesson.truths, met=met, weights=lesson.weights, functions=state.labels)
        state.watch.observe(seen, now)
        judge(state, record.id, now)
        if said:
            examples = [one._replace(said=opinions) for one, opinions in zip(examples, said, strict=True)]
        state.failures += 1
    state.recent.add(Recent(key, value, tuple(examples)))
    return _answer(document, value)


def _prediction(
    state: LineState, record: CompilerErrors, time: str, root: int, answers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the prediction as JSON-able values in the order of ``Prediction``'s fields."""
    document = {
        "schema_version": Prediction.version,
        "id": content_id("prediction", record.project, record.id),
        "time": time,
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


def _learn(state: LineState, build: Build, watch: Watch | None) -> tuple[list[Said], Lesson]:
    """Learn a build, unless the andon has stopped learning: then it is scored only.

    Returned is what champion and challenger said of it, if labels for it are still to come, and what it teaches.
    """
    stopped = state.watch.learning_stopped
    lesson = lesson_of(build, None if stopped else state.weights)
    if watch is not None:
        watch(build, lesson.truths)
    for one, truth in zip(build.seen, lesson.truths, strict=True):
        if truth is not None:
            state.scores.update(truth, one.best, one.example.votes.code)
    said = contend(state, build, lesson)
    if lesson.weights:
        logits, columns = lesson.of(build.logits), state.classifier.columns(lesson.sure())
        state.calibrator.learn(lesson.of(build.answered), lesson.of(build.probabilities), columns)
        changed = state.classifier.learn_batch(lesson.batch, lesson.labels, lesson.weights, sigmoid(logits))
        if len(changed):
            state.changed_rows.append(changed)
            refuse_broken(state, changed)
    if not stopped:
        state.labels.observe_build([one.example.votes for one in build.seen])
    state.drift.update([truth for truth in lesson.truths if truth is not None])
    return said, lesson


def _learn_feedback(state: LineState, feedback: Feedback, now: datetime) -> None:
    """Join feedback with the failure it speaks of; a failure no longer held is counted, not an error.

    While learning is stopped it still overrides what rules and model say of such messages. What a verifier says is
    learned, but overrides nothing.
    """
    key = _key(feedback.project, feedback.id, "feedback")  # an id of its own: it may equal the failure's
    if state.recent.learned(key):
        return
    failure = _key(feedback.project, feedback.failure_id)
    held = state.recent.get(failure)
    if held is None and state.recent.learned(failure):
        state.expired_feedback += 1
        return
    if held is None or feedback.index >= len(held.examples):
        state.unmatched_feedback += 1
        return
    state.recent.add_id(key)
    _tell(state, held, feedback)
    judge(state, feedback.id, now)


def _tell(state: LineState, held: Recent, feedback: Feedback) -> None:
    """Let label model, memory of feedback, classifier and challenger learn what somebody said of a held diagnostic."""
    shown = orjson.loads(held.prediction)["classifications"][feedback.index]
    if feedback.fix is not None:
        template = template_of(shown.get("code"), shown["message"])
        state.fixes.learn(feedback.fix, template, applied=bool(feedback.applied))
        return
    example, label, verifier = held.examples[feedback.index], feedback.category, is_verifier(feedback.author)
    if late(state, example, label, people=not verifier):
        state.recent.replace(held._replace(examples=tuple([one._replace(said=None) for one in held.examples])))
    if not verifier:
        state.feedback.learn(example.key, label)
    state.labels.learn(example.votes, mask(shown["message"]), label, verifier=verifier)
    if state.watch.learning_stopped:
        return
    weight = FEEDBACK_WEIGHT * (VERIFIER_PART if verifier else 1.0)
    state.changed_rows.append(state.classifier.learn(example.hashed, label, weight))
    if state.challenge is not None:
        state.challenge_rows.append(state.challenge.classifier.learn(example.hashed, label, weight))


def _key(project: str, record_id: str, kind: str = "failure") -> str:
    return f"{kind} {project} {record_id}"


def _root(seen: Sequence[Observation]) -> int:
    """Return the index of the likeliest first cause: the earliest compiler phase, and in it the first error."""
    phases = [_PHASE[one.rule.phase] if one.rule else len(PHASES) for one in seen]
    return phases.index(min(phases))
