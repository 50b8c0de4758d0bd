"""``jidoka archive`` at the command line."""

from __future__ import annotations

from pathlib import Path

from models.archive.files import partition_folder, read_rows, write_piece
from models.archive.pieces import Piece
from models.archive.tables import FAILURES
from tests.builders import random_builds
from tests.command import Jidoka

BUILDS = random_builds(6, seed=9)


def archive(folder: Path, *ranges: tuple[int, int]) -> Path:
    """Write builds into pieces of partition 1."""
    for start, end in ranges:
        rows = [row for offset in range(start, end) for row in FAILURES.rows(BUILDS[offset % 6], offset)]
        write_piece(partition_folder(folder, FAILURES, 1), FAILURES, Piece(start, end), rows, {})
    return folder


def test_status_tells_what_is_there(jidoka: Jidoka, tmp_path: Path) -> None:
    """Status counts rows and files, and ends with 1 where offsets are in no file."""
    done = jidoka("archive", "status", "--archive", archive(tmp_path, (0, 2), (2, 6)), "--json")
    (one,) = done.lines[0]["partitions"]
    assert (one["table"], one["partition"], one["start"], one["end"], one["files"]) == ("compiler-errors", 1, 0, 6, 2)
    assert one["rows"] == sum(len(build.diagnostics) for build in BUILDS)
    assert done.status == 0
    gap = jidoka("archive", "status", "--archive", archive(tmp_path, (8, 9)))
    assert gap.status == 1
    assert "6-8" in gap.out


def test_compact_keeps_every_row(jidoka: Jidoka, tmp_path: Path) -> None:
    """Compact leaves one file and the same rows."""
    before = list(read_rows(archive(tmp_path, (0, 1), (1, 3), (3, 6)), FAILURES, 1))
    done = jidoka("archive", "compact", "--archive", tmp_path, "--json")
    assert done.lines[0] == [{"table": "compiler-errors", "partition": 1, "before": 3, "after": 1}]
    assert list(read_rows(tmp_path, FAILURES, 1)) == before


def test_without_an_archive_it_says_so(jidoka: Jidoka, tmp_path: Path) -> None:
    """A folder that is none is named, with what makes one, and a file that is no Parquet too."""
    done = jidoka("archive", "status", "--archive", tmp_path / "none")
    assert (done.status, "`jidoka up` makes one" in " ".join(done.err.split())) == (2, True)
    folder = partition_folder(tmp_path, FAILURES, 0)
    folder.mkdir(parents=True)
    (folder / Piece(0, 5).name).write_bytes(b"nothing")
    assert jidoka("archive", "status", "--archive", tmp_path).status == 2
