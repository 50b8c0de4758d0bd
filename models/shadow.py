"""A challenger in the step: it predicts and learns what the champion does, and takes its place if it wins.

``models/challenge.py`` has the test and the verdict; this is what the state does with them.
"""

from __future__ import annotations

from models.calibration import Calibrator
from models.challenge import Challenge, Duel, Pair
from models.classifiers import HashedLogistic
from models.ensemble import Served
from models.hybrid import Build
from models.lessons import Lesson
from models.memory import Example, Said
from models.snapshots.header import MAX_ORIGIN, MAX_OUTCOMES
from models.state import LineState, Outcome


class ChallengeError(ValueError):
    """A challenger that cannot run beside the champion; the message says why."""


def begin(state: LineState, name: str, classifier: HashedLogistic, *, rules: bool = True) -> None:
    """Let a classifier run in shadow; one that ran before is given up without a verdict.

    With ``rules=False`` only the labels of people decide.

    Raises ``ChallengeError`` when its table has another size than the champion's.
    """
    if classifier.bits != state.classifier.bits:
        raise ChallengeError(f"a table of 2^{classifier.bits} rows; the champion's has 2^{state.classifier.bits}")
    _close(state, "replaced")
    state.challenge, state.replaced = Challenge(name[:MAX_ORIGIN], classifier, rules=rules), True


def give_up(state: LineState) -> None:
    """End the running challenges, a student's too, without a verdict."""
    _close(state, "given up")
    _close_trial(state, "given up")


def begin_trial(state: LineState, served: Served) -> None:
    """Let a student predict in shadow; one that did before is given up without a verdict."""
    _close_trial(state, "replaced")
    state.students.trial, state.replaced = served, True


def admit(state: LineState, served: Served | None) -> None:
    """Let a student answer beside the classifier from now on, instead of the one that does; ``None``: none at all."""
    _close_trial(state, "replaced")
    state.students.answering, state.calibrator, state.replaced = served, Calibrator(), True


def contend(state: LineState, build: Build, lesson: Lesson) -> list[Said]:
    """Score the challenger on a build that the champion has not learned yet, and let it learn where learning goes on.

    Returned is what both said of each diagnostic, for labels that come late; nothing where labels that score came with
    the build.
    """
    if state.students:
        kinds = [(one.example.key, truth, one.best) for one, truth in zip(build.seen, lesson.truths, strict=True)]
        state.students.contend(state.classifier.labels, kinds)
    challenge = state.challenge
    if challenge is None:
        return []
    opinions, activations = challenge.predict(build.batch)
    said = [(one.best, opinion) for one, opinion in zip(build.seen, opinions, strict=True)]
    if lesson.weights:
        before = lesson.of(activations)
        changed = challenge.classifier.learn_batch(lesson.batch, lesson.labels, lesson.weights, before)
        if len(changed):
            state.challenge_rows.append(changed)
    scored = zip(build.seen, lesson.truths, said, strict=True)
    pairs = [Pair(one.example.key, truth, *both) for one, truth, both in scored if truth is not None]
    challenge.score(pairs)
    return [] if pairs and challenge.rules else said


def late(state: LineState, example: Example, label: str, *, people: bool) -> bool:
    """Score a label that came late for an example whose opinions were kept; return whether it counted."""
    challenge = state.challenge
    if challenge is None or example.said is None or not (people or challenge.rules):
        return False
    challenge.score([Pair(example.key, label, *example.said)], people=people)
    return True


def conclude(state: LineState) -> None:
    """Act on a verdict: a winner becomes the champion, a loser goes. The next checkpoint is a base then."""
    if state.students:
        _conclude_students(state)
    challenge = state.challenge
    if challenge is None or challenge.verdict == "running":
        return
    if challenge.verdict == "promote":
        state.classifier, state.calibrator, state.origin = challenge.classifier, Calibrator(), challenge.name
        state.changed_rows = []
        dismiss(state, "another classifier was better alone")
    _close(state, challenge.verdict)


def replace_classifier(state: LineState, name: str, classifier: HashedLogistic) -> None:
    """Let another classifier answer from now on, alone, with a calibration of its own.

    Raises ``ChallengeError`` when its table has another size: examples that are kept for late labels would not fit.
    """
    if classifier.bits != state.classifier.bits:
        raise ChallengeError(f"a table of 2^{classifier.bits} rows; the champion's has 2^{state.classifier.bits}")
    give_up(state)
    dismiss(state, "another classifier was promoted")
    state.classifier, state.calibrator, state.origin = classifier, Calibrator(), name[:MAX_ORIGIN]
    state.changed_rows, state.replaced = [], True


def _close(state: LineState, verdict: str) -> None:
    challenge = state.challenge
    if challenge is None:
        return
    _note(state, challenge, verdict)
    state.challenge, state.challenge_rows, state.replaced = None, [], True


def _conclude_students(state: LineState) -> None:
    """Let a student in that has won, and one out beside which the classifier alone was better."""
    students = state.students
    trial, answering = students.trial, students.answering
    if trial is not None and trial.duel.verdict != "running":
        _close_trial(state, trial.duel.verdict)
        if trial.duel.verdict == "promote":
            trial.duel = Duel(trial.member.name)
            admit(state, trial)
    elif answering is not None and answering.duel.verdict == "promote":
        dismiss(state, "the classifier alone was better")
    elif answering is not None and answering.duel.verdict == "retire":  # it has proved itself: the next test begins
        answering.duel = Duel(answering.member.name)


def dismiss(state: LineState, why: str) -> None:
    """Let the student that answers, if there is one, answer no more; why is told where challenges are listed."""
    answering = state.students.answering
    if answering is None:
        return
    _note(state, answering.duel, why)
    admit(state, None)


def doubt(state: LineState) -> bool:
    """Dismiss the student that answers when a model has degraded, unless it is ahead of the classifier alone.

    What is left has learned all along, and what it was asked is the same: this is the model before the student came.
    Returned is whether it went.
    """
    answering = state.students.answering
    if answering is None or answering.duel.test.losses > answering.duel.test.wins:
        return False
    dismiss(state, "the model degraded")
    return True


def _close_trial(state: LineState, verdict: str) -> None:
    trial = state.students.trial
    if trial is not None:
        _note(state, trial.duel, verdict)
        state.students.trial, state.replaced = None, True


def _note(state: LineState, duel: Duel, verdict: str) -> None:
    outcome = Outcome(duel.name, verdict, duel.counts.builds, duel.test.wins, duel.test.losses)
    state.outcomes = [*state.outcomes, outcome][-MAX_OUTCOMES:]
