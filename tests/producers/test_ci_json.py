"""rustc's JSON as diagnostics."""

from __future__ import annotations

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diagnostics import Diagnostic
from producers.ci import diagnostic_from_rustc
from producers.ci.bounds import MAX_SHORT, shorten, without_paths


def span(**changes: Any) -> dict[str, Any]:
    text = [{"text": "    f(1);", "highlight_start": 7, "highlight_end": 8}]
    place = {"line_start": 3, "line_end": 3, "column_start": 7, "column_end": 8}
    return {"file_name": "src/main.rs", **place, "is_primary": True, "text": text, "label": None, **changes}


def message(**changes: Any) -> dict[str, Any]:
    base = {"message": "mismatched types", "code": {"code": "E0308", "explanation": "SECRET"}, "level": "error"}
    return {**base, "spans": [span()], "children": [], "rendered": "SECRET", **changes}


def marked(diagnostic: Diagnostic) -> str:
    first = diagnostic.spans[0]
    return first.text[0][first.column_start - 1 : first.column_end - 1]


class TestFields:
    def test_explanation_and_rendering_never_get_in(self) -> None:
        """What names the answer, `rendered` and `code.explanation`, is in no field of a diagnostic."""
        diagnostic = diagnostic_from_rustc(message())
        assert (diagnostic.code, diagnostic.level, diagnostic.message) == ("E0308", "error", "mismatched types")
        assert "SECRET" not in diagnostic.model_dump_json()

    def test_children_become_notes_and_suggestions(self) -> None:
        """A child with a replacement is a suggestion with its applicability, any other is a note."""
        edit = span(suggested_replacement="1u8", suggestion_applicability="MachineApplicable")
        children = [
            {"level": "note", "message": "defined here", "spans": [span(is_primary=False)]},
            {"level": "help", "message": "change the type", "spans": [edit]},
        ]
        diagnostic = diagnostic_from_rustc(message(children=children))
        assert [(note.level, note.message) for note in diagnostic.notes] == [("note", "defined here")]
        (suggestion,) = diagnostic.suggestions
        assert (suggestion.replacement, suggestion.applicability) == ("1u8", "MachineApplicable")

    def test_span_in_a_foreign_macro_leads_to_own_code(self) -> None:
        """A place inside another crate's macro is replaced by the user's line that called it, with its label."""
        own = span(line_start=9, line_end=9)
        middle = span(file_name="/rustc/abc/library/alloc/src/macros.rs", expansion={"span": own})
        foreign = span(file_name="/home/alice/.cargo/registry/src/x/src/lib.rs", expansion={"span": middle}, label="L")
        (found,) = diagnostic_from_rustc(message(spans=[foreign])).spans
        assert (found.file, found.line_start, found.label, found.is_primary) == ("src/main.rs", 9, "L", True)

    def test_many_parts_keep_the_primary_span(self) -> None:
        """Beyond the limit of spans, the primary one is among those kept."""
        spans = [span(is_primary=False, line_start=n, line_end=n) for n in range(50)] + [span(line_start=99)]
        diagnostic = diagnostic_from_rustc(message(spans=spans))
        assert len(diagnostic.spans) == 32
        assert diagnostic.primary is not None
        assert diagnostic.primary.line_start == 99


