"""What ``fix`` takes: a Rust file, or a folder with them, each with its Cargo.toml and the Python beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 1 << 20
MAX_FILES = 10_000
ALLOWED = "give a .rs file, or a folder that holds some"
PASSED_OVER = ("target", ".git", "node_modules")


class InputError(ValueError):
    """A path that holds nothing to repair; the message says what is allowed."""


@dataclass(frozen=True)
class Input:
    """A Rust file as it was found."""

    path: Path
    name: str
    text: str
    cargo_toml: str
    python: str | None


def read_inputs(path: Path, python: Path | None = None) -> list[Input]:
    """Return the Rust files of ``path``; raises ``InputError`` for what has none, or a file that cannot be read.

    Without ``python`` the Python of ``x.rs`` is the ``x.py`` beside it, where there is one.
    """
    if path.is_file():
        if path.suffix != ".rs":
            raise InputError(f"{path}: no Rust file; {ALLOWED}")
        return [_input(path, path.name, python)]
    if not path.is_dir():
        raise InputError(f"{path}: not there; {ALLOWED}")
    found = [one for one in sorted(path.rglob("*.rs")) if not set(one.relative_to(path).parts) & set(PASSED_OVER)]
    if not found:
        raise InputError(f"{path}: no .rs file in it; {ALLOWED}")
    if len(found) > MAX_FILES:
        raise InputError(f"{path}: {len(found)} .rs files; at most {MAX_FILES}")
    if python is not None and len(found) != 1:
        raise InputError(f"--python {python}: {path} holds {len(found)} Rust files; name the one it was made into")
    return [_input(one, one.relative_to(path).as_posix(), python) for one in found]


def _input(path: Path, name: str, python: Path | None) -> Input:
    beside = path.with_suffix(".py")
    source = read_text(python) if python else read_text(beside) if beside.is_file() else None
    return Input(path, name, read_text(path), _manifest(path), source)


def read_text(path: Path) -> str:
    """Return a file's text as it is, line ends too; raises ``InputError`` that says why it cannot be taken."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: more than {MAX_BYTES} bytes")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _manifest(path: Path) -> str:
    """Return the Cargo.toml beside a file, or one folder up from ``src``."""
    for folder in (path.parent, path.parent.parent if path.parent.name == "src" else path.parent):
        found = folder / "Cargo.toml"
        if found.is_file():
            return read_text(found)
    return ""
