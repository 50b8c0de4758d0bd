"""What a commit changed, asked of real repositories; and what is refused."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from math import log2
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.change import Change
from models.records import CompilerErrors
from producers.ci import ChangeError, Report, change, change_of, commit_of, git, read
from producers.ci.diff import Diff

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ADA, GRACE = "ada@example.org", "grace@example.org"
TUESDAY_EVENING = "2025-03-04T23:30:00+0900"  # in London it is the afternoon

Repo = Callable[..., str]


def run_git(folder: Path, *arguments: str, **more: str) -> str:
    """Run git in ``folder`` without the settings of whoever runs the tests, and return what it prints."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**plain, **nothing, **more}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes | None], email: str = ADA, when: str = TUESDAY_EVENING) -> str:
    """Write (``None``: delete) the files, commit them, and return the commit's hash."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    run_git(folder, "add", "--all")
    who = {"GIT_AUTHOR_NAME": "Ada Secret", "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": when}
    made_by = {"GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@example.org", "GIT_COMMITTER_DATE": when}
    run_git(folder, "commit", "--quiet", "--allow-empty", "--message", "secret words", **who, **made_by)
    return run_git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return an empty repository."""
    folder = tmp_path / "repo"
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def sizes(found: Change) -> tuple[int, int, int]:
    """Return files changed, lines added, lines deleted."""
    return found.files_changed, found.lines_added, found.lines_deleted


