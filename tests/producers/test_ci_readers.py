"""Real compiler output, read; the golden inputs were made by cargo and rustc 1.95 from small broken crates."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.diagnostics import Diagnostic
from models.records import CompilerErrors
from producers.ci import Format, Report, read

DATA = Path(__file__).parent / "data"
TIME = datetime(2026, 1, 2, tzinfo=UTC)


def read_bytes(data: bytes, **options: Any) -> tuple[list[CompilerErrors], Report]:
    report = Report()
    given = {"project": "demo", "time": TIME, **options}
    return list(read(io.BytesIO(data), report=report, **given)), report


def golden(name: str, **options: Any) -> tuple[list[CompilerErrors], Report]:
    return read_bytes((DATA / name).read_bytes(), name=name, **options)


def summary(record: CompilerErrors) -> tuple[str | None, list[str | None]]:
    return record.target, [diagnostic.code for diagnostic in record.diagnostics]


def essence(diagnostic: Diagnostic) -> tuple[Any, ...]:
    primary = diagnostic.primary
    assert primary is not None
    labels = sorted(span.label for span in diagnostic.spans if span.label)
    place = (primary.file, primary.line_start, primary.line_end, primary.column_start, primary.column_end)
    return diagnostic.code, diagnostic.level, diagnostic.message, place, primary.text, labels


class TestCargo:
    def test_one_record_for_each_failed_target(self) -> None:
        """Two broken crates of a workspace give two records, artifacts and build scripts are counted as skipped."""
        records, report = golden("cargo.json")
        assert sorted(map(summary, records)) == [("shapes (lib)", ["E0308"]), ('tool (bin "tool")', ["E0425"])]
        assert {
            "artifacts": 1,
            "build scripts": 1,
            "builds finished": 1,
            "warnings": 1,
        }.items() <= report.skipped.items()
        assert (report.accepted, report.diagnostics, report.rejections, report.exit_code) == (2, 2, 0, 0)

    def test_lines_of_stderr_in_between_change_nothing(self) -> None:
        """Piped with 2>&1, the same records come out with the same ids; the status lines are skipped, not rejected."""
        plain, _ = golden("cargo.json")
        mixed, report = golden("cargo-mixed.json")
        assert {record.id for record in mixed} == {record.id for record in plain}
        assert (report.skipped["status lines"], report.rejections) == (2, 0)

    def test_ci_time_stamps_before_json_are_taken_off(self) -> None:
        """JSON lines behind GitHub's time stamps read like the lines themselves."""
        lines = (DATA / "cargo.json").read_bytes().splitlines(keepends=True)
        stamped = b"".join(b"2024-01-01T00:00:00.0000000Z " + line for line in lines)
        assert {r.id for r in read_bytes(stamped)[0]} == {r.id for r in golden("cargo.json")[0]}

    def test_build_without_failure_is_no_error(self) -> None:
        """A log of a build that succeeded gives no record and exit code 0."""
        records, report = golden("cargo-success.json")
        assert (records, report.exit_code) == ([], 0)

    def test_rendered_diagnostics_between_json_lines_are_read(self) -> None:
        """`json-render-diagnostics` with 2>&1 has its errors as text among the artifacts; none is lost."""
        artifact = b'{"reason":"compiler-artifact"}\n'
        data = artifact + (DATA / "cargo.txt").read_bytes() + b'{"reason":"build-finished","success":false}\n'
        assert sorted(map(summary, read_bytes(data)[0])) == sorted(map(summary, golden("cargo.txt")[0]))

    def test_no_user_name_reaches_a_record(self) -> None:
        """The builder's home directory is in the log and in no record."""
        for name in ("cargo.json", "cargo-mixed.json", "cargo.txt", "rustc.json", "clippy.json"):
            assert b"alice" not in b"".join(record.to_bytes() for record in golden(name, warnings=True)[0])


