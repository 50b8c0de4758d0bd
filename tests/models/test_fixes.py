"""Fixes in predictions: told with their measured rate, and moved by what was applied and rejected."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.fixes import Fixes, template_of
from models.records import Feedback
from models.snapshots import snapshot
from models.state import LineState
from models.step import step
from tests.builders import NOW, build, diagnostic, feedback, small_state

CAST, CLONE = "numeric-cast", "clone"


def said(failure_id: str, pattern: str, *, applied: bool, number: int = 0) -> Feedback:
    """Return what somebody did with a fix."""
    plain = feedback(failure_id, "TypeErrors", feedback_id=f"{failure_id}-{pattern}-{applied}-{number}")
    return plain.model_copy(update={"fix": pattern, "applied": applied})


def answered(state: LineState, name: str) -> object:
    """Return the fix in the answer to a mismatch of types."""
    (prediction,) = step(state, build(name, diagnostic(f"mismatched types: `{name}`", "E0308")), NOW)
    return prediction.classifications[0].fix


class TestStep:
    def test_nothing_is_told_before_something_was_measured(self) -> None:
        """Without outcomes for a kind of error no fix is named."""
        assert answered(small_state(), "one") is None

    def test_the_best_is_told_and_feedback_moves_it(self) -> None:
        """What was applied goes with later answers of that kind, and what is rejected more often gives way."""
        state = small_state()
        answered(state, "one")
        step(state, said("one", CAST, applied=True), NOW)
        first = answered(state, "two")
        assert (getattr(first, "pattern", None), getattr(first, "outcomes", None)) == (CAST, 1)
        for number in range(4):
            step(state, said("one", CAST, applied=False, number=number), NOW)
            step(state, said("one", CLONE, applied=True, number=number), NOW)
        second = answered(state, "three")
        assert (getattr(second, "pattern", None), getattr(second, "outcomes", None)) == (CLONE, 4)

    def test_the_category_is_not_learned(self) -> None:
        """What was done with a fix says nothing of the category."""
        state = small_state()
        answered(state, "one")
        before = (state.classifier.examples, state.feedback.dump())
        step(state, said("one", CAST, applied=True), NOW)
        assert (state.classifier.examples, state.feedback.dump()) == before

    def test_it_is_in_the_checkpoint(self) -> None:
        """A restored state tells the same fix."""
        state, restored = small_state(), small_state()
        answered(state, "one")
        step(state, said("one", CAST, applied=True), NOW)
        snapshot.apply(restored, snapshot.base(state))
        assert answered(restored, "two") == answered(state, "two")


class TestFixes:
    def test_are_bounded(self) -> None:
        """Beyond the capacity the one longest untouched is forgotten, and counts no more."""
        fixes = Fixes(capacity=2)
        for code in ("E0001", "E0002", "E0003"):
            fixes.learn(CAST, template_of(code, "message"), applied=True)
        assert [fixes.best(code, "message") is not None for code in ("E0001", "E0002", "E0003")] == [False, True, True]

    def test_half_a_verdict_is_refused(self) -> None:
        """A fix without what became of it is no record."""
        with pytest.raises(ValidationError, match="fix and applied belong together"):
            Feedback.model_validate(feedback("one", "TypeErrors").model_dump() | {"fix": CAST})
