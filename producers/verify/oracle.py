"""The oracle: a Python program and its Rust on the same inputs."""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from producers.sandbox import confinement
from producers.verify.compare import Skipped, parted
from producers.verify.counterexample import Search, find_smallest
from producers.verify.driver import MAIN, encode
from producers.verify.harness import Harness, callable_with_inputs, harness
from producers.verify.inputs import inputs
from producers.verify.kinds import NoInputsError, kind_of
from producers.verify.likeness import second_opinions
from producers.verify.python_source import ENTRY, ProgramError, PythonFunction, PythonProgram, read_python
from producers.verify.rust_source import RustFunction, RustProgram, read_rust
from producers.verify.sides import Answers, Case, OutOfTimeError, Workbench
from producers.verify.verdict import FAILURES, ORDER, FunctionVerdict, Verdict, not_comparable, summed_up

CASES = 48
TIMEOUT_MS = 5_000
ORACLES = ("io", "io+ast")


@dataclass
class _Plan:
    """The functions that both sides have, the cases of each, and those that cannot be compared, with why."""

    python: PythonProgram
    rust: RustProgram
    chosen: dict[str, tuple[PythonFunction, RustFunction]]
    left_out: dict[str, str]
    cases: dict[int, Case]


@dataclass
class _Tally:
    """What the cases of one function came to: ``values`` agree in an answer, not only in failing."""

    name: str
    cases: int = 0
    values: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[Case]] = field(default_factory=dict)
    search: Search | None = None


def verify(
    python: str,
    rust: str,
    *,
    cargo_toml: str = "",
    seed: int = 0,
    cases: int = CASES,
    timeout_ms: int = TIMEOUT_MS,
    oracle: str = "io",
    functions: Sequence[str] | None = None,
    deadline: float = math.inf,
) -> Verdict:
    """Return whether ``rust`` does what ``python`` does: each public function on ``cases`` inputs, and what it prints.

    ``functions`` names those to look at (default: all public ones). Each side gets ``timeout_ms`` in all, the
    whole until ``deadline`` (of ``time.monotonic``). Both run confined (``producers.sandbox``).
    Raises ``ToolError`` where rustc is missing.
    """
    begin = time.monotonic()
    try:
        program = read_python(python)
    except ProgramError as error:
        return not_comparable(str(error))
    salt = hashlib.sha256(f"{seed} ".encode() + python.encode("utf-8", "surrogatepass")).hexdigest()
    plan = _plan(program, read_rust(rust), salt, cases, functions)
    with tempfile.TemporaryDirectory(prefix="jidoka-") as place:
        bench = Workbench(Path(place), timeout_ms / 1000, deadline)
        try:
            verdict = _compared(plan, bench, python, rust, cargo_toml)
        except OutOfTimeError:
            verdict = not_comparable("the time ran out")
    if oracle == "io+ast":
        verdict = replace(verdict, opinions=second_opinions(python, rust, list(program.functions)))
    return replace(verdict, confinement=confinement(), wall_s=time.monotonic() - begin)


def _plan(program: PythonProgram, rust: RustProgram, salt: str, count: int, wanted: Sequence[str] | None) -> _Plan:
    plan = _Plan(program, rust, {}, {}, {})
    for name, function in program.functions.items():
        if name == ENTRY or (name not in wanted if wanted else name.startswith("_")):
            continue
        there = rust.functions.get(name)
        why = _why_not(function, there, rust)
        if why or there is None:
            plan.left_out[name] = why
            continue
        try:
            pairs = zip(function.parameters, there.parameters, strict=True)
            kinds = [kind_of(annotated, kind) for (_, annotated), kind in pairs]
        except NoInputsError as error:
            plan.left_out[name] = str(error)
            continue
        plan.chosen[name] = (function, there)
        for given in inputs(kinds, count, f"{salt} {name}"):
            plan.cases[len(plan.cases)] = Case(name, given)
    _add_main(plan, wanted)
    return plan


def _why_not(function: PythonFunction, rust: RustFunction | None, program: RustProgram) -> str:
    if function.problem:
        return function.problem
    if rust is None:
        return "the Rust has no function of that name"
    if why := callable_with_inputs(rust, program):
        return why
    if len(rust.parameters) != len(function.parameters):
        return f"it takes {len(function.parameters)} arguments, and {len(rust.parameters)} in Rust"
    return ""


