"""Students beside the online classifier: what they add, how they get in, and how they get out."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from models.card import ModelFileError
from models.challenge import MINIMUM, Duel, PairedTest
from models.classifiers import HashedLogistic
from models.describe import describe
from models.ensemble import MAX_EVIDENCE, Ensemble, Member, serve
from models.records import AndonEvent, CompilerErrors
from models.shadow import admit, begin, begin_trial, dismiss, doubt, give_up
from models.snapshots import snapshot
from models.snapshots.frame import SnapshotError, unpack
from models.state import LineState
from models.step import step
from tests.builders import NOW, build, diagnostic, random_builds, small_state
from tests.students import KNOWN, served, student

BUILDS = random_builds(300, seed=7)


def through(state: LineState, builds: list[CompilerErrors]) -> LineState:
    for one in builds:
        step(state, one, NOW)
    return state


MISMATCHED = next(one for one in BUILDS if one.diagnostics[0].code == "E0308")


def shown(one: CompilerErrors) -> bytes:
    """Return the hashed features of a build's first diagnostic."""
    return b"".join(part.hashes for part in describe("category", one.diagnostics[0], 0, len(one.diagnostics)))


def slow_state() -> LineState:
    """Return an empty state whose classifier learns slowly: it is unsure for a long time."""
    return small_state(classifier=HashedLogistic(bits=10, learning_rate=0.01))


def sure(duel: Duel, wins: int, losses: int) -> None:
    """Let a duel stand as if so many votes had been cast."""
    duel.test = PairedTest(wins, losses)
    duel.counts.only_challenger, duel.counts.only_champion = MINIMUM + wins, losses


class TestEvidence:
    def test_is_of_known_labels_only(self) -> None:
        """The probability of a label that the student does not know stays what it was, whatever the student says."""
        member, labels = served(BUILDS).member, ["Concurrency", "TypeErrors", "OwnershipBorrow"]
        logits = np.array([[1.0, 0.5, -2.0], [-3.0, 0.0, 4.0]], np.float32)
        joined = member.join(logits, [shown(MISMATCHED), shown(MISMATCHED)], labels)
        before, after = (np.exp(one) / np.exp(one).sum(1, keepdims=True) for one in (logits, joined))
        np.testing.assert_allclose(after[:, 0], before[:, 0], rtol=1e-5)
        assert np.abs((after - before)[0, 1:]).min() > 0.01

    def test_is_bounded(self) -> None:
        """A classifier that is sure enough outvotes a student that is sure and wrong."""
        member, labels = served(BUILDS, wrong=1).member, list(KNOWN)
        logits = np.full((1, len(labels)), -5.0, np.float32)
        logits[0, labels.index("TypeErrors")] = 5.0
        for one in BUILDS[:20]:
            assert member.join(logits, [shown(one)], labels).argmax() == labels.index("TypeErrors")
        assert MAX_EVIDENCE < 5.0

    def test_new_labels_are_found(self) -> None:
        """A label that the classifier meets later gets the student's evidence from then on; one alone gets none."""
        member, labels = served(BUILDS).member, ["TypeErrors"]
        np.testing.assert_allclose(member.join(np.zeros((1, 1), np.float32), [shown(MISMATCHED)], labels), 0.0)
        labels.append("OwnershipBorrow")
        assert member.join(np.zeros((1, 2), np.float32), [shown(MISMATCHED)], labels).any()

    def test_without_students_nothing_is_touched(self) -> None:
        """Where there is no student the classifier's log-odds are passed on as they are."""
        logits = np.ones((1, 2), np.float32)
        assert Ensemble().join(logits, [b""], ["a", "b"]) is logits

    def test_a_student_of_another_kind_is_refused(self) -> None:
        """A card that does not fit the graph, or a graph that is none, is refused before it answers anything."""
        card, weights = student(BUILDS)
        for wrong in ((card, weights[:-1]), (card.replace(b'"bits": 10', b'"bits": 9'), b"no graph"), (b"{}", weights)):
            with pytest.raises(ModelFileError):
                Member("wrong", *wrong)
        with pytest.raises(ModelFileError, match="of source"):
            Member("code", card.replace(b'"describe": "category"', b'"describe": "source"'), weights)


class TestAnswers:
    def test_the_two_answer_together(self) -> None:
        """Before the classifier has learned much, a student that has seen such builds makes the answers right."""
        alone, both = slow_state(), slow_state()
        admit(both, served(BUILDS[100:]))
        for state in (alone, both):
            through(state, BUILDS[:100])
        assert both.scores.accuracy > alone.scores.accuracy
        assert both.model_version.endswith("+student-1")

    def test_the_classifier_learns_as_it_does_alone(self) -> None:
        """What the classifier learns does not depend on the student: without it, it is the model of before."""
        alone, both = through(small_state(), BUILDS[:80]), small_state()
        admit(both, served(BUILDS))
        through(both, BUILDS[:80])
        np.testing.assert_array_equal(alone.classifier.weights, both.classifier.weights)


