"""Tasks: who is asked what, what counts as the truth, and that nobody sees the code."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from models.classifiers import CLASSIFIERS, HashedLogistic
from models.evaluation.outcome_task import OutcomeLearner
from models.evaluation.scorecard import Opinion
from models.evaluation.splits import Entry, Group
from models.evaluation.tasks import (
    DESCRIBE,
    EPOCH,
    LineLearner,
    RivalLearner,
    SourceLearner,
    distinct_programs,
    importance,
    learner,
    source_features,
)
from models.records import CompilerErrors
from models.step import step
from models.taxonomy import rule_for
from models.weighting import LongTailWeights
from tests.builders import build, diagnostic, feedback, random_builds, small_state, span

BUILDS = random_builds(60, seed=13)
MAKERS: dict[str, Callable[[], Any]] = {
    "line": lambda: LineLearner(small_state()),
    "source": lambda: SourceLearner(HashedLogistic(bits=10)),
    "rival": lambda: RivalLearner(HashedLogistic(bits=10), DESCRIBE["category"]),
    "rival of source": lambda: RivalLearner(HashedLogistic(bits=10), source_features),
}
each_learner = pytest.mark.parametrize("name", MAKERS)


def recoded(record: CompilerErrors, code: str | None) -> CompilerErrors:
    """Return the record with another code on each diagnostic, and other file names."""
    changed = tuple(
        one.model_copy(
            update={
                "code": code,
                "file": "E0000.rs",
                "spans": tuple(place.model_copy(update={"file": "E0000.rs"}) for place in one.spans),
            }
        )
        for one in record.diagnostics
    )
    return record.model_copy(update={"diagnostics": changed})


def share_right(opinions: list[Opinion]) -> float:
    """Return the share of right predictions."""
    return sum(one.predicted == one.truth for one in opinions) / len(opinions)


class TestEveryLearner:
    @each_learner
    def test_asks_before_it_learns(self, name: str) -> None:
        """The first build is answered with nothing; all its diagnostics are predicted before any is learned."""
        one = MAKERS[name]()
        twice = build("b", *[diagnostic("mismatched types", "E0308", spans=(span(),))] * 2)
        assert [(said.truth, said.predicted, list(said.shares)) for said in one.take(twice, learn=True)] == [
            ("TypeErrors", None, [])
        ] * 2
        assert list(one.labels) == ["TypeErrors"]

    @each_learner
    def test_learns(self, name: str) -> None:
        """What was learned is known: the second half of a stream is mostly right, and shares are the labels'."""
        one = MAKERS[name]()
        opinions = [said for record in BUILDS for said in one.take(record, learn=True)]
        assert share_right(opinions[len(opinions) // 2 :]) > 0.8
        assert len(opinions[-1].shares) == len(one.labels)
        assert [said.predicted for said in opinions if said.shares] == [
            one.labels[list(said.shares).index(max(said.shares))] for said in opinions if said.shares
        ]

    @each_learner
    def test_truth_is_the_rule_of_the_code(self, name: str) -> None:
        """Each diagnostic that a rule knows is an example with that label, and goes with its code for the baseline."""
        one = MAKERS[name]()
        known = [(rule_for(d.code, d.message), d.code) for record in BUILDS for d in record.diagnostics]
        expected = [(rule.label, code) for rule, code in known if rule is not None]
        assert [(said.truth, said.code) for r in BUILDS for said in one.take(r, learn=True)] == expected

    @each_learner
    def test_frozen_learns_nothing(self, name: str) -> None:
        """Asked without learning, it answers the same ever again."""
        one = MAKERS[name]()
        for record in BUILDS[:30]:
            one.take(record, learn=True)
        questions = [record.model_copy(update={"id": f"again-{record.id}"}) for record in BUILDS[30:]]
        first = [one.take(record, learn=False) for record in questions]
        others = [record.model_copy(update={"id": f"more-{record.id}"}) for record in questions]
        assert [one.take(record, learn=False) for record in others] == first

    @each_learner
    def test_never_sees_the_code(self, name: str) -> None:
        """Other codes and file names change no answer."""
        one = MAKERS[name]()
        for record in BUILDS[:30]:
            one.take(record, learn=True)
        for number, record in enumerate(BUILDS[30:]):
            said = one.take(recoded(record, "E0277").model_copy(update={"id": f"x{number}"}), learn=False)
            other = one.take(recoded(record, "E0382").model_copy(update={"id": f"y{number}"}), learn=False)
            assert [(a.predicted, a.shares) for a in said] == [(b.predicted, b.shares) for b in other]
            assert len(said) == len(record.diagnostics)

    @each_learner
    def test_nothing_known(self, name: str) -> None:
        """A build that no rule knows is no example."""
        assert MAKERS[name]().take(build("b", diagnostic("the oddest of all frobnications")), learn=True) == []


class TestLineLearner:
    def test_is_the_step_of_the_stream(self) -> None:
        """Learning by it leaves the very state that the stream's step leaves, and scores what its scores say."""
        replayed, stepped = LineLearner(small_state()), small_state()
        opinions = [said for record in BUILDS for said in replayed.take(record, learn=True)]
        for record in BUILDS:
            step(stepped, record, EPOCH)
        assert replayed.state.classifier.weights.tobytes() == stepped.classifier.weights.tobytes()
        assert share_right(opinions) == stepped.scores.accuracy
        assert len(opinions) == stepped.scores.n

    def test_a_failure_known_already_is_no_example(self) -> None:
        """The stream learns no failure twice, so it is not scored twice either."""
        one = LineLearner(small_state())
        assert len(one.take(BUILDS[0], learn=True)) > 0
        assert one.take(BUILDS[0], learn=True) == []

    def test_truth_is_not_what_people_said(self) -> None:
        """Feedback teaches the model, but the examples that it is scored on keep the code table's label."""
        one = LineLearner(small_state())
        for number in range(8):
            one.take(build(f"b{number}", diagnostic("mismatched types", "E0308")), learn=True)
            step(one.state, feedback(f"b{number}", "ApiMisuse"), EPOCH)
        (learned,) = one.take(build("c", diagnostic("mismatched types", "E0308")), learn=True)
        (asked,) = one.take(build("d", diagnostic("mismatched types", "E0308")), learn=False)
        assert (learned.truth, asked.truth) == ("TypeErrors", "TypeErrors")
        assert asked.predicted == "ApiMisuse"

    def test_keeps_nothing_for_a_checkpoint(self) -> None:
        """A long replay does not collect what only a checkpoint would need."""
        one = LineLearner(small_state())
        for record in BUILDS:
            one.take(record, learn=True)
        assert (one.state.recent.added, one.state.changed_rows) == ([], [])

    def test_equals_the_rival_of_its_own_kind(self) -> None:
        """Given the same classifier, no weights and single diagnostics, it predicts as the rivals' loop does."""
        ours = LineLearner(small_state(weights=LongTailWeights(enabled=False)))
        rival = RivalLearner(HashedLogistic(bits=10), DESCRIBE["category"])
        for number, record in enumerate(BUILDS):
            alone = build(f"s{number}", record.diagnostics[0])
            said, other = ours.take(alone, learn=True), rival.take(alone, learn=True)
            assert [(a.truth, a.predicted) for a in said] == [(b.truth, b.predicted) for b in other]


class TestSourceLearner:
    def test_knows_no_message(self) -> None:
        """Other messages, notes and labels change no answer: only the code is read."""
        one = SourceLearner(HashedLogistic(bits=10))
        for record in BUILDS[:30]:
            one.take(record, learn=True)
        place = span("    let x = «y».clone();")
        told = diagnostic("mismatched types", "E0308", spans=(place,))
        other = diagnostic("cannot move", "E0382", spans=(place.model_copy(update={"label": "moved here"}),))
        (said,), (again,) = (one.take(build(x.message[:3], x), learn=False) for x in (told, other))
        assert (said.predicted, said.shares) == (again.predicted, again.shares)

    def test_probabilities(self) -> None:
        """Shares are calibrated probabilities: they sum to one."""
        one = SourceLearner(HashedLogistic(bits=10))
        opinions = [said for record in BUILDS for said in one.take(record, learn=True)]
        assert any(said.shares for said in opinions)
        assert all(sum(said.shares) == pytest.approx(1, abs=1e-5) for said in opinions if said.shares)

    def test_unmarked(self) -> None:
        """Without the mark, where in its line the compiler points changes no answer."""
        one = SourceLearner(HashedLogistic(bits=10), mark=False)
        for record in BUILDS[:30]:
            one.take(record, learn=True)
        lines = ("    let x = «y».clone();", "    let «x» = y.clone();")
        answers = [one.take(build("b", diagnostic("m", "E0308", spans=(span(line),))), learn=False) for line in lines]
        assert answers[0] == answers[1]


class Tried(NamedTuple):
    """A program and what became of it."""

    source: str
    compiles: bool
    first_error_code: str | None = None


class TestOutcomeLearner:
    PLAIN = Tried("def f(a: int) -> int:\n    return a + 1\n", compiles=True)
    LAZY = Tried("def g():\n    yield 1\n", compiles=False, first_error_code="E0277")

    def test_asks_before_it_learns(self) -> None:
        """Before the first verdict both are as likely; the verdict is learned only when it is to be."""
        one = learner("outcome", "logistic")
        assert isinstance(one, OutcomeLearner)
        for learn in (False, True):
            (said,) = one.take(self.LAZY, learn=learn)
            assert (said.truth, list(said.shares)) == ("fails", [0.5, 0.5])
        (said,) = one.take(self.LAZY, learn=False)
        assert (said.predicted, said.shares[list(one.labels).index("fails")] > 0.5) == ("fails", True)

    def test_learns(self) -> None:
        """Two kinds of programs are told apart; shares are probabilities, and no code is there for the lookup."""
        one = OutcomeLearner()
        for _ in range(10):
            one.take(self.PLAIN, learn=True)
            one.take(self.LAZY, learn=True)
        answers = [one.take(program, learn=False)[0] for program in (self.PLAIN, self.LAZY)]
        assert [(said.truth, said.predicted) for said in answers] == [("compiles", "compiles"), ("fails", "fails")]
        assert all(sum(said.shares) == pytest.approx(1) and said.code is None for said in answers)

    def test_never_sees_the_verdict(self) -> None:
        """What became of the program changes no answer to it."""
        one = OutcomeLearner()
        one.take(self.PLAIN, learn=True)
        other = self.PLAIN._replace(compiles=False, first_error_code="E0308")
        (said,), (again,) = one.take(self.PLAIN, learn=False), one.take(other, learn=False)
        assert (said.predicted, list(said.shares)) == (again.predicted, list(again.shares))

    def test_distinct_programs(self) -> None:
        """Of equal sources the first stays, whatever became of them."""
        tried = [self.PLAIN, self.LAZY, self.PLAIN._replace(compiles=False)]
        entries = [Entry(program, 1, Group()) for program in tried]
        assert [entry.item for entry in distinct_programs(entries)] == tried[:2]


class TestImportance:
    @pytest.mark.parametrize("name", ["line", "source"])
    def test_what_decides_is_worth_most(self, name: str) -> None:
        """Permuting what tells the kinds apart costs accuracy; the same seed gives the same numbers."""
        one = MAKERS[name]()
        for record in BUILDS[:40]:
            one.take(record, learn=True)
        held_out = [Entry(record, len(record.diagnostics), Group()) for record in BUILDS[40:]]
        sources = (random.Random(3), random.Random(3))  # noqa: S311 - a permutation, not a secret
        found, again = (importance(one, held_out, source) for source in sources)
        assert found == again
        assert found[0]["macro_f1"] > 0.05
        assert {row["name"] for row in found} >= ({"message"} if name == "line" else {"mark", "line"})


class TestLearner:
    @pytest.mark.parametrize("task", ["category", "source"])
    def test_ours_or_a_rival(self, task: str) -> None:
        """The name of a classifier chooses the learner; each begins empty."""
        kind = {"category": LineLearner, "source": SourceLearner}[task]
        assert isinstance(learner(task, "logistic"), kind)
        for name in CLASSIFIERS:
            made = learner(task, name)
            assert list(made.labels) == []
            assert name == "logistic" or isinstance(made, RivalLearner)
