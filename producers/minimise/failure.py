"""How a program fails: what stays the same while it is shrunk, and what tells one defect from another."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from models.masking import mask
from models.programs.constructs import of_node
from producers.transpile.cache import Cache
from producers.transpile.pipeline import transpiled
from producers.transpile.transpiler import Transpiler
from producers.verify.driver import MAIN
from producers.verify.oracle import verify
from producers.verify.python_source import ENTRY
from producers.verify.verdict import Counterexample, FunctionVerdict, Verdict

CASES = 32
PLACE = re.compile(r"line \d+: ")

# What is worth a report: an overflow is left out, because depyler's int is an i32 by design.
REPORTED = ("value", "type", "stdout", "mutation", "panic", "error", "crash", "no exception", "hang")


@dataclass(frozen=True)
class Failure:
    """One way in which one function of a program fails; ``template`` is the compiler's or the panic's message, masked.

    ``stage`` is ``transpile`` (the tool crashed), ``compile`` or ``verify``.
    """

    stage: str
    kind: str
    function: str
    template: str
    rust: str
    cargo_toml: str
    found: Counterexample | None = None

    def like(self, other: Failure | None) -> bool:
        """Return whether ``other`` is the same failure, perhaps of a smaller program.

        Python answers with the same type of value, too: what is cut away must not turn a wrong answer into a function
        that does not keep its own annotation.
        """
        return other is not None and self.key == other.key and self.answered == other.answered

    @property
    def answered(self) -> str:
        """Return the type of what Python answered, or of what it raised; nothing where it was not asked."""
        return self.found.answered if self.found else ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what stays the same."""
        return self.stage, self.kind, self.function, self.template


def failures(source: str, tool: Transpiler, cache: Cache | None = None, function: str | None = None) -> list[Failure]:
    """Return how a program fails, one failure a function; raises ``ToolError`` where a tool is missing.

    A program that the transpiler refuses does not fail: it says so.
    """
    made = transpiled(source, tool, cache)
    if made.outcome in ("crashed", "timeout"):
        return [Failure("transpile", made.outcome, "", _template(made.message), "", "")]
    if made.rust is None:
        return []
    wanted = None if function is None else [ENTRY if function == MAIN else function]
    verdict = verify(source, made.rust, cargo_toml=made.cargo_toml, cases=CASES, functions=wanted)
    if verdict.diagnostics:
        return [_refused(verdict, made.rust, made.cargo_toml)]
    return [_parted(one, made.rust, made.cargo_toml) for one in verdict.functions if one.failure]


def constructs(source: str, function: str) -> tuple[str, ...]:
    """Return the constructs of a function in words, with its operators and the methods it calls, sorted."""
    tree = ast.parse(source)
    inside = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    words: set[str] = set()
    for node in (one for part in inside or tree.body for one in ast.walk(part)):
        words.update(of_node(node))
        if isinstance(node, ast.operator | ast.cmpop | ast.unaryop):
            words.add(type(node).__name__)
        elif isinstance(node, ast.Call):
            words.add(f".{node.func.attr}()" if isinstance(node.func, ast.Attribute) else f"{ast.unparse(node.func)}()")
    return tuple(sorted(words))


def _refused(verdict: Verdict, rust: str, cargo_toml: str) -> Failure:
    first = verdict.diagnostics[0]
    return Failure("compile", first.code or "none", "", _template(first.message), rust, cargo_toml)


def _parted(one: FunctionVerdict, rust: str, cargo_toml: str) -> Failure:
    found = one.counterexample
    template = _template(found.got) if found and one.failure in ("panic", "error", "crash") else ""
    return Failure("verify", str(one.failure), one.name, template, rust, cargo_toml, found)


def _template(message: str) -> str:
    return mask(PLACE.sub("", message.partition("\n")[0]))[:200]
