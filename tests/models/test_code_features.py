"""Features of the code alone: five lines, the mark in them, and nothing that the compiler said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.code_features import MAX_TOKENS, source_parts
from models.diagnostics import Diagnostic, Note, Span
from tests.builders import diagnostic, span

code_line = st.text(st.sampled_from("abcXY_ \"'0/.~<>&:()[]{};!=+|#\\é日"), max_size=80)
column = st.integers(0, 90)


@st.composite
def places(draw: st.DrawFn) -> Span:
    """Return a span of arbitrary code with an expectation comment on every line."""
    mark = " //~ ERROR E0308 zqxhint"
    around = st.lists(code_line.map(lambda line: line + mark), max_size=2).map(tuple)
    return Span(
        file="dir/zqxfile.rs",
        line_start=draw(st.integers(0, 3)),
        line_end=draw(st.integers(0, 3)),
        column_start=draw(column),
        column_end=draw(column),
        text=(draw(code_line) + mark,),
        before=draw(st.none() | around),
        after=draw(st.none() | around),
    )


def names(one: Diagnostic, *, mark: bool = True) -> list[str]:
    return [name for part in source_parts(one, mark=mark) for name in part.names]


def kinds(found: list[str], *wanted: str) -> set[str]:
    return {name for name in found if name.partition(":")[0] in wanted}


class TestAnswersStayOut:
    @given(places(), st.booleans())
    def test_no_mark_of_a_test_suite_is_seen(self, place: Span, mark: bool) -> None:
        """File names, expectation comments and error codes leave no trace, on any of the lines."""
        found = names(diagnostic("m", spans=(place,)), mark=mark)
        assert not [name for name in found if "zqx" in name or re.search(r"E\d{4}", name)]

    @given(places())
    def test_nothing_that_the_compiler_says(self, place: Span) -> None:
        """Message, code, label, notes, and how many spans there are change nothing."""
        bare = diagnostic("m", spans=(place,))
        said = place.model_copy(update={"label": "expected `i32`"})
        full = diagnostic("mismatched types", "E0308", spans=(said, said), notes=(Note(level="note", message="n"),))
        assert names(bare) == names(full)

    @given(places(), column, column)
    def test_without_the_mark_columns_say_nothing(self, place: Span, start: int, end: int) -> None:
        """``mark=False`` gives the same whatever the compiler marked in the line."""
        moved = place.model_copy(update={"column_start": start, "column_end": end})
        assert names(diagnostic("m", spans=(place,)), mark=False) == names(diagnostic("m", spans=(moved,)), mark=False)


class TestWhatIsIn:
    def test_neighbouring_lines_and_where_they_stand(self) -> None:
        """The lines before and after give their tokens, and how each begins, with its distance from the mark."""
        place = span("«x»", before=("fn far() {", "let near = 1;"), after=("}",))
        found = names(diagnostic("m", spans=(place,)))
        assert {"near:far", "near:near", "near:<number>"} <= set(found)
        assert kinds(found, "line -1", "line -2", "line +1") == {"line -1:let near", "line -2:fn far", "line +1:}"}

    def test_classes_of_tokens(self) -> None:
        """Keywords stand for themselves, names for what they are: the shape of a place is told apart from its words."""
        found = names(diagnostic("m", spans=(span("let a = «Foo::new(MAX)»;"),)))
        assert "classes:Type :: name ( CONSTANT )" in found
        assert "around:name = [Type :: name] ;" in found
        assert "line starts:let name =" in found

    def test_pieces_of_names(self) -> None:
        """A marked name gives its pieces, in snake_case and in CamelCase."""
        found = names(diagnostic("m", spans=(span("«HashMap::from_iter»"),)))
        assert kinds(found, "piece") == {"piece:hash", "piece:map", "piece:from", "piece:iter"}

    def test_no_code_no_features(self) -> None:
        """A diagnostic without a span, or without a text in it, has no features from source."""
        assert source_parts(diagnostic("m")) == []
        assert source_parts(diagnostic("m", spans=(span(text=()),))) == []


class TestSafety:
    @pytest.mark.parametrize("piece", ["a+", "'", '"', "\\", "a", "(", "é"])
    def test_long_lines_stay_small(self, piece: str) -> None:
        """Five lines as long as a record allows give a bounded number of features."""
        line = piece * (16_384 // len(piece))
        place = span(line, column_start=8_000, column_end=12_000, text=(line,), before=(line, line), after=(line, line))
        assert len(names(diagnostic("m", spans=(place,)))) < 40 * MAX_TOKENS

    @given(places(), st.booleans())
    def test_repeatable(self, place: Span, mark: bool) -> None:
        """Two calls give the same features in the same order, with or without a cache."""
        one = diagnostic("m", spans=(place,))
        assert source_parts(one, mark=mark) == source_parts(Diagnostic(**one.model_dump()), mark=mark)
