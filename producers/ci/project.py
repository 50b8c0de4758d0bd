"""Which project a directory holds: from Cargo.toml, else from its git remote."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.diagnostics import Project

GIT_TIMEOUT_S = 5.0
MAX_MANIFEST_BYTES = 1 << 20

_PROJECT: TypeAdapter[str] = TypeAdapter(Project)
# https://user:secret@host/owner/name.git, ssh://git@host:22/owner/name; and the short form git@host:owner/name.git
_LONG_FORM = re.compile(r"^\w[\w+.-]*://[^/]*/")
_SHORT_FORM = re.compile(r"^[^/\s:]+:")


def guess_project(directory: Path) -> str | None:
    """Return the project's name: ``Cargo.toml``'s package, else the remote's ``owner/name``, else a workspace's folder.

    Never anything else of the remote's address, which may carry credentials. ``None`` if nothing is found.
    """
    manifest = _manifest(directory / "Cargo.toml")
    workspace = directory.resolve().name if "workspace" in manifest else None
    for name in (_package(manifest), _remote(directory), workspace):
        if name is not None and _is_project(name):
            return name
    return None


def _manifest(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(MAX_MANIFEST_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _package(manifest: dict[str, object]) -> str | None:
    package = manifest.get("package")
    name = package.get("name") if isinstance(package, dict) else None
    return name if isinstance(name, str) else None


def _remote(directory: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(directory), "config", "--get", "remote.origin.url"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603 - a list
    except (OSError, subprocess.TimeoutExpired):
        return None
    return owner_and_name(found.stdout.decode("utf-8", "replace").strip())


def owner_and_name(url: str) -> str | None:
    """Return ``owner/name`` of a git remote's address, or ``None``."""
    path = _LONG_FORM.sub("", url) if "://" in url else _SHORT_FORM.sub("", url)
    parts = [part for part in path.removesuffix("/").removesuffix(".git").split("/") if part]
    return "/".join(parts[-2:]) if len(parts) > 1 else None


def _is_project(name: str) -> bool:
    try:
        _PROJECT.validate_python(name)
    except ValidationError:
        return False
    return True
