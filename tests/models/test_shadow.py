"""A challenger beside the champion: it never answers, wins by the test alone, and survives a checkpoint."""

from __future__ import annotations

import pytest

from models.challenge import MINIMUM
from models.classifiers import HashedLogistic
from models.records import CompilerErrors
from models.shadow import ChallengeError, begin, give_up
from models.snapshots import snapshot
from models.snapshots.frame import SnapshotError
from models.snapshots.rollback import go_back
from models.state import LineState
from models.step import answer, step
from tests.builders import NOW, build, diagnostic, feedback, model_command, random_builds, small_state

BUILDS = random_builds(3 * MINIMUM, seed=5)


def blind() -> HashedLogistic:
    """Return a classifier whose steps are zero: it answers with the first label that it met."""
    return HashedLogistic(bits=10, learning_rate=0.0)


def ran(records: list[CompilerErrors], state: LineState) -> LineState:
    for record in records:
        step(state, record, NOW)
    return state


class TestShadow:
    def test_a_challenger_changes_no_answer(self) -> None:
        """With a challenger that has no verdict yet, every answer is byte for byte what it is without one."""
        alone, accompanied = small_state(), small_state()
        begin(accompanied, "other", HashedLogistic(bits=10, learning_rate=1.9))
        for record in BUILDS[: MINIMUM // 2]:
            assert answer(alone, record, NOW) == answer(accompanied, record, NOW)
        assert accompanied.challenge is not None

    def test_learns_what_the_champion_learns(self) -> None:
        """A challenger that starts as the champion did, with the same settings, learns exactly the same."""
        state = small_state()
        begin(state, "twin", HashedLogistic(bits=10))
        ran(BUILDS[:50], state)
        assert state.challenge is not None
        assert state.challenge.classifier.weights.tobytes() == state.classifier.weights.tobytes()
        assert state.challenge.counts.builds > 0

    def test_another_size_is_refused(self) -> None:
        """A table of another size cannot read the champion's batches: an error that names both sizes."""
        with pytest.raises(ChallengeError, match=r"2\^12.*2\^10"):
            begin(small_state(), "large", HashedLogistic(bits=12))


class TestVerdict:
    def test_the_better_one_becomes_champion(self) -> None:
        """A challenger that wins the paired test answers from then on, and the next checkpoint is a base."""
        state = small_state(classifier=blind())
        begin(state, "better", challenger := HashedLogistic(bits=10))
        snapshot.mark_saved(state)
        assert state.challenge is not None
        state.challenge.test.wins = 40  # kinds are few here, and each votes once
        ran(BUILDS, state)
        assert state.classifier is challenger
        assert (state.challenge, state.origin) == (None, "better")
        assert state.replaced
        assert [one.verdict for one in state.outcomes] == ["promote"]
        assert state.model_version.startswith("better+")

    def test_the_worse_one_goes(self) -> None:
        """A challenger that loses is retired, the champion stays, and how it ended is kept."""
        state = small_state()
        champion = state.classifier
        begin(state, "worse", blind())
        ran(BUILDS, state)
        assert state.classifier is champion
        assert state.challenge is None
        (outcome,) = state.outcomes
        assert (outcome.name, outcome.verdict) == ("worse", "retire")
        assert outcome.losses > outcome.wins

    def test_an_equal_one_is_not_promoted(self) -> None:
        """A challenger that never differs from the champion has no vote, and stays what it is."""
        state = small_state()
        begin(state, "twin", HashedLogistic(bits=10))
        ran(BUILDS, state)
        assert state.challenge is not None
        assert (state.challenge.test.wins, state.challenge.test.losses) == (0, 0)

    def test_a_second_one_takes_the_place_of_the_first(self) -> None:
        """One challenger at a time: another ends the first without a verdict, and says so."""
        state = small_state()
        begin(state, "first", HashedLogistic(bits=10))
        begin(state, "second", HashedLogistic(bits=10))
        assert state.challenge is not None
        assert state.challenge.name == "second"
        assert [(one.name, one.verdict) for one in state.outcomes] == [("first", "replaced")]

    def test_going_back_ends_the_challenge(self) -> None:
        """After a rollback the champion is another one: what was measured against the last one does not count."""
        state = small_state()
        begin(state, "other", HashedLogistic(bits=10))
        go_back(state, small_state(), model_command())
        assert state.challenge is None
        assert [one.verdict for one in state.outcomes] == ["given up"]

    def test_giving_up_nothing_is_nothing(self) -> None:
        """Without a challenge there is nothing to give up."""
        state = small_state()
        give_up(state)
        assert not state.outcomes
        assert not state.replaced


class TestLateLabels:
    ODD = diagnostic("the frobnication was odd")  # that no rule knows

    def test_a_person_scores_what_was_said(self) -> None:
        """A label that comes late scores what both said when the build came, once per build."""
        state = small_state()
        begin(state, "other", HashedLogistic(bits=10))
        ran(BUILDS[:5], state)
        assert state.challenge is not None
        before = state.challenge.counts.builds
        step(state, build("odd", self.ODD, self.ODD), NOW)
        assert state.challenge.counts.builds == before  # no label came with it
        for index in (0, 1):
            step(state, feedback("odd", "LogicErrors", index=index), NOW)
        assert state.challenge.counts.builds == before + 1

    def test_a_build_that_a_rule_labelled_is_not_scored_again(self) -> None:
        """People who label a build that was scored with its rules' labels do not make a second vote of it."""
        state = small_state()
        begin(state, "other", HashedLogistic(bits=10))
        step(state, build("one", diagnostic()), NOW)
        assert state.challenge is not None
        before = state.challenge.counts.builds
        step(state, feedback("one", "LogicErrors"), NOW)
        assert state.challenge.counts.builds == before == 1


class TestCheckpoints:
    def challenged(self) -> LineState:
        state = small_state()
        begin(state, "other", HashedLogistic(bits=10, learning_rate=1.5))
        ran(BUILDS[:20], state)
        step(state, build("odd", TestLateLabels.ODD), NOW)
        return state

    def test_base_and_delta_carry_the_challenger(self) -> None:
        """A state put together from a base and a delta goes on exactly as the one that they were taken from."""
        state, restored = self.challenged(), small_state()
        snapshot.apply(restored, snapshot.base(state))
        snapshot.mark_saved(state)
        ran(BUILDS[20:40], state)
        snapshot.apply(restored, snapshot.delta(state))
        for one in (state, restored):
            step(one, feedback("odd", "LogicErrors"), NOW)
            ran(BUILDS[40:60], one)
        assert snapshot.base(restored) == snapshot.base(state)
        assert restored.challenge is not None

    def test_a_delta_with_another_challenger_is_refused(self) -> None:
        """A delta never lands on a state whose challenger is not the one that it speaks of."""
        state, other = self.challenged(), self.challenged()
        begin(other, "another", HashedLogistic(bits=10))
        before = snapshot.base(other)
        with pytest.raises(SnapshotError, match="challenger other, here is another"):
            snapshot.apply(other, snapshot.delta(state))
        assert snapshot.base(other) == before
