"""A challenger in the step: it predicts and learns what the champion does, and takes its place if it wins.

``models/challenge.py`` has the test and the verdict; this is what the state does with them.
"""

from __future__ import annotations

from models.calibration import Calibrator
from models.challenge import Challenge, Pair
from models.classifiers import HashedLogistic
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
    state.challenge, state.replaced = Challenge(name[:MAX_ORIGIN], classifier, rules), True


def give_up(state: LineState) -> None:
    """End the running challenge, if there is one, without a verdict."""
    _close(state, "given up")


def contend(state: LineState, build: Build, lesson: Lesson) -> list[Said]:
    """Score the challenger on a build that the champion has not learned yet, and let it learn where learning goes on.

    Returned is what both said of each diagnostic, for labels that come late; nothing where labels that score came with
    the build.
    """
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
    challenge = state.challenge
    if challenge is None or challenge.verdict == "running":
        return
    if challenge.verdict == "promote":
        state.classifier, state.calibrator, state.origin = challenge.classifier, Calibrator(), challenge.name
        state.changed_rows = []
    _close(state, challenge.verdict)


def _close(state: LineState, verdict: str) -> None:
    challenge = state.challenge
    if challenge is None:
        return
    outcome = Outcome(challenge.name, verdict, challenge.counts.builds, challenge.test.wins, challenge.test.losses)
    state.outcomes = [*state.outcomes, outcome][-MAX_OUTCOMES:]
    state.challenge, state.challenge_rows, state.replaced = None, [], True
