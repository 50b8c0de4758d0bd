"""Features: what describes the failure is in, what names the answer is not, and hostile input stays small."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.code_features import MAX_TOKENS
from models.diagnostics import Diagnostic, Note, Span, Suggestion
from models.features import MAX_WORDS, extract
from tests.builders import diagnostic, random_builds, span

MOST = 5_000  # features of any diagnostic

plain_text = st.text(st.sampled_from("abc `'\"E0123/.~<>&:()[]\n\\é日"), max_size=80)
column = st.integers(0, 90)


@st.composite
def planted(draw: st.DrawFn) -> Diagnostic:
    """Return a diagnostic of arbitrary texts, with ``zqx`` where nothing may be looked at."""
    place = {
        "file": "dir/zqxfile.rs",
        "line_start": draw(st.integers(0, 3)),
        "line_end": draw(st.integers(0, 3)),
        "column_start": draw(column),
        "column_end": draw(column),
        "is_primary": draw(st.booleans()),
        "text": (draw(plain_text).replace("\n", " ") + "//~ ERROR E0308 zqxhint", "zqxnextline"),
    }
    spans = tuple(Span(**place, label=draw(st.none() | plain_text)) for _ in range(draw(st.integers(0, 3))))
    tail = draw(st.sampled_from(["", " at dir/zqxfile.rs:3:5", " see https://host.example/index.html#zqxlint"]))
    note = Note(level=draw(st.sampled_from(["note", "help", "zqxlevel"])), message=draw(plain_text) + tail)
    edit = Suggestion(message=draw(plain_text) + tail, replacement="zqxedit", span=Span(**place))
    return diagnostic(
        draw(plain_text) + tail + " //~ zqxanswer", "zqxcode", file="dir/zqxfile.rs", spans=spans,
        notes=(note,) * draw(st.integers(0, 3)), suggestions=(edit,) * draw(st.integers(0, 2)),
    )  # fmt: skip


def kinds(features: dict[str, float], *wanted: str) -> set[str]:
    """Return the features of these kinds."""
    return {name for name in features if name.partition(":")[0] in wanted}


class TestAnswersStayOut:
    @given(planted())
    def test_nothing_planted_is_seen(self, one: Diagnostic) -> None:
        """Code, files, paths, links, expectation comments, replacements and later lines leave no trace."""
        assert not [name for name in extract(one) if "zqx" in name]

    @given(planted())
    def test_no_error_code_in_any_name(self, one: Diagnostic) -> None:
        """No feature contains an error code, wherever a text mentioned one."""
        assert not [name for name in extract(one) if re.search(r"E\d{4}", name)]

    @pytest.mark.parametrize("start", range(46))
    def test_comment_under_the_span(self, start: int) -> None:
        """An expectation comment stays out even when the columns point into it."""
        line = "    let x = y; //[full]~ ERROR mismatched"
        place = span(line, column_start=start, column_end=start + 6, text=(line,))
        assert not {"error", "ERROR", "full", "mismatched"} & {
            word for name in kinds(extract(diagnostic("m", spans=(place,))), "marked", "line", "before", "after")
            for word in name.partition(":")[2].split()
        }  # fmt: skip

    def test_clippy_link_hides_the_lint(self) -> None:
        """Clippy's help link ends in the lint's name, which is the diagnostic's code: it is masked."""
        link = "for further information visit https://rust-lang.github.io/rust-clippy/index.html#needless_return"
        found = extract(diagnostic("unneeded `return`", "clippy::needless_return", notes=(note("help", link),)))
        assert "help:<url>" in found
        assert not [name for name in found if "needless" in name]

    def test_the_code_changes_nothing(self) -> None:
        """The same diagnostic under another code has the same features."""
        for one in random_builds(20, seed=1):
            for other in one.diagnostics:
                assert extract(other) == extract(other.model_copy(update={"code": "E0001"}))


