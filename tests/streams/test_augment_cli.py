"""``jidoka augment``: a folder of programs in, originals and variants out, through the gates."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.command import Jidoka
from tests.producers.test_augment import PROGRAMS

EASY = "[gates]\ndiversity = 0.0\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of programs, beside gates that do not ask for diversity; no line is near."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, source in PROGRAMS.items():
        (folder / f"{name}.py").write_text(source)
    (tmp_path / "quality-gates.toml").write_text(EASY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("JIDOKA_BROKER", raising=False)
    return folder


def test_originals_and_variants(programs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """Every original stands in the corpus with its variants, which parse; the same seed gives the same rows."""
    output = tmp_path / "more.parquet"
    arguments = ("augment", programs, "--output", output, "--factor", "4", "--check-all", "--json")
    done = jidoka(*arguments)
    assert done.status == 0, done.err
    said, table = json.loads(done.out), pq.read_table(output)
    assert (said["originals"], said["failed"]) == (len(PROGRAMS), [])
    assert table.num_rows == said["originals"] + said["variants"]
    assert said["checked_by_running"] > 0
    rows = table.to_pylist()
    originals = {row["program_id"]: row["source"] for row in rows if row["augmenter"] == "original"}
    assert sorted(originals.values()) == sorted(PROGRAMS.values())
    for row in rows:
        ast.parse(row["source"])
        assert row["augmenter"] == "original" or row["original_id"] in originals
    assert {row["augmenter"] for row in rows} == {"original", "eda", "mutate"}  # none has one parameter
    assert jidoka(*arguments).status == 0
    assert pq.read_table(output).equals(table)


def test_a_gate_that_is_not_passed(programs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """Variants that are too alike are not shipped: nothing is written, the condition is named, the status is 1."""
    output = tmp_path / "more.parquet"
    (tmp_path / "strict.toml").write_text("diversity = 0.99\n")
    done = jidoka("augment", programs, "--output", output, "--gates", tmp_path / "strict.toml")
    assert done.status == 1
    assert "DiversityCollapse: diversity" in done.err
    assert not output.exists()
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--factor", "11"), "factor 11: 1 to 10"),
        (("--augmenters", "eda,magic"), "--augmenters magic: allowed are eda, mutate, template"),
        (("--augmenters", ","), "give one at least"),
        (("--gates", "absent.toml"), "absent.toml: [Errno 2]"),
    ],
)
def test_mistakes(options: tuple[str, ...], told: str, programs: Path, tmp_path: Path, jidoka: Jidoka) -> None:
    """What cannot be done is told in a paragraph, with status 2."""
    done = jidoka("augment", programs, "--output", tmp_path / "x.parquet", *options)
    assert (done.status, told in " ".join(done.err.split())) == (2, True), done.err
    assert not (tmp_path / "x.parquet").exists()
