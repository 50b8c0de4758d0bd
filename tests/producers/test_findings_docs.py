"""The published findings: the index says what the folders hold, and a few of them are run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from producers.minimise.findings import holds, read
from producers.minimise.index import main
from producers.transpile.transpiler import Depyler

FOLDER = Path(__file__).parents[2] / "docs" / "findings"
FOUND = {one.id: one for one in read(FOLDER)}


def test_the_index_is_fresh() -> None:
    """``docs/findings/README.md`` is what its folders say; ``make docs`` writes it."""
    assert main([str(FOLDER), "--check"]) == 0


def test_each_is_whole() -> None:
    """There are at least 25, each of a cause of its own, in a folder of its name with all one needs to see it."""
    assert len(FOUND) >= 25
    assert len({one.cause for one in FOUND.values()}) == len(FOUND)
    for name, one in FOUND.items():
        assert (FOLDER / name / "program.py").read_text(encoding="utf-8") == one.program + "\n"
        assert {"README.md", "finding.json"} <= {path.name for path in (FOLDER / name).iterdir()}
        assert one.kind != "overflow"


@pytest.mark.parametrize("name", ["len-counts-bytes", "try-else-dropped", "max-without-its-default"])
def test_a_few_hold(name: str) -> None:
    """With depyler and rustc of this machine both sides still part: an answer, a statement, a panic."""
    assert holds(FOUND[name], Depyler())
