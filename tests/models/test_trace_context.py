"""W3C Trace Context: what is a context, what is none, and that it goes on as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trace_context import TraceContext, read_context

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


class TestReading:
    def test_context_goes_on_as_it_came(self) -> None:
        """A valid parent and its state are read from headers of any case, and written as they were."""
        found = read_context([("ce_id", b"1"), ("Traceparent", PARENT.encode()), ("TRACESTATE", "vendor=1")])
        assert found == TraceContext(PARENT, "vendor=1")
        assert (found.trace_id, found.sampled) == (TRACE, True)
        assert read_context(found.headers()) == found

    @pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("ff", True)])
    def test_says_whether_somebody_keeps_it(self, flags: str, sampled: bool) -> None:
        """The lowest flag says that spans are kept; the others mean nothing here."""
        found = read_context([("traceparent", f"00-{TRACE}-{SPAN}-{flags}")])
        assert found is not None
        assert found.sampled is sampled

    def test_later_version_is_taken(self) -> None:
        """A version to come may have more fields behind the four that are known."""
        assert read_context([("traceparent", f"01-{TRACE}-{SPAN}-01-more")]) is not None

    @pytest.mark.parametrize(
        "parent",
        [
            "",
            "garbage",
            None,
            PARENT.upper(),
            f"ff-{TRACE}-{SPAN}-01",
            f"00-{'0' * 32}-{SPAN}-01",
            f"00-{TRACE}-{'0' * 16}-01",
            f"00-{TRACE}-{SPAN}",
            f"{PARENT}-more",
            f"01-{TRACE}-{SPAN}-01-{'x' * 200}",
            b"\xff\xfe",
        ],
    )
    def test_anything_else_is_none(self, parent: str | bytes | None) -> None:
        """What breaks a rule of the standard is no context, and no error."""
        assert read_context([("traceparent", parent), ("tracestate", "a=1")]) is None

    def test_two_parents_are_none(self) -> None:
        """A message that names two parents belongs to neither."""
        assert read_context([("traceparent", PARENT), ("traceparent", PARENT)]) is None

    @pytest.mark.parametrize("state", ["", "x" * 513, "a=\u00e9", b"a=\x00"])
    def test_bad_state_is_left_out(self, state: str | bytes) -> None:
        """A state that is too long or no plain text does not cost the trace."""
        assert read_context([("traceparent", PARENT), ("tracestate", state)]) == TraceContext(PARENT)

    @given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.binary(max_size=80) | st.none())))
    def test_never_fails(self, headers: list[tuple[str, bytes | None]]) -> None:
        """Whatever the headers are, there is a context that reads back, or none."""
        found = read_context(headers)
        assert found is None or read_context(found.headers()) == found
