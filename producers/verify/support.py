"""The part of the harness that is the same for all programs, compiled once for this machine.

It takes two fifths of a program's build time when it is compiled with each.
"""

from __future__ import annotations

import hashlib
import shutil
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from producers.transpile.crates import locked
from producers.transpile.rustc import run_rustc
from producers.transpile.tools import ToolError, cache_folder, find_rustc, say

# Machine code as plain as possible, for what counts is the time to build it. An overflow panics, as in a debug build.
PLAIN_CODE = (
    "-Cdebuginfo=0",
    "-Coverflow-checks=on",
    "-Cdebug-assertions=on",
    "-Ccodegen-units=1",
    "-Cprefer-dynamic",  # the standard library is not linked into each program
)
NAME = "libjidoka_support.rlib"


def support_options() -> list[str]:
    """Return rustc's options that bring in the harness's library, which is built on first use.

    Raises ``ToolError`` where it cannot be.
    """
    return ["--extern", f"jidoka_support={_built(cache_folder())}"]


@lru_cache
def library_folder() -> str:
    """Return where the standard library is that programs load when they start."""
    return say([find_rustc().path, "--print", "target-libdir"])


@lru_cache
def _built(cache: Path) -> Path:
    source = (files(__package__) / "support.rs").read_text(encoding="utf-8")
    key = hashlib.sha256(f"{find_rustc().version}\n{PLAIN_CODE}\n{source}".encode()).hexdigest()[:16]
    folder = cache / "support" / key
    done = folder / NAME
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            if not done.is_file():
                _build(source, folder, done)
    return done


def _build(source: str, folder: Path, done: Path) -> None:
    (folder / "support.rs").write_text(source, encoding="utf-8")
    partial = folder / "part"
    partial.mkdir(exist_ok=True)
    options = ["--crate-type=rlib", "--crate-name=jidoka_support", *PLAIN_CODE, "--out-dir", "part"]
    ran = run_rustc(find_rustc(), options, "support.rs", folder)
    if ran.status:
        raise ToolError(f"rustc cannot compile the harness: {ran.errors[-600:]}")
    (partial / NAME).replace(done)
    shutil.rmtree(partial, ignore_errors=True)
