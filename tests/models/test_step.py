"""The step: every build is predicted before it is learned, answered once, and people can correct it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from models.classifiers import HashedLogistic
from models.diagnostics import Note
from models.features import extract
from models.hybrid import observe
from models.labelling import functions
from models.memory import RecentFailures
from models.records import CompilerErrors, Prediction
from models.shadow import begin
from models.state import LineState
from models.step import answer, step
from models.taxonomy import LABELS, UNKNOWN, rule_for
from models.weighting import FEEDBACK_WEIGHT, LongTailWeights
from tests.builders import NOW, build, diagnostic, feedback, random_builds, small_state, span

ODD = diagnostic("the frobnication was odd", spans=(span("    «odd»"),))  # that no rule knows


def answered(state: LineState, record: CompilerErrors) -> Prediction:
    """Return the one prediction that a build is answered with."""
    (prediction,) = step(state, record, NOW)
    return prediction


def ran(records: list[CompilerErrors], **fields: object) -> LineState:
    """Return the state after these builds."""
    state = small_state(**fields)
    for record in records:
        step(state, record, NOW)
    return state


def learned_bytes(state: LineState) -> tuple[bytes, bytes, int, tuple[str, ...]]:
    """Return everything that the classifier has learned."""
    model = state.classifier
    return model.weights.tobytes(), model.squares.tobytes(), model.examples, tuple(model.labels)


class TestOrder:
    def test_equals_a_loop_by_hand(self) -> None:
        """The state's scores and weights equal those of a naive loop: predict all of a build, then learn all of it."""
        builds = [
            build(f"b{number}", *(one if rule_for(one.code, one.message) else ODD for one in record.diagnostics))
            for number, record in enumerate(random_builds(60, seed=21))
        ]
        model, right, total = HashedLogistic(bits=10), 0, 0
        weights = LongTailWeights()
        for record in builds:
            count = len(record.diagnostics)
            xs = [extract(one, index, count) for index, one in enumerate(record.diagnostics)]
            guesses = [model.predict_one(dict(x)) for x in xs]
            known = [(x, guess, rule) for x, guess, one in zip(xs, guesses, record.diagnostics, strict=True)
                     if (rule := rule_for(one.code, one.message))]  # fmt: skip
            total, right = total + len(known), right + sum(guess == rule.label for _, guess, rule in known)
            labels = [rule.label for *_, rule in known]
            weighed = [weights.weigh(rule.label, rule) for *_, rule in known]
            model.learn_many([x for x, *_ in known], labels, weighed)
        state = ran(builds)
        assert state.classifier.weights == pytest.approx(model.weights, rel=1e-3, abs=1e-4)  # sums in another order
        assert state.scores.n == total
        assert state.scores.accuracy == right / total

    def test_a_build_does_not_teach_itself(self) -> None:
        """Of two equal diagnostics in the first build neither is predicted from the other."""
        state = small_state()
        twice = (diagnostic("mismatched types", "E0308"),) * 2
        step(state, build("one", *twice), NOW)
        assert state.scores.confusion == {("TypeErrors", ""): 2}
        step(state, build("two", *twice), NOW)
        assert state.scores.confusion["TypeErrors", "TypeErrors"] == 2

    def test_the_code_does_not_reach_the_model(self) -> None:
        """The same diagnostic under different codes gets equal probabilities."""
        state = ran(random_builds(30, seed=5))
        one = random_builds(1, seed=6)[0].diagnostics[0]
        said = []
        for code in ("E0308", "E0382", "clippy::all", "nonsense", None):
            copy = one.model_copy(update={"code": code})
            said.append(state.classifier.predict_proba_one(dict(extract(copy))))
        assert said.count(said[0]) == len(said)

    def test_repeatable(self) -> None:
        """One stream gives one sequence of predictions, byte for byte."""
        runs = []
        for _ in range(2):
            state = small_state()
            runs.append([answered(state, record).to_bytes() for record in random_builds(30, seed=8)])
        assert runs[0] == runs[1]

    def test_nothing_is_learned_without_a_label(self) -> None:
        """What neither people nor rules know is answered, counted, and not learned."""
        state = ran([build("one", ODD)])
        assert (state.failures, state.classifier.examples, state.scores.n) == (1, 0, 0)
        assert state.drift.dump() == {"baseline": {}, "window": []}


