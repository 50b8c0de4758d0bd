"""Corpora for OIP: both profiles, read back whole, and taken by its importer to the last row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diagnostics import Suggestion
from models.records import CompilerErrors, Prediction
from models.step import step
from models.taxonomy import CATEGORIES
from models.warm_start import warm_state
from producers.oip import FORMATS, Exported, OipError, Row, Target, export, read_rows, write_rows
from producers.oip.row import arrow_schema
from tests.builders import build, diagnostic, span
from tests.producers import oip_importer

ROW = Row(
    source_file="a.py",
    rust_file="a.rs",
    level="error",
    message="mismatched types",
    oip_category="TypeErrors",
    confidence=0.95,
    line_start=3,
    line_end=4,
    timestamp=1_795_000_000,
    depyler_version="4.1.1",
)
FULL = replace(
    ROW,
    error_code="E0308",
    suggestion=".to_string()",
    applicability="MaybeIncorrect",
    column_start=7,
    python_construct="list comprehension",
    weight=1.5,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
rows = st.builds(
    Row,
    source_file=texts,
    rust_file=texts,
    level=st.sampled_from(["error", "warning"]),
    message=texts,
    oip_category=st.sampled_from(CATEGORIES),
    confidence=st.integers(0, 10_000).map(lambda n: n / 10_000),
    line_start=st.integers(0, 9),
    line_end=st.integers(10, 99),
    timestamp=st.integers(0, 2**40),
    depyler_version=texts,
    error_code=st.none() | texts,
    clippy_lint=st.none() | texts,
    suggestion=st.none() | texts,
    python_construct=st.none() | texts,
    weight=st.integers(1, 49_999).map(lambda n: n / 10_000),
)


def refuse(number: int, why: str) -> None:
    raise AssertionError(f"row {number}: {why}")


def classified(*builds: CompilerErrors) -> list[tuple[CompilerErrors, Prediction]]:
    """Return builds with what the bundled model says of them."""
    state = warm_state()
    return [(one, step(state, one, one.time)[0]) for one in builds]


def exported(*builds: CompilerErrors, **options: Any) -> tuple[list[Row], Exported]:
    report = Exported()
    return list(export(classified(*builds), report, **options)), report


class TestFiles:
    @pytest.mark.parametrize("form", FORMATS)
    @pytest.mark.parametrize("target", Target)
    @settings(max_examples=30, deadline=None)
    @given(some=st.lists(rows, min_size=1, max_size=20))
    def test_round_trip(self, form: str, target: Target, tmp_path_factory: Any, some: list[Row]) -> None:
        """What is written in either profile and form reads back the same."""
        path = tmp_path_factory.mktemp("oip") / "corpus"
        assert write_rows(path, some, target, form) == len(some)
        assert list(read_rows(path, refuse)) == some

    @pytest.mark.parametrize("form", FORMATS)
    def test_objects_of_oip_1(self, form: str, tmp_path: Path) -> None:
        """Applicability and column, which the specified schema has no place for, survive in oip-1."""
        path = tmp_path / "corpus"
        write_rows(path, [FULL], Target.OIP_1, form)
        assert list(read_rows(path, refuse)) == [FULL]
        write_rows(path, [FULL], Target.SPECIFIED, form)
        assert list(read_rows(path, refuse)) == [replace(FULL, applicability="Unspecified", column_start=1)]

    def test_specified_schema(self) -> None:
        """The specified profile has the specified columns in their order and types."""
        schema = arrow_schema(Target.SPECIFIED)
        assert schema.names == [
            "source_file",
            "rust_file",
            "error_code",
            "clippy_lint",
            "level",
            "message",
            "oip_category",
            "confidence",
            "line_start",
            "line_end",
            "suggestion",
            "python_construct",
            "timestamp",
            "depyler_version",
            "weight",
        ]
        assert (schema.field("confidence").type, schema.field("weight").type) == (pa.float64(), pa.float32())
        assert schema.metadata[b"jidoka.schema_version"] == b"1"

    def test_an_older_export_is_brought_up_to_date(self, tmp_path: Path) -> None:
        """Depyler's CITL lines, with objects and without our newer fields, become rows."""
        path = tmp_path / "citl.jsonl"
        old = {"source_file": "d.py", "error_code": "E0308", "clippy_lint": None, "level": "error", "message": "m"}
        old |= {"oip_category": "TypeErrors", "confidence": 0.95, "span": {"line_start": 42, "column_start": 12}}
        old |= {"suggestion": {"replacement": "x", "applicability": "MaybeIncorrect"}}
        path.write_text(json.dumps(old | {"timestamp": 1_732_752_000, "depyler_version": "3.21.0"}))
        (row,) = read_rows(path, refuse)
        assert (row.rust_file, row.line_start, row.line_end, row.column_start) == ("d.rs", 42, 42, 12)
        assert (row.suggestion, row.applicability, row.weight) == ("x", "MaybeIncorrect", 1.0)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"oip_category": "Nonsense"}, "oip_category 'Nonsense'"),
            ({"confidence": 1.5}, "confidence 1.5"),
            ({"confidence": "high"}, "confidence is a str"),
            ({"message": None}, "no message"),
            ({"timestamp": True}, "timestamp is a bool"),
            ({"line_end": 1}, "lines 3 to 1"),
            ({"weight": 0}, "weight 0"),
        ],
    )
    def test_a_row_that_is_none_is_refused(self, change: dict[str, Any], why: str, tmp_path: Path) -> None:
        """A row with a value that it cannot have is refused by its number; the others are taken."""
        path = tmp_path / "corpus.jsonl"
        write_rows(path, [ROW, ROW], Target.SPECIFIED, "jsonl")
        first, second = path.read_text().splitlines()
        path.write_text(f"{first}\n{json.dumps(json.loads(second) | change)}\n{{\n{first}\n")
        refused: dict[int, str] = {}
        assert list(read_rows(path, refused.__setitem__)) == [ROW, ROW]
        assert list(refused) == [2, 3]
        assert why in refused[2]

    def test_what_is_no_corpus(self, tmp_path: Path) -> None:
        """No file, an empty one, one of a newer version and one with a broken footer are refused whole."""
        path = tmp_path / "corpus"
        with pytest.raises(OipError, match="No such file"):
            list(read_rows(path, refuse))
        path.write_bytes(b"")
        with pytest.raises(OipError, match="empty"):
            list(read_rows(path, refuse))
        newer = arrow_schema(Target.SPECIFIED).with_metadata({"jidoka.schema_version": "2"})
        pq.write_table(pa.Table.from_pylist([], schema=newer), path)
        with pytest.raises(OipError, match=r"schema version b'2'; this jidoka reads 1 to 1, upgrade it"):
            list(read_rows(path, refuse))
        path.write_bytes(b"PAR1 and nothing else")
        with pytest.raises(OipError, match="not readable as Parquet"):
            list(read_rows(path, refuse))

    def test_an_export_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        """The old file stays as it was, and no partial one beside it."""
        path = tmp_path / "corpus"
        path.write_text("old")

        def broken() -> Any:
            yield ROW
            raise OipError("no more")

        with pytest.raises(OipError, match="no more"):
            write_rows(path, broken(), Target.SPECIFIED, "parquet")
        assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


