"""The crates that depyler's output uses, built once by cargo, so that afterwards rustc alone links them offline.

Only crates named here are ever fetched or built: a program cannot bring a build script of its own choice. What a
program asks for beyond them stays unresolved, and rustc says so.
"""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import orjson

from producers.sandbox import Limits
from producers.transpile.tools import ToolError, cache_folder, confined, find, find_rustc

BUILD_LIMITS = Limits(wall_s=1800, cpu_s=3600, memory_bytes=16 << 30, output_bytes=1 << 30, open_files=4096)

EDITION = "2021"

# What depyler 4.1.1 writes into Cargo.toml, with its requirements.
CRATES = {
    "base64": '"0.21"',
    "chrono": '"0.4"',
    "clap": '{ version = "4.5", features = ["derive"] }',
    "csv": '"1.0"',
    "digest": '"0.10"',
    "glob": '"0.3"',
    "hex": '"0.4"',
    "indexmap": '"2"',
    "itertools": '"0.13"',
    "md-5": '"0.10"',
    "num-rational": '"0.4"',
    "once_cell": '"1"',
    "rand": '"0.8"',
    "regex": '"1"',
    "serde": '{ version = "1.0", features = ["derive"] }',
    "serde_json": '"1.0"',
    "sha2": '"0.10"',
    "statrs": '"0.16"',
    "tempfile": '"3.0"',
    "tokio": '{ version = "1", features = ["full"] }',
    "url": '"2.5"',
}


def wanted_crates(cargo_toml: str) -> list[str]:
    """Return the crates that a Cargo.toml asks for and that are known here, sorted."""
    try:
        asked = tomllib.loads(cargo_toml).get("dependencies", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    return sorted(name for name in asked if name in CRATES) if isinstance(asked, dict) else []


def extern_options(cargo_toml: str) -> list[str]:
    """Return rustc's options for the crates that a Cargo.toml asks for, built on first use.

    Raises ``ToolError`` where they cannot be built.
    """
    wanted = wanted_crates(cargo_toml)
    if not wanted:
        return []
    built = _libraries(wanted)
    externs = [option for name in wanted for option in ("--extern", f"{_rust_name(name)}={built[name]}")]
    return [*externs, "-L", f"dependency={_folder() / 'target' / 'debug' / 'deps'}"]


def _libraries(wanted: list[str]) -> dict[str, str]:
    """Return the built library of each wanted crate; those never wanted before are built now, by one process."""
    done = _folder() / "externs.json"
    if not set(wanted) <= _read(done).keys():
        done.parent.mkdir(parents=True, exist_ok=True)
        with locked(done.with_name("lock")):
            there = _read(done)
            if not set(wanted) <= there.keys():
                _build(sorted({*wanted, *there}), done)
    return _read(done)


@lru_cache(maxsize=4)
def _read_at(done: Path, _changed_ns: int) -> dict[str, str]:
    libraries: dict[str, str] = orjson.loads(done.read_bytes())
    return libraries


def _read(done: Path) -> dict[str, str]:
    try:
        return _read_at(done, done.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


def _build(names: list[str], done: Path) -> None:
    folder = done.parent
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "lib.rs").write_text("")
    lines = "\n".join(f"{name} = {CRATES[name]}" for name in names)
    head = f'[package]\nname = "crates"\nversion = "0.1.0"\nedition = "{EDITION}"\n\n[dependencies]\n'
    (folder / "Cargo.toml").write_text(f"{head}{lines}\n")
    ran = confined([find("cargo"), "build", "--quiet", "--message-format=json"], folder, BUILD_LIMITS)
    if ran.status:
        said = ran.errors.strip()[-600:] or f"exit status {ran.status}"
        raise ToolError(f"cargo cannot build {', '.join(names)}, which takes a network once: {said}")
    found: dict[str, str] = {}
    for line in ran.stdout.splitlines():
        message = orjson.loads(line)
        if message.get("reason") == "compiler-artifact":
            libraries = [name for name in message["filenames"] if name.endswith(".rlib")]
            found |= {message["target"]["name"].replace("-", "_"): name for name in libraries}
    partial = done.with_suffix(".part")
    partial.write_bytes(orjson.dumps({name: found[_rust_name(name)] for name in names}))
    partial.replace(done)


def _folder() -> Path:
    return cache_folder() / "crates" / find_rustc().version.replace(" ", "-")


def _rust_name(name: str) -> str:
    return {"md-5": "md5"}.get(name, name.replace("-", "_"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock: of several processes that want the crates, one builds and the others wait."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
