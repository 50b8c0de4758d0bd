"""``jidoka verify`` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.cli.console import UserError

HALF = "def half(a: int) -> int:\n    return a // 2\n"
RIGHT = "pub fn half(a: i64) -> i64 { a.div_euclid(2) }\n"
WRONG = "pub fn half(a: i64) -> i64 { a / 2 }\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIDOKA_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return the Python program as a file."""
    path = tmp_path / "half.py"
    path.write_text(HALF)
    return path


@pytest.mark.parametrize(("rust", "status", "said"), [(RIGHT, 0, "equivalent"), (WRONG, 1, "half(-1) is -1, and 0")])
def test_rust_of_ones_own_is_judged(program: Path, rust: str, status: int, said: str) -> None:
    """A translation that is wrong ends with 1 and shows the smallest input; a right one ends with 0."""
    program.with_suffix(".rs").write_text(rust)
    done = CliRunner().invoke(app, ["verify", str(program), "--rust", str(program.with_suffix(".rs"))])
    assert done.exit_code == status, done.output
    assert said in done.stdout


def test_depylers_rust_is_judged(program: Path) -> None:
    """Without --rust the transpiler's output is compared, with a second opinion where asked for."""
    done = CliRunner().invoke(app, ["verify", str(program), "--oracle", "io+ast", "--json"])
    verdict = json.loads(done.stdout)
    assert verdict["answer"] == "equivalent", verdict
    assert verdict["functions"][0]["compared"] > 20
    assert verdict["opinions"][0]["likeness"] == 1.0


@pytest.mark.parametrize(
    ("options", "said"), [(["--oracle", "guess"], "io, io+ast"), (["--rust", "missing.rs"], "cannot be read")]
)
def test_mistakes_are_told(program: Path, options: list[str], said: str) -> None:
    """What cannot be done is said in a sentence."""
    done = CliRunner().invoke(app, ["verify", str(program), *options])
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)