class TestNumbers:
    def test_lines_and_files(self, repo: Path) -> None:
        """Lines are counted as git does, a changed one as one added and one deleted, over all files."""
        commit(repo, {"a.rs": "one\ntwo\nthree\n", "b.rs": "x\n"})
        commit(repo, {"a.rs": "one\n2\nthree\nfour\n", "b.rs": None, "c/d.rs": "new\n"})
        assert sizes(change_of(repo)) == (3, 3, 2)

    def test_first_commit_is_against_nothing(self, repo: Path) -> None:
        """The first commit of all has added everything that is there."""
        commit(repo, {"a.rs": "one\ntwo\n"})
        assert sizes(change_of(repo)) == (1, 2, 0)

    def test_merge_is_against_its_first_parent(self, repo: Path) -> None:
        """A merge changed what it brought into the branch it was merged into, not what that branch had."""
        commit(repo, {"a.rs": "base\n"})
        run_git(repo, "checkout", "--quiet", "-b", "side")
        commit(repo, {"side.rs": "1\n2\n3\n"})
        run_git(repo, "checkout", "--quiet", "main")
        commit(repo, {"main.rs": "1\n" * 50})
        me = ("-c", "user.name=m", "-c", "user.email=m@example.org")
        run_git(repo, *me, "merge", "--quiet", "--no-ff", "--no-edit", "side")
        assert sizes(change_of(repo)) == (1, 3, 0)

    def test_moved_and_binary_files_have_no_lines(self, repo: Path) -> None:
        """A file that only moved and one that is no text count as files, not as lines."""
        commit(repo, {"old.rs": "line\n" * 30})
        commit(repo, {"old.rs": None, "new.rs": "line\n" * 30, "image.png": b"\x89PNG\0\1\2"})
        found = change_of(repo)
        assert (*sizes(found), found.entropy) == (2, 0, 0, 0.0)

    def test_empty_commit(self, repo: Path) -> None:
        """A commit that changed nothing has changed nothing."""
        commit(repo, {"a.rs": "one\n"})
        commit(repo, {})
        found = change_of(repo)
        assert (*sizes(found), found.complexity_delta, found.entropy) == (0, 0, 0, 0, 0.0)

    def test_entropy(self, repo: Path) -> None:
        """It is that of the changed lines over the files: three of four in one file, one in another."""
        commit(repo, {"a.rs": "1\n2\n3\n", "b.rs": "1\n"})
        assert change_of(repo).entropy == pytest.approx(-(0.75 * log2(0.75) + 0.25 * log2(0.25)))

    def test_complexity(self, repo: Path) -> None:
        """Branching words that came count up, those that went count down; words inside words do not count."""
        commit(repo, {"a.rs": "while x {\n}\nloop {}\nlet y = 1;\n"})
        commit(repo, {"a.rs": "if a && b {\n}\nfor i in notify {}\nlet y = 1;\nmatch c {}\n"})
        assert change_of(repo).complexity_delta == 4 - 2

    def test_prose_has_no_branches(self, repo: Path) -> None:
        """Only source files have a complexity: an ``if`` in a text is none."""
        commit(repo, {"README.md": "if and for and while\n", "notes.rs.txt": "if\n"})
        assert change_of(repo).complexity_delta == 0

    def test_lines_that_look_like_headers(self, repo: Path) -> None:
        """Code that looks like git's own headers is code."""
        commit(repo, {"a.rs": "x\n-- y\n@@ -1,9 +1,9 @@\ndiff --git a/z.rs b/z.rs\n"})
        commit(repo, {"a.rs": "++ if\n@@ -1 +1 @@\ndiff --git a/z.md b/z.md\n"})
        found = change_of(repo)
        assert (*sizes(found), found.complexity_delta) == (1, 3, 4, 1)

    def test_no_newline_at_the_end(self, repo: Path) -> None:
        """A remark of git on a missing newline is not a line."""
        commit(repo, {"a.rs": "one"})
        commit(repo, {"a.rs": "two"})
        assert sizes(change_of(repo)) == (1, 1, 1)

    @pytest.mark.parametrize("name", ["čas.rs", "two words.rs", 'quo"te.rs', "tab\tbed.rs"])
    def test_odd_names(self, repo: Path, name: str) -> None:
        """A file whose name git puts in quotes is a source file like any other."""
        commit(repo, {name: "if x {}\n"})
        assert (*sizes(change_of(repo)), change_of(repo).complexity_delta) == (1, 1, 0, 1)

    def test_long_lines_are_cut_not_split(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A line longer than what is held counts as one, and the lines after it as themselves."""
        monkeypatch.setattr(change, "MAX_LINE_BYTES", 64)
        commit(repo, {"a.rs": "+" * 1_000 + "\n" + "-" * 1_000 + "\nif\n"})
        found = change_of(repo)
        assert (*sizes(found), found.complexity_delta) == (1, 3, 0, 1)

    def test_what_is_read_is_bounded(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a difference beyond the bound what was read counts, and nothing fails."""
        monkeypatch.setattr(change, "MAX_DIFF_BYTES", 10_000)
        commit(repo, {"a.rs": "0123456789\n" * 100_000})
        files, added, _ = sizes(change_of(repo))
        assert files == 1
        assert 500 < added < 1_000

    @given(
        st.lists(st.sampled_from([b"diff --git a/x.rs b/x.rs\n", b"@@ -1 +1,2 @@\n", b"+if\n", b"-\n", b"\\\n", b"x"]))
    )
    def test_any_lines_make_sense(self, lines: list[bytes]) -> None:
        """Whatever order lines come in, what is counted for files is what is counted in all."""
        diff = Diff()
        diff.take(b"diff --git a/a.rs b/a.rs\n")
        for line in lines:
            diff.take(line)
        assert sum(diff.lines) == diff.added + diff.deleted
        assert diff.complexity_delta == diff.added


class TestAuthor:
    def test_experience_is_earlier_commits_of_the_author(self, repo: Path) -> None:
        """The author's commits before this one count: not this one, not others', not later ones."""
        for number, email in enumerate((ADA, GRACE, ADA.upper(), GRACE, ADA)):
            commit(repo, {"a.rs": f"{number}\n"}, email)
        third = run_git(repo, "rev-parse", "HEAD~2")
        assert change_of(repo).author_experience == 2
        assert change_of(repo, third).author_experience == 1

    def test_an_address_is_no_pattern(self, repo: Path) -> None:
        """An address that would match others as a pattern, or as a part of theirs, is taken literally."""
        others = ("xa.b@example.org", "axb@example.org", "a.b@example.org.uk", "c@example.org")
        for number, email in enumerate((*others, "a.b@example.org")):
            commit(repo, {"a.rs": f"{number}\n"}, email)
        assert change_of(repo).author_experience == 0

    def test_experience_is_bounded(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the bound it is no longer counted."""
        monkeypatch.setattr(change, "MAX_EXPERIENCE", 2)
        for number in range(5):
            commit(repo, {"a.rs": f"{number}\n"})
        assert change_of(repo).author_experience == 2

    @pytest.mark.parametrize(
        ("when", "hour", "day"),
        [
            (TUESDAY_EVENING, 23, 1),
            ("2025-03-05T00:10:00-1130", 0, 2),
            ("2025-03-09T12:00:00+0000", 12, 6),
            ("@0 +0000", 0, 3),
        ],
    )
    def test_time_is_the_authors_own(self, repo: Path, when: str, hour: int, day: int) -> None:
        """Hour and day are those on the clock of whoever wrote the commit, Monday is 0."""
        commit(repo, {"a.rs": "x\n"}, when=when)
        found = change_of(repo)
        assert (found.hour_of_day, found.day_of_week) == (hour, day)


class TestCommit:
    def test_names_of_a_commit(self, repo: Path) -> None:
        """A commit is found by its hash, the beginning of it, its branch and an annotated tag; HEAD is the default."""
        first = commit(repo, {"a.rs": "x\n"})
        run_git(repo, "-c", "user.name=t", "-c", "user.email=t@example.org", "tag", "-a", "v1.0", "-m", "m")
        run_git(repo, "branch", "feature/x-1")
        assert {commit_of(repo, name) for name in (first, first[:10], "main", "feature/x-1", "v1.0", "HEAD")} == {first}
        assert commit_of(repo) == first

    def test_works_below_the_root(self, repo: Path) -> None:
        """Any folder of the repository will do, and the whole commit is counted."""
        commit(repo, {"a.rs": "x\n", "src/b.rs": "y\n"})
        assert change_of(repo / "src") == change_of(repo)

    @pytest.mark.parametrize(
        "name",
        [
            *("", "-", "--help", "--output=pwned", "-O/etc/passwd", "HEAD~1", "HEAD^", "main..main", "main@{1}"),
            *(":/secret", "main\n", "main main", "$(touch pwned)", "HEAD:a.rs", "x" * 256, "main\0"),
        ],
    )
    def test_what_could_be_more_than_a_name_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """An option, a range, an expression or a command is no commit, and git does not get to see it."""
        monkeypatch.setenv("PATH", str(tmp_path))  # without git, which would be missed
        with pytest.raises(ChangeError, match="no commit"):
            change_of(tmp_path, name)

    @pytest.mark.parametrize("name", ["0" * 40, "f" * 64, "nobranch", "deadbeef"])
    def test_a_commit_that_is_not_there(self, repo: Path, name: str) -> None:
        """A commit that the repository lacks is told, with its name and where it was looked for."""
        commit(repo, {"a.rs": "x\n"})
        with pytest.raises(ChangeError, match=f"no commit {name} in .*repo"):
            change_of(repo, name)

    def test_a_file_is_no_commit(self, repo: Path) -> None:
        """The hash of something else than a commit is refused."""
        commit(repo, {"a.rs": "x\n"})
        with pytest.raises(ChangeError, match="no commit"):
            change_of(repo, run_git(repo, "rev-parse", "HEAD:a.rs"))

    def test_no_commit_yet(self, repo: Path) -> None:
        """A repository without commits has no HEAD."""
        with pytest.raises(ChangeError, match="no commit HEAD"):
            change_of(repo)

    @pytest.mark.parametrize("folder", ["nowhere", "empty", "-c"])
    def test_no_repository(self, tmp_path: Path, folder: str) -> None:
        """A folder that is missing or holds no repository is told."""
        (tmp_path / "empty").mkdir()
        with pytest.raises(ChangeError, match="no git repository"):
            change_of(tmp_path / folder)

    def test_shallow_clone(self, repo: Path, tmp_path: Path) -> None:
        """A clone without its history is refused with the way to get it: the commit would look like everything."""
        commit(repo, {"a.rs": "x\n" * 100})
        commit(repo, {"a.rs": "x\n" * 101})
        run_git(tmp_path, "clone", "--quiet", "--depth=1", repo.as_uri(), "shallow")
        with pytest.raises(ChangeError, match=r"git fetch --unshallow"):
            change_of(tmp_path / "shallow")

    def test_damaged_repository(self, repo: Path) -> None:
        """A repository that lacks the parent's files is told, not counted as far as it goes."""
        commit(repo, {"a.rs": "x\n"})
        commit(repo, {"a.rs": "y\n"})
        blob = run_git(repo, "rev-parse", "HEAD~1:a.rs")
        (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(ChangeError, match=r"cannot tell what .* changed"):
            change_of(repo)


class TestSafety:
    def test_nothing_identifies(self, repo: Path) -> None:
        """What is sent of a commit has no name, address, path or word of it."""
        commit(repo, {"secret_module.rs": "let secret = 1;\n"})
        sent = change_of(repo).model_dump_json()
        assert not any(word in sent.lower() for word in ("ada", "secret", "example", ".rs"))

    def test_settings_of_the_repository_run_nothing(self, repo: Path, tmp_path: Path) -> None:
        """Difference and text drivers, a pager, a file monitor and hooks that a repository brings are not run."""
        mark = tmp_path / "ran"
        tool = tmp_path / "tool"
        tool.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
        tool.chmod(0o700)
        for name in ("diff.external", "diff.own.command", "diff.own.textconv", "core.pager", "core.fsmonitor"):
            run_git(repo, "config", name, str(tool))
        run_git(repo, "config", "core.hooksPath", str(tmp_path))
        (repo / ".gitattributes").write_text("*.rs diff=own\n")
        (repo / "a.rs").write_text("if x {}\n")
        off = (
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "user.name=n",
            "-c",
            "user.email=e",
        )
        run_git(repo, *off, "add", "--all")
        run_git(repo, *off, "commit", "--quiet", "--message", "m")
        mark.unlink(missing_ok=True)
        found = change_of(repo)
        assert (*sizes(found), found.complexity_delta) == (2, 2, 0, 1)
        assert not mark.exists()

    def test_settings_change_no_number(self, repo: Path) -> None:
        """How a person likes differences shown plays no part."""
        commit(repo, {"a.rs": "1\n2\n3\n4\n5\n6\n7\n", "src/b.rs": "x\n" * 9})
        commit(repo, {"a.rs": "1\n2\nthree\n4\n5\nsix\n7\n", "src/b.rs": None, "src/c.rs": "x\n" * 9})
        before = change_of(repo)
        settings = {"noprefix": "true", "context": "9", "interHunkContext": "9", "renames": "false", "relative": "true"}
        for name, value in (
            settings | {"algorithm": "patience", "orderFile": "none", "mnemonicPrefix": "true"}
        ).items():
            run_git(repo, "config", f"diff.{name}", value)
        run_git(repo, "config", "color.ui", "always")
        assert change_of(repo / "src") == before

    def test_environment_does_not_lead_elsewhere(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Inside a hook git names its own repository in the environment: the given one is asked all the same."""
        commit(repo, {"a.rs": "x\n"})
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
        assert sizes(change_of(repo)) == (1, 1, 0)

    def test_nothing_is_fetched(self, repo: Path, tmp_path: Path) -> None:
        """A partial clone that lacks what the commit changed is refused: it would be fetched from who knows where."""
        commit(repo, {"a.rs": "x\n"})
        commit(repo, {"a.rs": "y\n"})
        run_git(repo, "config", "uploadpack.allowFilter", "true")
        run_git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", repo.as_uri(), "partial")
        with pytest.raises(ChangeError, match="is all of it fetched"):
            change_of(tmp_path / "partial")

    def test_nothing_is_written(self, repo: Path) -> None:
        """Asking leaves the repository as it was."""
        commit(repo, {"a.rs": "x\n"})
        before = {path: path.stat().st_mtime_ns for path in repo.rglob("*")}
        change_of(repo)
        assert {path: path.stat().st_mtime_ns for path in repo.rglob("*")} == before

    def test_git_is_not_there(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where git is not installed, that is said."""
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ChangeError, match="git is not installed"):
            change_of(repo)

    @pytest.fixture
    def stand_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Return a function that puts a shell command in the place of git."""

        def place(command: str) -> None:
            (tmp_path / "git").write_text(f"#!/bin/sh\nexec {command}\n")
            (tmp_path / "git").chmod(0o700)
            monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

        return place

    def test_git_that_does_not_end(
        self, tmp_path: Path, stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A git that says nothing for too long is ended, and that is told."""
        stand_in("tail -f /dev/null")
        monkeypatch.setattr(git, "TIMEOUT_S", 0.2)
        with pytest.raises(ChangeError, match=r"git rev-parse took longer than 0.2 s"):
            change_of(tmp_path)

    def test_git_that_says_too_much(self, tmp_path: Path, stand_in: Callable[[str], None]) -> None:
        """Of a git that never stops talking a bounded part is read, and it is ended."""
        stand_in("yes")
        assert len(git.read(tmp_path, "status") or b"") == git.MAX_ANSWER_BYTES


class TestRecords:
    CHANGE = Change(
        files_changed=1,
        lines_added=2,
        lines_deleted=3,
        complexity_delta=4,
        entropy=0,
        author_experience=5,
        hour_of_day=6,
        day_of_week=0,
    )

    def records(self, content: bytes, **given: object) -> list[CompilerErrors]:
        """Return the records that are read from ``content`` with this change of commit ``c1``."""
        more = {"project": "p", "time": NOW, "commit": "c1", "change": self.CHANGE, "report": Report(), **given}
        return list(read(io.BytesIO(content), **more))  # type: ignore[arg-type]

    def test_every_record_has_it(self) -> None:
        """The change goes with each failed compilation of an input."""
        found = self.records(b"error[E0308]: mismatched types\n --> src/a.rs:1:1\n\nerror: could not compile `a`\n")
        assert [record.change for record in found] == [self.CHANGE]

    def test_it_is_no_part_of_the_id(self) -> None:
        """Equal content has an equal id, with a change and without."""
        text = b"error[E0308]: mismatched types\n"
        assert [one.id for one in self.records(text)] == [one.id for one in self.records(text, change=None)]

    @pytest.mark.parametrize(
        ("own", "has"),
        [
            ({}, True),
            ({"commit": "c1"}, True),
            ({"project": "p", "commit": "c1"}, True),
            ({"commit": "c2"}, False),
            ({"project": "other"}, False),
            ({"commit": None}, False),
        ],
        ids=str,
    )
    def test_a_record_of_another_commit_does_not_get_it(self, own: dict[str, str | None], has: bool) -> None:
        """A JSON line that names another commit or project keeps that and gets no change of a commit not its own."""
        line = orjson.dumps({**own, "diagnostics": [{"level": "error", "message": "m"}]})
        (record,) = self.records(line + b"\n")
        assert record.change == (self.CHANGE if has else None)

    def test_what_a_record_says_itself_stands(self) -> None:
        """A JSON line that brings its own change keeps it."""
        own = self.CHANGE.model_copy(update={"lines_added": 99})
        line = orjson.dumps({"change": own.model_dump(), "diagnostics": [{"level": "error", "message": "m"}]})
        (record,) = self.records(line + b"\n")
        assert record.change == own
