"""The memory of what people said: majority by kind of message, trust by code, bounded."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.feedback import FeedbackMemory, Verdict, template_key
from tests.builders import diagnostic

said = st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from(["E1", "E2", None]), st.sampled_from("ABC")))


def told(*given_labels: str, key: str = "k", code: str | None = "E1", rule: str | None = "A") -> FeedbackMemory:
    """Return a memory that was told these labels of one kind of message."""
    memory = FeedbackMemory()
    for label in given_labels:
        memory.learn(key, code, rule, label)
    return memory


class TestTemplateKey:
    def test_names_do_not_matter(self) -> None:
        """Messages of one kind have one key: same code, same words, whatever the names."""
        one = template_key(diagnostic("cannot find value `total_x` in this scope", "E0425"))
        assert one == template_key(diagnostic("cannot find value `y` in this scope", "E0425"))
        assert len(one) == 16

    def test_code_and_words_matter(self) -> None:
        """Another code or other words make another kind."""
        keys = {
            template_key(diagnostic(message, code))
            for message in ("cannot find value `x`", "cannot find type `x`")
            for code in ("E0425", None)
        }
        assert len(keys) == 4

    def test_any_text(self) -> None:
        """A message of any script, however long, has a key."""
        assert len(template_key(diagnostic("日本\x00" * 4_000))) == 16


class TestVerdict:
    def test_nobody_said_anything(self) -> None:
        """Without feedback there is no verdict, and every code is trusted."""
        assert FeedbackMemory().verdict("k") is None
        assert FeedbackMemory().trusts("E1")
        assert FeedbackMemory().trusts(None)

    def test_majority(self) -> None:
        """Most voices decide; the confidence is their share by Laplace's rule."""
        verdict = told("B", "C", "B").verdict("k")
        assert verdict == Verdict("B", 2, 3)
        assert verdict.confidence == pytest.approx(3 / 5)

    def test_one_voice_is_not_certain(self) -> None:
        """One voice gives two thirds, a hundred almost certainty."""
        assert Verdict("A", 1, 1).confidence == pytest.approx(2 / 3)
        assert Verdict("A", 100, 100).confidence == pytest.approx(101 / 102)

    def test_tie(self) -> None:
        """On a tie the newest label is the verdict: whoever corrects a correction is heard."""
        assert told("C", "B").verdict("k") == Verdict("B", 1, 2)
        assert told("B", "C").verdict("k") == Verdict("C", 1, 2)

    def test_tie_survives_saving(self) -> None:
        """A verdict that hangs on the order of the labels is the same after it was saved and loaded."""
        loaded = FeedbackMemory()
        loaded.load(orjson.loads(orjson.dumps(told("A", "C", "B").dump())))
        assert loaded.verdict("k") == Verdict("B", 1, 3)

    def test_other_kinds_are_not_concerned(self) -> None:
        """A verdict on one kind of message says nothing about another."""
        assert told("B").verdict("other") is None


class TestTrust:
    @pytest.mark.parametrize(
        ("labels", "trusted"),
        [(("A",), True), (("B",), False), (("A", "B"), True), (("A", "B", "C"), False), (("B", "A", "A"), True)],
    )
    def test_majority_decides(self, labels: tuple[str, ...], trusted: bool) -> None:
        """A code is trusted until people contradicted its rule more often than they confirmed it."""
        assert told(*labels).trusts("E1") is trusted

    def test_kinds_of_one_code_count_together(self) -> None:
        """Contradictions of one code add up over kinds of messages; other codes stay trusted."""
        memory = told("B")
        memory.learn("other", "E1", "A", "A")
        assert memory.trusts("E1")
        memory.learn("third", "E1", "A", "C")
        assert not memory.trusts("E1")
        assert memory.trusts("E2")

    def test_without_code_or_rule_nothing_is_counted(self) -> None:
        """Feedback on a message without code, or without rule, is a verdict but no mark against a code."""
        assert told("B", code=None).trusts(None)
        assert told("B", rule=None).trusts("E1")


class TestBounds:
    def test_longest_untouched_goes_first(self) -> None:
        """Beyond the capacity the kind longest untouched is forgotten; speaking again renews it."""
        memory = FeedbackMemory(capacity=2)
        for key in ("a", "b", "a", "c"):
            memory.learn(key, None, None, "A")
        assert [key for key in "abc" if memory.verdict(key)] == ["a", "c"]

    def test_codes_are_bounded(self) -> None:
        """Ever new codes do not fill the memory either."""
        memory = FeedbackMemory(capacity=3)
        for number in range(50):
            memory.learn("k", f"E{number}", "A", "B")
        assert list(memory.dump()["codes"]) == ["E47", "E48", "E49"]

    @given(said, said)
    def test_goes_on_where_it_was(
        self, first: list[tuple[str, str | None, str]], then: list[tuple[str, str | None, str]]
    ) -> None:
        """Dumped as JSON and loaded, the memory goes on as if nothing had happened, and shares nothing."""
        whole, part, loaded = (FeedbackMemory(capacity=2) for _ in range(3))
        for key, code, label in first:
            part.learn(key, code, "A", label)
        dumped = part.dump()
        loaded.load(dumped)
        for key, code, label in then:
            loaded.learn(key, code, "A", label)
        for key, code, label in first + then:
            whole.learn(key, code, "A", label)
        assert orjson.dumps(loaded.dump()) == orjson.dumps(whole.dump())
        assert orjson.dumps(part.dump()) == orjson.dumps(dumped)
