"""Diagnostics gathered into records, within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.diagnostics import Diagnostic, Note
from models.records import CompilerErrors
from producers.ci.grouping import CUT_SHORT, MAX_PART_BYTES, Context, Grouper, Key
from producers.ci.report import Report

CONTEXT = Context(project="demo", time=datetime(2026, 1, 2, tzinfo=UTC))


def error(number: int, level: str = "error", code: str = "E0308", **more: Any) -> Diagnostic:
    return Diagnostic(code=code, level=level, message=f"m{number}", **more)


def gather(pairs: list[tuple[Key, Diagnostic]], **options: Any) -> tuple[list[CompilerErrors], Report]:
    report = Report()
    grouper = Grouper(CONTEXT, report, **options)
    records = [record for key, item in pairs for record in grouper.add(key, item, 1)]
    return records + grouper.flush(), report


class TestParts:
    def test_large_build_comes_in_parts(self) -> None:
        """250 diagnostics make three parts of one compilation; only the last says how many there are."""
        records, report = gather([(Key(), error(number)) for number in range(250)])
        assert [(r.part, r.parts, len(r.diagnostics)) for r in records] == [(1, None, 100), (2, None, 100), (3, 3, 50)]
        assert len({r.id for r in records}) == 3
        assert (report.accepted, report.diagnostics) == (3, 250)

    def test_exactly_one_part_is_not_split(self) -> None:
        """100 diagnostics are one record, no part of anything."""
        records, _ = gather([(Key(), error(number)) for number in range(100)])
        assert [(r.part, r.parts) for r in records] == [(1, None)]

    def test_parts_respect_the_size_of_a_record(self) -> None:
        """Few but huge diagnostics are split as well, so that no record is too large for its topic."""
        notes = (Note(level="note", message="x" * 16_000),) * 32
        records, _ = gather([(Key(), error(number, notes=notes)) for number in range(20)])
        assert len(records) > 1
        assert all(len(record.to_bytes()) < MAX_PART_BYTES + (1 << 16) for record in records)

    def test_diagnostic_too_large_for_any_record_is_rejected(self) -> None:
        """A diagnostic that fits no record is named, not sent."""
        notes = (Note(level="note", message="\N{GRINNING FACE}" * 16_384),) * 32
        big = error(1, notes=notes).model_copy(update={"notes": notes * 3})
        records, report = gather([(Key(), big), (Key(), error(2))])
        assert len(records) == 1
        assert report.rejections == 1

    def test_repeated_diagnostic_counts_once(self) -> None:
        """The same message of the same compilation, as test and bin builds repeat it, is kept once."""
        records, report = gather([(Key(), error(1)), (Key(), error(1)), (Key(package="other"), error(1))])
        assert [len(record.diagnostics) for record in records] == [1, 1]
        assert report.skipped["repeated diagnostics"] == 1

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), max_size=400))
    def test_nothing_is_lost(self, items: list[tuple[int, int]]) -> None:
        """However compilations interleave, every distinct diagnostic is in exactly one record of its compilation."""
        records, _ = gather([(Key(target=str(target)), error(number)) for target, number in items])
        found = [(record.target, item.message) for record in records for item in record.diagnostics]
        assert sorted(found) == sorted({(str(target), f"m{number}") for target, number in items})


class TestFailures:
    def test_warnings_alone_are_no_failure(self) -> None:
        """A build with warnings only gives no record, also beyond the limit of a record."""
        pairs = [(Key(), error(number, level="warning", code="unused")) for number in range(150)]
        records, report = gather(pairs, warnings=True)
        assert (records, report.accepted, report.skipped["warnings"]) == ([], 0, 150)

    def test_clippy_warning_is_a_failure(self) -> None:
        """A clippy lint makes its build a failure of the tool clippy."""
        (record,), _ = gather([(Key(), error(1, level="warning", code="clippy::todo"))], warnings=True)
        assert record.tool == "clippy"


class TestBounds:
    def test_open_compilations_are_bounded(self) -> None:
        """Beyond the bound, the one longest untouched is given back as it stands and counted."""
        report = Report()
        grouper = Grouper(CONTEXT, report, max_open=3)
        early = [record for n in range(5) for record in grouper.add(Key(target=f"t{n}"), error(n), 1)]
        assert [record.target for record in early] == ["t0", "t1"]
        assert report.skipped[CUT_SHORT] == 2

    def test_held_bytes_are_bounded(self) -> None:
        """Few compilations with much in them are given back early as well."""
        pairs = [(Key(target=f"t{n}"), error(n, notes=(Note(level="note", message="x" * 10_000),))) for n in range(9)]
        records, report = gather(pairs, max_held=25_000)
        assert len(records) == 9
        assert report.skipped[CUT_SHORT] == 7
