"""A worker whose transpiler takes as long as the test wants, as a program: a file named ``go`` ends the wait.

Each program that is begun is noted in ``began``: its id and this process. Those of the level basic compile, and do
something else than they did; the others do not compile.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.diagnostics import Diagnostic
from models.records import CompilerErrors, Program, Record, RecordError, TranspileResult
from streams.settings import Settings
from streams.worker import run_programs

FOLDER = Path(os.environ["JIDOKA_DATA_DIR"])
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def work(program: Program) -> Sequence[Record]:
    """Wait for the word to go on, then say what became of the program."""
    if program.language != "python":
        raise RecordError(f"language {program.language}: python is taken")
    with (FOLDER / "began").open("a") as began:
        began.write(f"{program.id} {os.getpid()}\n")
    while not (FOLDER / "go").exists():
        time.sleep(0.05)
    said = Diagnostic(code="E0308", message="mismatched types", level="error")
    common = {"time": NOW, "project": program.project, "program_id": program.id}
    result = common | {"id": f"r-{program.id}", "tool": "slow", "tool_version": "1", "outcome": "ok", "wall_ms": 1.0}
    if program.level == "basic":
        return [TranspileResult.model_validate(result | {"compiles": True, "verdict": "different", "failure": "value"})]
    return [
        TranspileResult.model_validate(result | {"compiles": False}),
        CompilerErrors.model_validate(common | {"id": f"e-{program.id}", "diagnostics": (said,)}),
    ]


if __name__ == "__main__":
    run_programs(Settings(), Path(sys.argv[sys.argv.index("--announce") + 1]), work)
