"""Expressions: constants, names, operators, comparisons, containers, conditional values."""

from __future__ import annotations

import ast

from models.repair.translate.containers import contains, index
from models.repair.translate.types import BOOL, DYN, FLOAT, NONE, OPEN, STR, Ty, Unsupported, join, list_of
from models.repair.translate.values import coerce, own, text, truth, unwrapped
from models.repair.translate.writer import Ex, Parameter, Writer, ex, expression

_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def literal(value: str) -> str:
    """Return a Rust string literal."""
    out = []
    for sign in value:
        plain = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}.get(sign)
        out.append(plain or (sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}"))
    return f'"{"".join(out)}"'


@expression(ast.Constant)
def constant(w: Writer, node: ast.Constant, want: Ty) -> Ex:
    """Translate a literal."""
    value = node.value
    if isinstance(value, bool):
        return Ex("true" if value else "false", BOOL)
    if isinstance(value, int):
        if want == FLOAT:
            return Ex(f"{value}.0", FLOAT)
        ty = want if want.is_int else w.int
        if value > _most(ty):
            raise Unsupported(f"line {node.lineno}: {value} is no {ty.name}")
        return Ex(f"{value}{ty.name}", ty)
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return Ex("f64::INFINITY", FLOAT)
        return Ex(f"{value!r}f64", FLOAT)
    if isinstance(value, str):
        value.encode("utf-8")
        return Ex(literal(value), STR, "ref")
    if isinstance(value, bytes):
        return Ex(f"vec![{', '.join(f'{one}u8' for one in value)}]", list_of(Ty("u8")))
    if value is None:
        return Ex("None" if want.name == "option" else "()", NONE)
    raise Unsupported(f"line {node.lineno}: {value!r}")


def _most(ty: Ty) -> int:
    bits = 64 if ty.name.endswith("size") else int(ty.name[1:])
    return int((1 << (bits - (ty.name[0] == "i"))) - 1)


@expression(ast.Name)
def name(w: Writer, node: ast.Name, _want: Ty) -> Ex:
    """Translate a variable, a constant of the program, or a function as a value."""
    if node.id in w.forms:
        form = w.forms[node.id]
        ty = w.vars.get(node.id, OPEN)
        return Ex(w.rust_name(node.id), ty, "ref" if form == "ref" else "place")
    if node.id in w.program.constants:
        return w.program.constants[node.id]
    if node.id in w.program.functions:
        found = w.program.functions[node.id]
        if found.fails or any(one.mode != "value" for one in found.parameters):
            raise Unsupported(f"line {node.lineno}: {node.id} as a value")
        return Ex(f"({node.id} as {w.rust(_fn(found.parameters, found.answer))})", _fn(found.parameters, found.answer))
    raise Unsupported(f"line {node.lineno}: name {node.id}")


def _fn(parameters: list[Parameter], answer: Ty) -> Ty:
    return Ty("fn", (*(one.ty for one in parameters), answer))


@expression(ast.BoolOp)
def boolean(w: Writer, node: ast.BoolOp, want: Ty) -> Ex:
    """Translate ``and`` and ``or``; between values that are no truth values, the value that Python gives."""
    parts = [ex(w, one, want if want != BOOL else OPEN) for one in node.values]
    sign = "&&" if isinstance(node.op, ast.And) else "||"
    if all(one.ty == BOOL for one in parts) or want == BOOL:
        return Ex(f"({f' {sign} '.join(truth(w, one) for one in parts)})", BOOL)
    if len(parts) != 2:
        raise Unsupported(f"line {node.lineno}: a value from several with {sign}")
    left, right = parts
    if left.ty.name == "option" and sign == "||":
        inner = join(left.ty.args[0], right.ty) if right.ty != NONE else left.ty
        kept = unwrapped(w, Ex("first", left.ty, "place"))
        body = own(w, coerce(w, kept, inner)), own(w, coerce(w, right, inner))
        return Ex(
            f"{{ let first = {own(w, left)}; if {truth(w, Ex('first', left.ty, 'place'))} "
            f"{{ {body[0]} }} else {{ {body[1]} }} }}",
            inner,
        )
    ty = join(left.ty, right.ty)
    kept_code, other = own(w, coerce(w, Ex("first", left.ty), ty)), own(w, coerce(w, right, ty))
    test = truth(w, Ex("first", left.ty, "place"))
    first, second = (kept_code, other) if sign == "||" else (other, kept_code)
    return Ex(f"{{ let first = {own(w, left)}; if {test} {{ {first} }} else {{ {second} }} }}", ty)


def condition(w: Writer, node: ast.expr) -> str:
    """Return the code of a condition, where only whether it is true counts."""
    if isinstance(node, ast.BoolOp):
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return f"({sign.join(condition(w, one) for one in node.values)})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"(!{condition(w, node.operand)})"
    return truth(w, ex(w, node))


@expression(ast.IfExp)
def conditional(w: Writer, node: ast.IfExp, want: Ty) -> Ex:
    """Translate ``a if c else b``."""
    one, other = ex(w, node.body, want), ex(w, node.orelse, want)
    ty = join(one.ty, other.ty)
    first, second = (own(w, coerce(w, each, ty)) for each in (one, other))
    return Ex(f"(if {condition(w, node.test)} {{ {first} }} else {{ {second} }})", ty)


@expression(ast.Compare)
def compare(w: Writer, node: ast.Compare, _want: Ty) -> Ex:
    """Translate a comparison; a chain compares each neighbouring pair."""
    operands = [node.left, *node.comparators]
    pairs = [_compared(w, op, one, other) for op, one, other in zip(node.ops, operands, operands[1:], strict=False)]
    return Ex(pairs[0] if len(pairs) == 1 else f"({' && '.join(pairs)})", BOOL)


def _compared(w: Writer, op: ast.cmpop, one: ast.expr, other: ast.expr) -> str:
    if isinstance(op, ast.In | ast.NotIn):
        inside = contains(w, ex(w, one), ex(w, other))
        return inside if isinstance(op, ast.In) else f"(!{inside})"
    right_first = isinstance(one, ast.Constant | ast.List)
    right = ex(w, other) if right_first else None
    left = ex(w, one, right.ty if right else OPEN)
    right = right or ex(w, other, left.ty if left.ty.name not in ("option",) else left.ty.args[0])
    if isinstance(op, ast.Is | ast.IsNot):
        return _identity(w, isinstance(op, ast.Is), left, right)
    sign = _COMPARED[type(op)]
    if NONE in (left.ty, right.ty) and sign in ("==", "!="):
        return _identity(w, sign == "==", left, right)
    return equal(w, sign, left, right)


def equal(w: Writer, sign: str, left: Ex, right: Ex) -> str:
    """Return the code that compares two values."""
    if "?" in (left.ty.name, right.ty.name):
        return "true"
    if left.ty == STR and right.ty == STR:
        return f"({text(left)} {sign} {text(right)})"
    if "option" in (left.ty.name, right.ty.name) and sign not in ("==", "!="):
        left, right = (unwrapped(w, one) if one.ty.name == "option" else one for one in (left, right))
    ty = join(left.ty, right.ty)
    left, right = coerce(w, left, ty), coerce(w, right, ty)
    if w.is_copy(ty):
        return f"({own(w, left)} {sign} {own(w, right)})"
    a, b = (one.code if one.form != "ref" else f"*{one.code}" for one in (left, right))
    return f"({a} {sign} {b})"


def _identity(w: Writer, same: bool, left: Ex, right: Ex) -> str:
    other = left if right.ty == NONE else right
    if NONE not in (left.ty, right.ty):
        if left.ty == BOOL and right.ty == BOOL:
            return f"({own(w, left)} {'==' if same else '!='} {own(w, right)})"
        if left.ty.name in w.program.classes.copies and left.ty == right.ty:
            return f"({own(w, left)} {'==' if same else '!='} {own(w, right)})"
        raise Unsupported("identity of two objects")
    if other.ty.name == "option":
        return f"{other.code}.{'is_none' if same else 'is_some'}()"
    if other.ty == DYN:
        return f"({'' if same else '!'}matches!({other.code}, DepylerValue::None))"
    return "true" if (other.ty == NONE) == same else "false"


@expression(ast.List, ast.Set)
def sequence(w: Writer, node: ast.List | ast.Set, want: Ty) -> Ex:
    """Translate a list or set display."""
    kind = "list" if isinstance(node, ast.List) else "set"
    hint = want.args[0] if want.name == kind else OPEN
    items = [ex(w, one, hint) for one in node.elts]
    ty = OPEN
    for one in items:
        ty = join(ty, one.ty)
    ty = hint if hint.known else join(hint, ty)
    if kind == "list" and not items:
        return Ex(f"Vec::<{w.rust(ty)}>::new()" if ty.known else "Vec::new()", Ty("list", (ty,)))
    given = ", ".join(own(w, coerce(w, one, ty)) for one in items)
    code = f"vec![{given}]" if kind == "list" else f"std::collections::HashSet::from([{given}])"
    return Ex(code, Ty(kind, (ty,)))


@expression(ast.Tuple)
def tuple_(w: Writer, node: ast.Tuple, want: Ty) -> Ex:
    """Translate a tuple; where a list is wanted, a list."""
    if want.name == "list":
        return sequence(w, ast.List(elts=node.elts, ctx=ast.Load()), want)
    hints = want.args if want.name == "tuple" and len(want.args) == len(node.elts) else [OPEN] * len(node.elts)
    items = [ex(w, one, hint) for one, hint in zip(node.elts, hints, strict=True)]
    items = [coerce(w, one, hint) for one, hint in zip(items, hints, strict=True)]
    comma = "," if len(items) == 1 else ""
    return Ex(f"({', '.join(own(w, one) for one in items)}{comma})", Ty("tuple", tuple(one.ty for one in items)))


@expression(ast.Dict)
def dictionary(w: Writer, node: ast.Dict, want: Ty) -> Ex:
    """Translate a dictionary display."""
    hints = want.args if want.name == "dict" else (OPEN, OPEN)
    if not node.keys:
        typed = f"::<{', '.join(w.rust(one) for one in hints)}>" if all(one.known for one in hints) else ""
        return Ex(f"std::collections::HashMap{typed}::new()", Ty("dict", tuple(hints)))
    if any(key is None for key in node.keys):
        raise Unsupported(f"line {node.lineno}: ** in a dictionary")
    keys = [ex(w, one, hints[0]) for one in node.keys if one is not None]
    values = [ex(w, one, hints[1]) for one in node.values]
    kinds = list(hints)
    for at, parts in enumerate((keys, values)):
        for one in parts:
            kinds[at] = hints[at] if hints[at].known else _joined(w, kinds[at], one.ty)
    pairs = ", ".join(
        f"({own(w, coerce(w, key, kinds[0]))}, {own(w, coerce(w, value, kinds[1]))})"
        for key, value in zip(keys, values, strict=True)
    )
    return Ex(f"std::collections::HashMap::from([{pairs}])", Ty("dict", tuple(kinds)))


def _joined(w: Writer, one: Ty, other: Ty) -> Ty:
    try:
        return join(one, other)
    except Unsupported:
        if w.program.classes.dynamic:
            return DYN
        raise


@expression(ast.Subscript)
def subscript(w: Writer, node: ast.Subscript, want: Ty) -> Ex:
    """Translate ``a[b]`` and slices."""
    return index(w, node, want)
