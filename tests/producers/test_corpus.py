"""Corpora: groups come from the columns and stay beside the records, whatever the file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.evaluation.splits import Entry, Group
from producers.ci import InputError, Report
from producers.corpus import Program, read_failures, read_programs

TIME = datetime(2026, 1, 2, tzinfo=UTC)
UI, PY = ("rustc-ui", "1.85"), ("depyler", "v4")


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Return ``path``, after the rows were written there."""
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def diagnostics(path: Path, files: Iterable[tuple[tuple[str, str], str]]) -> Path:
    """Return a file with a diagnostic for each (origin and its part, source file)."""
    message = orjson.dumps({"level": "error", "message": "m", "code": None, "spans": [], "children": []}).decode()
    rows = [
        {"origin": origin, "sub_origin": part, "source_file": name, "diagnostic": message}
        for (origin, part), name in files
    ]
    return written(path, rows)


def failures(path: Path, source: int = 0) -> list[Entry[Any]]:
    """Return the failures of a file."""
    return list(read_failures(path, source, TIME, Report()))


class TestFailures:
    def test_groups(self, tmp_path: Path) -> None:
        """Origin, part, directory and file are those of the columns; the file loses its suffix and the part."""
        path = diagnostics(tmp_path / "x.parquet", [(UI, "tests/ui/nll/deep/a.rs"), (PY, "v4/examples/cli/b.py")])
        found = {entry.group for entry in failures(path, source=3)}
        assert found == {
            Group(3, "rustc-ui", "1.85", None, "tests/ui/nll", "tests/ui/nll/deep/a"),
            Group(3, "depyler", "v4", None, "examples/cli", "examples/cli/b"),
        }

    def test_one_program_of_several_tools_is_one_file(self, tmp_path: Path) -> None:
        """What different versions made of one program is one group: what one says of it would tell the other."""
        names = [(PY, "v4/examples/cli/b.py"), (("depyler", "v3"), "v3/examples/cli/b.py"), (PY, "v4/.tmp/b.rs")]
        found = failures(diagnostics(tmp_path / "x.parquet", names))
        assert len(found) == 3
        assert {(entry.group.directory, entry.group.file) for entry in found} == {("examples/cli", "examples/cli/b")}

    def test_flat_files_are_directories_of_their_own(self, tmp_path: Path) -> None:
        """Files that lie side by side in one large folder are no siblings."""
        found = failures(diagnostics(tmp_path / "x.parquet", [(PY, "v4/examples/a.py"), (PY, "v4/examples/b.py")]))
        assert [(entry.group.directory, entry.group.file) for entry in found] == [("a", "a"), ("b", "b")]

    def test_names_stay_outside_the_records(self, tmp_path: Path) -> None:
        """No name of a group is anywhere in the record."""
        found = failures(diagnostics(tmp_path / "x.parquet", [(UI, "tests/ui/lifetimes/E0106.rs")]))
        (text,) = [entry.item.to_bytes() for entry in found]
        assert not [word for word in (b"E0106", b"lifetimes", b"rustc-ui", b"1.85") if word in text]

    def test_whatever_bytes_a_name_has(self, tmp_path: Path) -> None:
        """A name that is no UTF-8 is a name all the same, and finds its record."""
        message = orjson.dumps({"level": "error", "message": "m", "code": None, "spans": [], "children": []})
        rows = [{"origin": b"o\xff", "source_file": b"d\xff/a.rs", "diagnostic": message}]
        (entry,) = failures(written(tmp_path / "x.parquet", rows))
        assert (entry.group.origin, entry.group.file) == ("o\\xff", "a")

    def test_other_formats_have_their_records_as_files(self, tmp_path: Path) -> None:
        """Without columns each failure is a file of its own, of no origin."""
        path = tmp_path / "h.jsonl"
        lines = [{"id": f"f{n}", "diagnostics": [{"level": "error", "message": "m"}] * (n + 1)} for n in range(2)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        found = failures(path, source=1)
        assert [(entry.size, entry.group) for entry in found] == [
            (1, Group(1, file="f0")),
            (2, Group(1, file="f1")),
        ]

    def test_rejected_rows_are_reported(self, tmp_path: Path) -> None:
        """A row that cannot be read is told and the others are read."""
        rows = [{"origin": "o", "source_file": f"{n}.rs", "diagnostic": text} for n, text in enumerate(["{", "[]"])]
        report = Report()
        assert list(read_failures(written(tmp_path / "x.parquet", rows), 0, TIME, report)) == []
        assert report.rejections == 2

    def test_a_pipe_is_read_once(self, tmp_path: Path) -> None:
        """A pipe is not looked into before it is read: nothing of it is lost."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        line = json.dumps({"id": "f", "diagnostics": [{"level": "error", "message": "m"}]}) + "\n"
        writer = threading.Thread(target=path.write_text, args=(line,))
        writer.start()
        assert [entry.item.id for entry in failures(path)] == ["f"]
        writer.join()

    @pytest.mark.parametrize("name", ["missing.parquet", "."])
    def test_no_file(self, name: str, tmp_path: Path) -> None:
        """A file that is none is told by its name."""
        with pytest.raises(InputError, match=r"director|No such file"):
            failures(tmp_path / name)


def program(**fields: Any) -> dict[str, Any]:
    """Return a row of programs."""
    row = {"python_code": "x = 1", "compiles": False, "first_error_code": "E0308"}
    return row | {"pair_origin": "v4", "project": "p", "file": "examples/cli/b.py"} | fields


class TestPrograms:
    def test_rows(self, tmp_path: Path) -> None:
        """A program has its verdict and its group; a row without source or verdict is none."""
        rows = [program(), program(compiles=True, first_error_code=None), program(python_code=None)]
        found = list(read_programs(written(tmp_path / "p.parquet", [*rows, program(compiles=None)]), 2))
        group = Group(2, "v4", None, "p", "examples/cli", "examples/cli/b")
        assert found == [
            Entry(Program("x = 1", compiles=False, first_error_code="E0308"), 1, group),
            Entry(Program("x = 1", compiles=True, first_error_code=None), 1, group),
        ]

    def test_missing_columns_are_named(self, tmp_path: Path) -> None:
        """A file without the columns says which are missing and what there is."""
        path = written(tmp_path / "p.parquet", [{"python_code": "x", "file": "f"}])
        with pytest.raises(InputError, match="no column compiles, first_error_code, pair_origin, project; needed"):
            list(read_programs(path, 0))

    def test_no_parquet(self, tmp_path: Path) -> None:
        """Anything else is told as not readable."""
        path = tmp_path / "p.parquet"
        path.write_text("nothing")
        with pytest.raises(InputError, match="not readable as Parquet"):
            list(read_programs(path, 0))

    def test_damaged_files_end_in_an_error(self, tmp_path: Path) -> None:
        """A file that breaks in its middle is an input error, not a stack trace."""
        path = written(tmp_path / "p.parquet", [program(file=f"d/e/{n}.py", python_code=f"x{n}") for n in range(900)])
        data = bytearray(path.read_bytes())
        data[4:600] = bytes(596)
        path.write_bytes(data)
        with pytest.raises(InputError, match="not readable as Parquet"):
            list(read_programs(path, 0))
