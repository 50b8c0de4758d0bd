"""Runs generated programs, in a confined process of its own: ``python -I generated_harness.py programs.json``.

Every program is executed, and its entry points are called with values of their types, plain and extreme. Prints a JSON
list with one entry for each program that did anything but what it promises.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import sys
import types
import warnings
from pathlib import Path
from typing import Any

ROUNDS = 5  # calls of each entry point
LIMIT_S = 10
INTEGERS = [0, 1, -1, 2, 3, 7, -5, -8, 100, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.5, 1e16, 1e308, 5e-324, float("nan"), float("inf"), float("-inf")]
TEXTS = ["", "a", "abc", "b,c", "42", " x y ", "A\nb", "日本", "٣", "½", "ß", "👍", "x" * 16]
SIZES = [0, 1, 2, 5, 16]


class TooLongError(BaseException):
    """A program that did not end in time; not an ``Exception``, so that no program catches it."""


def value(kind: str, rng: random.Random) -> Any:
    """Return a value of an annotated type."""
    simple = {"int": INTEGERS, "float": FLOATS, "str": TEXTS, "bool": [True, False]}
    if kind in simple:
        return rng.choice(simple[kind])
    outer, inner = kind[:-1].split("[", 1)
    if outer == "Optional":
        return None if rng.random() < 0.3 else value(inner, rng)
    if outer == "list":
        return [value(inner, rng) for _ in range(rng.choice(SIZES))]
    if outer == "set":
        return {value(inner, rng) for _ in range(rng.choice(SIZES))}
    first, second = inner.split(", ", 1)
    if outer == "tuple":
        return value(first, rng), value(second, rng)
    return {value(first, rng): value(second, rng) for _ in range(rng.choice(SIZES))}


def failure(number: int, program: dict[str, Any]) -> str | None:
    """Return what a program did that it should not; ``None`` for nothing."""
    rng, where = random.Random(number), "when started"  # noqa: S311 - nothing secret
    try:
        module = types.ModuleType("__main__")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(program["source"], "program", "exec"), module.__dict__)  # noqa: S102 - confined
            for entry in program["entry_points"]:
                for _ in range(ROUNDS):
                    arguments = [value(one["type"], rng) for one in entry["parameters"]]
                    where = f"{entry['function']}({arguments})"
                    try:
                        getattr(module, entry["function"])(*arguments)
                    except Exception as error:
                        kinds = {kind.__name__ for kind in type(error).__mro__}
                        if not kinds & set(entry["raises"]):
                            raise
    except (Exception, SystemExit, TooLongError) as error:  # noqa: BLE001 - told, whatever it is
        return f"{where[:200]}: {type(error).__name__}: {error}\n{program['source']}"
    return None


def main() -> None:
    """Run all programs of the file that is named."""

    def stop(*_: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGALRM, stop)
    warnings.simplefilter("error")
    sys.dont_write_bytecode = True
    failures = []
    for number, program in enumerate(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        signal.alarm(LIMIT_S)
        if found := failure(number, program):
            failures.append(found)
        signal.alarm(0)
    sys.stdout.write(json.dumps(failures))


if __name__ == "__main__":
    main()
