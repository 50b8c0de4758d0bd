"""``try``: the body is a closure that returns an error, the handlers choose by the name before the colon."""

from __future__ import annotations

import ast

from models.repair.translate.types import STR, Unsupported
from models.repair.translate.writer import Writer, block, statement

BASES = {
    "LookupError": ("KeyError", "IndexError"), "ArithmeticError": ("ZeroDivisionError", "OverflowError"),
    "OSError": ("FileNotFoundError", "PermissionError"), "IOError": ("FileNotFoundError", "PermissionError", "OSError"),
}  # fmt: skip
ALL = ("Exception", "BaseException")


@statement(ast.Try)
def try_(w: Writer, node: ast.Try) -> None:
    """Write a try statement."""
    if w.closures:
        raise Unsupported(f"line {node.lineno}: try in a closure")
    returns = any(isinstance(one, ast.Return) for each in node.body for one in ast.walk(each))
    name = w.fresh("outcome")
    answer = w.rust(w.answer) if returns and w.answer.known else "()"
    w.put(f"let {name}: Result<Option<{answer}>, Box<dyn std::error::Error>> = (|| {{")
    _inside(w, node.body)
    w.put("    Ok(None)")
    w.put("})();")
    if node.handlers:
        _handled(w, node, name, returns=returns)
    else:
        _finally(w, node)
        w.put(f"match {name} {{")
        _went_well(w, node, returns=returns)
        w.put(f"    Err(error) => {_again(w)},")
        w.put("}")
        return
    _finally(w, node)


def _inside(w: Writer, body: list[ast.stmt]) -> None:
    kept = w.flow, w.fails, w.loops
    w.flow, w.fails, w.loops = "try", True, 0
    block(w, body)
    w.flow, w.fails, w.loops = kept


def _finally(w: Writer, node: ast.Try) -> None:
    leaving = (ast.Return, ast.Break, ast.Continue, ast.Raise)
    parts = [*node.body, *node.handlers, *node.orelse]
    if node.finalbody and any(isinstance(one, leaving) for each in parts for one in ast.walk(each)) and node.handlers:
        raise Unsupported(f"line {node.lineno}: finally behind a return")
    w.indent -= 1
    block(w, node.finalbody)
    w.indent += 1


def _again(w: Writer) -> str:
    return "return Err(error)" if w.fails else 'panic!("{}", error)'


def _went_well(w: Writer, node: ast.Try, *, returns: bool) -> None:
    if returns:
        value = "Some(value)" if w.flow else "value"
        code = f"Ok({value})" if w.fails else value
        w.put(f"    Ok(Some(value)) => return {code},")
    w.put(f"    Ok({'None' if returns else '_'}) => {{")
    w.indent += 1
    block(w, node.orelse)
    w.indent -= 1
    w.put("    }")


def _handled(w: Writer, node: ast.Try, name: str, *, returns: bool) -> None:
    w.put(f"match {name} {{")
    _went_well(w, node, returns=returns)
    w.put("    Err(error) => {")
    w.indent += 1
    w.put("    let raised = error.to_string();")
    first, whole = "", False
    for handler in node.handlers:
        test = _test(w, handler.type)
        w.put(f"    {first}{f'if {test} ' if test else ''}{{")
        w.indent += 1
        kept = w.caught
        w.caught = True
        if handler.name:
            w.vars[handler.name], w.forms[handler.name] = STR, "place"
            w.declared.discard(handler.name)
            w.put(
                f'    let {w.rust_name(handler.name)}: String = raised.split_once(": ")'
                ".map_or(raised.as_str(), |parts| parts.1).to_string();"
            )
        block(w, handler.body)
        w.caught = kept
        w.indent -= 1
        first, whole = "} else ", whole or not test
        if whole:
            break
    w.put("    }" if whole else f"    }} else {{ {_again(w)}; }}")
    w.indent -= 1
    w.put("    }")
    w.put("}")


def _test(w: Writer, kind: ast.expr | None) -> str:
    """Return the condition that the error is of a kind, ``""`` for every kind."""
    if kind is None:
        return ""
    parts = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    names = [
        one.attr if isinstance(one, ast.Attribute) else one.id if isinstance(one, ast.Name) else "" for one in parts
    ]
    if "" in names:
        raise Unsupported("an exception that is computed")
    if any(name in ALL for name in names):
        return ""
    every = dict.fromkeys(each for name in names for each in (name, *BASES.get(name, ()), *_derived(w, name)))
    return " || ".join(f'raised.starts_with("{each}")' for each in every)


def _derived(w: Writer, name: str) -> list[str]:
    return [one.name for one in w.program.infos.values() if one.kind == "error" and name in one.members]
