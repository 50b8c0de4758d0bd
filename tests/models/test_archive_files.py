"""The archive's files: each offset is read once, whatever lies beside it, and nothing is read unchecked."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.archive import files
from models.archive.files import ArchiveError, chain_of, compact, partition_folder, partitions, read_rows, write_piece
from models.archive.pieces import Piece, chain
from models.archive.tables import FAILURES, FEEDBACK
from tests.builders import feedback, random_builds

BUILDS = random_builds(40, seed=3)


def write(archive: Path, start: int, end: int) -> Path:
    """Write the builds from ``start`` to ``end`` as one piece of partition 0."""
    rows = [row for offset in range(start, end) for row in FAILURES.rows(BUILDS[offset], offset)]
    return write_piece(partition_folder(archive, FAILURES, 0), FAILURES, Piece(start, end), rows, {})


def read(archive: Path) -> list[tuple[int, int]]:
    return [(row["offset"], row["index"]) for row in read_rows(archive, FAILURES, 0)]


def expected(*offsets: int) -> list[tuple[int, int]]:
    return [(offset, index) for offset in offsets for index in range(len(BUILDS[offset].diagnostics))]


class TestChain:
    @given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12))
    def test_covers_each_offset_once(self, ranges: list[tuple[int, int]]) -> None:
        """Whatever ranges there are, the links and gaps part the offsets from the first to the end, in order."""
        found = chain(Piece(start, start + length).name for start, length in ranges)
        covered = [offset for link in found.links for offset in range(link.begin, link.piece.end)]
        assert covered == sorted({offset for start, length in ranges for offset in range(start, start + length)})

    def test_passes_over_other_files(self) -> None:
        """Half-written files and strangers are no pieces."""
        assert chain([".00000000000000000000-00000000000000000005.parquet.7", "x.parquet", "5-1.parquet"]).links == []


class TestReading:
    def test_in_order_and_once(self, tmp_path: Path) -> None:
        """Rows come in the order of offsets, each once, where two writers covered the same offsets."""
        for start, end in ((0, 10), (5, 20), (20, 25), (21, 24)):
            write(tmp_path, start, end)
        assert read(tmp_path) == expected(*range(25))
        assert partitions(tmp_path, FAILURES) == [0]

    def test_a_diagnostic_comes_back(self, tmp_path: Path) -> None:
        """A row has the diagnostic as the line had it, and the code table's label beside it."""
        write(tmp_path, 0, 1)
        row = next(read_rows(tmp_path, FAILURES, 0))
        first = BUILDS[0].diagnostics[0]
        assert type(first).model_validate_json(row["diagnostic"]) == first
        assert (row["id"], row["project"], row["message"]) == (BUILDS[0].id, BUILDS[0].project, first.message)

    def test_feedback_has_its_rows(self) -> None:
        """What a person said makes one row under the failure's id."""
        (row,) = FEEDBACK.rows(feedback("build-1", "TypeErrors"), 7)
        assert (row["offset"], row["failure_id"], row["label"]) == (7, "build-1", "TypeErrors")


class TestCompaction:
    def test_keeps_every_row(self, tmp_path: Path) -> None:
        """Files become one up to a gap, the rows stay, and left-overs go."""
        for start, end in ((0, 4), (4, 9), (6, 8), (12, 15), (15, 16)):
            write(tmp_path, start, end)
        before = read(tmp_path)
        folder = partition_folder(tmp_path, FAILURES, 0)
        assert compact(folder, FAILURES) == (5, 2)
        assert read(tmp_path) == before
        assert sorted(path.name for path in folder.iterdir()) == [Piece(0, 9).name, Piece(12, 16).name]

    def test_killed_before_it_removed_anything(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A compaction that dies between writing and removing has doubled nothing; the next one cleans up."""
        for start, end in ((0, 4), (4, 9)):
            write(tmp_path, start, end)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        folder = partition_folder(tmp_path, FAILURES, 0)
        monkeypatch.setattr(Path, "unlink", lambda path, **_: die() if path.suffix == ".parquet" else None)
        with pytest.raises(KeyboardInterrupt):
            compact(folder, FAILURES)
        monkeypatch.undo()
        assert read(tmp_path) == expected(*range(9))
        assert compact(folder, FAILURES) == (3, 1)
        assert len(chain_of(folder).links) == 1


class TestUntrusted:
    def test_other_files_are_refused(self, tmp_path: Path) -> None:
        """What is no Parquet, of another table, or of a newer version is named, and not read."""
        folder = partition_folder(tmp_path, FAILURES, 0)
        file = write(tmp_path, 0, 3)
        table = pq.read_table(file)
        newer = table.replace_schema_metadata({"jidoka.schema_version": "99"})
        for wrong, why in (
            (newer, "schema version 99"),
            (table.drop_columns(["diagnostic"]), "no table compiler-errors: columns diagnostic"),
            (table.set_column(0, "offset", pa.array(["0"] * len(table))), "columns offset"),
        ):
            pq.write_table(wrong, file)
            with pytest.raises(ArchiveError, match=why):
                read(tmp_path)
        file.write_bytes(b"PAR1 but no Parquet PAR1")
        with pytest.raises(ArchiveError, match="not readable as Parquet"):
            read(tmp_path)
        assert folder.is_dir()

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that would unpack to more than the limit is refused by what its footer says."""
        write(tmp_path, 0, 3)
        monkeypatch.setattr(files, "MAX_ROW_GROUP_BYTES", 100)
        with pytest.raises(ArchiveError, match="unpacks to"):
            read(tmp_path)
