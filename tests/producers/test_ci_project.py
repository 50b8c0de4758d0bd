"""Which project a directory holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from producers.ci import guess_project
from producers.ci.project import owner_and_name


def git(folder: Path, url: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "config", "remote.origin.url", url], cwd=folder, check=True)


class TestGuess:
    def test_package_name_comes_first(self, tmp_path: Path) -> None:
        """The package in Cargo.toml is the project, whatever the remote."""
        (tmp_path / "Cargo.toml").write_text('[package]\nname = "shapes"\n')
        git(tmp_path, "https://github.com/owner/repository.git")
        assert guess_project(tmp_path) == "shapes"

    def test_remote_comes_next(self, tmp_path: Path) -> None:
        """Without a package, the remote's owner/name is the project."""
        (tmp_path / "Cargo.toml").write_text("[workspace]\nmembers = []\n")
        git(tmp_path, "https://alice:secret@github.com/owner/repository.git")
        assert guess_project(tmp_path) == "owner/repository"

    def test_workspace_has_its_folder_name(self, tmp_path: Path) -> None:
        """A workspace without remote is called like its folder."""
        folder = tmp_path / "machines"
        folder.mkdir()
        (folder / "Cargo.toml").write_text("[workspace]\nmembers = []\n")
        assert guess_project(folder) == "machines"

    @pytest.mark.parametrize("manifest", [None, "not toml [", "[package]\nname = 7\n", '[package]\nname = "a b"\n'])
    def test_nothing_to_go_by_is_none(self, tmp_path: Path, manifest: str | None) -> None:
        """No manifest, a broken one or a name no record takes: no guess, no error."""
        if manifest is not None:
            (tmp_path / "Cargo.toml").write_text(manifest)
        assert guess_project(tmp_path) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:token@host.example:8443/owner/name.git", "owner/name"),
        ("git@github.com:owner/name.git", "owner/name"),
        ("ssh://git@host:22/group/sub/name", "sub/name"),
        ("https://token@host/name", None),
        ("git@host:name.git", None),
        ("", None),
    ],
)
def test_remote_address_gives_owner_and_name_only(url: str, expected: str | None) -> None:
    """Of a remote's address, only owner and name are taken: never a user, a password, a host."""
    assert owner_and_name(url) == expected
