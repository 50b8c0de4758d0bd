"""``jidoka transpile`` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.transpile.table import read_results
from streams.cli import app
from streams.cli.console import UserError

ADD = "def add(a: int, b: int) -> int:\n    return a + b\n"
PAIR = "def pair(a: int, b: str) -> tuple[int, str]:\n    return (a, b)\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIDOKA_CACHE_DIR", str(tmp_path / "cache"))


def test_a_folder_goes_through_and_a_second_run_is_cached(tmp_path: Path) -> None:
    """Each program is counted by outcome; the next run takes all from the cache and writes the same rows."""
    source = tmp_path / "programs"
    source.mkdir()
    (source / "add.py").write_text(ADD)
    (source / "pair.py").write_text(PAIR)
    (source / "broken.py").write_text("def (")
    command = ["transpile", str(source), "--parallel", "2", "--json", "--output"]
    first, second = (json.loads(CliRunner().invoke(app, [*command, str(tmp_path / name)]).stdout) for name in "ab")
    assert first["outcomes"] == {"compiled": 1, "transpile_failed": 1, "compile_failed": 1}
    assert (first["cached"], second["cached"]) == (0, 3)
    assert list(read_results(tmp_path / "a")) == list(read_results(tmp_path / "b"))


def test_one_program_is_told_in_full(tmp_path: Path) -> None:
    """For a single file the compiler's errors are printed."""
    (tmp_path / "pair.py").write_text(PAIR)
    done = CliRunner().invoke(app, ["transpile", str(tmp_path / "pair.py")])
    assert "[E0308] mismatched types" in done.stdout
    assert "1 compile failed" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["missing.py"], "not there"),
        (["--transpiler", "other", "missing.py"], "there are depyler"),
        (["missing.py", "--output", "no/such/folder/x.parquet"], "make it first"),
    ],
)
def test_mistakes_are_told(options: list[str], said: str) -> None:
    """What cannot be done is said in a sentence."""
    done = CliRunner().invoke(app, ["transpile", *options])
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)


def test_a_missing_depyler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without depyler the command says how to install it."""
    (tmp_path / "add.py").write_text(ADD)
    for name in ("PATH", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    done = CliRunner().invoke(app, ["transpile", str(tmp_path / "add.py")])
    assert isinstance(done.exception, UserError)
    assert "cargo install depyler" in str(done.exception)
