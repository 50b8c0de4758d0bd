"""The lines of code around a span, from the Parquet column that has the source."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.diagnostics import Diagnostic, Span
from producers.ci import Report, read
from producers.ci.surroundings import MAX_SPANS, with_surroundings

SOURCE = ["fn main() {", "    let a = 1;", "    let b = a + c;", "    done();", "}"]


def span(line: int, text: str, file: str = "u/1.rs", lines: int = 1) -> Span:
    return Span(file=file, line_start=line, line_end=line + lines - 1, column_start=17, column_end=18, text=(text,))


def diagnostic(*spans: Span) -> Diagnostic:
    return Diagnostic(level="error", message="cannot find value `c` in this scope", spans=spans)


def test_a_span_gets_two_lines_on_each_side() -> None:
    """The lines directly before and after the marked ones, in their order."""
    (found,) = with_surroundings(diagnostic(span(3, SOURCE[2])), "u/1.rs", SOURCE).spans
    assert (found.before, found.after) == (tuple(SOURCE[:2]), tuple(SOURCE[3:]))


def test_at_the_edges_of_a_file_there_are_fewer_lines() -> None:
    """A span on the first line has nothing before it, one that ends on the last nothing after it."""
    first, whole = with_surroundings(diagnostic(span(1, SOURCE[0]), span(1, SOURCE[0], lines=5)), None, SOURCE).spans
    assert (first.before, len(first.after)) == ((), 2)
    assert (whole.before, whole.after) == ((), ())


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(span(3, SOURCE[2], file="other.rs"), id="another file"),
        pytest.param(span(3, "macro_rules! m"), id="another text"),
        pytest.param(span(30, SOURCE[2]), id="beyond the end"),
        pytest.param(span(0, SOURCE[2]), id="line 0"),
        pytest.param(span(3, SOURCE[2]).model_copy(update={"text": ()}), id="no text"),
    ],
)
def test_a_span_that_does_not_lie_in_the_source_stays_as_it_is(elsewhere: Span) -> None:
    """What comes from a macro or from another file gets no lines that are not its own."""
    assert with_surroundings(diagnostic(elsewhere), "u/1.rs", SOURCE).spans == (elsewhere,)


def test_later_spans_get_no_surroundings() -> None:
    """A diagnostic with many spans does not multiply its size."""
    spans = with_surroundings(diagnostic(*[span(3, SOURCE[2])] * (MAX_SPANS + 2)), None, SOURCE).spans
    assert [bool(one.before) for one in spans] == [True] * MAX_SPANS + [False] * 2


def test_a_parquet_file_with_the_source_gives_spans_their_surroundings() -> None:
    """The columns are optional, and the file's alias does not end up in anything but the span's own file."""
    message = {
        "level": "error",
        "message": "m",
        "code": None,
        "children": [],
        "spans": [
            {
                "file_name": "u/1.rs",
                "line_start": 3,
                "line_end": 3,
                "column_start": 17,
                "column_end": 18,
                "is_primary": True,
                "label": None,
                "text": [{"text": SOURCE[2]}],
            }
        ],
    }
    columns = {"origin": ["ui"], "source_file": ["E0425.rs"], "diagnostic": [orjson.dumps(message).decode()]}
    sink = io.BytesIO()
    pq.write_table(pa.table({**columns, "rust_code": ["\n".join(SOURCE)], "file_alias": ["u/1.rs"]}), sink)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    (record,) = read(io.BytesIO(sink.getvalue()), name="x.parquet", project="demo", time=now, report=Report())
    assert record.diagnostics[0].spans[0].before == tuple(SOURCE[:2])
