"""Messages that somebody labelled speak for those that are near them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels.neighbours import NEAR, LabelledMessages, Near

texts = st.text("ab <>", max_size=12)
told = st.lists(st.tuples(texts, st.sampled_from("AB")), max_size=12)


def labelled(*said: tuple[str, str], capacity: int = 10) -> LabelledMessages:
    """Return a memory of messages and labels."""
    memory = LabelledMessages(capacity)
    for masked, label in said:
        memory.learn(masked, label)
    return memory


class TestNearest:
    def test_the_same_words_are_nearest(self) -> None:
        """Of two messages the one that shares more words answers, with its similarity."""
        memory = labelled(("no method named <name> found", "A"), ("no field named <name> found here now", "B"))
        assert memory.nearest("no method named <name> found") == Near("A", 1.0)
        assert memory.nearest("no field named <name> found here") == Near("B", 6 / 7)

    def test_nothing_near_is_no_answer(self) -> None:
        """Below the threshold, and before anybody said anything, the memory abstains."""
        assert labelled().nearest("mismatched types") is None
        assert labelled(("mismatched types", "A")).nearest("mismatched closing delimiter") is None

    @pytest.mark.parametrize(("shared", "near"), [(3, True), (2, False)])
    def test_the_threshold_is_jaccard(self, shared: int, near: bool) -> None:
        """Three of five words shared are near (.6), two of five are not."""
        words = ["a", "b", "c", "d", "e"]
        assert (labelled((" ".join(words), "A")).nearest(" ".join(words[:shared])) is not None) is near
        assert NEAR == 0.6

    def test_of_equals_the_newest_answers(self) -> None:
        """Two messages as near as each other: the later word counts."""
        memory = labelled(("a b c x", "A"), ("a b c y", "B"))
        assert memory.nearest("a b c") == Near("B", 0.75)
        memory.learn("a b c x", "A")
        assert memory.nearest("a b c") == Near("A", 0.75)

    def test_an_answer_follows_what_is_learned(self) -> None:
        """A message that was asked for before is answered anew once somebody labels one."""
        memory = labelled(("a b c", "A"))
        assert memory.nearest("a b c d") == Near("A", 0.75)
        memory.learn("a b c d", "B")
        assert memory.nearest("a b c d") == Near("B", 1.0)
        assert memory.said("a b c d") == "B"
        assert memory.said("a b") is None


class TestState:
    def test_the_oldest_goes_first(self) -> None:
        """Beyond the capacity the message that was labelled longest ago is forgotten; a new word renews it."""
        memory = labelled(("a", "A"), ("b", "A"), ("a", "B"), ("c", "A"), capacity=2)
        assert len(memory) == 2
        assert [memory.said(one) for one in "abc"] == ["B", None, "A"]

    @given(told, told, texts)
    def test_goes_on_where_it_was(self, first: list[tuple[str, str]], then: list[tuple[str, str]], asked: str) -> None:
        """Dumped as JSON and loaded, the memory goes on as if nothing had happened."""
        whole, part, loaded = labelled(*first, *then, capacity=3), labelled(*first, capacity=3), labelled(capacity=3)
        loaded.load(orjson.loads(orjson.dumps(part.dump())))
        for masked, label in then:
            loaded.learn(masked, label)
        assert orjson.dumps(loaded.dump()) == orjson.dumps(whole.dump())
        assert loaded.nearest(asked) == whole.nearest(asked)
