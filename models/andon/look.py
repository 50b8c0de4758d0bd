"""What the step shows the watchman of a build, and the recall of the last good model when a model has degraded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from models.andon.watchman import Sight
from models.drift import Seen
from models.hybrid import Build, Decision
from models.labels.model import LabelModel, Votes
from models.novelty import Sighting
from models.records import AndonEvent, CompilerErrors
from models.shadow import begin, conclude, doubt, give_up
from models.sparse import Rows
from models.state import LineState
from models.taxonomy import UNKNOWN

RECALL = "last-good-"  # begins the name of a challenger that is the partition's own earlier model


def sight(
    record: CompilerErrors,
    build: Build,
    decisions: Sequence[Decision],
    found: Sequence[str | None],
    *,
    met: Sequence[Sighting] = (),
    weights: Sequence[float] = (),
    functions: LabelModel | None = None,
) -> Sight:
    """Return what there is to see of a build: ``found`` are its labels, nothing where none is known.

    How far the sources of labels agree is the share of the ``functions`` that voted for a diagnostic's label.
    """
    known = [(one, label) for one, label in zip(build.seen, found, strict=True) if label is not None]
    seen = Seen(
        record.project,
        record.id,
        [label for _, label in known],
        sum([not one.seen for one in met]),
        [one.confidence for one, _ in known],
        [one.best == label for one, label in known],
        [] if functions is None else [_agreement(functions, one.example.votes, label) for one, label in known],
        list(weights),
    )
    unknown = all(one.label == UNKNOWN for one in decisions)
    finite = bool(np.isfinite(build.logits.sum()))
    return Sight(seen, [one.best for one, _ in known], [label for _, label in known], unknown, finite)


def _agreement(functions: LabelModel, votes: Votes, label: str) -> float:
    labels = functions.agreement
    size, column = len(labels.labels), labels.column(label)
    return sum([slot % size == column for slot in votes.slots]) / len(votes.slots) if votes.slots else 1.0


def recall(state: LineState, earlier: LineState, sequence: int) -> None:
    """Let the classifier of an earlier base predict in shadow; it answers once it wins the paired test.

    It learns nothing while learning is stopped, as the champion does: the two are compared as they are. Raises
    ``ChallengeError`` when its table has another size.
    """
    begin(state, f"{RECALL}{sequence}", earlier.classifier)


def wanted(state: LineState, events: Sequence[AndonEvent]) -> int | None:
    """Return, where a model has just degraded, how many compilations had been answered when that began."""
    for event in events:
        if _degraded(event):
            return event.answered if event.answered is not None else _answered_before(state, event.first_build)
    return None


def _degraded(event: AndonEvent) -> bool:
    return event.kind == "ModelDegradation" and event.transition == "raised"


def _answered_before(state: LineState, build: str | None) -> int:
    """Return how many compilations were answered before a build; of one no longer held, as many as are not held."""
    keys = [recent.key for recent in state.recent.contents()[0]]
    places = [place for place, key in enumerate(keys) if build is not None and key.endswith(f" {build}")]
    return max(0, state.failures - len(keys) + (places[0] if places else 0))


def refuse_broken(state: LineState, rows: Rows) -> None:
    """Forget what has just been learned into rows of the classifier where it is no finite number; the andon then halts.

    A checkpoint with such numbers would be refused when it is read.
    """
    if state.classifier.mend(rows):
        state.watch.broken = True


def judge(state: LineState, source: str, now: datetime) -> None:
    """Act on the challenger's verdict as ``shadow.conclude`` does, and tell when it was the recalled model that won."""
    if state.students and any(_degraded(event) for event in state.watch.events) and doubt(state):
        state.watch.shortfall.restart()
    name = state.challenge.name if state.challenge is not None else ""
    conclude(state)
    if not name or state.challenge is not None or state.outcomes[-1].verdict != "promote":
        return
    state.watch.shortfall.restart()  # it was another model that may have fallen behind
    if name.startswith(RECALL):
        state.watch.recalled(source, now)


def end_recall(state: LineState) -> None:
    """Give up a recall that has not come to a verdict: a person resumes, and learning goes on without it."""
    if state.challenge is not None and state.challenge.name.startswith(RECALL):
        give_up(state)
