"""rustc on one file of Rust, and what it says as the line's diagnostics.

``compile_rust`` type-checks and borrow-checks only (no machine code): a quarter of a second for depyler's output.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from models.diagnostics import Diagnostic
from producers.ci.rustc_json import diagnostic_from_rustc
from producers.ci.surroundings import with_surroundings
from producers.sandbox import Limits, Ran
from producers.transpile.crates import EDITION, extern_options
from producers.transpile.tools import Rustc, confined, find_rustc
from producers.transpile.transpiler import MAX_MESSAGE, PANICKED

LIMITS = Limits(wall_s=60, cpu_s=60, memory_bytes=8 << 30, output_bytes=64 << 20)
LONG_TYPE = "the full name for the type has been written to"
MAX_KEPT = 1_000  # diagnostics of one program

_MAIN = re.compile(r"^(?:pub )?fn main\(", re.MULTILINE)

CompileOutcome = Literal["compiled", "failed", "crashed", "timeout"]


@dataclass(frozen=True)
class Compiled:
    """What rustc said of a program: errors only, and what it wrote where it broke down itself."""

    outcome: CompileOutcome
    diagnostics: tuple[Diagnostic, ...]
    message: str
    wall_s: float
    cpu_s: float
    cached: bool = False

    @property
    def ok(self) -> bool:
        """Return whether it compiles."""
        return self.outcome == "compiled"


def compile_rust(
    code: str,
    cargo_toml: str = "",
    *,
    name: str = "program",
    limits: Limits = LIMITS,
    tool: Rustc | None = None,
    check_only: bool = True,
) -> Compiled:
    """Return what rustc says of ``code``, with the crates that ``cargo_toml`` asks for.

    The first use of a crate builds it, once for this machine. Raises ``ToolError`` where rustc is missing or the
    crates cannot be built.
    """
    rustc = tool or find_rustc()
    kind = "bin" if _MAIN.search(code) else "lib"
    emit = "metadata=out" if check_only else "link=out"
    with tempfile.TemporaryDirectory(prefix="jidoka-") as place:
        folder = Path(place)
        (folder / f"{name}.rs").write_text(code, encoding="utf-8", errors="replace")
        options = [f"--crate-type={kind}", "--crate-name=program", f"--emit={emit}", *extern_options(cargo_toml)]
        return compiled(run_rustc(rustc, options, f"{name}.rs", folder, limits), f"{name}.rs", code)


def run_rustc(rustc: Rustc, options: Sequence[str], source: str, folder: Path, limits: Limits = LIMITS) -> Ran:
    """Run the compiler on ``source`` in ``folder``; it says what it finds as JSON."""
    return confined([rustc.path, f"--edition={EDITION}", "--error-format=json", *options, source], folder, limits)


def compiled(ran: Ran, file: str, code: str) -> Compiled:
    """Return a run of rustc as a result; ``code`` is the text of ``file``, shown around each mark."""
    lines = code.split("\n")
    found = tuple(
        portable(with_surroundings(diagnostic_from_rustc(message), file, lines), file)
        for message in error_messages(ran)[:MAX_KEPT]
    )
    outcome = _outcome(ran)
    message = "" if outcome in ("compiled", "failed") else _plain(ran)[-MAX_MESSAGE:]
    return Compiled(outcome, found, message, ran.wall_s, ran.cpu_s)


def error_messages(ran: Ran) -> list[dict[str, Any]]:
    """Return rustc's errors as it wrote them, without the closing "aborting due to 2 previous errors"."""
    messages = []
    for line in ran.stderr.splitlines():
        if line.startswith(b"{"):
            try:
                message = orjson.loads(line)
            except orjson.JSONDecodeError:  # the last line of a compiler that was killed
                continue
            if is_error(message):
                messages.append(message)
    return messages


def is_error(message: dict[str, Any]) -> bool:
    """Tell an error from warnings and from the closing "aborting due to 2 previous errors"."""
    return message.get("level") == "error" and bool(message.get("code") or message.get("spans"))


def _outcome(ran: Ran) -> CompileOutcome:
    if ran.timed_out:
        return "timeout"
    if ran.crashed or ran.status == PANICKED:
        return "crashed"
    return "failed" if ran.status else "compiled"


def _plain(ran: Ran) -> str:
    """Return what was written beside the JSON: a compiler that breaks down says so in plain text."""
    text = "\n".join(line for line in ran.errors.splitlines() if not line.startswith("{")).strip()
    return text or f"exit status {ran.status}"


def portable(diagnostic: Diagnostic, source: str) -> Diagnostic:
    """Return ``diagnostic`` without what differs between machines and runs.

    Only some machines have the standard library's source lines; the name of a file for a long type is a hash of
    the temporary folder.
    """
    spans = [span if span.file == source else span.model_copy(update={"text": ()}) for span in diagnostic.spans]
    notes = [note for note in diagnostic.notes if not note.message.startswith(LONG_TYPE)]
    return diagnostic.model_copy(update={"spans": tuple(spans), "notes": tuple(notes)})
