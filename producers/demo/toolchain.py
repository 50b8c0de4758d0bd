"""Runs one program through depyler and rustc and makes a record of what rustc refuses.

Both tools run without a shell, with a time limit, in a temporary folder under a fixed file name, so that no path of
this machine gets into a message.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from models.diagnostics import Diagnostic
from models.records import MAX_DIAGNOSTICS, CompilerErrors, content_id
from producers.ci.rustc_json import diagnostic_from_rustc
from producers.demo import PROJECT
from producers.demo.compose import Program
from producers.transpile.rustc import is_error, portable
from producers.transpile.tools import DEPYLER_VERSION, ToolError
from producers.transpile.transpiler import stable_order

RUSTC_VERSION = "1.95.0"
TRANSPILE_LIMIT_S = 60.0
COMPILE_LIMIT_S = 120.0
FIRST_TIME = datetime(2026, 1, 5, tzinfo=UTC)  # program n failed n minutes later, on every machine
INSTALL = {
    "depyler": f"cargo install depyler --version {DEPYLER_VERSION} --locked",
    "rustc": f"rustup toolchain install {RUSTC_VERSION}",
}
RUSTC_OPTIONS = ("--edition=2021", "--crate-type=lib", "--emit=metadata", "--error-format=json")


@dataclass(frozen=True)
class Tools:
    """Paths of the two tools, and rustc's name and version as records carry it."""

    depyler: str
    rustc: str
    toolchain: str


@dataclass(frozen=True)
class Outcome:
    """What became of a program: a failed compilation, or the reason why there is none."""

    kind: str  # failed, compiles, not transpiled
    failure: CompilerErrors | None = None


def find_tools() -> Tools:
    """Return the tools on the PATH; raises ``ToolError`` naming the command that installs a missing one."""
    depyler, rustc = _which("depyler"), _which("rustc")
    version = _run([rustc, "--version"], Path.cwd(), COMPILE_LIMIT_S).stdout.split()
    return Tools(depyler, rustc, " ".join(version[:2]))


def version_warnings(tools: Tools) -> list[str]:
    """Return what differs from the versions that made the bundled file: other versions, other records."""
    depyler = _run([tools.depyler, "--version"], Path.cwd(), TRANSPILE_LIMIT_S).stdout.strip()
    wanted = {f"depyler {DEPYLER_VERSION}": depyler, f"rustc {RUSTC_VERSION}": tools.toolchain}
    return [f"the bundled file was made with {want}, this is {have}" for want, have in wanted.items() if want != have]


def try_program(program: Program, tools: Tools) -> Outcome:
    """Return what depyler and rustc make of ``program``; raises ``ToolError`` when one of them hangs."""
    with tempfile.TemporaryDirectory(prefix="jidoka-demo-") as name:
        folder = Path(name)
        (folder / f"{program.id}.py").write_text(program.source, encoding="utf-8")
        if not _transpile(program, tools, folder):
            return Outcome("not transpiled")
        diagnostics = _compile(program, tools, folder)
    if not diagnostics:
        return Outcome("compiles")
    return Outcome("failed", _record(program, tools, diagnostics))


def _transpile(program: Program, tools: Tools, folder: Path) -> bool:
    result = _run([tools.depyler, "transpile", f"{program.id}.py"], folder, TRANSPILE_LIMIT_S)
    target = folder / f"{program.id}.rs"
    if result.returncode or not target.is_file():
        return False
    target.write_text(stable_order(target.read_text(encoding="utf-8")), encoding="utf-8")
    return True


def _compile(program: Program, tools: Tools, folder: Path) -> list[Diagnostic]:
    source = f"{program.id}.rs"
    result = _run([tools.rustc, *RUSTC_OPTIONS, "-o", "out.rmeta", source], folder, COMPILE_LIMIT_S)
    messages = [orjson.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    return [portable(diagnostic_from_rustc(message), source) for message in messages if is_error(message)]


def _record(program: Program, tools: Tools, diagnostics: list[Diagnostic]) -> CompilerErrors:
    kept = tuple(diagnostics[:MAX_DIAGNOSTICS])
    content = [part.model_dump(mode="json", exclude_none=True) for part in kept]
    return CompilerErrors(
        id=content_id(PROJECT, tools.toolchain, program.source, content),
        time=FIRST_TIME + timedelta(minutes=program.index),
        project=PROJECT,
        toolchain=tools.toolchain,
        tool="rustc",
        source_language="python",
        program_id=program.id,
        diagnostics=kept,
    )


def _which(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolError(f"{name} is not on the PATH; install it with: {INSTALL[name]}")
    return found


def _run(command: list[str], folder: Path, limit_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - fixed argument lists, no shell
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{Path(command[0]).name} {command[-1]}: no answer in {limit_s:.0f} s; try fewer --jobs"
        ) from None
