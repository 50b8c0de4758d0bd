"""What a reader needs to see a finding with their own eyes: a main in Rust and the commands."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from producers.minimise.failure import Failure
from producers.transpile.crates import wanted_crates
from producers.verify.driver import MAIN
from producers.verify.rust_source import read_rust
from producers.verify.rust_types import INT_RANGES, MAPS, SETS, RustType, UnsupportedError, passed

if TYPE_CHECKING:
    from producers.minimise.findings import Finding

FLOATS = {math.inf: "f64::INFINITY", -math.inf: "f64::NEG_INFINITY"}
DYNAMIC = {bool: "Bool({})", int: "Int({})", float: "Float({})", str: "Str({}.to_string())"}


def main_rust(failure: Failure) -> str:
    """Return a program that makes the failing call and prints the answer, or nothing where none can be written."""
    function = read_rust(failure.rust).functions.get(failure.function)
    if failure.found is None or function is None:
        return ""
    try:
        values = [
            literal(value, kind) for value, kind in zip(failure.found.arguments, function.parameters, strict=True)
        ]
        given = ", ".join(passed(kind, f"a{at}") for at, kind in enumerate(function.parameters))
    except (UnsupportedError, ValueError):
        return ""
    lines = [f"    let mut a{at} = {value};" for at, value in enumerate(values)]
    changed = [
        f'    println!("afterwards: {{:?}}", a{at});'
        for at, kind in enumerate(function.parameters)
        if kind.borrow == "&mut"
    ]
    call = f'    println!("{{:?}}", program::{failure.function}({given}));'
    return "\n".join(["#![allow(warnings)]", "mod program;", "", "fn main() {", *lines, call, *changed, "}", ""])


def literal(value: Any, kind: RustType) -> str:
    """Return a value as Rust source, as the owned form of a type; raises ``UnsupportedError`` where there is none."""
    if kind.name == "Option":
        return "None" if value is None else f"Some({literal(value, kind.args[0])})"
    if kind.name in INT_RANGES:
        return f"{value}{kind.name}"
    if kind.name == "DepylerValue" and type(value) in DYNAMIC:
        inner = quoted(value) if isinstance(value, str) else str(value).lower()
        return f"program::DepylerValue::{DYNAMIC[type(value)].format(inner)}"
    scalars: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(("f64", "f32"), _float),
        **dict.fromkeys(("str", "String", "Cow"), lambda text: f"{quoted(text)}.to_string()"),
        "bool": lambda truth: str(truth).lower(),
    }
    return scalars[kind.name](value) if kind.name in scalars else _container(value, kind)


def _float(value: float) -> str:
    return FLOATS.get(value, "f64::NAN" if math.isnan(value) else f"{float(value)!r}f64")


def _container(value: Any, kind: RustType) -> str:
    if kind.name in MAPS:
        pairs = (f"({literal(key, kind.args[0])}, {literal(item, kind.args[1])})" for key, item in value.items())
        return f"std::collections::{kind.name}::from([{', '.join(pairs)}])"
    if kind.name == "tuple":
        return f"({', '.join(literal(item, one) for item, one in zip(value, kind.args, strict=True))},)"
    if kind.name in (*SETS, "Vec", "slice", "array", "VecDeque"):
        items = ", ".join(literal(item, kind.args[0]) for item in value)
        if kind.name in ("Vec", "slice", "array"):
            return f"[{items}]" if kind.name == "array" else f"vec![{items}]"
        return f"std::collections::{kind.name}::from([{items}])"
    raise UnsupportedError(kind.text)


def quoted(text: str) -> str:
    """Return a text as a literal of Rust."""
    plain = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{plain}"'


def readme(finding: Finding, failure: Failure, *, has_main: bool) -> str:
    """Return the page of a finding's folder."""
    name = finding.transpiler.partition(" ")[0]
    commands = [f"{name} transpile program.py   # writes program.rs"]
    said = [f"# {finding.kind}: {finding.title}", ""]
    if finding.cause:
        said += [f"{finding.cause}", ""]
    if failure.stage == "verify":
        python = (
            "python3 program.py"
            if finding.function == MAIN
            else f'python3 -c "from program import *; print(repr({_shell(finding.call)}))"'
        )
        commands.insert(0, python)
        said += [f"Python: `{finding.expected}`", "", f"Rust: `{finding.got}`", ""]
        commands += _rust_commands(finding, failure, has_main=has_main)
    elif failure.stage == "compile":
        commands.append("rustc --edition=2021 --crate-type=lib program.rs")
    said += ["```python", finding.program, "```", "", "```sh", *commands, "```", ""]
    said += [f"Seen with {finding.transpiler}; {finding.rustc}. Programs that failed so: {finding.seen}."]
    if finding.flaky:
        said += ["", "The Rust does not do the same each time: run it several times."]
    return "\n".join(said) + "\n"


def _rust_commands(finding: Finding, failure: Failure, *, has_main: bool) -> list[str]:
    """Return how to see what the Rust does: by rustc alone where it needs no crates, by the oracle in any case."""
    both = "jidoka verify program.py   # both sides on many inputs; exit status 1: they part"
    if wanted_crates(failure.cargo_toml):
        return [both]
    if finding.function == MAIN:
        return ["rustc --edition=2021 program.rs && ./program", both]
    return ["rustc --edition=2021 main.rs && ./main", both] if has_main else [both]


def _shell(call: str) -> str:
    return call.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