class TestWhatIsIn:
    def test_message_words_pairs_and_triples(self) -> None:
        """The message gives words, pairs and triples; counts stand beside them."""
        found = extract(diagnostic("use of moved `x`"), 2, 7)
        assert kinds(found, "message") == {
            *("message:use", "message:of", "message:moved", "message:<name>"),
            *("message:use of", "message:of moved", "message:moved <name>"),
            *("message:use of moved", "message:of moved <name>"),
        }
        assert found.keys() - kinds(found, "message", "stem") == {
            *("bias", "spans:0", "notes:0", "suggestions:0"),
            *("position:2", "errors in build:5", "message length:2"),
        }

    def test_beginnings_and_ends_of_long_words(self) -> None:
        """A long word of the message gives its two ends: a word never seen is met through its relatives."""
        found = extract(diagnostic("cannot dereference `x`"))
        assert kinds(found, "stem") == {"stem:cann-", "stem:-nnot", "stem:dere-", "stem:-ence"}

    def test_notes_labels_and_suggestions(self) -> None:
        """Texts beside the message are told apart by where they stood."""
        places = (span(label="here"), span(label="there", is_primary=False))
        edit = Suggestion(message="try cloning", replacement="", span=places[0])
        found = extract(
            diagnostic("m", notes=(note("note", "aa"), note("help", "bb")), spans=places, suggestions=(edit,))
        )
        assert {"note:aa", "help:bb", "label:here", "context:there", "help:try cloning"} <= found.keys()

    def test_code_under_and_beside_the_span(self) -> None:
        """Marked tokens, their pairs, the rest of the line and its neighbours are features; literals are masked."""
        found = extract(diagnostic("m", spans=(span("    foo(«a.b», \"s\", 'c', 17); // why"),)))
        assert kinds(found, "marked") == {"marked:a", "marked:.", "marked:b", "marked:a .", "marked:. b"}
        assert kinds(found, "before", "after") == {"before:(", "after:,"}
        line = ["foo", "(", ",", "<string>", "<char>", "<number>", ")", ";"]
        assert kinds(found, "line") == {f"line:{token}" for token in line}

    def test_columns_count_characters(self) -> None:
        """Columns are characters, not bytes: what stands before may be of any script."""
        found = extract(diagnostic("m", spans=(span('    let s = "日本語 é 👍"; «wanted»(1);'),)))
        assert kinds(found, "marked", "before", "after") == {"marked:wanted", "before:;", "after:("}

    def test_nearest_tokens_are_neighbours(self) -> None:
        """On a line of more tokens than are kept, the ones nearest to the mark are kept."""
        crowd = " ".join("+" * 2 * MAX_TOKENS)
        found = extract(diagnostic("m", spans=(span(f"{crowd} near «it» close {crowd}"),)))
        assert kinds(found, "before", "after") == {"before:near", "after:close"}

    def test_span_over_several_lines(self) -> None:
        """Of a span over several lines the first line counts, from the mark to its end."""
        place = span("    match «x» {", line_end=9, column_end=3, text=("    match x {", "    }"))
        assert kinds(extract(diagnostic("m", spans=(place,))), "marked") == {"marked:x", "marked:{", "marked:x {"}

    def test_columns_unknown(self) -> None:
        """Without columns (zero) the whole line counts as marked, and nothing as beside it."""
        found = extract(diagnostic("m", spans=(span("let x", column_start=0, column_end=0),)))
        assert kinds(found, "marked", "line", "before", "after") == {"marked:let", "marked:x", "marked:let x"}

    def test_columns_beyond_the_line(self) -> None:
        """Columns beyond the line mark nothing; the line still counts."""
        found = extract(diagnostic("m", spans=(span("let x", column_start=500, column_end=510),)))
        assert kinds(found, "marked", "line", "before", "after") == {"line:let", "line:x", "before:x"}

    @pytest.mark.parametrize("spans", [(), (span(text=()),), (span("«»"),)])
    def test_nothing_to_see(self, spans: tuple[Span, ...]) -> None:
        """An empty message without spans, or with spans without text, has the counts and the bias alone."""
        found = extract(diagnostic("", spans=spans))
        assert found.keys() == {"bias", f"spans:{len(spans)}"} | {
            *("notes:0", "suggestions:0", "position:0", "errors in build:1", "message length:0")
        }


class TestSafety:
    def test_huge_input_stays_small(self) -> None:
        """A diagnostic as large as a record allows has at most a few thousand features with short names."""
        words = [f"w{number:x}" for number in range(3_000)]
        texts = [" ".join(words[start:])[:16_384] for start in range(32)]
        places = tuple(
            span(" ".join(f"a{n:x}+" for n in range(2_000)), label=text, column_start=3_000, column_end=6_000)
            for text in texts
        )
        edits = tuple(Suggestion(message=text, replacement="", span=places[0]) for text in texts)
        found = extract(
            diagnostic(texts[0], notes=tuple(note("note", text) for text in texts), spans=places, suggestions=edits)
        )
        assert len(found) < MOST
        assert len(kinds(found, "message")) <= 3 * MAX_WORDS
        assert max(map(len, found)) < 3 * 2_000

    def test_input_and_cache_stay_as_they_were(self) -> None:
        """The diagnostic is not changed, and changing the answer does not change the next one."""
        one = random_builds(1, seed=3)[0].diagnostics[0]
        before, first = one.model_dump(), extract(one)
        kept = dict(first)
        first.clear()
        assert extract(one) == kept
        assert one.model_dump() == before

    @given(planted())
    def test_repeatable_in_order(self, one: Diagnostic) -> None:
        """Two calls give the same features in the same order: the rows of a saved model depend on neither."""
        assert list(extract(one).items()) == list(extract(Diagnostic(**one.model_dump())).items())

    @given(planted(), st.integers(0, 99), st.integers(1, 100))
    def test_values_are_ones(self, one: Diagnostic, position: int, total: int) -> None:
        """Every feature is present with the value one, and the bias is always there."""
        found = extract(one, position, total)
        assert set(found.values()) == {1.0}
        assert "bias" in found


def note(level: str, message: str) -> Note:
    """Return a child message."""
    fields: dict[str, Any] = {"level": level, "message": message}
    return Note(**fields)
