"""Whether two Python programs do the same, told by running both, confined, on the same inputs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from producers.verify.inputs import inputs
from producers.verify.kinds import NoInputsError, kind_of
from producers.verify.python_source import ProgramError, read_python
from producers.verify.rust_types import parse_type
from producers.verify.sides import Answers, Case, Workbench

CASES = 12  # inputs for each function
LIMIT_S = 5.0  # for each program
ANYTHING = parse_type("_")  # there is no Rust here that would narrow a type


def behaves_alike(one: str, other: str) -> bool:
    """Return whether ``other`` does what ``one`` does: results, exceptions, changed arguments and what is printed.

    Each public function of ``one`` whose parameters' types say what may be given is called. A program without any is
    like every other that loads as it does.
    """
    try:
        cases = _cases(one)
        read_python(other)
    except ProgramError:
        return False
    return _answers(one, cases) == _answers(other, cases)


def _cases(source: str) -> dict[int, Case]:
    found: list[Case] = []
    for name, function in read_python(source).functions.items():
        if function.problem or name.startswith("_"):
            continue
        try:
            kinds = [kind_of(annotated, ANYTHING) for _, annotated in function.parameters]
        except NoInputsError:
            continue
        found += [Case(name, given) for given in inputs(kinds, CASES, name)]
    return dict(enumerate(found))


def _answers(source: str, cases: dict[int, Case]) -> tuple[Answers, bool]:
    """Return what the program does on each case, and whether it loads."""
    with tempfile.TemporaryDirectory(prefix="jidoka-") as folder:
        bench = Workbench(Path(folder), LIMIT_S)
        bench.put_python(source)
        answers, problem = bench.python(cases)
        return answers, not problem
