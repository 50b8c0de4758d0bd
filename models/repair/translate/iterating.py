"""Built-in functions that make or go through containers."""

from __future__ import annotations

import ast

from models.repair.translate.builtin import argument, builtin
from models.repair.translate.containers import as_list, iterated
from models.repair.translate.methods import given
from models.repair.translate.types import OPEN, Ty, Unsupported
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer, ex


@builtin("range")
def range_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``range``."""
    parts = [coerce(w, argument(w, one), w.int) for one in given(node, 1, 3)]
    codes = [own(w, one) for one in parts]
    ty = Ty("range", (w.int,))
    if len(parts) < 3:
        start, stop = ("0", codes[0]) if len(parts) == 1 else codes
        return Ex(f"({start}..{stop})", ty)
    step = codes[2].removesuffix(w.int.name)
    if step.isdigit() and step != "0":
        return Ex(f"({codes[0]}..{codes[1]}).step_by({step})", ty)
    call = f"{w.need('python_range')}({', '.join(f'{one} as i64' for one in codes)})"
    return Ex(f"{call}.into_iter().map(|at| at as {w.int.name})", ty)


@builtin("enumerate")
def enumerate_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``enumerate``."""
    start = (
        node.args[1] if len(node.args) > 1 else next((one.value for one in node.keywords if one.arg == "start"), None)
    )
    code, item = iterated(w, argument(w, node.args[0]))
    plus = f" + {own(w, coerce(w, ex(w, start), w.int))}" if start is not None else ""
    pairs = f"{code}.into_iter().enumerate().map(|(at, item)| (at as {w.int.name}{plus}, item))"
    return Ex(pairs, Ty("range", (Ty("tuple", (w.int, item)),)))


@builtin("zip")
def zip_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``zip`` of two or three."""
    if not 2 <= len(node.args) <= 3 or any(one.arg != "strict" for one in node.keywords):
        raise Unsupported("arguments of zip")
    parts = [iterated(w, argument(w, one)) for one in node.args]
    code = f"{parts[0][0]}.into_iter().zip({parts[1][0]})"
    if len(parts) == 3:
        code = f"{code}.zip({parts[2][0]}).map(|((one, two), three)| (one, two, three))"
    return Ex(code, Ty("range", (Ty("tuple", tuple(item for _, item in parts)),)))


@builtin("map", "filter")
def mapped(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``map`` and ``filter`` with a lambda or a type."""
    function, holder = given(node, 2, 2)
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    variable = ast.Name(id="item", ctx=ast.Load())
    if isinstance(function, ast.Lambda) and len(function.args.args) == 1:
        variable = ast.Name(id=function.args.args[0].arg, ctx=ast.Load())
        body: ast.expr = function.body
    else:
        body = ast.Call(func=function, args=[variable], keywords=[])
    ast.copy_location(body, node)
    made = ast.comprehension(
        target=ast.Name(id=variable.id, ctx=ast.Store()),
        iter=holder,
        ifs=[body] if name == "filter" else [],
        is_async=0,
    )
    built = ast.ListComp(elt=variable if name == "filter" else body, generators=[made])
    return ex(w, ast.fix_missing_locations(ast.copy_location(built, node)))


@builtin("list", "tuple", "set", "frozenset", "dict")
def container(w: Writer, node: ast.Call, want: Ty) -> Ex:
    """Translate the making of a container from another."""
    name = (
        {"frozenset": "set", "tuple": "list"}.get(node.func.id, node.func.id) if isinstance(node.func, ast.Name) else ""
    )
    arguments = given(node, 0, 1)
    empty: dict[str, ast.expr] = {"list": ast.List(elts=[], ctx=ast.Load()), "dict": ast.Dict(keys=[], values=[])}
    if not arguments:
        if name == "set":
            ty = want if want.name == "set" else Ty("set", (OPEN,))
            return Ex("std::collections::HashSet::new()", ty)
        return ex(w, empty[name], want)
    one = argument(w, arguments[0])
    if name == "list":
        return as_list(w, one)
    code, item = iterated(w, one)
    if name == "dict" and one.ty.name == "dict":
        return Ex(own(w, one), one.ty)
    if name == "dict" and (item.name != "tuple" or len(item.args) != 2):
        raise Unsupported("dict of no pairs")
    ty = Ty("set", (item,)) if name == "set" else Ty("dict", item.args)
    return Ex(f"{code}.into_iter().collect::<{w.rust(ty)}>()", ty)
