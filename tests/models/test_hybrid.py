"""Who answers: people, a trusted rule, else the model; and how an answer looks."""

from __future__ import annotations

import pytest

from models.answers import MAX_WORDS, SHOWN, documents
from models.classification import Classification
from models.diagnostics import Diagnostic
from models.features import extract
from models.hybrid import MIN_CONFIDENCE, decide, observe
from models.masking import mask
from models.state import LineState
from models.taxonomy import PARENTS, UNKNOWN, rule_for
from tests.builders import diagnostic, random_builds, small_state

ODD = diagnostic("the frobnication was odd")  # that no rule knows


def answer(state: LineState, one: Diagnostic) -> Classification:
    """Return the answer for one diagnostic."""
    build = observe(state, (one,))
    met = state.templates.observe_build([mask(one.message)], "2026-01-02T03:04:05Z")
    (document,) = documents(state, build, [decide(state, seen) for seen in build.seen], met)
    return Classification.model_validate(document)


def say(state: LineState, one: Diagnostic, *labels: str) -> None:
    """Tell the state what people call a diagnostic; the classifier learns nothing."""
    example = observe(state, (one,)).seen[0].example
    for label in labels:
        state.feedback.learn(example.key, label)
        state.labels.learn(example.votes, mask(one.message), label)


def trained(one: Diagnostic, label: str, times: int = 30) -> LineState:
    """Return a state whose classifier learned one diagnostic, and some others under other labels."""
    state = small_state()
    others = [other for record in random_builds(5, seed=2) for other in record.diagnostics if other.code]
    for _ in range(times):
        state.classifier.learn_one(dict(extract(one)), label)
        for other in others[:3]:
            rule = rule_for(other.code, other.message)
            assert rule is not None
            state.classifier.learn_one(dict(extract(other)), rule.label)
    return state


class TestWhoAnswers:
    def test_rule(self) -> None:
        """A code that the table knows is answered by its rule, with the rule's confidence and reason."""
        one = answer(small_state(), diagnostic("mismatched types", "E0308"))
        assert (one.category, one.confidence, one.source) == ("TypeErrors", 0.95, "rule")
        assert one.reason.startswith("E0308: ")

    def test_message_rule(self) -> None:
        """A message without a code that the table knows is answered by its rule too."""
        one = answer(small_state(), diagnostic("cannot borrow `x` as mutable"))
        assert (one.category, one.source) == ("OwnershipBorrow", "rule")
        assert one.reason.startswith("message: ")

    def test_unknown_to_an_empty_model(self) -> None:
        """What no rule knows is Unknown, said explicitly, while the model has learned nothing."""
        one = answer(small_state(), ODD)
        assert (one.category, one.subcategory, one.confidence, one.source) == (UNKNOWN, None, 0.0, "model")
        assert (one.top, one.words) == ((), ())
        assert "learned nothing yet" in one.reason

    def test_model(self) -> None:
        """What no rule knows is answered by the model once its words point somewhere."""
        one = answer(trained(ODD, "LogicErrors"), ODD)
        assert (one.category, one.source) == ("LogicErrors", "model")
        assert one.confidence > MIN_CONFIDENCE
        assert "no rule knows it" in one.reason
        assert "message:frobnication" in one.words or any("odd" in word for word in one.words)

    def test_model_unsure(self) -> None:
        """Below the threshold the answer is Unknown, and the nearest label stands in the reason."""
        state = small_state()
        for label in ("TypeErrors", "TraitBounds", "OwnershipBorrow", "LogicErrors"):
            state.classifier.learn_one({f"message:{label}": 1.0}, label)
        one = answer(state, ODD)
        assert (one.category, one.source) == (UNKNOWN, "model")
        assert one.confidence < MIN_CONFIDENCE
        assert "nearest is" in one.reason

    def test_people_over_rule(self) -> None:
        """What people called this kind of message goes before the rule."""
        state, one = small_state(), diagnostic("mismatched types", "E0308")
        say(state, one, "ApiMisuse", "ApiMisuse", "TypeErrors")
        got = answer(state, one)
        assert (got.category, got.source, got.confidence) == ("ApiMisuse", "feedback", pytest.approx(3 / 5))
        assert "2 of 3 labels that people gave" in got.reason

    def test_contradicted_rule_leaves_it_to_the_model(self) -> None:
        """Once two people contradicted a code's rule, other messages of that code are answered by the model."""
        other = diagnostic("mismatched types in a pattern", "E0308")
        state = trained(other, "LogicErrors")
        assert answer(state, other).source == "rule"
        say(state, diagnostic("mismatched types", "E0308"), "LogicErrors", "LogicErrors")
        got = answer(state, other)
        assert (got.category, got.source) == ("LogicErrors", "model")
        assert "feedback has contradicted the rule" in got.reason

    def test_confirmed_rule_stands(self) -> None:
        """A rule that people confirmed keeps answering other messages of its code."""
        state = small_state()
        say(state, diagnostic("mismatched types", "E0308"), "TypeErrors")
        assert answer(state, diagnostic("mismatched types in a pattern", "E0308")).source == "rule"


class TestHowItLooks:
    @pytest.mark.parametrize(("finer", "parent"), PARENTS.items())
    def test_subcategory_and_category(self, finer: str, parent: str) -> None:
        """A finer name is given as the subcategory, its parent as the category."""
        state = small_state()
        say(state, ODD, finer)
        one = answer(state, ODD)
        assert (one.category, one.subcategory) == (parent, finer)

    def test_top_starts_with_the_answer(self) -> None:
        """The decided label comes first, at most two others after it; together they are no more than certainty."""
        state = trained(ODD, "LogicErrors")
        for record in random_builds(20, seed=6):
            for one in record.diagnostics:
                got = answer(state, one)
                first = got.top[0] if got.top else None
                assert got.category == UNKNOWN or (first.category, first.subcategory) == (got.category, got.subcategory)
                assert got.category == UNKNOWN or first.probability == got.confidence
                assert len({(ranked.category, ranked.subcategory) for ranked in got.top}) == len(got.top) <= 3
                assert sum(ranked.probability for ranked in got.top) <= 1 + 1e-6

    def test_words_are_features_of_the_message(self) -> None:
        """The words that decided are features of this diagnostic, few, short and without the bias."""
        state = trained(ODD, "LogicErrors")
        words = answer(state, ODD).words
        assert 0 < len(words) <= MAX_WORDS
        assert set(words) <= extract(ODD).keys() - {"bias"}

    def test_long_texts_are_cut(self) -> None:
        """A long message is shown in part, and long words still fit the record."""
        one = diagnostic("frob " + "x" * 10_000)
        got = answer(trained(one, "LogicErrors"), one)
        assert len(got.message) == SHOWN
        assert max(map(len, got.words)) <= 250

    def test_the_answer_is_a_whole_record(self) -> None:
        """Every answer passes its own record's rules, read back from JSON."""
        state = trained(ODD, "LogicErrors")
        for record in random_builds(10, seed=9):
            for one in record.diagnostics:
                got = answer(state, one)
                assert Classification.model_validate_json(got.model_dump_json()) == got
