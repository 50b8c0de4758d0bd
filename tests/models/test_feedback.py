"""The memory of what people said: majority by kind of message, bounded."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.feedback import FeedbackMemory, Verdict, template_key
from tests.builders import diagnostic

said = st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from("ABC")))


def told(*given_labels: str, key: str = "k") -> FeedbackMemory:
    """Return a memory that was told these labels of one kind of message."""
    memory = FeedbackMemory()
    for label in given_labels:
        memory.learn(key, label)
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
        """Without feedback there is no verdict."""
        assert FeedbackMemory().verdict("k") is None

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


class TestBounds:
    def test_longest_untouched_goes_first(self) -> None:
        """Beyond the capacity the kind longest untouched is forgotten; speaking again renews it."""
        memory = FeedbackMemory(capacity=2)
        for key in ("a", "b", "a", "c"):
            memory.learn(key, "A")
        assert [key for key in "abc" if memory.verdict(key)] == ["a", "c"]

    @given(said, said)
    def test_goes_on_where_it_was(self, first: list[tuple[str, str]], then: list[tuple[str, str]]) -> None:
        """Dumped as JSON and loaded, the memory goes on as if nothing had happened, and shares nothing."""
        whole, part, loaded = (FeedbackMemory(capacity=2) for _ in range(3))
        for key, label in first:
            part.learn(key, label)
        dumped = part.dump()
        loaded.load(dumped)
        for key, label in then:
            loaded.learn(key, label)
        for key, label in first + then:
            whole.learn(key, label)
        assert orjson.dumps(loaded.dump()) == orjson.dumps(whole.dump())
        assert orjson.dumps(part.dump()) == orjson.dumps(dumped)
