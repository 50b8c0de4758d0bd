"""What a transpiler is, and depyler, the first."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from producers.sandbox import Limits, Ran
from producers.transpile.tools import ToolError, confined, find, version_of

LIMITS = Limits(wall_s=60, cpu_s=60, memory_bytes=4 << 30, output_bytes=16 << 20)
PANICKED = 101  # exit status of a Rust program that panics: the compiler's and depyler's own defects
MAX_MESSAGE = 2_000  # characters of what a tool says

# depyler iterates over hash sets in these two places, so their order changes from run to run; it means nothing.
_LIFETIMES = re.compile(r"(\bfn \w+<)('\w+(?:, '\w+)+)")
_DEFAULTS = re.compile(r"(?:^[ ]*let mut \w+: [^=;\n]+ = Default::default\(\);\n){2,}", re.MULTILINE)
_COMPLAINT = re.compile(r"^(?:error|Error|thread ')", re.MULTILINE)


@dataclass(frozen=True)
class Transpiled:
    """What a transpiler made of a program: Rust and its Cargo.toml, or what it said instead."""

    outcome: Literal["ok", "failed", "crashed", "timeout"]
    rust: str | None
    cargo_toml: str
    message: str
    wall_s: float
    cpu_s: float
    cached: bool = False


class Transpiler(Protocol):
    """A program that turns Python into Rust."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def version(self) -> str:
        """Its version: another version, another answer."""

    @property
    def helpers(self) -> str:
        """What else on this machine changes its answer, in words."""

    def command(self, source: str) -> list[str]:
        """Return the command that turns the file ``source`` (``x.py``) into ``x.rs`` beside it, and Cargo.toml."""

    def settle(self, rust: str) -> str:
        """Return the output with everything removed that differs from run to run and means nothing."""


@dataclass(frozen=True)
class Depyler:
    """depyler (``cargo install depyler``); raises ``ToolError`` on first use where it is missing."""

    name: str = "depyler"

    @cached_property
    def path(self) -> str:
        """Where it is."""
        return find(self.name)

    @cached_property
    def version(self) -> str:
        """``4.1.1``, say."""
        return version_of(self.path)

    @cached_property
    def helpers(self) -> str:
        """``rustfmt``, which it lets format its output; without, it breaks lines by itself."""
        return "rustfmt" if shutil.which("rustfmt") else "no rustfmt"

    def command(self, source: str) -> list[str]:
        """Return ``depyler transpile x.py``."""
        return [self.path, "transpile", source]

    def settle(self, rust: str) -> str:
        """Return the output in a stable order."""
        return stable_order(rust)


TRANSPILERS: dict[str, type[Transpiler]] = {"depyler": Depyler}


def stable_order(rust: str) -> str:
    """Return depyler's output with the orders that differ between its runs sorted; the meaning stays."""
    rust = _LIFETIMES.sub(lambda match: match[1] + ", ".join(sorted(match[2].split(", "))), rust)
    return _DEFAULTS.sub(lambda match: "".join(sorted(match[0].splitlines(keepends=True))), rust)


def transpiler(name: str) -> Transpiler:
    """Return the transpiler of that name; raises ``ToolError`` with the names that there are."""
    if name not in TRANSPILERS:
        raise ToolError(f"no transpiler {name!r}; there are {', '.join(sorted(TRANSPILERS))}")
    return TRANSPILERS[name]()


def run_transpiler(tool: Transpiler, source: str, *, name: str = "program", limits: Limits = LIMITS) -> Transpiled:
    """Return what ``tool`` makes of ``source``, under a file name that says nothing about this machine.

    A crash, a hang and a refusal are outcomes; ``ToolError`` means that the tool cannot be started at all.
    """
    with tempfile.TemporaryDirectory(prefix="jidoka-") as place:
        folder = Path(place)
        (folder / f"{name}.py").write_text(source, encoding="utf-8", errors="surrogatepass")
        ran = confined(tool.command(f"{name}.py"), folder, limits)
        rust = _text(folder / f"{name}.rs", limits)
        toml = _text(folder / "Cargo.toml", limits) or ""
    outcome = _outcome(ran, rust)
    settled = tool.settle(rust) if rust is not None and outcome == "ok" else None
    return Transpiled(outcome, settled, toml, _message(ran) if settled is None else "", ran.wall_s, ran.cpu_s)


def _outcome(ran: Ran, rust: str | None) -> Literal["ok", "failed", "crashed", "timeout"]:
    if ran.timed_out:
        return "timeout"
    if ran.crashed or ran.status == PANICKED:
        return "crashed"
    return "ok" if ran.status == 0 and rust is not None else "failed"


def _message(ran: Ran) -> str:
    text = ran.errors.partition("Stack backtrace:")[0]
    found = _COMPLAINT.search(text)  # before it stand hints
    said = text[found.start() if found else 0 :].strip()
    if ran.crashed:
        said = f"ended by signal {-ran.status}\n{said}".strip()
    return said[:MAX_MESSAGE]


def _text(path: Path, limits: Limits) -> str | None:
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(limits.output_bytes).decode("utf-8", "replace")
