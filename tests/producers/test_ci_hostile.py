"""Input that is broken, hostile or nothing at all: told with line and reason, and what is good goes through."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.records import CompilerErrors
from producers.ci import Format, InputError, Report, open_input, read
from producers.ci.lines import MAX_LINE_BYTES
from producers.ci.report import MAX_REASONS

DATA = Path(__file__).parent / "data"
CARGO = (DATA / "cargo.json").read_bytes()
TEXT = (DATA / "rustc.txt").read_bytes()
TIME = datetime(2026, 1, 2, tzinfo=UTC)


def take(source: BinaryIO, kind: Format | None = None, name: str | None = None) -> tuple[list[CompilerErrors], Report]:
    report = Report()
    return list(read(source, name=name, format=kind, project="demo", time=TIME, report=report)), report


def with_line(line: bytes, at: int = 1) -> bytes:
    lines = CARGO.splitlines(keepends=True)
    return b"".join([*lines[:at], line + b"\n", *lines[at:]])


class TestBrokenLines:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b'{"reason":"compiler-message","message":{"mess\xff', "not JSON"),
            (b'{"reason":"compiler-message"', "not JSON"),
            (b'{"reason":"compiler-message","x":"\xff\xfe"}', "not JSON"),
            (b'{"reason":"compiler-message","x":"\\ud800"}', "not JSON"),
            (b'{"reason":"compiler-message","message":7}', "message is a number, expected an object"),
            (b'{"reason":"compiler-message"}', "message is missing, expected an object"),
            (b'{"reason":"compiler-message","message":{"level":"error"}}', "message is missing, expected text"),
            (b'{"reason":"compiler-message","target":[],"message":{}}', "target is a list, expected an object"),
            (b'{"reason":"compiler-message","message":{"level":"error","message":"m","spans":7}}', "spans is a number"),
            (b'{"a":' + b"[" * 200_000, "not JSON"),
            (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "not JSON"),
            (b'{"reason":"x"}\0', "NUL byte"),
        ],
    )
    def test_bad_line_is_named_and_the_rest_goes_through(self, line: bytes, reason: str) -> None:
        """One bad line: its number, the reason and exit code 1; both failures of the log come out."""
        records, report = take(io.BytesIO(with_line(line)))
        assert len(records) == 2
        ((number, said),) = report.rejected
        assert number == 2
        assert reason in said
        assert report.exit_code == 1

    def test_last_line_cut_off_is_told_as_such(self) -> None:
        """A log that ends in the middle of a line names that line; what came before goes through."""
        messages = [line for line in CARGO.splitlines(keepends=True) if b'"compiler-message"' in line]
        data = b"".join(messages) + b'{"reason":"compiler-message","mes'
        records, report = take(io.BytesIO(data))
        assert len(records) == 2
        assert report.rejected[0][0] == len(messages) + 1
        assert "ends in the middle" in report.rejected[0][1]

    def test_byte_order_mark_is_passed_over(self) -> None:
        """A BOM before JSON or text changes nothing."""
        for data in (CARGO, TEXT):
            records, report = take(io.BytesIO(b"\xef\xbb\xbf" + data))
            assert records == take(io.BytesIO(data))[0]
            assert report.exit_code == 0

    def test_line_of_fifty_megabytes_is_not_held(self) -> None:
        """A 50 MB line is rejected with its length, while memory stays near the limit of a line."""
        data = with_line(b'{"x":"' + b"a" * (50 << 20) + b'"}')
        source = io.BytesIO(data)
        tracemalloc.start()
        try:
            records, report = take(source)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(records) == 2
        assert report.rejected == [(2, f"line of {(50 << 20) + 9} bytes: at most {MAX_LINE_BYTES} are read")]
        assert peak < 4 * MAX_LINE_BYTES

    def test_invalid_utf8_in_text_is_replaced_and_counted(self) -> None:
        """Rendered text with stray bytes is still read; the report says how many lines were repaired."""
        (record,), report = take(io.BytesIO(b"error[E0308]: mismatched \xff types\n"))
        assert record.diagnostics[0].message == "mismatched \N{REPLACEMENT CHARACTER} types"
        assert (report.repaired, report.exit_code) == (1, 0)

    def test_nul_byte_in_text_rejects_its_line(self) -> None:
        """A line with a NUL byte is named, the diagnostics around it are read."""
        (first, last), report = take(io.BytesIO(TEXT + b"garbage \0 here\n" + b"error: last\n"))
        assert (len(first.diagnostics), last.diagnostics[0].message) == (10, "last")
        assert "NUL byte" in report.rejected[0][1]

    def test_many_rejections_are_counted_but_not_all_kept(self) -> None:
        """Reasons are bounded, their number is not."""
        _, report = take(io.BytesIO(CARGO + b'{"reason"\n' * 500))
        assert (len(report.rejected), report.rejections) == (MAX_REASONS, 500)

    def test_endless_drawing_below_one_headline_is_bounded(self) -> None:
        """Millions of marks and labels in one text diagnostic are read in bounded memory and give a bounded record."""
        rows = b"1 | x\n" + b"  | " + b"^ - " * 4_000 + b"\n" + b"  = note: " + b"/a" * 8_000 + b"\n"
        data = b"error[E0308]: x\n --> a.rs:1:1\n" + rows * 300
        tracemalloc.start()
        try:
            (record,), _ = take(io.BytesIO(data))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(record.diagnostics[0].spans) == 32
        assert peak < 4 * MAX_LINE_BYTES

    def test_gzip_that_ends_early_gives_what_is_there(self) -> None:
        """A cut gzip file: its good part is read, the place where it ends is named."""
        packed = gzip.compress(CARGO * 200, compresslevel=0)
        records, report = take(io.BytesIO(packed[: len(packed) // 2]))
        assert records
        assert "reading stopped here" in report.rejected[-1][1]
        assert report.exit_code == 1


class TestNoInput:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "log.json: empty.*allowed are"),
            (b" \n\n", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b"\x7fELF\x02\x01\x01" + bytes(200), "binary data .begins with 7f 45 4c 46.*allowed are"),
            (bytes(range(256)) * 9, "binary data"),
            ("error: x\n".encode("utf-16"), "UTF-16"),
            (b'{"name": "package", "version": 1}\n', "JSON of an unknown kind"),
            (b"PAR1 and then nothing", "not readable as Parquet"),
            (b"\x1f\x8b and then nothing", "cannot be"),
            (gzip.compress(b"PAR1" + bytes(100)), "Parquet inside gzip"),
            (gzip.compress(b""), "empty"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, data: bytes, said: str) -> None:
        """An input that is nothing we know raises InputError: what was seen and what is allowed."""
        with pytest.raises(InputError, match=said):
            take(io.BytesIO(data), name="log.json")

    def test_packed_folder_is_refused(self) -> None:
        """A tar archive, packed or not, is no log: its members' bytes would be read as lines."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            member = tarfile.TarInfo("build.json")
            member.size = 4
            archive.addfile(member, io.BytesIO(b"text"))
        for data in (plain.getvalue(), gzip.compress(plain.getvalue())):
            with pytest.raises(InputError, match="a tar archive; unpack it"):
                take(io.BytesIO(data))

    def test_directory_and_missing_file_are_named(self, tmp_path: Path) -> None:
        """A directory or a missing file gives InputError with the path."""
        with pytest.raises(InputError, match=r"a directory; give a file"):
            open_input(tmp_path)
        with pytest.raises(InputError, match=r"no.json: No such file"):
            open_input(tmp_path / "no.json")

    def test_text_without_any_diagnostic_is_not_a_success(self) -> None:
        """Nothing usable in the input: no record, exit code 1."""
        records, report = take(io.BytesIO(b"hello\nworld\n"))
        assert (records, report.exit_code) == ([], 1)

    @pytest.mark.parametrize("project", ["", "no spaces", "../up", "x" * 129])
    def test_bad_project_name_is_refused_at_once(self, project: str) -> None:
        """A project no record takes raises InputError before anything is read."""
        with pytest.raises(InputError, match="a project is a name such as owner/name"):
            read(io.BytesIO(CARGO), project=project, time=TIME, report=Report())


