"""Both sides of a comparison in one temporary folder: CPython running the program, and the compiled Rust."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from producers.sandbox import Limits, Ran, run
from producers.transpile.crates import extern_options
from producers.transpile.rustc import LIMITS, Compiled, compiled, error_messages, run_rustc
from producers.transpile.tools import ToolError, find_rustc
from producers.verify import driver
from producers.verify.compare import Did
from producers.verify.driver import MAIN, decode, encode
from producers.verify.harness import MAIN_FILE, Harness
from producers.verify.support import PLAIN_CODE, library_folder, support_options

DRIVER = next(path for path in (cache_from_source(driver.__file__), driver.__file__) if Path(path).is_file())
MEMORY_BYTES = 1 << 30
OUTPUT_BYTES = 16 << 20
CASE_LIMIT_S = 0.1  # of one call in Python; beyond it, the input is left out on both sides
SHORTEST_S = 0.2  # a run that has less is not begun
MAX_RESTARTS = 3  # of the Rust after a case that ended the process

BUILD = ("--crate-type=bin", "--crate-name=oracle", "--cap-lints=warn", *PLAIN_CODE, "-o", "oracle")


@dataclass(frozen=True)
class Case:
    """One call: the function and its arguments."""

    function: str
    arguments: tuple[Any, ...]


Answers = dict[int, Did]


class OutOfTimeError(RuntimeError):
    """The deadline of a comparison has come: nothing is known of what was not run."""


class Workbench:
    """A folder with both programs in it; everything in it runs confined and ends with ``wall_s``.

    Past ``deadline`` (of ``time.monotonic``) nothing runs any more: ``OutOfTimeError``.
    """

    def __init__(self, folder: Path, wall_s: float, deadline: float = math.inf) -> None:
        self._folder, self._deadline = folder, deadline
        cpu_s = max(1, round(wall_s) + 1)
        self._limits = Limits(wall_s, cpu_s, MEMORY_BYTES, OUTPUT_BYTES)

    def put_python(self, source: str) -> None:
        """Write the Python program."""
        (self._folder / "program.py").write_text(source, encoding="utf-8", errors="surrogatepass")

    def build(self, harness: Harness, source: str, cargo_toml: str) -> tuple[Compiled, dict[str, str]]:
        """Compile program and harness; return what rustc said of the program, and of which functions' harness.

        The binary is there when the result is ``ok``.
        """
        (self._folder / "program.rs").write_text(harness.text, encoding="utf-8")
        (self._folder / "main.rs").write_text(MAIN_FILE, encoding="utf-8")
        options = [*BUILD, *support_options(), *extern_options(cargo_toml)]
        ran = run_rustc(find_rustc(), options, "main.rs", self._folder, self._left(LIMITS))
        if ran.timed_out:
            self._left(LIMITS)
        last = source.count("\n") + 1
        said: dict[str, str] = {}
        for message in error_messages(ran):
            spans = [span for span in message.get("spans", []) if span.get("is_primary")]
            line = max((span["line_start"] for span in spans if span["file_name"] == "program.rs"), default=0)
            if line > last:
                said.setdefault(harness.function_at(line) or "", str(message.get("message")))
        return compiled(ran, "program.rs", source), said

    def python(self, cases: Mapping[int, Case], hash_seed: int = 0) -> tuple[Answers, str]:
        """Return what CPython does on each case, and why the program cannot be loaded if it cannot."""
        self._write("cases", cases)
        command = [sys.executable, "-S", "-B", DRIVER, "program.py", "cases", "results", str(CASE_LIMIT_S)]
        ran = self._run(command, {"PYTHONHASHSEED": str(hash_seed)})
        answers = {number: did for number, did, _ in self._results()}
        if -1 in answers:
            return {}, str(decode(answers[-1].value))
        nothing = Did("slow", "n", "n", "")
        if not answers and not ran.timed_out:
            return {}, f"CPython ended with status {ran.status}: {ran.errors.strip()[-300:]}"
        return {number: answers.get(number, nothing) for number in cases}, ""

    def rust(self, cases: Mapping[int, Case]) -> Answers:
        """Return what the Rust does on each case; one that ends the process is told, and the others go on."""
        answers: Answers = {}
        left = dict(cases)
        for _ in range(MAX_RESTARTS + 1):
            if not left:
                break
            self._write("cases", left)
            (self._folder / "results").unlink(missing_ok=True)
            ran = self._run(["./oracle", "cases", "results"], {"LD_LIBRARY_PATH": library_folder()})
            said = _by_case(ran.stdout)
            if not said and ran.status > 0:
                raise ToolError(f"the compiled program does not start: {ran.errors.strip()[-300:]}")
            for number, did, after in self._results():
                answers[number] = did._replace(stdout=said.get(number, ""), after=_with(left[number], after))
            missing = [number for number in left if number not in answers]
            if missing:
                answers[missing[0]] = _ended(ran, said.get(missing[0], ""))
            left = {number: left[number] for number in missing[1:]}
        return answers | {number: Did("unfit", encode("not run"), "n", "") for number in left}

    def _run(self, command: Sequence[str], environment: dict[str, str]) -> Ran:
        return run(command, self._folder, self._left(self._limits), network=False, environment=environment)

    def _left(self, limits: Limits) -> Limits:
        """Return ``limits`` within what is left of the time; raises ``OutOfTimeError`` where that is nothing."""
        left = self._deadline - time.monotonic()
        if left < SHORTEST_S:
            raise OutOfTimeError
        return replace(limits, wall_s=min(limits.wall_s, left))

    def _write(self, name: str, cases: Mapping[int, Case]) -> None:
        lines = (f"{number}\t{case.function}\t{encode(case.arguments)}\n" for number, case in cases.items())
        (self._folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")

    def _results(self) -> list[tuple[int, Did, str]]:
        path = self._folder / "results"
        if path.is_symlink() or not path.is_file():
            return []
        with path.open("rb") as file:
            text = file.read(OUTPUT_BYTES).decode("utf-8", "replace")
        found = []
        for line in text.split("\n")[:-1]:  # the last one is empty, or was being written
            parts = line.split("\t")
            if len(parts) >= 4 and parts[0].lstrip("-").isdecimal():
                stdout = str(decode(parts[4])) if len(parts) > 4 else ""
                found.append((int(parts[0]), Did(parts[1], parts[2], parts[3], stdout), parts[3]))
        return found


def _by_case(stdout: bytes) -> dict[int, str]:
    """Return what the Rust printed, by case: before each stands a record separator and the number."""
    said = {}
    for part in stdout.decode("utf-8", "replace").split("\x1e")[1:]:
        number, _, text = part.partition("\n")
        if number.isdecimal():
            said[int(number)] = text
    return said


def _with(case: Case, after: str) -> str:
    """Return the arguments after a call: those that Rust cannot change for its caller are as they were given.

    The harness writes ``n`` for them, which a changed one cannot be.
    """
    changed = decode(after)
    if not isinstance(changed, tuple) or len(changed) != len(case.arguments):
        return encode(case.arguments)
    pairs = zip(changed, case.arguments, strict=True)
    return encode(tuple(given if new is None else new for new, given in pairs))


def _ended(ran: Ran, stdout: str) -> Did:
    said = ran.errors.strip()[-300:]
    if ran.timed_out or ran.status == -24:  # SIGXCPU
        return Did("hang", encode(f"no answer in {ran.wall_s:.0f} s"), "n", stdout)
    if ran.status >= 0:
        return Did("exit", encode(f"the process ended with status {ran.status} {said}".strip()), "n", stdout)
    return Did("crash", encode(f"ended by signal {-ran.status}: {said}"), "n", stdout)


__all__ = ["MAIN", "Answers", "Case", "Workbench"]
