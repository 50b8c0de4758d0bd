"""A corpus of programs: what is written is read back, and whatever does not fit is refused with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.taxonomy import CATEGORIES, MAIN_LABELS
from producers.generate.request import Request
from producers.generate.run import Progress, batches
from producers.programs_corpus import (
    SCHEMA,
    VERSION_KEY,
    Corpus,
    CorpusError,
    EntryPoint,
    Parameter,
    program_id,
    writing,
)
from producers.programs_statistics import FAMILIES, Statistics, category_coverage
from producers.transpile import pipeline
from producers.transpile.inputs import open_inputs

PROVENANCE = {"strategy": "random", "seed": 7}
SOURCE = "def f(n: int) -> int:\n    return n\n"
ROW: dict[str, Any] = {
    "program_id": program_id(SOURCE),
    "source": SOURCE,
    "strategy": "random",
    "level": "basic",
    "seed": 7,
    "fingerprint": 1,
    "entry_points": [
        {"function": "f", "parameters": [{"name": "n", "type": "int"}], "returns": "int", "raises": ["ValueError"]}
    ],
}


def generated(path: Path, count: int = 300) -> Path:
    """Write a corpus of generated programs, and return its path."""
    statistics = Statistics()
    with writing(path, PROVENANCE) as corpus:
        for batch in batches(Request("random", count, 2, 7, "expert"), Progress()):
            corpus.write(batch)
            statistics.add(batch)
        corpus.describe(statistics.document())
    return path


def of(path: Path, *rows: dict[str, Any], schema: pa.Schema = SCHEMA, version: str | None = "1") -> Path:
    """Write rows as they are, with or without a version, and return the path."""
    metadata = {VERSION_KEY: version} if version is not None else {}
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema).replace_schema_metadata(metadata), path)
    return path


class TestRoundTrip:
    def test_rows(self, tmp_path: Path) -> None:
        """Programs, provenance and statistics come back as they were written."""
        corpus = Corpus(generated(tmp_path / "c.parquet"))
        rows = list(corpus)
        expected = [
            row for batch in batches(Request("random", 300, 2, 7, "expert"), Progress()) for row in batch.to_pylist()
        ]
        assert [row.source for row in rows] == [row["source"] for row in expected]
        assert corpus.provenance == PROVENANCE
        assert corpus.rows == corpus.statistics["programs"] == 300

    def test_entry_points(self, tmp_path: Path) -> None:
        """Entry points have names, types, results and exceptions."""
        (row,) = Corpus(of(tmp_path / "c.parquet", ROW))
        assert row.entry_points == (EntryPoint("f", (Parameter("n", "int"),), "int", ("ValueError",)),)

    def test_same_content_same_bytes(self, tmp_path: Path) -> None:
        """Writing the same programs twice gives the same file."""
        digests = {
            hashlib.sha256(generated(tmp_path / name).read_bytes()).hexdigest() for name in ("a.parquet", "b.parquet")
        }
        assert len(digests) == 1

    def test_the_transpiler_reads_it(self, tmp_path: Path) -> None:
        """``jidoka transpile`` takes a corpus as it is, under the same ids."""
        found = list(open_inputs(of(tmp_path / "c.parquet", ROW)))
        assert [(one.name, one.text) for one in found] == [(pipeline.program_id(SOURCE), SOURCE)]

    def test_row_groups_are_small(self, tmp_path: Path) -> None:
        """A long corpus is written in groups, so that neither writer nor reader holds all of it."""
        file = pq.ParquetFile(generated(tmp_path / "c.parquet", 5_000))
        assert file.metadata.num_row_groups >= 3


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"program_id": "0" * 32}, "row 2: program_id '0000"),
            ({"entry_points": [ROW["entry_points"][0] | {"function": "not a name"}]}, "row 2: an entry point"),
            ({"entry_points": ROW["entry_points"] * 65}, "65 entry points; at most 64"),
            ({"source": "x" * ((1 << 20) + 1)}, "characters; at most"),
        ],
    )
    def test_rows_that_break_a_rule(self, tmp_path: Path, change: dict[str, Any], said: str) -> None:
        """A row that does not fit is refused, with its number."""
        corpus = Corpus(of(tmp_path / "c.parquet", ROW, ROW | change))
        with pytest.raises(CorpusError, match=said):
            list(corpus)

    def test_nothing_is_null(self, tmp_path: Path) -> None:
        """A null where there has to be a value is refused."""
        schema = pa.schema([field.with_nullable(True) for field in SCHEMA])
        with pytest.raises(CorpusError, match="row 1: level is null"):
            list(Corpus(of(tmp_path / "c.parquet", ROW | {"level": None}, schema=schema)))

    @pytest.mark.parametrize("version", [None, "2", "x", "99999999999999999999"])
    def test_other_versions(self, tmp_path: Path, version: str | None) -> None:
        """A file without a version, or of a later one, is refused with what to do."""
        with pytest.raises(CorpusError, match="jidoka generate"):
            Corpus(of(tmp_path / "c.parquet", ROW, version=version))

    def test_other_columns(self, tmp_path: Path) -> None:
        """A column that is missing or of another type is named."""
        without = pa.schema([field for field in SCHEMA if field.name != "seed"])
        with pytest.raises(CorpusError, match="column seed is missing"):
            Corpus(of(tmp_path / "a.parquet", {key: ROW[key] for key in without.names}, schema=without))
        other = pa.schema([pa.field("seed", pa.string()) if field.name == "seed" else field for field in SCHEMA])
        with pytest.raises(CorpusError, match="column seed is of type string; it has to be int64"):
            Corpus(of(tmp_path / "b.parquet", ROW | {"seed": "7"}, schema=other))

    def test_no_parquet(self, tmp_path: Path) -> None:
        """Another file, a cut one and none at all are refused."""
        whole = generated(tmp_path / "c.parquet").read_bytes()
        (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "text.parquet").write_text("no parquet")
        for name in ("cut", "text", "none"):
            with pytest.raises(CorpusError, match="not readable as Parquet"):
                Corpus(tmp_path / f"{name}.parquet")

    def test_a_damaged_page(self, tmp_path: Path) -> None:
        """A file whose middle was overwritten is refused while it is read, not passed on."""
        path = generated(tmp_path / "c.parquet", 2_000)
        raw = bytearray(path.read_bytes())
        raw[1_000:9_000] = bytes(8_000)
        path.write_bytes(raw)
        with pytest.raises(CorpusError):
            list(Corpus(path))


class TestWriting:
    def test_an_interruption_leaves_what_was_there(self, tmp_path: Path) -> None:
        """A run that does not end removes its own file and leaves the one before."""
        path = of(tmp_path / "c.parquet", ROW)
        before = path.read_bytes()

        def interrupted() -> None:
            with writing(path, PROVENANCE) as corpus:
                corpus.write(next(batches(Request("random", 100, 1, 1), Progress())))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert path.read_bytes() == before
        assert [one.name for one in tmp_path.iterdir()] == ["c.parquet"]


class TestStatistics:
    def test_counts(self, tmp_path: Path) -> None:
        """Batches and rows are counted alike; constructs come from a sample of the programs."""
        path = generated(tmp_path / "c.parquet", 1_000)
        by_row = Statistics()
        for row in Corpus(path):
            by_row.add_row(row)
        assert by_row.document() == Corpus(path).statistics
        document = by_row.document()
        assert document["levels"] == {"expert": 1_000}
        assert document["looked_into"] == 64 + 3
        assert 0.2 < document["diversity"] < 1.0
        assert document["families"] == len(FAMILIES) >= document["families_reached"] > 8
        assert sum(document["types"].values()) >= 1_000

    def test_one_program_again_and_again(self) -> None:
        """Programs that are all alike have no diversity."""
        statistics = Statistics()
        table = pa.Table.from_pylist([ROW] * 200, schema=SCHEMA)
        for batch in table.to_batches(max_chunksize=70):
            statistics.add(batch)
        assert statistics.document()["diversity"] == 0.0
        assert statistics.document()["looked_into"] == 64

    def test_not_python(self) -> None:
        """A source that does not parse is counted as such."""
        statistics = Statistics()
        statistics.add(pa.RecordBatch.from_pylist([ROW | {"source": "def ("}], schema=SCHEMA))
        assert statistics.document()["frequent"] == {"not Python": 1}

    def test_category_coverage(self) -> None:
        """Categories of failures are counted against the taxonomy, unknown ones not at all."""
        found = category_coverage([MAIN_LABELS[0], MAIN_LABELS[0], CATEGORIES[-1], "Nonsense"])
        assert (found["main"], found["of_main"], found["of_all"]) == (1, 7, 18)
        assert found["all"] == 18 - len(found["missing"])
        assert category_coverage(["ImportErrors"])["all"] == 1  # a finer name of StdlibMapping

    def test_the_document_is_json(self, tmp_path: Path) -> None:
        """What the file says of itself is JSON."""
        metadata = pq.ParquetFile(generated(tmp_path / "c.parquet")).metadata.metadata
        assert orjson.loads(metadata[b"jidoka.statistics"])["programs"] == 300