class TestClippy:
    def test_lints_make_a_failure_only_when_asked(self) -> None:
        """A clippy warning is a failure with `warnings`, and is skipped without."""
        assert golden("clippy.json")[0] == []
        (record,), _ = golden("clippy.json", warnings=True)
        assert (record.tool, summary(record)[1]) == ("clippy", ["unused_variables", "clippy::needless_return"])

    def test_text_names_the_same_lints(self) -> None:
        """The lint that the rendering names in its notes is the diagnostic's code, as in JSON."""
        assert [summary(r) for r in golden("clippy.txt", warnings=True)[0]] == [
            summary(r) for r in golden("clippy.json", warnings=True)[0]
        ]


class TestText:
    @pytest.mark.parametrize("name", ["rustc.txt", "rustc-colour.txt"])
    def test_text_and_json_of_one_failure_agree(self, name: str) -> None:
        """Code, message, place, source line and labels are the same from text, coloured text and JSON."""
        (json,), _ = golden("rustc.json")
        (text,), _ = golden(name)
        assert [essence(item) for item in text.diagnostics] == [essence(item) for item in json.diagnostics]

    def test_cargo_text_tells_the_targets(self) -> None:
        """`could not compile` closes a compilation and names its target, as the JSON does."""
        assert sorted(map(summary, golden("cargo.txt")[0])) == sorted(map(summary, golden("cargo.json")[0]))

    @pytest.mark.parametrize(
        "prefix",
        [
            b"2024-01-01T00:00:00.0000000Z ",
            b"build\tcargo\t2024-01-01T00:00:00.0000000Z ",
            b"2024-05-22T12:43:45.123456Z 01O ",
            b"#12 3.456 ",
        ],
    )
    def test_prefixes_of_ci_systems_are_taken_off(self, prefix: bytes) -> None:
        """Time stamps of GitHub (log and gh), GitLab and docker build change nothing."""
        data = b"".join(prefix + line for line in (DATA / "rustc.txt").read_bytes().splitlines(keepends=True))
        assert [r.id for r in read_bytes(data)[0]] == [r.id for r in golden("rustc.txt")[0]]

    def test_carriage_returns_change_nothing(self) -> None:
        """Windows line ends and progress bars overwritten in place read like plain lines."""
        data = (DATA / "rustc.txt").read_bytes().replace(b"\n", b"\r\n")
        data = b"    Building [==>  ] 1/2\r" + data
        assert [r.id for r in read_bytes(data)[0]] == [r.id for r in golden("rustc.txt")[0]]

    def test_a_single_line_is_enough(self) -> None:
        """`error[E0308]: mismatched types` alone is a failure with one diagnostic."""
        (record,), report = read_bytes(b"error[E0308]: mismatched types")
        assert (record.diagnostics[0].code, record.diagnostics[0].primary, report.exit_code) == ("E0308", None, 0)

    def test_cause_below_a_cargo_error_is_kept(self) -> None:
        """What cargo says after `Caused by:` is a note of the error."""
        data = b"error: failed to parse manifest at `/home/alice/x/Cargo.toml`\n\nCaused by:\n  no targets specified\n"
        (record,), _ = read_bytes(data)
        assert record.diagnostics[0].message == "failed to parse manifest at `Cargo.toml`"
        assert [note.message for note in record.diagnostics[0].notes] == ["no targets specified"]

    def test_brackets_of_long_spans_are_read(self) -> None:
        """A span drawn over several lines has its first and last line, its columns and its label."""
        data = (
            b"error[E0308]: mismatched types\n --> src/main.rs:2:5\n  |\n"
            b"1 |   fn f() -> i32 {\n  |             --- expected `i32` because of return type\n"
            b"2 | /     match x {\n3 | |         1 => g(),\n4 | |     }\n  | |_____^ expected `i32`, found `()`\n"
        )
        (record,), _ = read_bytes(data)
        primary, secondary = record.diagnostics[0].spans
        assert (primary.line_start, primary.line_end, primary.column_start, primary.column_end) == (2, 4, 5, 6)
        assert primary.text == ("    match x {", "        1 => g(),", "    }")
        assert primary.label == "expected `i32`, found `()`"
        assert (secondary.line_start, secondary.column_start, secondary.column_end) == (1, 11, 14)


