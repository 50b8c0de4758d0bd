"""``jidoka push`` with a repository or a source tree at hand: what they know goes along with each failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from models.records import CompilerErrors
from producers import http_sender
from streams.cli import main

OUTPUT = Path(__file__).parent.parent / "producers" / "data"


class Kept:
    """A sender that keeps what it is given."""

    records: list[CompilerErrors] = []  # noqa: RUF012 - each test begins with a new list

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take what ``HttpSender`` takes."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def send(self, record: CompilerErrors) -> None:
        """Keep a record."""
        self.records.append(record)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository whose last commit adds three lines; the one before, tagged ``old``, adds one."""
    me = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgSign=false")
    folder = tmp_path / "repo"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for name, lines in (("a.rs", "1\n"), ("b.rs", "1\n2\n3\n")):
        (folder / name).write_text(lines)
        subprocess.run(["git", "add", "."], cwd=folder, check=True)
        subprocess.run(["git", *me, "commit", "--quiet", "--no-verify", "-m", "m"], cwd=folder, check=True)
    subprocess.run(["git", "tag", "--no-sign", "old", "HEAD~1"], cwd=folder, check=True)
    return folder


def head(folder: Path) -> str:
    """Return the hash of HEAD."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is sent, and run in a folder that is no repository."""
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(http_sender, "HttpSender", Kept)
    monkeypatch.setattr(Kept, "records", [])
    monkeypatch.chdir(tmp_path)


def push(monkeypatch: pytest.MonkeyPatch, *options: object) -> int:
    """Push the recorded output of a build, and return the exit status."""
    command = ["jidoka", "push", OUTPUT / "cargo.json", "--project", "p", "--url", "http://unused.invalid", *options]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


def added() -> set[tuple[str | None, int | None]]:
    """Return the commit, and the lines it added, of what was sent."""
    return {(one.commit, one.change.lines_added if one.change else None) for one in Kept.records}


def test_head_without_a_commit(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``--commit`` every record has HEAD's hash and what HEAD changed."""
    assert push(monkeypatch, "--repo", repo) == 0
    assert added() == {(head(repo), 3)}


def test_the_commit_that_is_named(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--commit`` it is that commit's change, and the commit stays as it was named."""
    assert push(monkeypatch, "--repo", repo, "--commit", "old") == 0
    assert added() == {("old", 1)}


def test_nothing_without_a_repository(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``--repo`` git is not asked, even inside a repository."""
    monkeypatch.chdir(repo)
    assert push(monkeypatch, "--commit", "anything") == 0
    assert added() == {("anything", None)}


def test_lines_from_the_tree_that_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--source-root`` the lines around each span that the tree has go along, and the ids stay the same."""
    assert push(monkeypatch) == 0
    plain, Kept.records = Kept.records, []
    spans = [span for record in plain for one in record.diagnostics for span in one.spans]
    first = next(span for span in spans if span.text and span.line_start > 1)
    file = tmp_path / first.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n" * (first.line_start - 2) + f"// before\n{first.text[0]}\n// after\n")
    assert push(monkeypatch, "--source-root", tmp_path) == 0
    found = [span for record in Kept.records for one in record.diagnostics for span in one.spans]
    assert found[spans.index(first)].before[-1] == "// before"
    assert [record.id for record in Kept.records] == [record.id for record in plain]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--source-root=nowhere",), "nowhere: no directory"),
        (("--repo=repo", "--commit=nowhere"), "no commit nowhere"),
        (("--repo=repo", "--commit=--all"), "no commit"),
        (("--repo=.",), "no git repository"),
    ],
)
def test_a_mistake_is_told(
    repo: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    told: str,
) -> None:
    """A commit or a repository that is not there ends the push with 2 and one paragraph; nothing was sent."""
    assert push(monkeypatch, *options) == 2
    shown = capsys.readouterr()
    assert told in " ".join(shown.err.split())
    assert "Traceback" not in shown.err
    assert (shown.out, Kept.records) == ("", [])
