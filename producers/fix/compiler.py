"""rustc for repair: the same file again and again in one folder, errors with exact places."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from models.repair.errors import RustError, read_errors
from producers.sandbox import Limits
from producers.transpile.crates import CRATES, extern_options
from producers.transpile.rustc import error_messages, run_rustc
from producers.transpile.tools import find_rustc

FILE = "program.rs"
MEMORY_BYTES = 4 << 30
SHORTEST_S = 0.3  # a run that has less is not begun
_MAIN = re.compile(r"^\s*(?:#\[[^\n]*\]\s*)*(?:pub )?(?:async )?fn main\b", re.MULTILINE)
_CRATE = re.compile(r"\b(?:use\s+|extern crate\s+)?(\w+)\s*::")


class BrokenError(RuntimeError):
    """rustc broke down or ran out of time: what it thinks of the program is not known."""


def manifest_for(text: str, cargo_toml: str = "") -> str:
    """Return a Cargo.toml with the crates that ``text`` names among those that are known, where none is given."""
    if cargo_toml:
        return cargo_toml
    named = {found[1] for found in _CRATE.finditer(text)}
    wanted = [name for name in CRATES if name.replace("-", "_") in named or (name == "md-5" and "md5" in named)]
    return "[dependencies]\n" + "".join(f"{name} = {CRATES[name]}\n" for name in wanted)


@dataclass
class Compiler:
    """One program's compiler; ``runs`` and ``seconds`` are what it took so far.

    No run goes beyond ``deadline`` (of ``time.monotonic``).
    """

    folder: Path
    cargo_toml: str
    deadline: float
    runs: int = 0
    seconds: float = 0.0
    _known: dict[str, tuple[RustError, ...]] = field(default_factory=dict)

    def __call__(self, text: str) -> tuple[RustError, ...]:
        """Return rustc's errors; raises ``BrokenError`` where it gives no answer, ``ToolError`` where there is none."""
        if text in self._known:
            return self._known[text]
        (self.folder / FILE).write_text(text, encoding="utf-8", errors="replace")
        kind = "bin" if _MAIN.search(text) else "lib"
        options = [f"--crate-type={kind}", "--crate-name=program", "--emit=metadata=out", "--cap-lints=warn"]
        begin = time.monotonic()
        left = self.deadline - begin
        if left < SHORTEST_S:
            raise BrokenError("no time is left for rustc")
        limits = Limits(left, int(left) + 2, MEMORY_BYTES, 64 << 20)
        ran = run_rustc(find_rustc(), [*options, *extern_options(self.cargo_toml)], FILE, self.folder, limits)
        self.runs, self.seconds = self.runs + 1, self.seconds + time.monotonic() - begin
        errors = read_errors(error_messages(ran), text, FILE)
        if ran.timed_out or ran.crashed or (ran.status and not errors):
            raise BrokenError(f"rustc gave no answer (exit status {ran.status}): {ran.errors.strip()[-300:]}")
        self._known[text] = errors if ran.status else ()
        return self._known[text]