class TestOtherFormats:
    def test_own_json_lines_come_back_as_they_are(self) -> None:
        """Records written as JSON lines and read again are equal, ids and times included."""
        records, _ = golden("cargo.json")
        again, report = read_bytes(b"\n".join(record.to_bytes() for record in records), project="other")
        assert again == records
        assert report.accepted == 2

    def test_what_a_record_leaves_out_is_filled(self) -> None:
        """A line without id, time and project gets them; equal content, equal id."""
        line = orjson.dumps({"diagnostics": [{"level": "error", "message": "x"}]})
        (first,), _ = read_bytes(line, run="7")
        (second,), _ = read_bytes(line, time=datetime(2027, 1, 1, tzinfo=UTC))
        assert (first.project, first.run, first.time) == ("demo", "7", TIME)
        assert first.id == second.id

    @pytest.mark.parametrize("name", ["cargo.json", "rustc.txt", "rustc.json"])
    def test_gzipped_input_reads_the_same(self, name: str) -> None:
        """Compression is told by the first bytes, whatever the name."""
        packed = gzip.compress((DATA / name).read_bytes())
        assert [r.id for r in read_bytes(packed)[0]] == [r.id for r in golden(name)[0]]

    def test_runs_of_rustc_in_one_file_are_told_apart(self) -> None:
        """`aborting due to` ends a compilation, so a file of two runs gives two records."""
        data = (DATA / "rustc.json").read_bytes()
        records, _ = read_bytes(data + data)
        assert len(records) == 2

    def test_a_pipe_is_read(self) -> None:
        """A source that cannot seek reads like a file."""

        class Pipe(io.BytesIO):
            def seekable(self) -> bool:
                return False

        report = Report()
        source = Pipe((DATA / "cargo.json").read_bytes())
        assert [r.id for r in read(source, project="demo", time=TIME, report=report)] == [
            r.id for r in golden("cargo.json")[0]
        ]


class TestIds:
    def test_same_input_twice_has_the_same_ids(self) -> None:
        """Time and run play no part in an id; project and commit do."""
        first, _ = golden("cargo.json", run="1")
        later, _ = golden("cargo.json", run="2", time=datetime(2027, 1, 1, tzinfo=UTC))
        other, _ = golden("cargo.json", project="other")
        commit, _ = golden("cargo.json", commit="abc")
        ids = [{record.id for record in records} for records in (first, later, other, commit)]
        assert ids[0] == ids[1]
        assert not ids[0] & ids[2]
        assert not ids[0] & ids[3]


@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
class TestRealCompiler:
    def test_cargo_json_and_text_of_a_broken_crate_agree(self, tmp_path: Path) -> None:
        """A crate broken just now gives the same diagnostics through cargo's JSON and its text."""
        (tmp_path / "src").mkdir()
        (tmp_path / "Cargo.toml").write_text('[package]\nname = "broken"\nversion = "0.1.0"\nedition = "2021"\n')
        shutil.copy(DATA / "broken.rs", tmp_path / "src" / "main.rs")
        json, text = (self.build(tmp_path, form) for form in ("json", "human"))
        assert [summary(r)[0] for r in json] == [summary(r)[0] for r in text] == ['broken (bin "broken")']
        assert len(json[0].diagnostics) > 5
        assert [essence(item) for item in text[0].diagnostics] == [essence(item) for item in json[0].diagnostics]

    @staticmethod
    def build(folder: Path, form: str) -> list[CompilerErrors]:
        command = ["cargo", "build", "--offline", "--message-format", form]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
        records, report = read_bytes(done.stdout if form == "json" else done.stderr)
        assert report.exit_code == 0
        return records


def test_format_can_be_given() -> None:
    """A format given by hand is not second-guessed."""
    records, report = read_bytes(b'error: say "reason": here\n', format=Format.TEXT)
    assert len(records) == 1
    assert report.exit_code == 0
