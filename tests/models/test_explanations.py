"""Explanations: which words a person reads for which features, and that they are short and safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.code_features import source_parts
from models.diagnostics import Diagnostic, Note, Span, Suggestion
from models.explanations import _SAID, COUNTS, MAX_CHARS, MAX_PHRASES, PLACES, explain, phrases
from models.features import parts

names = st.one_of(
    st.builds("{}:{}".format, st.sampled_from([*PLACES, *COUNTS, "other", "leads to 2", "bias"]), st.text(max_size=80)),
    st.text(max_size=40),
)
deciding = st.lists(st.tuples(names, st.floats(-9, 9)), max_size=20)


def told(*names: str) -> str:
    """Return the phrases of features, strongest first, as one text."""
    return "; ".join(phrases(names))


class TestSentence:
    def test_says_the_label_and_what_speaks_for_it(self) -> None:
        """The strongest feature is told first, whatever order they come in."""
        speaks = [("marked:unwrap", 2.0), ("message:mismatched types", 6.0)]
        said = "TypeErrors: the message says “mismatched types”, and the marked code has `unwrap`"
        assert explain("TypeErrors", speaks) == said
        assert explain("TypeErrors", speaks[::-1]) == said

    def test_of_equals_the_one_given_first(self) -> None:
        """Equal contributions are told in the order in which they come, so that a run can be repeated."""
        assert explain("A", [("note:b", 1.0), ("help:a", 1.0)]) == "A: a note says “b”, and the help says “a”"

    def test_what_speaks_against_it_only_when_asked(self) -> None:
        """Negative contributions are told on request, and never as what speaks for it."""
        speaks = [("note:b", 1.0), ("message:moved", -2.0)]
        assert explain("A", speaks) == "A: a note says “b”"
        assert explain("A", speaks, against=True) == "A: a note says “b”; against that, the message says “moved”"

    def test_nothing_against_it_is_not_mentioned(self) -> None:
        """When nothing speaks against the label the sentence ends."""
        assert explain("A", [("note:b", 1.0)], against=True) == "A: a note says “b”"

    def test_weak_features_are_left_out(self) -> None:
        """Below a fifth of the strongest contribution nothing is told."""
        assert explain("A", [("note:b", 10.0), ("help:c", 2.0), ("label:d", 1.9)]) == (
            "A: a note says “b”, and the help says “c”"
        )

    @pytest.mark.parametrize("speaks", [[], [("note:b", -1.0)], [("note:b", 0.0)], [("bias", 1.0)], [("note:,", 1.0)]])
    def test_without_a_word_that_speaks(self, speaks: list[tuple[str, float]]) -> None:
        """A label for which no word speaks is explained as that."""
        assert explain("A", speaks) == "A: no word of it speaks for that"


class TestPhrases:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("message:mismatched types", "the message says “mismatched types”"),
            ("stem:mism-", "a word of the message has “mism-”"),
            ("label:expected <int>", "the label under the code says “expected <int>”"),
            ("label:, found", "the label under the code says “found”"),
            ("marked::: new", "the marked code has `:: new`"),
            ("before:.", "before it stands `.`"),
            ("line -1:let x", "the line before it begins with `let x`"),
            ("leads to 3:let name =", "the line before the mark is built like `let name =`"),
            ("between:( … )", "it stands between `( … )`"),
            ("errors in build:8", "8 or more errors in the build"),
            ("errors in build:1", "1 error in the build"),
            ("position:0", "no errors before it in the build"),
            ("suggestions:2", "2 suggestions"),
            ("message length:3", "24 or more characters in the message"),
            ("window:unwrap", "the code around it has `unwrap`"),
            ("a place to come:unwrap", "it has “unwrap”"),
            ("no place", ""),
        ],
    )
    def test_of_a_feature(self, name: str, said: str) -> None:
        """Each place has its words; counts are read as bounds."""
        assert told(name) == said

    def test_words_that_overlap_are_one_quotation(self) -> None:
        """Single words, pairs and triples of one text come together."""
        assert told("message:cannot find value", "message:find", "message:find value <name>", "message:in scope") == (
            "the message says “cannot find value <name>” and “in scope”"
        )

    def test_quotations_that_a_third_connects_are_one(self) -> None:
        """What comes later can join what stood apart, in the place of the first."""
        assert told("label:not found", "label:x", "label:this scope", "label:found in this") == (
            "the label under the code says “not found in this scope” and “x”"
        )

    def test_one_mark_or_shape_in_common_joins_nothing(self) -> None:
        """Marks and shapes stand everywhere: that two pieces share one does not mean that they stood together."""
        assert told("marked:a .", "marked:. b") == "the marked code has `a .` and `. b`"
        assert told("message:takes <number>", "message:<number> were") == (
            "the message says “takes <number>” and “<number> were”"
        )

    def test_places_are_not_mixed(self) -> None:
        """What a note says is not put into the message's mouth."""
        assert (
            told("message:moved value", "note:value moves")
            == "the message says “moved value”; a note says “value moves”"
        )

    def test_pieces_of_words_that_are_quoted_are_not_told_again(self) -> None:
        """A word's beginning adds nothing to the word; that of a word which is not quoted is told."""
        assert told("stem:mism-", "message:mismatched types", "stem:-ched") == "the message says “mismatched types”"
        assert told("stem:borr-", "message:mismatched types") == (
            "a word of the message has “borr-”; the message says “mismatched types”"
        )
        assert told("marked:to_string", "piece:string", "starts:to_", "ends:ing") == "the marked code has `to_string`"

    def test_a_token_that_is_told_with_its_place_is_not_told_again(self) -> None:
        """What stands directly before the mark stands in its line, too: once is enough."""
        assert told("before:use", "line:use", "line:let") == "before it stands `use`; its line has `let`"
        assert told("before:use", "line:use") == "before it stands `use`"

    def test_no_more_than_a_person_reads(self) -> None:
        """At most three phrases of two quotations each."""
        many = [f"{place}:{word}" for word in "xyz" for place in ("message", "note", "help", "label")]
        assert told(*many) == "the message says “x” and “y”; a note says “x” and “y”; the help says “x” and “y”"

    def test_every_feature_there_is_has_words(self) -> None:
        """A place that ``models.features`` or ``models.code_features`` names is described here."""
        span = Span(
            file="a.rs",
            line_start=2,
            line_end=2,
            column_start=9,
            column_end=18,
            label="expected `i32`",
            text=("let x = to_string();",),
            before=("fn f() {", "let y = 1;"),
            after=("g(x);", "}"),
        )
        one = Diagnostic(
            level="error",
            message="mismatched types",
            spans=(span, span.model_copy(update={"is_primary": False})),
            notes=(Note(level="note", message="found unit"), Note(level="help", message="try this")),
            suggestions=(Suggestion(message="remove", replacement="", span=span),),
        )
        found = {name for part in [*parts(one), *source_parts(one)] for name in part.names} - {"bias"}
        unknown = {name for name in found if told(name).startswith("it has")}
        assert len(found) > 60
        assert not unknown


