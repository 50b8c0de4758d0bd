"""Statements: assignments, branches, loops, returning and raising."""

from __future__ import annotations

import ast

from models.repair.translate.command_line import DESCRIBING, is_parser_call
from models.repair.translate.comprehensions import bind
from models.repair.translate.containers import iterated
from models.repair.translate.expressions import condition, literal
from models.repair.translate.shown import shown
from models.repair.translate.types import MUTABLE, NONE, OPEN, STR, Unsupported
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer, block, ex, statement


@statement(ast.Pass)
def pass_(_w: Writer, _node: ast.Pass) -> None:
    """Write nothing."""


@statement(ast.Import, ast.ImportFrom)
def import_(w: Writer, node: ast.Import | ast.ImportFrom) -> None:
    """Take note of a module that is imported inside a function."""
    from models.repair.translate.imports import imported

    w.program.modules.update(imported(node))


@statement(ast.Break, ast.Continue)
def leave(w: Writer, node: ast.Break | ast.Continue) -> None:
    """Write ``break`` or ``continue``, which must not leave the closure of a try."""
    if w.flow and not w.loops:
        raise Unsupported(f"line {node.lineno}: a loop left from within try")
    w.put("break;" if isinstance(node, ast.Break) else "continue;")


@statement(ast.Expr)
def expression(w: Writer, node: ast.Expr) -> None:
    """Write an expression for its effect."""
    if isinstance(node.value, ast.Constant) or of_parser(w, node.value):
        return
    one = ex(w, node.value)
    w.put(f"{one.code};" if one.ty in (NONE, OPEN) else f"let _ = {one.code};")


def of_parser(w: Writer, node: ast.expr) -> bool:
    """Return whether an expression only describes the command line, which is read as a whole elsewhere."""
    name = is_parser_call(w, node)
    if name in ("print_help", "print_usage"):
        w.put('println!("usage: [-h] ...");')
        return True
    if name not in ("", "parse_args", *DESCRIBING):
        raise Unsupported(f"line {node.lineno}: a parser's {name}")
    return name in DESCRIBING


def leaving(w: Writer, said: str) -> str:
    """Return the code that leaves with an error message."""
    return f"return Err({said}.into());" if w.can_fail else f"panic!({said});"


@statement(ast.If)
def if_(w: Writer, node: ast.If) -> None:
    """Write a branch."""
    if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return
    w.put(f"if {condition(w, node.test)} {{")
    block(w, node.body)
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        w.put(f"}} else if {condition(w, node.test)} {{")
        block(w, node.body)
    if node.orelse:
        w.put("} else {")
        block(w, node.orelse)
    w.put("}")


@statement(ast.While)
def while_(w: Writer, node: ast.While) -> None:
    """Write a loop; a constant condition is Rust's ``loop``."""
    if node.orelse:
        raise Unsupported(f"line {node.lineno}: else of a loop")
    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
    w.put("loop {" if endless else f"while {condition(w, node.test)} {{")
    w.loops += 1
    block(w, node.body)
    w.loops -= 1
    w.put("}")


@statement(ast.For)
def for_(w: Writer, node: ast.For) -> None:
    """Write a loop over the items as they were when it began."""
    if node.orelse:
        raise Unsupported(f"line {node.lineno}: else of a loop")
    holder = ex(w, node.iter)
    code, item = iterated(w, holder)
    names = [one.id for one in ast.walk(node.target) if isinstance(one, ast.Name)]
    if (
        w.final
        and holder.form != "value"
        and any(each.name in MUTABLE or each.name in w.program.infos for each in item.walk())
    ) and any(name in w.mutated for name in names):
        raise Unsupported(f"line {node.lineno}: items changed in a loop")
    if isinstance(node.target, ast.Name) and node.target.id in w.declared:
        w.learn(node.target.id, item)
        name = w.fresh("item")
        w.put(f"for {name} in {code} {{")
        w.indent += 1
        w.put(f"{w.rust_name(node.target.id)} = {own(w, coerce(w, Ex(name, item), w.vars[node.target.id]))};")
        w.indent -= 1
    else:
        if any(name in w.declared for name in names):
            raise Unsupported(f"line {node.lineno}: a loop's target used behind it")
        pattern = bind(w, node.target, item)
        w.put(f"for {_mutable(w, pattern, names)} in {code} {{")
    w.loops += 1
    block(w, node.body)
    w.loops -= 1
    w.put("}")


def _mutable(w: Writer, pattern: str, names: list[str]) -> str:
    for name in names:
        if name in w.assigned or name in w.mutated:
            import re

            pattern = re.sub(
                rf"(?<![\w#]){re.escape(w.rust_name(name))}\b", f"mut {w.rust_name(name)}", pattern, count=1
            )
    return pattern


@statement(ast.Return)
def return_(w: Writer, node: ast.Return) -> None:
    """Write a return."""
    if node.value is None or (
        isinstance(node.value, ast.Constant) and node.value.value is None and w.answer.name in ("none", "?")
    ):
        w.answers.append(NONE)
        one = Ex("None" if w.answer.name == "option" else "()", w.answer if w.answer.name == "option" else NONE)
    else:
        one = ex(w, node.value, w.answer)
        w.answers.append(one.ty)
        if w.answer == NONE and one.ty == NONE:
            w.put(f"{one.code};")
            one = Ex("()", NONE)
        one = coerce(w, one, w.answer)
    code = own(w, one)
    if w.flow:
        w.put(f"return Ok(Some({code}));")
    else:
        w.put(f"return {f'Ok({code})' if w.fails else code};" if code != "()" or w.fails else "return;")


@statement(ast.Assert)
def assert_(w: Writer, node: ast.Assert) -> None:
    """Write an assertion."""
    said = f'"AssertionError: {{}}", {shown(w, ex(w, node.msg))}' if node.msg is not None else '"AssertionError"'
    w.put(f"if !({condition(w, node.test)}) {{ {_raising(w, said)} }}")


def _raising(w: Writer, said: str) -> str:
    if w.can_fail:
        return f"return Err(format!({said}).into());"
    return f"panic!({said});"


@statement(ast.Raise)
def raise_(w: Writer, node: ast.Raise) -> None:
    """Write a raised exception: an error where the function returns one, a panic elsewhere."""
    if node.exc is None:
        if not w.caught:
            raise Unsupported(f"line {node.lineno}: raise without an exception")
        w.put("return Err(error);" if w.can_fail else 'panic!("{}", error);')
        return
    name, arguments = _exception(node.exc)
    if not arguments:
        w.put(_raising(w, literal(name)))
        return
    value = ex(w, arguments[0])
    if value.ty == STR and value.code.startswith('format!("'):
        w.put(_raising(w, f'"{name}: {value.code[9:-1]}'))
    else:
        w.put(_raising(w, f'"{name}: {{}}", {shown(w, value)}'))


def _exception(node: ast.expr) -> tuple[str, list[ast.expr]]:
    function, arguments = (node.func, node.args) if isinstance(node, ast.Call) else (node, [])
    if isinstance(function, ast.Attribute):
        return function.attr, arguments
    if not isinstance(function, ast.Name) or (isinstance(node, ast.Call) and node.keywords):
        raise Unsupported(f"line {node.lineno}: raise {ast.unparse(node)[:60]}")
    return function.id, arguments
