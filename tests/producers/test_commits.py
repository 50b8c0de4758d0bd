"""Git histories: read as they are, labelled by blame, and harmless whatever is in them."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.commits.counts import CountsError, count_categories
from producers.commits.files import CommitsError, read_labelled, write_commits
from producers.commits.history import HistoryError, read_history
from producers.commits.patch import PatchReader, lines_of
from producers.commits.report import analyse
from producers.commits.rows import category_counts, table
from producers.commits.szz import blame_fixes

WHO = ("-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")


class Repo:
    """A small repository; each commit is a day after the one before."""

    def __init__(self, path: Path) -> None:
        self.path, self.day = path, 1
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        """Run git in it."""
        when = f"2026-01-{self.day:02d}T10:00:00+0100"
        environment = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
        subprocess.run(
            ["git", *WHO, "-C", str(self.path), *arguments], check=True, env=environment, capture_output=True
        )

    def commit(self, message: str, **files: str) -> None:
        """Write files (``__`` is a dot in their names) and commit them."""
        for name, text in files.items():
            (self.path / name.replace("__", ".")).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.day += 1


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a history of a good start, a faulty feature, its fix, and words."""
    found = Repo(tmp_path / "repo")
    found.commit("feat: start", a__rs="fn a() {\n    one();\n}\n")
    found.commit("feat: more", a__rs="fn a() {\n    one();\n    if x { two(wrong) }\n}\n", b__py="import os\n")
    found.commit(
        "fix: borrow in two\n\nCo-Authored-By: Claude", a__rs="fn a() {\n    one();\n    if x { two(&r) }\n}\n"
    )
    found.commit("docs: words", readme__md="text\n")
    return found


class TestHistory:
    def test_commits(self, repo: Repo) -> None:
        """Commits come oldest first, with the author's own time, and an address only as a hash."""
        changes = read_history(repo.path)
        assert [change.subject for change in changes] == [
            "feat: start",
            "feat: more",
            "fix: borrow in two",
            "docs: words",
        ]
        assert (changes[0].hour, changes[0].weekday) == (10, 3)
        assert "example" not in changes[0].author
        assert [change.ai_coauthored for change in changes] == [False, False, True, False]

    def test_newest(self, repo: Repo) -> None:
        """Of a long history the newest commits are read."""
        assert [change.subject for change in read_history(repo.path, 1)] == ["docs: words"]

    def test_text_that_looks_like_git(self, repo: Repo) -> None:
        """Text of a file that looks like a commit or a header is text."""
        sha = read_history(repo.path)[0].sha
        fake = f"\ndiff --git a/x b/x\n@@ -1,9 +1,9 @@\n--- a/y\n+++ b/z\n{sha}\n"
        repo.commit("feat: trap", trap__rs=fake)
        last = read_history(repo.path)[-1]
        assert [(one.path, one.added, one.deleted) for one in last.files] == [("trap.rs", 6, 0)]

    @pytest.mark.parametrize("kind", ["nowhere", "plain", "empty"])
    def test_no_history(self, kind: str, tmp_path: Path) -> None:
        """A folder that is not there, not a repository, or without a commit is refused in words."""
        place = tmp_path / kind
        if kind == "empty":
            Repo(place)
        elif kind == "plain":
            place.mkdir()
        with pytest.raises(HistoryError, match=str(place)):
            read_history(place)

    def test_nothing_is_run(self, repo: Repo) -> None:
        """Programs that a repository names for its diffs are not run."""
        trap = repo.path / "ran"
        (repo.path / ".gitattributes").write_text("*.rs diff=evil\n")
        for name in ("textconv", "command"):
            repo.git("config", f"diff.evil.{name}", f"touch {trap}; cat")
        repo.git("config", "diff.external", f"touch {trap}; cat")
        blame_fixes(repo.path, read_history(repo.path))
        assert not trap.exists()