class TestSafety:
    def test_a_terminal_is_not_moved(self) -> None:
        """Escape sequences and reversed writing of a hostile message are not printed."""
        said = explain("A\x1b[2J", [("message:\x1b[31mred", 1.0), ("marked:\u202eevil", 1.0)])
        assert said == "A�[2J: the message says “�[31mred”, and the marked code has `�evil`"

    def test_a_quotation_ends_where_it_ends(self) -> None:
        """Marks that would end a quotation are replaced inside it."""
        assert told("message:a” and b", "marked:`x`") == "the message says “a\" and b”; the marked code has `'x'`"

    def test_a_long_quotation_is_cut(self) -> None:
        """No quotation has more than 60 characters."""
        assert told("message:" + "x" * 100) == f"the message says “{'x' * 59}…”"

    @given(st.text(max_size=300), deciding)
    def test_short_and_printable_whatever_comes(self, label: str, speaks: list[tuple[str, float]]) -> None:
        """Of any names and amounts an explanation is one printable line within the bound."""
        said = explain(label, speaks, against=True)
        assert len(said) <= MAX_CHARS
        assert said.isprintable()

    @given(st.text(max_size=9), deciding, st.booleans())
    def test_the_same_with_and_without_the_cache(
        self, label: str, speaks: list[tuple[str, float]], against: bool
    ) -> None:
        """Said twice, it is said in the same words."""
        first = explain(label, speaks, against=against)
        assert explain(label, speaks, against=against) == first
        _SAID.clear()
        assert explain(label, speaks, against=against) == first

    @given(st.lists(names, max_size=20))
    def test_no_more_phrases_than_allowed(self, names: list[str]) -> None:
        """Whatever the features, there are at most so many phrases."""
        assert len(phrases(names)) <= MAX_PHRASES
