"""``jidoka improve`` at the command line, with the real transpiler and compiler."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import Jidoka

ADD = "def add(a: int, b: int) -> int:\n    return a + b\n"
PAIR = "def pair(a: int, b: str) -> tuple[int, str]:\n    return (a, b)\n"


def test_a_folder_is_improved_and_a_second_run_goes_on(jidoka: Jidoka, tmp_path: Path) -> None:
    """Programs are transpiled once, what fails is in the corpus, and the next run takes up the same state."""
    source, output = tmp_path / "programs", tmp_path / "improved"
    source.mkdir()
    (source / "add.py").write_text(ADD)
    (source / "pair.py").write_text(PAIR)
    command = ("improve", "--input-dir", source, "--output", output, "--export-corpus", "--json", "--max-iterations")
    first = jidoka(*command, 1)
    (found,) = first.lines
    assert found["epochs"][0]["transpiled"] == 2
    assert found["epochs"][0]["compile"] == 1
    assert found["errors"] > 0
    assert (first.status == 0) == (found["epochs"][-1]["rate"] == 1.0)
    assert sorted(path.name for path in (output / "rust").iterdir()) == ["add.rs", "pair.rs"]
    (row, *_) = (json.loads(line) for line in Path(found["corpus"][0]).read_text().splitlines())
    assert {"file", "rust_file", "error", "error_code", "line", "suggestion"} <= row.keys()
    again = jidoka(*command, 1)
    assert again.lines[0]["epochs"] == found["epochs"]


def test_another_folder_in_the_same_output_is_refused(jidoka: Jidoka, tmp_path: Path) -> None:
    """A run of other programs is not mixed into this one; the message says what would do."""
    output = tmp_path / "improved"
    for name, status in (("one", 0), ("two", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "add.py").write_text(ADD)
        done = jidoka("improve", "--input-dir", tmp_path / name, "--output", output)
        assert done.status == status
    assert "--restart to forget it" in " ".join(done.err.split())