class TestAnswer:
    def test_carries_what_was_asked(self) -> None:
        """A prediction names its failure, build and part, the time it was given, and the model that answered."""
        record = build("one", ODD).model_copy(update={"run": "r1", "commit": "c1", "part": 2, "parts": 3})
        later = NOW + timedelta(seconds=5)
        (one,) = step(small_state(origin="warm"), record, later)
        assert (one.failure_id, one.project, one.time) == ("one", "demo", later)
        assert (one.run, one.commit, one.part, one.parts, one.model_version) == ("r1", "c1", 2, 3, "warm+0")

    def test_one_classification_for_each_diagnostic(self) -> None:
        """Every diagnostic of the build is answered, in its place."""
        for record in random_builds(20, seed=2):
            got = answered(small_state(), record).classifications
            assert [(one.index, one.code) for one in got] == list(enumerate(d.code for d in record.diagnostics))

    def test_unknown_to_an_empty_model(self) -> None:
        """A message without code that no rule knows is Unknown while the model is empty."""
        (one,) = answered(small_state(), build("one", ODD)).classifications
        assert (one.category, one.confidence, one.source) == (UNKNOWN, 0.0, "model")

    def test_long_ids_stay_apart(self) -> None:
        """Failures whose ids differ in the last of 128 characters have predictions with different ids."""
        state = small_state()
        ids = {answered(state, build("x" * 127 + end, ODD)).id for end in "ab"}
        assert len(ids) == 2

    def test_model_version_grows_with_what_was_learned(self) -> None:
        """The model's version names its origin and the number of examples learned."""
        state = ran([build("one", diagnostic("m", "E0308"), ODD, diagnostic("n", "E0382"))])
        assert state.model_version == "empty+2"


class TestFunctions:
    LIFETIME = diagnostic("use of undeclared lifetime name `'a`")  # that no rule for messages knows

    def test_teach_what_no_rule_knows(self) -> None:
        """A message that no rule knows is learned as the functions say, and counts as much as they are sure."""
        assert rule_for(None, self.LIFETIME.message) is None
        state = ran([build("one", self.LIFETIME)])
        (sure,) = [one.soft for one in observe(small_state(), (self.LIFETIME,)).seen]
        expected = HashedLogistic(bits=10)
        weight = LongTailWeights().weigh("LifetimeErrors", None) * sure.confidence
        expected.learn_many([extract(self.LIFETIME)], ["LifetimeErrors"], [weight])
        assert state.classifier.weights.tobytes() == expected.weights.tobytes()
        assert 0.6 < sure.confidence < 1

    def test_score_nobody(self) -> None:
        """What only functions say is no truth: neither scores nor the watch nor the challenger's test hear of it."""
        state, seen = small_state(), []
        begin(state, "other", HashedLogistic(bits=10))
        answer(state, build("one", self.LIFETIME), NOW, lambda _, labels: seen.append(labels))
        assert (state.scores.n, seen, state.drift.dump()["window"]) == (0, [[None]], [])
        assert state.challenge is not None
        assert state.challenge.counts.builds == 0
        assert state.classifier.examples == state.challenge.classifier.examples == 1

    def test_answer_where_the_model_is_less_sure(self) -> None:
        """Of model and functions the surer answers; the reason names the functions."""
        (first,) = answered(small_state(), build("one", self.LIFETIME)).classifications
        assert (first.subcategory, first.source) == ("LifetimeErrors", "rule")
        assert "lifetime_words" in first.reason
        state = small_state()
        for number in range(40):
            step(state, build(f"b{number}", diagnostic(self.LIFETIME.message, "E0261")), NOW)
            step(state, build(f"c{number}", diagnostic("mismatched types", "E0308")), NOW)
        (later,) = answered(state, build("two", self.LIFETIME)).classifications
        assert (later.subcategory, later.source) == ("LifetimeErrors", "model")

    def test_learn_nothing_while_learning_is_stopped(self) -> None:
        """Once the andon stopped learning, votes move no accuracies."""
        state = small_state()
        state.watch.broken = True
        for record in random_builds(60, seed=3):
            step(state, record, NOW)
        assert state.watch.learning_stopped
        before = state.labels.dump()
        for record in random_builds(60, seed=4):
            step(state, record.model_copy(update={"id": f"later-{record.id}"}), NOW)
        assert state.labels.dump() == before


