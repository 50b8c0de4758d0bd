"""``jidoka commits`` and ``jidoka priorities`` as a person meets them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.command import Jidoka, in_process


@pytest.fixture
def jidoka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
    """Return the command line in this process."""
    return in_process(monkeypatch, capsys)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository of some commits."""
    place = tmp_path / "project"
    place.mkdir()
    git = ["git", "-c", "user.name=N", "-c", "user.email=n@example.org", "-C", str(place)]
    subprocess.run([*git, "init", "-q"], check=True)
    for number, word in enumerate(("feat: start", "feat: more", "fix: deadlock")):
        (place / "a.py").write_text(f"value = {number}\n")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", word], check=True)
    return place


class TestCommits:
    def test_analyze_then_evaluate(self, jidoka: Jidoka, repo: Path, tmp_path: Path) -> None:
        """A history is analysed as JSON, and the file it writes can be scored and ranked."""
        file = tmp_path / "c.parquet"
        done = jidoka("commits", "analyze", repo, "--output", file, "--json")
        assert done.status == 0
        (document,) = done.lines
        assert (document["commits"], document["fix_categories"]) == (3, {"ConcurrencyBugs": 1})
        assert document["newest"][0]["subject"] == "fix: deadlock"
        (scores,) = jidoka("commits", "evaluate", file, "--json").lines
        assert set(scores) == {"out_of_time", "prequential", "across_projects"}
        (ranked,) = jidoka("priorities", file, "--json").lines
        assert ranked["priorities"][0]["category"] == "ConcurrencyBugs"

    def test_text(self, jidoka: Jidoka, repo: Path) -> None:
        """Without --json a person reads the newest commits with their risk and why."""
        done = jidoka("commits", "analyze", repo)
        assert done.status == 0
        assert "fix: deadlock" in done.out

    def test_no_repository(self, jidoka: Jidoka, tmp_path: Path) -> None:
        """A folder without a history is a user's mistake, said in words."""
        done = jidoka("commits", "analyze", tmp_path)
        assert done.status == 2
        assert "not a git repository" in done.err


class TestPriorities:
    def test_profile(self, jidoka: Jidoka) -> None:
        """A published profile is ranked, against another one where that is asked for."""
        (found,) = jidoka("priorities", "--profile", "bashrs-published", "--baseline", "decy-published", "--json").lines
        assert found["priorities"][0]["category"] == "SecurityVulnerabilities"
        assert found["divergence_nats"] > 0

    @pytest.mark.parametrize("arguments", [(), ("--profile", "nobody"), ("nothing.parquet",)])
    def test_mistakes(self, jidoka: Jidoka, arguments: tuple[str, ...]) -> None:
        """No input, an unknown profile and a missing file are told apart from a crash."""
        done = jidoka("priorities", *arguments)
        assert done.status == 2
        assert "Traceback" not in done.err
