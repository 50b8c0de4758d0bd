"""Models to start from: the small one that ships with the project, for a useful first answer, and saved ones."""

from __future__ import annotations

from functools import cache
from importlib import resources

from models.classifiers import HashedLogistic
from models.snapshots import snapshot
from models.state import LineState

NAME = "warm_start.jdk"


@cache
def packed() -> bytes:
    """Return the bundled snapshot."""
    return (resources.files("models") / "data" / NAME).read_bytes()


def warm_state() -> LineState:
    """Return a new state whose classifier starts from the bundled model; everything else is empty."""
    state = LineState()
    snapshot.apply(state, packed())
    return state


def pack(classifier: HashedLogistic, origin: str) -> bytes:
    """Return ``classifier`` alone as a snapshot to start from: no scores, no failures, no feedback."""
    return snapshot.base(LineState(classifier=classifier, origin=origin))


def saved(state: LineState, origin: str) -> bytes:
    """Return the model of ``state`` as a snapshot, with its calibration and scores; no failures, no feedback."""
    return snapshot.base(
        LineState(classifier=state.classifier, calibrator=state.calibrator, scores=state.scores, origin=origin)
    )