class TestPatch:
    def test_renames_binaries_and_odd_names(self) -> None:
        """Renamed, binary and oddly named files are told apart."""
        text = (
            b"diff --git a/old.rs b/new.rs\nsimilarity index 90%\nrename from old.rs\nrename to new.rs\n"
            b"--- a/old.rs\n+++ b/new.rs\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+if b {}\n"
            b"diff --git a/p.png b/p.png\nnew file mode 100644\nBinary files /dev/null and b/p.png differ\n"
            b'diff --git "a/tests/\\303.py" "b/tests/\\303.py"\n--- "a/tests/x.py"\n+++ "b/tests/x.py"\n'
            b"@@ -0,0 +1 @@\n+b\n"
        )
        reader = PatchReader()
        for line in lines_of(io.BytesIO(text)):
            reader.take(line)
        first, second, third = reader.files
        assert (first.path, first.old_path, first.added, first.deleted, first.complexity) == (
            "new.rs",
            "old.rs",
            2,
            1,
            1,
        )
        assert (second.path, second.new, second.added) == ("p.png", True, 0)
        assert (third.path, third.is_test, third.added) == ("tests/x.py", True, 1)

    def test_long_lines(self) -> None:
        """A line without end is cut, and the next one is found."""
        assert [len(line) for line in lines_of(io.BytesIO(b"x" * 200_000 + b"\nyy\n"))] == [1 << 16, 2]


class TestRows:
    def test_labels(self, repo: Repo) -> None:
        """The commit whose line a fix took out is the one that needed it."""
        changes = read_history(repo.path)
        rows = table("r", changes, blame_fixes(repo.path, changes).induced).to_pylist()
        assert [row["bug_inducing"] for row in rows] == [False, True, False, False]
        assert rows[1]["days_to_first_fix"] == 1.0
        assert rows[2]["fix_category"] == "OwnershipBorrow"

    def test_history_is_of_before(self, repo: Repo) -> None:
        """A commit's history counts what came before it, not itself."""
        rows = table("r", read_history(repo.path)).to_pylist()
        assert [row["prior_changes_max"] for row in rows] == [0, 1, 2, 0]
        assert [row["prior_fixes_max"] for row in rows] == [0, 0, 0, 0]
        assert rows[0]["days_since_prev_commit"] is None
        assert [row["author_experience"] for row in rows] == [0, 1, 2, 3]

    def test_complexity_and_size(self, repo: Repo) -> None:
        """Branches added are counted, and lines of code apart from others."""
        rows = table("r", read_history(repo.path)).to_pylist()
        assert [row["complexity_delta"] for row in rows] == [0, 1, 0, 0]
        assert [row["touches_src"] for row in rows] == [True, True, True, False]


class TestFiles:
    def test_written_and_read(self, repo: Repo, tmp_path: Path) -> None:
        """What analyze writes, evaluate reads."""
        found = analyse(repo.path)
        write_commits(found.commits, tmp_path / "c.parquet")
        history = read_labelled(tmp_path / "c.parquet")
        assert history.positive.tolist() == [False, True, False, False]
        assert category_counts(found.commits) == {"OwnershipBorrow": 1}
        assert found.document["newest"][0]["by"] == "rules"

    def test_wrong_files(self, tmp_path: Path) -> None:
        """A file that is no Parquet, or lacks columns, is refused with what is missing."""
        (tmp_path / "x").write_text("no")
        with pytest.raises(CommitsError, match="Parquet"):
            read_labelled(tmp_path / "x")
        pq.write_table(pa.table({"sha": ["a"]}), tmp_path / "y")
        with pytest.raises(CommitsError, match="bug_inducing"):
            read_labelled(tmp_path / "y")

    def test_counts(self, tmp_path: Path) -> None:
        """Categories are counted by the halves of a file's time."""
        times = [3, 1, 2, 4]
        pq.write_table(pa.table({"label": ["b", "a", "a", None], "time": times}), tmp_path / "f")
        assert count_categories(tmp_path / "f") == ({"b": 1, "a": 2}, {"a": 1}, {"a": 1, "b": 1})
        pq.write_table(pa.table({"x": [1]}), tmp_path / "g")
        with pytest.raises(CountsError, match="fix_category"):
            count_categories(tmp_path / "g")
