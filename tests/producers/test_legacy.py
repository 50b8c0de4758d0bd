"""Published corpora of pairs: what is not what it claims is refused, and nothing is unpacked unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers import legacy
from producers.legacy import LegacyError, no_rust, read_pairs, write_pairs
from tests.command import Jidoka

PYTHON = "def add(a: int, b: int) -> int:\n    return a + b\n"
RUST = 'pub fn add(a: i32, b: i32) -> i32 {\n    // error: none here\n    println!("warning: x");\n    a + b\n}\n'
LOG = "   Compiling add v0.1.0\nerror[E0308]: mismatched types\n --> src/main.rs:3:5\nfn\n"


def row(**fields: Any) -> dict[str, Any]:
    """Return a row as the published corpus has them."""
    found = {"example_name": "example_add", "python_file": "add.py", "python_code": PYTHON, "rust_code": RUST}
    found |= {"has_rust": True, "category": "math", "python_lines": 2, "rust_lines": 5} | fields
    return found


def corpus(path: Path, *rows: dict[str, Any]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def refusals(path: Path) -> list[tuple[int, str]]:
    refused: list[tuple[int, str]] = []
    list(read_pairs(path, lambda number, why: refused.append((number, why))))
    return refused


class TestRows:
    def test_sound_ones_come(self, tmp_path: Path) -> None:
        """Pairs, and programs without Rust, come with names that say nothing of a machine."""
        nameless = row(rust_code="", has_rust=False, rust_lines=0, python_file="/home/ann/x/../../etc/add.py")
        found = list(read_pairs(corpus(tmp_path / "train.parquet", row(), nameless), lambda *_: pytest.fail("refused")))
        assert [(one.file, one.rust_code) for one in found] == [
            ("example_add/add.py", RUST),
            ("example_add/add.py", None),
        ]
        assert {one.pair_origin for one in found} == {"train"}
        assert len({one.id for one in found}) == 2

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"rust_code": LOG, "rust_lines": 4}, "rust_code is no Rust: line 1 is of a log: Compiling add"),
            ({"rust_code": "nothing here", "rust_lines": 1}, "rust_code is no Rust: no item of Rust"),
            ({"rust_code": PYTHON, "rust_lines": 2}, "rust_code is no Rust"),
            ({"python_code": RUST, "python_lines": 5}, "python_code is no Python: SyntaxError"),
            ({"python_code": "", "python_lines": 0}, "no python_code"),
            ({"has_rust": False}, "has_rust says False"),
            ({"rust_lines": 400}, "rust_lines says 400, and there are 5"),
        ],
    )
    def test_others_are_refused_with_the_reason(self, tmp_path: Path, fields: dict[str, Any], why: str) -> None:
        """A row whose column holds something else is refused by its number, and the sound ones around it come."""
        ((number, said),) = refusals(corpus(tmp_path / "c.parquet", row(), row(**fields), row()))
        assert number == 2
        assert why in said

    def test_secrets_are_masked(self, tmp_path: Path) -> None:
        """A key in a program does not get through."""
        path = corpus(tmp_path / "c.parquet", row(python_code='token = "ghp_' + "a1B2" * 9 + '"\n', python_lines=1))
        (found,) = read_pairs(path, lambda *_: None)
        assert "ghp_" not in found.python_code


class TestLogs:
    @pytest.mark.parametrize(
        "text",
        [
            "2024-11-28T10:00:00Z INFO depyler: transpiling\nfn main() {}\n",
            "thread 'main' panicked at src/lib.rs:3:\nfn\n",
            "warning: unused variable\nfn main() {}\n",
            "[ERROR] failed\nuse x;\n",
            "\x1b[31merror\x1b[0m\nfn main() {}\n",
        ],
    )
    def test_are_told_from_rust(self, text: str) -> None:
        """A log is none the less a log for having a function in it."""
        assert "of a log" in (no_rust(text) or "")

    def test_texts_and_comments_are_not_looked_into(self) -> None:
        """A program may speak of errors in its texts and comments."""
        assert no_rust('fn main() {\n    print("\nerror: x\n");\n/*\nwarning: y\n*/\n}\n') is None


class TestFiles:
    def test_the_schema_is_checked_first(self, tmp_path: Path) -> None:
        """Missing columns, columns of another type, objects, and files that are no Parquet are refused as a whole."""
        path = tmp_path / "c.parquet"
        for rows, why in (
            ([{"example_name": "x"}], "no column python_file, python_code, rust_code"),
            ([row(rust_code=5)], "rust_code is int64, not text"),
            ([row(python_code={"text": PYTHON})], "python_code is struct"),
            ([row(has_rust="yes")], "has_rust is string, not boolean"),
        ):
            with pytest.raises(LegacyError, match=why):
                refusals(corpus(path, *rows))
        path.write_bytes(b"PAR1 and no more")
        with pytest.raises(LegacyError, match="not readable as Parquet"):
            refusals(path)

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A small file that says it unpacks to more than the limit is refused by its footer."""
        path = corpus(tmp_path / "c.parquet", *[row()] * 200)
        monkeypatch.setattr(legacy, "MAX_ROW_GROUP_BYTES", 100)
        with pytest.raises(LegacyError, match="unpacks to"):
            refusals(path)

    def test_nothing_is_left_of_a_failure(self, tmp_path: Path) -> None:
        """A corpus that breaks off leaves no half-written output, and no partial file."""

        def broken() -> Any:
            yield from read_pairs(corpus(tmp_path / "c.parquet", row()), lambda *_: None)
            raise LegacyError("broken off")

        with pytest.raises(LegacyError):
            write_pairs(tmp_path / "out.parquet", broken())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c.parquet"]


def test_the_command_says_what_was_refused(jidoka: Jidoka, tmp_path: Path) -> None:
    """``import-corpus`` writes what is sound, counts what is not by reason, and ends with 1; with 2 for no corpus."""
    path = corpus(tmp_path / "c.parquet", row(), row(rust_code=LOG, rust_lines=4))
    done = jidoka("import-corpus", path, "--output", tmp_path / "out.parquet", "--json")
    assert done.status == 1
    assert done.lines[0] | {"output": ""} == {
        "rows": 1,
        "refused": 1,
        "why": {"rust_code is no Rust": 1},
        "output": "",
    }
    assert pq.read_table(tmp_path / "out.parquet").column("rust_code").to_pylist() == [RUST]
    assert jidoka("import-corpus", tmp_path / "none.parquet").status == 2
