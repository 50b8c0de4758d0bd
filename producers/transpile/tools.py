"""Where the tools are, and which versions; what to install where one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from producers.sandbox import Limits, Ran, run

DEPYLER_VERSION = "4.1.1"
INSTALL = {
    "depyler": f"cargo install depyler --version {DEPYLER_VERSION} --locked",
    "rustc": "rustup toolchain install stable, or your distribution's rustc",
    "cargo": "rustup toolchain install stable, or your distribution's cargo",
}
VERSION_LIMITS = Limits(wall_s=60, cpu_s=60, memory_bytes=4 << 30)


class ToolError(RuntimeError):
    """A tool is missing or does not answer; the message says which and what to do."""


@dataclass(frozen=True)
class Rustc:
    """The compiler: its path and what ``rustc --version`` says, cut to name and number (``rustc 1.95.0``)."""

    path: str
    version: str


def cache_folder() -> Path:
    """Return where what can be made again is kept: ``JIDOKA_CACHE_DIR``, or the platform's folder for that."""
    given = os.environ.get("JIDOKA_CACHE_DIR")
    return Path(given) if given else platformdirs.user_cache_path("jidoka")


def find(name: str) -> str:
    """Return the path of a tool: on the PATH, where cargo installs, or where this repository's CI builds it.

    Raises ``ToolError`` with the command that installs it.
    """
    places = [Path.home() / ".cargo" / "bin", *_built_by_ci(name)]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, places)))
    if found is None:
        raise ToolError(f"{name} is not on the PATH; install it with: {INSTALL.get(name, name)}")
    return found


@lru_cache
def find_rustc() -> Rustc:
    """Return the compiler itself rather than rustup's shim, which costs as much as a small program takes to start.

    Raises ``ToolError`` where there is none, or none that answers.
    """
    shim = find("rustc")
    sysroot = Path(say([shim, "--print", "sysroot"])) / "bin" / "rustc"
    path = str(sysroot) if sysroot.is_file() else shim
    return Rustc(path, " ".join(say([path, "--version"]).split()[:2]))


@lru_cache
def version_of(path: str) -> str:
    """Return the number that ``path --version`` tells, as in ``depyler 4.1.1``."""
    return say([path, "--version"]).split()[-1]


def confined(command: list[str], folder: Path, limits: Limits) -> Ran:
    """Run a tool; raises ``ToolError`` where it cannot be started."""
    try:
        return run(command, folder, limits)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"{command[0]} cannot be run: {error}") from None


def say(command: list[str]) -> str:
    """Return what a tool prints when asked about itself; raises ``ToolError`` where it says nothing."""
    ran = confined(command, Path.cwd(), VERSION_LIMITS)
    text = ran.stdout.decode("utf-8", "replace").strip()
    if ran.status or not text:
        raise ToolError(f"{' '.join(command)}: no answer (exit status {ran.status}): {ran.errors.strip()[:300]}")
    return text


def _built_by_ci(name: str) -> list[Path]:
    return sorted(platformdirs.user_cache_path("jidoka-ci").glob(f"{name}-*/bin"), reverse=True)