class TestImporter:
    @pytest.mark.parametrize("form", FORMATS)
    @settings(max_examples=30, deadline=None)
    @given(some=st.lists(rows, min_size=1, max_size=20))
    def test_takes_every_row(self, form: str, tmp_path_factory: Any, some: list[Row]) -> None:
        """OIP's importer takes every row of the oip-1 profile that is sure enough for it."""
        path = tmp_path_factory.mktemp("oip") / "corpus"
        write_rows(path, [replace(one, confidence=0.8) for one in some], Target.OIP_1, form)
        read = oip_importer.import_jsonl if form == "jsonl" else oip_importer.import_parquet
        taken = read(path, 0.8 if form == "jsonl" else 0.79999)
        assert [row["message"] for row in taken] == [one.message for one in some]

    def test_drops_the_specified_profile(self, tmp_path: Path) -> None:
        """What this profile exists for: the importer drops a 64-bit confidence silently, and aborts on a plain text."""
        path = tmp_path / "corpus"
        write_rows(path, [FULL], Target.SPECIFIED, "parquet")
        assert oip_importer.import_parquet(path, 0.75) == []
        write_rows(path, [FULL], Target.SPECIFIED, "jsonl")
        with pytest.raises(oip_importer.ImportAbortedError, match="suggestion"):
            oip_importer.import_jsonl(path, 0.75)


class TestExport:
    def test_a_row(self, tmp_path: Path) -> None:
        """A row has the message, the place and the likeliest suggestion; the Python source where it lies beside."""
        (tmp_path / "app").mkdir()
        (tmp_path / "app" / "a.py").touch()
        where = span("    let a: «String» = 1;", file=str(tmp_path / "app" / "a.rs"))
        edits = [
            Suggestion(message="m", replacement=text, applicability=kind, span=where)
            for text, kind in (("maybe", "MaybeIncorrect"), ("surely", "MachineApplicable"))
        ]
        one = diagnostic("mismatched types", "E0308", spans=(where,), suggestions=tuple(edits))
        (row,), report = exported(build("b", one), root=tmp_path, depyler_version="4.1.1")
        assert (row.source_file, row.rust_file, row.line_start) == ("app/a.py", "app/a.rs", 7)
        assert (row.error_code, row.oip_category, row.suggestion) == ("E0308", "TypeErrors", "surely")
        assert (row.depyler_version, report.rows) == ("4.1.1", 1)

    def test_finer_names_become_oips(self) -> None:
        """A label that OIP does not have is exported under its parent, with the row's weight as learned."""
        (row,), _ = exported(build("b", diagnostic("unresolved import `serde`", "E0432")))
        assert (row.oip_category, row.error_code) == ("StdlibMapping", "E0432")

    def test_what_is_left_out(self) -> None:
        """What is not sure enough, and clippy's lints unless they are asked for, are left out and counted."""
        builds = [
            build("sure", diagnostic("mismatched types", "E0308")),
            build("odd", diagnostic("frobnicated quux", None)),
            build("lint", diagnostic("used `unwrap()` on a `Result` value", "clippy::unwrap_used")),
        ]
        found, report = exported(*builds)
        assert [row.error_code for row in found] == ["E0308"]
        assert sum(report.left_out.values()) == 2
        found, _ = exported(*builds, include_clippy=True, min_confidence=0.5)
        assert [row.clippy_lint for row in found][-1] == "clippy::unwrap_used"

    def test_rare_categories_weigh_more(self) -> None:
        """A category that is rare in the corpus gets more weight, at most what was asked for."""
        builds = [build(f"b{n}", diagnostic("mismatched types", "E0308")) for n in range(200)]
        found, _ = exported(*builds, build("rare", diagnostic("use of moved value: `a`", "E0382")), reweight=1.5)
        assert (found[-2].weight, found[-1].weight) == (1.0, 1.5)
