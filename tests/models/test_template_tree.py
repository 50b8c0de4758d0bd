"""Drain's tree: what belongs to one template, what does not, and what a search depends on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.template_tree import (
    ANY,
    FAR,
    MAX_CHARS,
    MAX_TEXT,
    MAX_TOKENS,
    Leaf,
    Template,
    Tree,
    leaf_key,
    name_of,
    tokens_in,
    tokens_of,
)

TIME = "2026-01-01T00:00:00Z"
words = st.sampled_from(["a", "b", "c", "<int>", "<name>", ANY])
messages = st.lists(words, min_size=6, max_size=6).map(lambda tail: ("x", "y", "z", *tail))


def template(text: str) -> Template:
    """Return a template that begins with this text."""
    tokens = tokens_of(text)
    return Template(name_of(tokens), tokens, 0, TIME)


def belongs(first: str, second: str) -> bool:
    """Return whether the second message falls under the template that the first one began."""
    tree = Tree()
    tree.hold(template(first))
    tokens = tokens_of(second)
    return tree.leaf(leaf_key(tokens)).find(tokens) is not None


class TestBelonging:
    def test_shapes_that_differ_do_not_speak_against_it(self) -> None:
        """Two messages that differ in what masking left of a name are of one kind."""
        assert belongs("cannot add <int> to <float>", "cannot add <&str> to <Type>")

    def test_a_word_that_differs_in_a_short_message_makes_another_kind(self) -> None:
        """A value that is missing is another failure than a type that is missing."""
        assert not belongs("cannot find value <name> in scope", "cannot find type <name> in scope")

    def test_a_word_that_differs_in_a_long_message_does_not(self) -> None:
        """Singular and plural of a long message are one kind."""
        long = "this function takes <number> {} but <number> arguments were supplied to it"
        assert belongs(long.format("argument"), long.format("arguments"))

    def test_another_number_of_words_is_another_kind(self) -> None:
        """Only messages of one length are compared, as in the paper."""
        assert not belongs("mismatched types here now", "mismatched types here now again")

    def test_other_leading_words_are_another_kind(self) -> None:
        """Messages that begin differently are never compared, however much they agree afterwards."""
        assert not belongs(
            "use of moved value in this very long scope here", "use of borrowed value in this very long scope here"
        )

    def test_three_quarters_of_the_words_are_enough(self) -> None:
        """The limit is inclusive: 6 of 8 words agree and belong, 5 of 8 do not."""
        assert belongs("a b c d e f g h", "a b c d e f x y")
        assert not belongs("a b c d e f g h", "a b c d e x y z")

    def test_the_empty_message_is_a_kind(self) -> None:
        """A message of nothing belongs to a template of nothing and to no other."""
        assert belongs("", "")
        assert not belongs("a", "")

    def test_the_nearest_template_is_taken(self) -> None:
        """Of two templates that a message belongs to it gets the one with more words in common."""
        leaf = Leaf()
        far, near = template("a b c d e f g x y z"), template("a b c d e f g h i z")
        leaf.templates = {one.id: one for one in (far, near)}
        assert leaf.find(tokens_of("a b c d e f g h y z")) is near

    def test_a_template_that_covers_the_message_goes_first(self) -> None:
        """A template whose every word stands in the message is taken before one that merely has many of them."""
        leaf = Leaf()
        covering, similar = template(f"a b c {ANY} {ANY} {ANY} {ANY} h"), template("a b c d e f x h")
        leaf.templates = {one.id: one for one in (similar, covering)}
        assert leaf.find(tokens_of("a b c d e f g h")) is covering


class TestSearch:
    @given(st.lists(messages, max_size=8, unique=True), messages)
    def test_does_not_depend_on_the_order_of_templates(
        self, held: list[tuple[str, ...]], tokens: tuple[str, ...]
    ) -> None:
        """The same templates in another order give the same answer: a restored leaf is in another order."""
        templates = [Template(name_of(one), one, 0, TIME) for one in held]
        there, back = Leaf(), Leaf()
        there.templates = {one.id: one for one in templates}
        back.templates = {one.id: one for one in reversed(templates)}
        assert there.find(tokens) is back.find(tokens)

    @given(messages, st.lists(messages, max_size=8))
    def test_what_a_template_took_in_is_covered_by_it_ever_after(
        self, first: tuple[str, ...], others: list[tuple[str, ...]]
    ) -> None:
        """However a template changes, each message that it took in still belongs to it, and changes it no more."""
        one, taken = Template("id", first, 0, TIME), [first]
        for other in others:
            if one.likeness(other).enough:
                one.generalise(other)
                taken.append(other)
        assert all(one.likeness(tokens).covered for tokens in taken)
        assert not any(one.generalise(tokens) for tokens in taken)

    @given(messages, messages)
    def test_shortcut_changes_no_answer(self, first: tuple[str, ...], second: tuple[str, ...]) -> None:
        """What is put aside before the comparison word by word would not have belonged."""
        one = Template("id", first, 0, TIME)
        if one.likeness(second) == FAR:
            both = sum("<" in a and "<" in b and a != b for a, b in zip(first, second, strict=True))
            same = sum(a == b for a, b in zip(first, second, strict=True))
            assert same < 0.75 * (len(first) - both)
            assert any(a not in (b, ANY) for a, b in zip(first, second, strict=True))

    @given(messages, messages)
    def test_generalising_never_moves_a_template_to_another_leaf(
        self, first: tuple[str, ...], second: tuple[str, ...]
    ) -> None:
        """The leaf of a template is that of every message that belongs to it."""
        one = Template("id", ("<int>", *first), 0, TIME)
        one.generalise(("<name>", *second))
        assert leaf_key(one.tokens) == one.key


class TestBounds:
    @given(st.text(max_size=2 * MAX_CHARS))
    def test_a_message_is_looked_at_as_far_as_the_bounds(self, text: str) -> None:
        """No message has more words, or more characters in them, than are looked at."""
        tokens = tokens_of(text)
        assert len(tokens) <= MAX_TOKENS
        assert sum(map(len, tokens)) <= MAX_CHARS

    def test_text_of_the_most_general_template_is_read_back_whole(self) -> None:
        """A template's text has its place in the bound even when all its words have become longer."""
        tokens = tokens_of("a" * (MAX_CHARS - 2 * MAX_TOKENS + 1) + " b" * (MAX_TOKENS - 1))
        one = Template("id", tokens, 0, TIME)
        one.generalise((tokens[0], *("c" for _ in tokens[1:])))
        assert len(tokens) == MAX_TOKENS
        assert len(one.text) <= MAX_TEXT
        assert tokens_in(one.text) == one.tokens

    def test_the_name_stays(self) -> None:
        """A template's id is part of predictions and checkpoints: it never changes."""
        assert name_of(("mismatched", "types")) == "b9a0c98def8ae89f"
        assert len(name_of(("\ud800",))) == 16

    def test_a_leaf_without_templates_is_not_kept(self) -> None:
        """A template that is taken out leaves nothing behind."""
        tree, one = Tree(), template("mismatched types")
        tree.hold(one)
        before = tree.leaf(one.key)
        tree.drop(one)
        assert tree.leaf(one.key) is not before
        assert not tree.leaf(one.key).templates
