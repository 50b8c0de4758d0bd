"""``jidoka export-oip`` and ``import-oip``: a directory of compiler output to a corpus, and a corpus to another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.command import Jidoka

OUTPUT = Path(__file__).parent.parent / "producers" / "data"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a folder with one build's output, in two forms, and a file that is none."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("cargo.json", "cargo.txt"):
        shutil.copy(OUTPUT / name, folder / name)
    (folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    return folder


def test_there_and_back(logs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """What is exported for OIP's importer is imported again without a refusal, and is the same in both profiles."""
    ours, theirs, again = (tmp_path / name for name in ("ours.parquet", "theirs.jsonl", "again.parquet"))
    done = jidoka("export-oip", "--input-dir", logs, "--output", ours, "--json")
    assert done.status == 0, done.err
    said = json.loads(done.out)
    assert said["rows"] == pq.read_metadata(ours).num_rows > 0
    assert sum(said["categories"].values()) == said["rows"]
    assert "broken.parquet" in done.err
    options = ("--format", "jsonl", "--target", "oip-1")
    assert jidoka("export-oip", "--input-dir", logs, "--output", theirs, *options).status == 0
    done = jidoka("import-oip", theirs, "--output", again, "--json")
    assert (done.status, json.loads(done.out)["refused"]) == (0, 0)
    first, second = (pq.read_table(path).drop_columns(["timestamp"]) for path in (ours, again))
    assert first.equals(second)


def test_refusals_are_told(logs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """Rows that are none are told with their numbers, and the exit status says that there were some."""
    path, output = tmp_path / "c.jsonl", tmp_path / "d.jsonl"
    assert jidoka("export-oip", "--input-dir", logs, "--output", path, "--format", "jsonl").status == 0
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "{}"]))
    done = jidoka("import-oip", path, "--output", output, "--format", "jsonl")
    assert (done.status, len(output.read_text().splitlines())) == (1, len(lines))
    assert f"row {len(lines) + 1}: no source_file" in done.err


def test_nothing_is_sure_enough(logs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """An empty corpus is not what was asked for: exit status 1."""
    options = ("--min-confidence", "1.0")
    assert jidoka("export-oip", "--input-dir", logs, "--output", tmp_path / "c", *options).status == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("export-oip", "--input-dir", "absent", "--output", "o"), "no directory"),
        (("export-oip", "--input-dir", ".", "--output", "o", "--format", "xml"), "allowed are parquet, jsonl"),
        (("export-oip", "--input-dir", ".", "--output", "o", "--target", "oip-9"), "allowed are specified, oip-1"),
        (("export-oip", "--input-dir", ".", "--output", "o"), "no files of compiler output"),
        (("import-oip", "absent", "--output", "o"), "No such file"),
    ],
)
def test_mistakes(
    options: tuple[str, ...], told: str, tmp_path: Path, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be done is told in a paragraph, with status 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    done = jidoka(*options)
    assert (done.status, told in " ".join(done.err.split())) == (2, True)
    assert list(tmp_path.iterdir()) == []
