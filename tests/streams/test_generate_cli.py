"""``generate`` and ``programs``: a corpus on the command line, mistakes told, nothing half done left behind."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from producers.programs_corpus import Corpus
from streams.cli import main
from tests.polling import poll

ROOT = Path(__file__).parent.parent.parent
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jidoka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs ``jidoka`` in this process and gives status, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["jidoka", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        with pytest.raises(SystemExit) as exit_:
            main()
        shown = capsys.readouterr()
        return int(exit_.value.code or 0), shown.out, shown.err

    return run


def started(path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a run that would take long, and return once it writes."""
    command = [sys.executable, "-m", "streams.cli", "generate", "--output", str(path), *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    poll(lambda: any(one.stat().st_size > 100_000 for one in path.parent.glob(".*.part")), deadline_s=60)
    return process


class TestGenerate:
    def test_writes_a_corpus(self, jidoka: Command, tmp_path: Path) -> None:
        """The number asked for is in the file, with the provenance of the request."""
        path = tmp_path / "c.parquet"
        arguments = ("--strategy", "coverage", "--count", 150, "--max-depth", 5, "--seed", 42, "--level", "expert")
        status, shown, _ = jidoka("generate", "--grammar", "python", *arguments, "--output", path)
        assert status == 0
        assert "150 programs in" in shown
        corpus = Corpus(path)
        assert len(list(corpus)) == 150
        asked = {
            "strategy": "coverage",
            "count": 150,
            "max_depth": 5,
            "seed": 42,
            "level": "expert",
            "grammar": "python",
        }
        assert corpus.provenance | asked == corpus.provenance
        assert set(corpus.provenance["tools"]) == {"jidoka", "python", "typeshed_client"}

    @pytest.mark.parametrize("strategy", ["random", "stdlib", "curriculum"])
    def test_same_seed_same_bytes(self, jidoka: Command, tmp_path: Path, strategy: str) -> None:
        """The same seed gives the same file, another seed another."""
        contents = []
        for number, seed in enumerate((3, 3, 4)):
            path = tmp_path / f"{number}.parquet"
            assert jidoka("generate", "--strategy", strategy, "--count", 90, "--seed", seed, "--output", path)[0] == 0
            contents.append(path.read_bytes())
        assert contents[0] == contents[1] != contents[2]

    def test_json(self, jidoka: Command, tmp_path: Path) -> None:
        """``--json`` prints one document with counts."""
        _, shown, _ = jidoka("generate", "--count", 70, "--output", tmp_path / "c.parquet", "--json")
        found = json.loads(shown)
        assert found["programs"] == 70
        assert found["levels"] == {"basic": 70}
        assert found["candidates"] >= 70

    def test_fewer_than_asked_for(self, jidoka: Command, tmp_path: Path) -> None:
        """Where the grammar has no more, what there is is written, and the reason told."""
        arguments = ("--strategy", "exhaustive", "--max-depth", 1, "--count", 100_000)
        status, shown, told = jidoka("generate", *arguments, "--output", tmp_path / "c.parquet")
        assert status == 0
        assert "programs in" in shown
        assert "raise --max-depth" in told

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--strategy", "guess"), "random, swarm, boundary, coverage, exhaustive, stdlib, curriculum"),
            (("--level", "hard"), "basic, intermediate, advanced, expert"),
            (("--grammar", "cobol"), "allowed are python"),
            (("--count", "0"), "from 1 to"),
            (("--max-depth", "99"), "from 1 to 8"),
            (("--seed", "-5"), "from 0"),
            (("--processes", "0"), "from 1 to 256"),
            (("--strategy", "curriculum", "--level", "basic"), "leave it out"),
            (("--strategy", "random", "--feedback", "depyler"), "use --strategy coverage or curriculum"),
            (("--strategy", "coverage", "--feedback", "guess"), "there are depyler"),
        ],
    )
    def test_mistakes(self, jidoka: Command, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
        """A mistake is told with what is allowed, and nothing is written."""
        status, _, told = jidoka("generate", *arguments, "--output", tmp_path / "c.parquet")
        assert status == 2
        assert said in " ".join(told.split())
        assert list(tmp_path.iterdir()) == []

    def test_no_place_to_write(self, jidoka: Command, tmp_path: Path) -> None:
        """A folder that is not there, and a folder in place of a file, are told."""
        assert "make it first" in jidoka("generate", "--output", tmp_path / "no" / "c.parquet")[2]
        assert "name a file" in jidoka("generate", "--output", tmp_path)[2]

    @pytest.mark.parametrize("processes", ["1", "2"])
    def test_ctrl_c(self, tmp_path: Path, processes: str) -> None:
        """Ctrl-C ends it at once: the file that was there is still there, and the new one is gone."""
        path = tmp_path / "c.parquet"
        path.write_bytes(b"before")
        with started(path, "--count", "20000000", "--processes", processes) as process:
            os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group
            _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in told
        assert [one.name for one in tmp_path.iterdir()] == ["c.parquet"]
        assert path.read_bytes() == b"before"


class TestPrograms:
    @pytest.fixture
    def corpus(self, jidoka: Command, tmp_path: Path) -> Path:
        """Return a corpus of the curriculum."""
        path = tmp_path / "c.parquet"
        jidoka("generate", "--strategy", "curriculum", "--count", 200, "--output", path)
        return path

    def test_says_what_is_in_it(self, jidoka: Command, corpus: Path) -> None:
        """Levels, strategies, types, constructs and diversity are shown."""
        status, shown, _ = jidoka("programs", corpus)
        assert status == 0
        for one in ("200 programs", "curriculum", "basic 50", "diversity", "rejected", "int ", "stdlib:composition"):
            assert one in shown

    def test_json(self, jidoka: Command, corpus: Path) -> None:
        """``--json`` prints provenance and statistics."""
        found: dict[str, Any] = json.loads(jidoka("programs", corpus, "--json")[1])
        assert found["provenance"]["strategy"] == "curriculum"
        assert found["statistics"]["programs"] == 200
        assert 0.0 <= found["statistics"]["rejection_rate"] < 1.0

    def test_no_corpus(self, jidoka: Command, tmp_path: Path) -> None:
        """Another file is refused with what it should be."""
        path = tmp_path / "x.parquet"
        path.write_text("nothing")
        status, _, told = jidoka("programs", path)
        assert status == 2
        assert "not readable as Parquet" in told
