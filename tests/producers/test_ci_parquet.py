"""Parquet of diagnostics, one compilation per source file."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.records import CompilerErrors
from producers.ci import InputError, Report, read

TIME = datetime(2026, 1, 2, tzinfo=UTC)


def diagnostic(number: int) -> str:
    return orjson.dumps({"level": "error", "message": f"m{number}", "code": None, "spans": [], "children": []}).decode()


def parquet(rows: list[tuple[str | None, str | None]], **options: Any) -> bytes:
    files, diagnostics = zip(*rows, strict=True)
    table = pa.table(
        {"origin": ["ui"] * len(rows), "source_file": files, "diagnostic": diagnostics, "line": [1] * len(rows)}
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def take(data: bytes, name: str = "x.parquet") -> tuple[list[CompilerErrors], Report]:
    report = Report()
    return list(read(io.BytesIO(data), name=name, project="demo", time=TIME, report=report)), report


class TestGroups:
    def test_one_record_for_each_source_file(self) -> None:
        """Rows of one source file are one compilation, also across row groups."""
        rows = [(f"E0308_{number // 4}.rs", diagnostic(number)) for number in range(40)]
        records, report = take(parquet(rows, row_group_size=3))
        assert [len(record.diagnostics) for record in records] == [4] * 10
        assert (report.accepted, report.diagnostics, report.exit_code) == (10, 40, 0)

    def test_rows_of_a_file_may_lie_apart(self) -> None:
        """A file whose rows are scattered over the table still makes one record."""
        rows = [(f"f{number % 300}.rs", diagnostic(number)) for number in range(1_200)]
        records, _ = take(parquet(rows))
        assert len(records) == 300
        assert {len(record.diagnostics) for record in records} == {4}

    def test_equal_diagnostics_of_two_files_have_two_ids(self) -> None:
        """Ids differ by source file, are stable, and the file's name, which tells the answer, is nowhere."""
        data = parquet([("E0308.rs", diagnostic(1)), ("E0277.rs", diagnostic(1))])
        records, _ = take(data)
        assert len({record.id for record in records}) == 2
        assert [record.id for record in take(data)[0]] == [record.id for record in records]
        assert not any(b"E0308" in record.to_bytes() or b"E0277" in record.to_bytes() for record in records)

    def test_bad_row_is_named_and_the_rest_goes_through(self) -> None:
        """A row that is no diagnostic is rejected with its number; its file's other rows make a record."""
        rows = [("a", diagnostic(1)), ("a", "{"), ("b", None), (None, diagnostic(2)), ("a", diagnostic(3))]
        records, report = take(parquet(rows))
        assert [len(record.diagnostics) for record in records] == [2]
        assert [number for number, _ in report.rejected] == [2, 3, 4]
        assert report.exit_code == 1

    def test_dictionary_columns_are_read(self) -> None:
        """Columns stored as dictionaries read like plain text."""
        table = pq.read_table(io.BytesIO(parquet([("a", diagnostic(1))]))).to_pydict()
        sink = io.BytesIO()
        pq.write_table(pa.table({name: pa.array(values).dictionary_encode() for name, values in table.items()}), sink)
        assert len(take(sink.getvalue())[0]) == 1


class TestRefused:
    def test_missing_column_is_named(self) -> None:
        """Parquet of something else: the columns needed, missing and there."""
        sink = io.BytesIO()
        pq.write_table(pa.table({"source_file": ["a"], "text": ["b"]}), sink)
        said = r"x.parquet: no column origin, diagnostic; needed are .*, there are source_file, text"
        with pytest.raises(InputError, match=said):
            take(sink.getvalue())

    def test_wrong_type_is_named(self) -> None:
        """A column of numbers where text is needed is named with its type."""
        sink = io.BytesIO()
        pq.write_table(pa.table({"origin": ["a"], "source_file": ["b"], "diagnostic": [7]}), sink)
        with pytest.raises(InputError, match=r"wrong type of diagnostic \(int64\)"):
            take(sink.getvalue())

    @pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
    def test_cut_file_is_refused(self, keep: float) -> None:
        """Parquet without its end cannot be read at all."""
        data = parquet([(f"f{n}", diagnostic(n)) for n in range(100)])
        with pytest.raises(InputError, match="not readable as Parquet"):
            take(data[: int(len(data) * keep)])

    def test_damage_inside_never_raises_anything_else(self) -> None:
        """Bytes overwritten in the middle give a rejection or InputError."""
        data = parquet([(f"f{n}", diagnostic(n)) for n in range(200)])
        for at in range(4, len(data), max(1, len(data) // 60)):
            report = Report()
            try:
                for _ in read(
                    io.BytesIO(data[:at] + b"\xff\x00\xff" + data[at + 3 :]), project="demo", time=TIME, report=report
                ):
                    pass
            except InputError:
                continue


@pytest.mark.scale
def test_corpus_gives_one_record_for_each_source_file(corpus: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Of every corpus file: one record per source file, none missing, none twice, nothing rejected."""
    for path in corpus:
        files = set(pq.read_table(path, columns=["source_file"])["source_file"].to_pylist())
        report = Report()
        with path.open("rb") as source:
            records = list(read(source, name=path.name, project="demo", time=TIME, report=report))
        with capsys.disabled():
            sys.stdout.write(
                f"\n{path.name}: {len(files)} files, {len(records)} records, {report.diagnostics} diagnostics\n"
            )
        assert len(records) == len({r.id for r in records}) == len({r.program_id for r in records}) == len(files)
        assert report.exit_code == 0