class TestBounds:
    @given(st.integers(0, 3_000), st.integers(1, 60), st.integers(0, 3_000))
    def test_marked_text_stays_marked_in_a_cut_line(self, before: int, width: int, after: int) -> None:
        """However long the line, the columns mark the same text in what is kept of it."""
        line = "a" * before + "X" * width + "b" * after
        place = {"column_start": before + 1, "column_end": before + width + 1}
        diagnostic = diagnostic_from_rustc(message(spans=[span(text=[{"text": line}], **place)]))
        assert marked(diagnostic) == "X" * width
        assert len(diagnostic.spans[0].text[0]) <= 400

    def test_first_line_of_a_long_block_stays_marked(self) -> None:
        """In a span over several lines, start and end are moved with their own line."""
        lines = [{"text": "a" * 1000 + "X" * 50}, {"text": "m" * 900}, {"text": "b" * 1000 + "Y"}]
        block = span(text=lines, line_end=5, column_start=1001, column_end=1002)
        (found,) = diagnostic_from_rustc(message(spans=[block])).spans
        assert found.text[0][found.column_start - 1 :] == "X" * 50
        assert found.text[2][: found.column_end - 1].endswith("bY")
        assert all(len(line) <= 400 for line in found.text)

    def test_long_texts_end_in_an_ellipsis_and_numbers_are_clamped(self) -> None:
        """Too much of anything is cut to what a record holds."""
        diagnostic = diagnostic_from_rustc(message(message="x" * 99_999, spans=[span(line_start=-4, line_end=1 << 60)]))
        assert len(diagnostic.message) == 16_384
        assert diagnostic.message.endswith("…")
        assert (diagnostic.spans[0].line_start, diagnostic.spans[0].line_end) == (0, (1 << 31) - 1)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"message": 7}, "message is a number, expected text"),
            ({"level": None}, "level is missing, expected text"),
            ({"code": "E0308"}, "code is text, expected an object"),
            ({"code": {}}, "code is missing, expected text"),
            ({"spans": {}}, "spans is an object, expected a list"),
            ({"spans": [3]}, r"spans\[0\] is a number, expected an object"),
            ({"spans": [span(line_start="3")]}, "line_start is text, expected a number"),
            ({"spans": [span(line_start=True)]}, "line_start is true/false, expected a number"),
            ({"spans": [span(line_start=1e30)]}, "line_start is a fraction, expected a number"),
            ({"spans": [span(file_name=None)]}, "file_name is missing, expected text"),
            ({"spans": [span(label=["x"])]}, "label is a list, expected text"),
            ({"children": "no"}, "children is text, expected a list"),
        ],
    )
    def test_wrong_type_is_a_reason(self, changes: dict[str, Any], reason: str) -> None:
        """A field that is missing or of the wrong type gives a ValueError that names it."""
        with pytest.raises(ValueError, match=reason):
            diagnostic_from_rustc(message(**changes))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*message(), *span(), "expansion", "span", "suggested_replacement"]),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=30,
        )
    )
    def test_any_shape_gives_a_diagnostic_or_a_reason(self, value: Any) -> None:
        """Whatever JSON stands in for a message, the outcome is a record's diagnostic or a ValueError."""
        for document in ({**message(), "spans": value}, {**message(), "children": value}, value):
            if isinstance(document, dict):
                with contextlib.suppress(ValueError):
                    assert orjson.loads(diagnostic_from_rustc(document).model_dump_json())


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("src/main.rs", "src/main.rs"),
            ("../shared/src/lib.rs", "../shared/src/lib.rs"),
            ("/home/alice/project/src/bin/tool.rs", "src/bin/tool.rs"),
            ("/home/alice/project/build.rs", "build.rs"),
            ("C:\\Users\\alice\\project\\src\\main.rs", "src/main.rs"),
            ("/home/alice/x/tests/it.rs", "tests/it.rs"),
            ("~/secret.rs", "secret.rs"),
        ],
    )
    def test_absolute_path_loses_what_is_above_the_crate(self, path: str, expected: str) -> None:
        """A relative path stays as it is, an absolute one is cut to the part below the crate."""
        assert shorten(path) == expected

    def test_long_path_keeps_its_end(self) -> None:
        """A path beyond the limit keeps the file's name."""
        assert shorten("d/" * 500 + "main.rs").endswith("/main.rs")
        assert len(shorten("d/" * 500 + "main.rs")) == MAX_SHORT

    def test_user_name_in_a_message_is_taken_out(self) -> None:
        """An absolute path inside a message is shortened; addresses of documentation are not."""
        said = "couldn't read `/home/alice/x/src/data.txt`: see https://doc.rust-lang.org/a/b and 1/2"
        expected = "couldn't read `src/data.txt`: see https://doc.rust-lang.org/a/b and 1/2"
        assert without_paths(said) == expected
