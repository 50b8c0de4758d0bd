"""What the oracle answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from models.diagnostics import Diagnostic

Answer = Literal["equivalent", "different", "rust_panics", "python_raises", "timeout", "not_comparable"]

# How the two sides may part, the most telling first, and what that makes of a function.
FAILURES: dict[str, Answer] = {
    "value": "different",
    "type": "different",
    "stdout": "different",
    "mutation": "different",
    "panic": "rust_panics",
    "error": "rust_panics",
    "crash": "rust_panics",
    "no exception": "python_raises",
    "hang": "timeout",
    "overflow": "rust_panics",
}
ORDER = list(FAILURES)


@dataclass(frozen=True)
class Counterexample:
    """The smallest input found on which the sides part, in Python's notation, and what each of them did.

    ``flaky``: the Rust does not do the same each time. ``answered`` is the type of Python's answer, or exception.
    """

    arguments: tuple[Any, ...]
    call: str
    expected: str
    got: str
    flaky: bool = False
    answered: str = ""


@dataclass(frozen=True)
class FunctionVerdict:
    """What became of one function: on ``compared`` inputs of ``cases`` both sides could be compared.

    ``failures`` counts those where they parted, by how; ``failure`` is the most telling of them.
    """

    name: str
    answer: Answer
    why: str = ""
    cases: int = 0
    compared: int = 0
    failure: str | None = None
    failures: dict[str, int] = field(default_factory=dict)
    counterexample: Counterexample | None = None


@dataclass(frozen=True)
class SecondOpinion:
    """How alike the two texts are, from 0 to 1, and what of the Python is missing in the Rust."""

    function: str
    likeness: float
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The answer for a program: that of its most telling function.

    ``diagnostics`` are rustc's where the Rust does not compile. ``confinement`` is what held the programs.
    """

    answer: Answer
    why: str
    functions: tuple[FunctionVerdict, ...] = ()
    opinions: tuple[SecondOpinion, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    confinement: str = ""
    wall_s: float = 0.0

    @property
    def equivalent(self) -> bool:
        """Return whether every function that could be compared did the same, and one could."""
        return self.answer == "equivalent"

    @property
    def worst(self) -> FunctionVerdict | None:
        """Return the function that decided, where one failed."""
        failed = [one for one in self.functions if one.failure]
        return min(failed, key=lambda one: ORDER.index(str(one.failure)), default=None)

    def equivalent_but_for(self, *failures: str) -> bool:
        """Return whether some function could be compared and none fails otherwise than in these ways.

        ``equivalent_but_for("overflow")`` passes a program that parts from Python only where its integers end.
        """
        ways = {way for one in self.functions for way in one.failures}
        return self.answer != "not_comparable" and ways <= set(failures)

    def document(self) -> dict[str, Any]:
        """Return the verdict for JSON, without the arguments as values."""
        plain = asdict(self)
        for one in plain["functions"]:
            if one["counterexample"]:
                del one["counterexample"]["arguments"]
        plain["diagnostics"] = [one.model_dump(mode="json", exclude_none=True) for one in self.diagnostics]
        return plain


def not_comparable(why: str, **more: Any) -> Verdict:
    """Return the verdict that says only why there is none."""
    return Verdict("not_comparable", why, **more)


def summed_up(functions: tuple[FunctionVerdict, ...]) -> tuple[Answer, str]:
    """Return a program's answer and why, from those of its functions."""
    failed = [one for one in functions if one.failure]
    if failed:
        worst = min(failed, key=lambda one: ORDER.index(str(one.failure)))
        return worst.answer, f"{worst.name}: {worst.why}"
    same = [one for one in functions if one.answer == "equivalent"]
    if same:
        return (
            "equivalent",
            f"{len(same)} of {len(functions)} functions compared, {sum(one.compared for one in same)} inputs",
        )
    return "not_comparable", "; ".join(f"{one.name}: {one.why}" for one in functions[:5]) or "no function to call"
