"""A second opinion that runs nothing: what of the Python function can be found again in the Rust one.

Control flow, operators, literals and the flow of data from parameters to the answer are counted on both sides. A
translation may write any of them in another way, so this is an opinion, never a verdict.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

from producers.verify.rust_source import body_of
from producers.verify.verdict import SecondOpinion

TRIVIAL = {"0", "1", "0.0", "1.0", "", "True", "False", "None"}

_FLOW: tuple[tuple[str, tuple[type[ast.AST], ...], str], ...] = (
    ("a loop", (ast.For, ast.While, ast.comprehension), r"\b(?:for|while|loop)\b|\.(?:map|filter|fold|any|all|sum)\b"),
    ("a branch", (ast.If, ast.IfExp), r"\b(?:if|match)\b|\.filter\b"),
    ("a handler", (ast.Try,), r"\b(?:match|if let|catch)\b|\?|\.ok\(|unwrap_or|\.is_ok|\.is_err|_result"),
    ("a raise", (ast.Raise,), r"\bErr\b|panic!|\?|\bassert"),
    ("an assertion", (ast.Assert,), r"assert|panic!|\bErr\b"),
)  # fmt: skip
_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", r"\+|py_add|concat|format!|extend|checked_add"),
    ast.Sub: ("-", r"-|py_sub|difference"),
    ast.Mult: ("*", r"\*|py_mul|repeat|product"),
    ast.Div: ("/", r"/|py_div"),
    ast.FloorDiv: ("//", r"/|div_euclid|py_floordiv|floor"),
    ast.Mod: ("%", r"%|py_mod|rem_euclid|format!"),
    ast.Pow: ("**", r"pow|py_pow"),
    ast.BitAnd: ("&", r"&|intersection"),
    ast.BitOr: ("|", r"\||union"),
    ast.BitXor: ("^", r"\^|symmetric_difference"),
    ast.LShift: ("<<", r"<<|shl"),
    ast.RShift: (">>", r">>|shr"),
    ast.Not: ("not", r"!|is_empty|== 0"),
}


def second_opinions(python: str, rust: str, names: Sequence[str]) -> tuple[SecondOpinion, ...]:
    """Return an opinion for each function of ``names`` that both sides have."""
    functions = {node.name: node for node in ast.parse(python).body if isinstance(node, ast.FunctionDef)}
    found = []
    for name in names:
        body = body_of(rust, name)
        if name in functions and body is not None:
            found.append(_opinion(functions[name], body))
    return tuple(found)


def _opinion(function: ast.FunctionDef, body: str) -> SecondOpinion:
    wanted, missing = 0, []
    for what, there in _wanted(function, body):
        wanted += 1
        if not there:
            missing.append(what)
    likeness = 1.0 - len(missing) / wanted if wanted else 1.0
    return SecondOpinion(function.name, round(likeness, 3), tuple(missing))


def _wanted(function: ast.FunctionDef, body: str) -> list[tuple[str, bool]]:
    """Return what the Python has, in words, each with whether the Rust has it too."""
    nodes = [node for part in function.body for node in ast.walk(part)]
    kinds = Counter(type(node) for node in nodes)
    found = [(what, bool(re.search(rust, body))) for what, types, rust in _FLOW if any(kinds[one] for one in types)]
    found += [(sign, bool(re.search(rust, body))) for kind, (sign, rust) in _OPERATORS.items() if kinds[kind]]
    literals = {str(node.value) for node in nodes if isinstance(node, ast.Constant)} - TRIVIAL - _docstring(function)
    escaped = {text: text.encode("unicode_escape").decode().replace('"', '\\"') for text in literals}
    found += [(repr(text), text in body or escaped[text] in body) for text in sorted(literals)]
    needed = _flows_to_answer(function)
    found += [(f"the parameter {name}", bool(re.search(rf"\b{name}\b", body))) for name in sorted(needed)]
    return found


def _docstring(function: ast.FunctionDef) -> set[str]:
    return {text} if (text := ast.get_docstring(function, clean=False)) else set()


def _flows_to_answer(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that may reach a ``return``, a ``raise`` or a condition, through assignments."""
    uses: dict[str, set[str]] = {}
    needed: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For):
            value = node.iter if isinstance(node, ast.For) else node.value
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (name for target in targets for name in _names(target)):
                uses.setdefault(name, set()).update(_names(value) if value is not None else set())
        elif isinstance(node, ast.Return | ast.Raise | ast.If | ast.While | ast.Expr | ast.Assert):
            read = node.test if isinstance(node, ast.If | ast.While | ast.Assert) else node
            needed |= _names(read)
    while more := {name for one in needed for name in uses.get(one, set())} - needed:
        needed |= more
    return needed & {one.arg for one in function.args.args}


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