JSONISH = st.sampled_from(
    [
        b'{"reason":"compiler-message",',
        b'"message":{',
        b'"spans":[',
        b"}",
        b"]",
        b'"level":"error",',
        b"\n",
        b'"',
        b"\xff",
    ]
)
TEXTISH = st.sampled_from(
    [
        *(b"error[E0308]: x\n", b" --> a:1:2\n", b"1 | / f(\n", b"  |  ____^\n", b"  | |__^ l\n", b"  |  ^- -^ a\n"),
        *(b"  = note: n\n", b"help: x\n", b"Caused by:\n", b"    y\n", b"error: could not compile `x` (lib)\n"),
        *(b"\n", b"\x1b[31m", b"\0", b"\xff"),
    ]
)


class TestArbitraryBytes:
    @staticmethod
    def read_anyhow(data: bytes, kind: Format | None) -> None:
        try:
            records, report = take(io.BytesIO(data), kind)
        except InputError:
            return
        assert report.accepted == len(records)
        assert all(len(record.to_bytes()) < 4 << 20 for record in records)

    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from([b"", b"PAR1", b"\x1f\x8b\x08\x00", b'{"reason":1}\n', b"error: x\n", b"\xef\xbb\xbf"]),
        st.binary(max_size=300),
        st.sampled_from([None, *Format]),
    )
    def test_bytes_never_raise_anything_else(self, head: bytes, tail: bytes, kind: Format | None) -> None:
        """Any bytes, read as any format, give records and a report or InputError."""
        self.read_anyhow(head + tail, kind)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.one_of(JSONISH, TEXTISH), max_size=40).map(b"".join), st.sampled_from([None, *Format]))
    def test_almost_right_input_never_raises_anything_else(self, data: bytes, kind: Format | None) -> None:
        """Pieces of real formats in any order give records and a report or InputError."""
        self.read_anyhow(data, kind)

    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(["cargo.json", "rustc.json", "rustc-colour.txt", "cargo.txt"]), st.data())
    def test_damaged_real_output_never_raises_anything_else(self, name: str, data: st.DataObject) -> None:
        """Real output with a piece replaced by any bytes gives records and a report or InputError."""
        whole = (DATA / name).read_bytes()
        at = data.draw(st.integers(0, len(whole)))
        piece, gone = data.draw(st.binary(max_size=20)), data.draw(st.integers(0, 50))
        self.read_anyhow(whole[:at] + piece + whole[at + gone :], None)


def test_reading_that_fails_midway_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails in the middle: what was read comes out, the report says where it stopped."""

    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            if not (data := super().read1(size)):
                raise OSError("input/output error")
            return data

    records, report = take(Failing(CARGO))
    assert len(records) == 2
    assert "reading stopped here: input/output error" in report.rejected[0][1]