class TestRoot:
    @pytest.mark.parametrize(
        ("codes", "root"),
        [
            (("E0308", "E0425"), 1),  # type check, resolution
            (("E0382", "E0308", "E0433"), 2),  # borrow check, type check, resolution
            (("E0382", "E0308"), 1),
            (("E0308", "E0277", "E0308"), 0),  # of one phase the first
            ((None, "E0382"), 1),  # what no rule knows comes last
            ((None, None), 0),
        ],
    )
    def test_earliest_phase(self, codes: tuple[str | None, ...], root: int) -> None:
        """The root of a cascade is the first error of the compiler's earliest phase."""
        record = build("one", *(diagnostic("the frobnication was odd", code) for code in codes))
        assert answered(small_state(), record).root == root


class TestRepeats:
    def test_answered_before(self) -> None:
        """A failure that comes again gets the identical prediction, and teaches nothing."""
        builds = random_builds(20, seed=3)
        state = small_state()
        first = [answered(state, record).to_bytes() for record in builds]
        before = (learned_bytes(state), state.scores.dump(), state.drift.dump(), state.failures)
        again = [p.to_bytes() for record in builds for p in step(state, record, NOW + timedelta(days=1))]
        assert again == first
        assert (learned_bytes(state), state.scores.dump(), state.drift.dump(), state.failures) == before
        assert (state.failures, state.repeats) == (20, 20)

    def test_forgotten_but_learned(self) -> None:
        """A failure no longer held is predicted again with what is known now, but not learned again."""
        state = small_state(recent=RecentFailures(capacity=2, seen_capacity=100))
        first = answered(state, build("old", diagnostic("mismatched types", "E0308")))
        for record in random_builds(5, seed=4):
            step(state, record, NOW)
        before = learned_bytes(state)
        again = answered(state, build("old", diagnostic("mismatched types", "E0308")))
        assert learned_bytes(state) == before
        assert (first.model_version, again.model_version) == ("empty+0", state.model_version)
        assert (state.failures, state.repeats) == (6, 1)

    def test_forgotten_altogether(self) -> None:
        """Beyond the longer list a failure counts as new."""
        state = small_state(recent=RecentFailures(capacity=1, seen_capacity=1))
        for record in (build("a", ODD), build("b", ODD), build("a", ODD)):
            step(state, record, NOW)
        assert (state.failures, state.repeats) == (3, 0)

    def test_ids_count_within_a_project(self) -> None:
        """Two projects may give one id to different failures: each gets its own answer."""
        state = small_state()
        one = answered(state, build("build-17", diagnostic("mismatched types", "E0308"), project="one"))
        other = answered(state, build("build-17", diagnostic("borrow of moved value", "E0382"), project="other"))
        assert [p.classifications[0].category for p in (one, other)] == ["TypeErrors", "OwnershipBorrow"]
        assert [p.project for p in (one, other)] == ["one", "other"]
        assert state.failures == 2