def _add_main(plan: _Plan, wanted: Sequence[str] | None) -> None:
    """Add what the program prints when it is run, where both sides have that; last, for it may end the process."""
    main = plan.rust.functions.get(ENTRY)
    if plan.python.runs and main and not main.parameters and not main.problem and (not wanted or ENTRY in wanted):
        plan.chosen[MAIN] = (PythonFunction(MAIN, (), None), main)
        plan.cases[len(plan.cases)] = Case(MAIN, ())


def _compared(plan: _Plan, bench: Workbench, python: str, rust: str, cargo_toml: str) -> Verdict:
    if not plan.chosen:
        answer, why = summed_up(_uncompared(plan))
        return Verdict(answer, why, _uncompared(plan))
    bench.put_python(python)
    expected, why = bench.python(plan.cases)
    if why:
        return not_comparable(f"the Python cannot be loaded: {why}")
    worth = {number: case for number, case in plan.cases.items() if expected[number].status not in ("slow", "resource")}
    for _ in range(2):  # once more without the functions that the harness cannot call
        built, said = bench.build(_harness(plan, rust), rust, cargo_toml)
        if built.ok or not said:
            break
        for name in said:
            plan.chosen.pop(name, None)
            plan.left_out[name] = f"the harness does not compile for it: {said[name]}"
    if not built.ok:
        errors = tuple(one for one in built.diagnostics if one.spans)
        first = built.diagnostics[0].message if built.diagnostics else built.message
        return not_comparable(f"the Rust does not compile: {first}", diagnostics=errors)
    worth = {number: case for number, case in worth.items() if case.function in plan.chosen}
    got = bench.rust(worth)
    tallies = [_tally(name, plan, expected, got) for name in plan.chosen]
    find_smallest(bench, [one.search for one in tallies if one.search])
    functions = (*(_judged(one) for one in tallies), *_uncompared(plan))
    answer, why = summed_up(functions)
    return Verdict(answer, why, functions)


def _harness(plan: _Plan, rust: str) -> Harness:
    return harness(rust, plan.rust, [there for _, there in plan.chosen.values()], plan.python.classes)


def _uncompared(plan: _Plan) -> tuple[FunctionVerdict, ...]:
    return tuple(FunctionVerdict(name, "not_comparable", why) for name, why in plan.left_out.items())


def _tally(name: str, plan: _Plan, expected: Answers, got: Answers) -> _Tally:
    function, _ = plan.chosen[name]
    typed = all(kind is not None for _, kind in function.parameters)
    tally = _Tally(name)
    for number, case in plan.cases.items():
        if case.function != name:
            continue
        tally.cases += 1
        if number not in got:
            found: str | Skipped | None = Skipped("Python took too long, or too much")
        else:
            found = parted(expected[number], got[number], function.answer, typed=typed)
        if isinstance(found, Skipped):
            tally.skipped[found.why] += 1
        elif found:
            tally.failures.setdefault(found, []).append(case)
        else:
            tally.values += expected[number].status in ("ok", "exit")
    if tally.failures:
        worst = min(tally.failures, key=ORDER.index)
        told = {
            encode(case.arguments): expected[number] for number, case in plan.cases.items() if case.function == name
        }
        tally.search = Search(function, typed, worst, tally.failures[worst], told)
    return tally


def _judged(tally: _Tally) -> FunctionVerdict:
    compared = tally.cases - tally.skipped.total()
    search = tally.search
    if search is not None and (smallest := search.found) is not None:
        why = f"{search.how}: {smallest.call} is {smallest.expected}, and {smallest.got} in Rust"
        counts = {how: len(cases) for how, cases in tally.failures.items()}
        return FunctionVerdict(
            tally.name, FAILURES[search.how], why, tally.cases, compared, search.how, counts, smallest
        )
    if search is None and tally.values:
        return FunctionVerdict(tally.name, "equivalent", "", tally.cases, compared)
    why = "Python raises on every input"
    if search is not None:
        why = "what differs does not come again"
    elif tally.skipped:
        why = tally.skipped.most_common(1)[0][0]
    return FunctionVerdict(tally.name, "not_comparable", why, tally.cases, compared)