class TestTrial:
    def test_a_better_one_gets_in(self) -> None:
        """A student that wins the paired test answers from the next build on, and is noted."""
        state, one = through(small_state(), BUILDS[:20]), served(BUILDS)
        begin_trial(state, one)
        sure(one.duel, wins=40, losses=1)
        through(state, BUILDS[20:25])
        assert state.students.answering is not None
        assert state.students.answering.member is one.member
        assert state.students.trial is None
        assert [(kept.name, kept.verdict) for kept in state.outcomes] == [("student-1", "promote")]

    def test_a_wrong_one_does_not(self) -> None:
        """A student that answers wrongly loses its votes, and the answers stay what they were."""
        state, alone = through(slow_state(), BUILDS[:100]), through(slow_state(), BUILDS[:100])
        begin_trial(state, served(BUILDS, wrong=1))
        for one in BUILDS[100:250]:
            (with_trial,), (without,) = step(state, one, NOW), step(alone, one, NOW)
            assert with_trial.classifications == without.classifications
        duel = state.students.trial.duel if state.students.trial is not None else None
        assert duel is None or duel.test.losses > duel.test.wins

    def test_one_that_lags_behind_gets_out(self) -> None:
        """A student beside which the classifier alone is right more often goes by itself."""
        state = through(small_state(), BUILDS[:50])
        one = served(BUILDS)
        admit(state, one)
        sure(one.duel, wins=40, losses=1)
        step(state, BUILDS[60], NOW)
        assert state.students.answering is None
        assert state.outcomes[-1].verdict == "the classifier alone was better"

    def test_one_that_has_proved_itself_is_tested_on(self) -> None:
        """A student that beats the classifier alone stays, and its next test begins at nothing."""
        state, one = through(small_state(), BUILDS[:50]), served(BUILDS)
        admit(state, one)
        sure(one.duel, wins=1, losses=40)
        step(state, BUILDS[60], NOW)
        assert state.students.answering is one
        assert one.duel.counts.builds <= 1

    def test_another_classifier_that_wins_wins_alone(self) -> None:
        """A classifier that beat the two in the test answers alone: that is what was measured."""
        state = through(small_state(), BUILDS[:50])
        admit(state, served(BUILDS))
        begin(state, "other", small_state().classifier)
        assert state.challenge is not None
        sure(state.challenge, wins=40, losses=1)
        step(state, BUILDS[60], NOW)
        assert (state.origin, state.students.answering) == ("other", None)

    def test_giving_up(self) -> None:
        """A challenge that is given up ends a student's too."""
        state = small_state()
        begin_trial(state, served(BUILDS))
        give_up(state)
        assert not state.students
        assert state.outcomes[-1].verdict == "given up"


class TestDegradation:
    def degraded(self, wins: int, losses: int) -> LineState:
        """Return a state with a student whose model has just degraded, with the votes of the classifier alone."""
        state = through(small_state(), BUILDS[:20])
        admit(state, served(BUILDS))
        assert state.students.answering is not None
        state.students.answering.duel.test = PairedTest(wins, losses)
        state.watch.events.append(
            AndonEvent(
                id="event",
                time=datetime.now(UTC),
                project="demo",
                kind="ModelDegradation",
                severity="halt",
                message="x",
            )
        )
        step(state, BUILDS[30], NOW)
        return state

    def test_the_student_goes_at_once(self) -> None:
        """When the model degrades, a student that is not ahead goes with that build: the model before it answers."""
        state = self.degraded(wins=0, losses=0)
        assert state.students.answering is None
        assert state.outcomes[-1].verdict == "the model degraded"

    def test_one_that_is_ahead_stays(self) -> None:
        """A student that is ahead of the classifier alone is not what degraded."""
        assert self.degraded(wins=2, losses=9).students.answering is not None

    def test_without_a_student_nothing_happens(self) -> None:
        """Where none answers there is nothing to doubt."""
        assert not doubt(small_state())
        dismiss(state := small_state(), "why")
        assert state.outcomes == []


class TestSnapshots:
    def test_come_back_from_a_base_and_go_on_in_deltas(self) -> None:
        """A restored state has both students, their tests, and answers as the other one does, byte for byte."""
        state = through(small_state(), BUILDS[:20])
        admit(state, served(BUILDS[50:]))
        begin_trial(state, served(BUILDS[:40], name="student-2"))
        first = snapshot.base(state)
        snapshot.mark_saved(state)
        through(state, BUILDS[20:60])
        second = snapshot.delta(state)
        restored = small_state()
        for packed in (first, second):
            snapshot.apply(restored, packed)
        assert "answering_weights" in unpack(first)[1]
        assert not any("answering" in name or "trial" in name for name in unpack(second)[1])
        assert restored.model_version == state.model_version
        assert snapshot.base(restored) == snapshot.base(state)
        for one in BUILDS[60:80]:
            assert step(restored, one, NOW) == step(state, one, NOW)
        assert snapshot.base(restored) == snapshot.base(state)

    def test_a_student_that_is_not_there_is_refused(self) -> None:
        """A delta on a state without its student, or with another, is refused, and nothing has changed."""
        state = small_state()
        admit(state, served(BUILDS[:50]))
        snapshot.mark_saved(state)
        step(state, BUILDS[0], NOW)
        packed = snapshot.delta(state)
        other = small_state()
        with pytest.raises(SnapshotError, match="not there"):
            snapshot.apply(other, packed)
        admit(other, served(BUILDS[50:]))
        with pytest.raises(SnapshotError, match="another one"):
            snapshot.apply(other, packed)
        assert other.failures == 0

    def test_one_without_students_ends_them(self) -> None:
        """A later base without students leaves none behind."""
        state = small_state()
        empty = snapshot.base(state)
        admit(state, served(BUILDS[:50]))
        snapshot.apply(state, empty)
        assert not state.students


def test_a_student_says_nothing_of_messages_without_label() -> None:
    """Diagnostics without a label are answered with the student, and score nobody."""
    state = through(small_state(), BUILDS[:30])
    one = serve("student-1", *student(BUILDS))
    admit(state, one)
    before = one.duel.counts.builds
    step(state, build("unknown", diagnostic("the best of all frobnications")), NOW)
    assert one.duel.counts.builds == before