class TestFeedback:
    def test_changes_later_answers(self) -> None:
        """What a person said of one message is the answer to the next of its kind, names aside."""
        state = ran([build("one", diagnostic("cannot find value `kilo` in this scope", "E0425"))])
        assert step(state, feedback("one", "ApiMisuse"), NOW) == []
        (got,) = answered(
            state, build("two", diagnostic("cannot find value `lima` in this scope", "E0425"))
        ).classifications
        assert (got.category, got.source) == ("ApiMisuse", "feedback")

    def test_contradicted_rule_leaves_it_to_the_model(self) -> None:
        """Other messages of a code that was contradicted twice are answered by the model, which learned from that."""
        state = ran([build("one", diagnostic("mismatched types", "E0308"))])
        for feedback_id in ("f1", "f2"):
            step(state, feedback("one", "LogicErrors", feedback_id=feedback_id), NOW)
        (got,) = answered(state, build("two", diagnostic("mismatched types in pattern", "E0308"))).classifications
        assert got.source == "model"

    def test_confirmation_restores_trust(self) -> None:
        """As many confirmations as contradictions, and the rule answers again."""
        state = ran([build("one", diagnostic("mismatched types", "E0308"))])
        step(state, feedback("one", "LogicErrors", feedback_id="f1"), NOW)
        step(state, feedback("one", "TypeErrors", feedback_id="f2"), NOW)
        (got,) = answered(state, build("two", diagnostic("mismatched types in pattern", "E0308"))).classifications
        assert (got.category, got.source) == ("TypeErrors", "rule")

    def test_teaches_the_classifier(self) -> None:
        """Feedback is learned with its own weight, from the features kept of the failure."""
        state = ran([build("one", ODD)])
        expected = HashedLogistic(bits=10)
        expected.learn_one(dict(extract(ODD)), "LogicErrors", w=FEEDBACK_WEIGHT)
        step(state, feedback("one", "LogicErrors"), NOW)
        assert state.classifier.weights.tobytes() == expected.weights.tobytes()
        assert np.array_equal(np.sort(state.take_changed_rows()[0]), np.flatnonzero(expected.squares))

    def test_later_messages_are_learned_as_people_said(self) -> None:
        """A kind of message that people labelled is learned under their label, though no rule knows it."""
        state = ran([build("one", ODD)])
        step(state, feedback("one", "LogicErrors"), NOW)
        step(state, build("two", ODD), NOW)
        assert state.classifier.examples == 2
        assert state.scores.confusion == {("LogicErrors", "LogicErrors"): 1}

    def test_concerns_the_diagnostic_of_its_index(self) -> None:
        """Feedback concerns one diagnostic of the build, not its neighbours."""
        state = ran([build("one", ODD, diagnostic("mismatched types", "E0308"))])
        step(state, feedback("one", "ApiMisuse", index=1), NOW)
        odd, mismatch = answered(state, build("two", ODD, diagnostic("mismatched types", "E0308"))).classifications
        assert (odd.source, mismatch.source) == ("model", "feedback")

    @pytest.mark.parametrize(
        "late",
        [
            feedback("never-seen", "ApiMisuse"),
            feedback("one", "ApiMisuse", index=1),
            feedback("one", "ApiMisuse", project="other"),
        ],
        ids=["unknown failure", "no such diagnostic", "other project"],
    )
    def test_without_its_failure(self, late: object) -> None:
        """Feedback on what is not held is counted and changes nothing else."""
        state = ran([build("one", ODD)])
        before = learned_bytes(state)
        assert step(state, late, NOW) == []  # type: ignore[arg-type]
        assert state.unmatched_feedback == 1
        assert learned_bytes(state) == before
        assert state.feedback.dump() == {"templates": []}

    def test_taken_once(self) -> None:
        """The same feedback twice, as after a retry, is one voice; another person's is a second one."""
        state = ran([build("one", ODD)])
        for feedback_id in ("f1", "f1", "f2"):
            step(state, feedback("one", "LogicErrors", feedback_id=feedback_id), NOW)
        assert state.classifier.examples == 2
        assert [votes for _, votes in state.feedback.dump()["templates"]] == [{"LogicErrors": 2}]

    def test_may_have_its_failures_id(self) -> None:
        """Feedback whose own id is that of the failure is taken all the same, and the failure stays known."""
        state = ran([build("one", ODD)])
        step(state, feedback("one", "LogicErrors", feedback_id="one"), NOW)
        assert state.classifier.examples == 1
        step(state, build("one", ODD), NOW)
        assert state.repeats == 1

    def test_too_late(self) -> None:
        """Feedback on a failure that was answered and has been let go is counted by itself, and changes nothing."""
        state = small_state(recent=RecentFailures(capacity=2))
        for number in range(4):
            step(state, build(f"b{number}", ODD), NOW)
        before = learned_bytes(state), state.labels.dump()
        for failure in ("b1", "b2", "unknown"):
            step(state, feedback(failure, "LogicErrors"), NOW)
        assert (state.expired_feedback, state.unmatched_feedback) == (1, 1)
        step(state, build("b1", ODD), NOW)  # who sends the failure again may speak of it again
        step(state, feedback("b1", "LogicErrors"), NOW)
        assert state.expired_feedback == 1
        assert (learned_bytes(state), state.labels.dump()) != before

    def test_the_horizon(self) -> None:
        """Feedback reaches back as many failures as are held, and not one more."""
        for capacity, taken in ((5, 5), (3, 3)):
            state = small_state(recent=RecentFailures(capacity=capacity))
            for number in range(5):
                step(state, build(f"b{number}", ODD), NOW)
            for number in range(5):
                step(state, feedback(f"b{number}", "LogicErrors"), NOW)
            assert (state.classifier.examples, state.expired_feedback) == (taken, 5 - taken)

    def test_late_is_as_good_as_early(self) -> None:
        """What was seen in between changes nothing about what a word teaches of the failure it speaks of."""
        state = ran([build("one", ODD), *random_builds(30, seed=11)])
        step(state, feedback("one", "ResourceLeaks"), NOW)
        (got,) = answered(state, build("two", ODD)).classifications
        assert (got.category, got.source) == ("ResourceLeaks", "feedback")

    def test_reaches_other_projects(self) -> None:
        """What one project's people said of a kind of message is the answer in another project of the partition."""
        state = ran([build("one", ODD, project="here")])
        step(state, feedback("one", "ResourceLeaks", project="here"), NOW)
        (got,) = answered(state, build("two", ODD, project="there")).classifications
        assert (got.category, got.source) == ("ResourceLeaks", "feedback")

    def test_speaks_only_of_its_own_project(self) -> None:
        """Two projects may give one id to different failures: feedback means that of its own project."""
        state = ran([build("b", ODD, project="one"), build("b", diagnostic("else"), project="other")])
        step(state, feedback("b", "ResourceLeaks", project="other"), NOW)
        odd, other = answered(state, build("c", ODD, diagnostic("else"))).classifications
        assert (odd.source, other.source) == ("model", "feedback")

    def test_a_verifier_overrides_nothing(self) -> None:
        """A verifier's word is learned, with less weight than a person's; the rule goes on answering."""
        one = diagnostic("mismatched types", "E0308")
        state = ran([build("one", one)])
        before = state.labels.agreement.accuracies()
        said = feedback("one", "LogicErrors").model_copy(update={"author": "verifier/cargo"})
        step(state, said, NOW)
        (got,) = answered(state, build("two", one)).classifications
        assert (got.category, got.source) == ("TypeErrors", "rule")
        assert state.feedback.dump() == {"templates": []}
        assert state.classifier.examples == 3
        assert state.labels.agreement.accuracies() != before

    def test_moves_what_functions_are_worth(self) -> None:
        """A word raises the accuracy of the functions that said so of that diagnostic, and lowers the others'."""
        one = diagnostic("borrow of moved value: `x`", notes=(Note(level="help", message="consider importing this"),))
        state = ran([build("one", one)])
        step(state, feedback("one", "OwnershipBorrow"), NOW)
        worth = state.labels.agreement.accuracies()
        priors = {one.name: one.prior for one in functions()}
        assert worth["borrow_words"]["OwnershipBorrow"] > priors["borrow_words"]
        assert worth["advice_import"]["ImportErrors"] < priors["advice_import"]

    def test_long_messages_are_known_again(self) -> None:
        """A verifier speaks of what it was shown, the beginning of a message; the same message is recognised by it."""
        one = diagnostic(f"the frobnication was odd {'and long ' * 60}")
        state = ran([build("one", one)])
        step(state, feedback("one", "ResourceLeaks").model_copy(update={"author": "verifier"}), NOW)
        (seen,) = observe(state, (one,)).seen
        assert "verified" in state.labels.speakers(seen.example.votes, "ResourceLeaks")

    @pytest.mark.parametrize("label", LABELS)
    def test_every_label(self, label: str) -> None:
        """Every label of the taxonomy can be said, and comes back."""
        state = ran([build("one", ODD)])
        step(state, feedback("one", label), NOW)
        (got,) = answered(state, build("two", ODD)).classifications
        assert (got.subcategory or got.category) == label
