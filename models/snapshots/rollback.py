"""Going back to an earlier model: its classifier comes back, what was answered and learned from stays known."""

from __future__ import annotations

from models.records import ModelCommand
from models.shadow import give_up
from models.snapshots.header import MAX_ORIGIN
from models.state import LineState

MARK = "/rollback-"


def taken(state: LineState, command: ModelCommand) -> bool:
    """Return whether the command was obeyed before: it may stand on its topic twice."""
    return state.recent.learned(key_of(command))


def go_back(state: LineState, earlier: LineState, command: ModelCommand) -> None:
    """Give ``state`` the classifier and student of ``earlier``, the state of the base named, and its calibration.

    Everything else stays: answered failures and ids, or they would be learned twice; what people said; the scores,
    which are those of the answers that were given. The origin tells since when: ``warm-start/rollback-4242``.
    """
    state.recent.add_id(key_of(command))
    give_up(state)  # it was measured against another champion
    state.classifier, state.calibrator = earlier.classifier, earlier.calibrator
    state.students.answering = earlier.students.answering
    mark = f"{MARK}{command.sequence}"
    state.origin = earlier.origin.partition(MARK)[0][: MAX_ORIGIN - len(mark)] + mark


def key_of(command: ModelCommand) -> str:
    """Return the key under which an obeyed command is remembered."""
    return f"command {command.project} {command.id}"
