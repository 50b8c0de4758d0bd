"""Reading the archive: builds as they were sent, and examples with what was said and answered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from models.archive.files import partition_folder, write_piece
from models.archive.pieces import Piece
from models.archive.tables import TABLES
from models.records import Record
from models.step import step
from producers.archive import is_archive, read_archive, read_examples
from producers.ci.formats import InputError
from tests.builders import NOW, feedback, random_builds, small_state

BUILDS = random_builds(12, seed=5)


def archive(folder: Path, records: list[Record], partition: int = 0) -> None:
    """Write records as the sink does: a piece per table, offsets counted from 0."""
    for table in TABLES:
        mine = [record for record in records if type(record) is table.record]
        rows = [row for offset, record in enumerate(mine) for row in table.rows(record, offset)]
        write_piece(partition_folder(folder, table, partition), table, Piece(0, max(1, len(mine))), rows, {})


class TestBuilds:
    def test_come_back_as_they_were(self, tmp_path: Path) -> None:
        """A build that went into the archive comes out of it equal, a repeated one once, partition after partition."""
        archive(tmp_path, [*BUILDS[:8], BUILDS[0]])
        archive(tmp_path, [*BUILDS[8:]], partition=2)
        assert [entry.item for entry in read_archive(tmp_path)] == BUILDS
        assert is_archive(tmp_path)

    def test_can_be_cut_by_time(self, tmp_path: Path) -> None:
        """Only builds of the wanted time come."""
        archive(tmp_path, [*BUILDS])
        assert not list(read_archive(tmp_path, since=NOW + timedelta(seconds=1)))
        assert not list(read_archive(tmp_path, until=NOW))
        assert len(list(read_archive(tmp_path, since=NOW, until=NOW + timedelta(seconds=1)))) == len(BUILDS)

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        """A folder without failures is named, with what to do."""
        with pytest.raises(InputError, match="no archive"):
            list(read_archive(tmp_path))


class TestExamples:
    def test_have_label_weight_and_answer(self, tmp_path: Path) -> None:
        """People go before the code table, and a verifier after people; the answer stands beside."""
        state, records = small_state(), [*BUILDS]
        for one in BUILDS:
            records += step(state, one, NOW)
        person, verifier = feedback(BUILDS[0].id, "ApiMisuse"), feedback(BUILDS[0].id, "TypeErrors")
        archive(tmp_path, [*records, person, verifier.model_copy(update={"author": "verifier/rustc"})])
        found = list(read_examples(tmp_path))
        assert [one.diagnostic for one in found] == [each for one in BUILDS for each in one.diagnostics]
        assert (found[0].label, found[0].labelled_by) == ("ApiMisuse", "person")
        assert all((one.weight > 0) == (one.label is not None) for one in found)
        assert {one.labelled_by for one in found[1:]} <= {"rule", None}
        assert all(one.answered is not None and one.answered.model_version for one in found)
