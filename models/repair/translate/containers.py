"""Subscripts, slices and membership, as Python has them: negative indices count from the end."""

from __future__ import annotations

import ast

from models.repair.translate.types import DYN, OPEN, STR, Ty, Unsupported, list_of
from models.repair.translate.values import borrow, coerce, own, text, unwrapped
from models.repair.translate.writer import Ex, Writer, ex

READ, PLACE = "read", "place"


def contains(w: Writer, item: Ex, holder: Ex) -> str:
    """Return the code of ``item in holder``."""
    kind = holder.ty.name
    if kind == "option":
        return contains(w, item, unwrapped(w, holder))
    if kind == "?" or item.ty.name == "?":
        return "true"
    if kind == "str" and item.ty == STR:
        return f"{holder.code}.contains({text(item)})"
    if kind == "tuple":
        options = [f"{own(w, item)} == {holder.code}.{at}" for at in range(len(holder.ty.args))]
        return f"({' || '.join(options)})"
    if kind not in ("list", "set", "dict"):
        raise Unsupported(f"in {kind}")
    item = coerce(w, item, holder.ty.args[0])
    if kind == "list" and item.ty == STR:
        return f"{holder.code}.iter().any(|item| item == {text(item)})"
    name = "contains_key" if kind == "dict" else "contains"
    return f"{holder.code}.{name}({borrow(item) if item.form != 'value' or item.ty == STR else f'&{item.code}'})"


def index(w: Writer, node: ast.Subscript, want: Ty) -> Ex:
    """Return the code that reads ``a[b]``."""
    base = ex(w, node.value)
    changing, w.changing = w.changing, False
    try:
        return _indexed(w, node, base, changing=changing)
    finally:
        w.changing = changing


def _indexed(w: Writer, node: ast.Subscript, base: Ex, *, changing: bool) -> Ex:
    base = unwrapped(w, base) if base.ty.name == "option" else base
    if isinstance(node.slice, ast.Slice):
        return _slice(w, base, node.slice)
    kind = base.ty.name
    if kind == "?":
        return Ex("?", OPEN)
    if kind == "tuple":
        return _of_tuple(base, node)
    if kind == "dict":
        return _of_dict(w, base, ex(w, node.slice, base.ty.args[0]), changing=changing)
    at = ex(w, node.slice)
    if kind == "str":
        at = coerce(w, at, Ty("i64"))
        return Ex(_failing(w, "python_char", f"{text(base)}, {own(w, at)}"), STR)
    if kind == "list":
        return element(w, base, at, checked=w.can_fail, changing=changing)
    raise Unsupported(f"line {node.lineno}: subscript of {kind}")


def _failing(w: Writer, helper: str, arguments: str) -> str:
    call = f"{w.need(helper)}({arguments})"
    return f"{call}?" if w.can_fail else f"{call}.unwrap()"


def _of_tuple(base: Ex, node: ast.Subscript) -> Ex:
    at = node.slice
    number = at.value if isinstance(at, ast.Constant) else None
    if isinstance(at, ast.UnaryOp) and isinstance(at.op, ast.USub) and isinstance(at.operand, ast.Constant):
        number = len(base.ty.args) - int(at.operand.value) if isinstance(at.operand.value, int) else None
    if not isinstance(number, int) or not 0 <= number < len(base.ty.args):
        raise Unsupported(f"line {node.lineno}: subscript of a tuple")
    form = "place" if base.form in ("place", "ref") else "value"
    return Ex(f"{base.code}.{number}", base.ty.args[number], form)


def _of_dict(w: Writer, base: Ex, key: Ex, *, changing: bool) -> Ex:
    found = f"{base.code}.get{'_mut' if changing and base.form != 'value' else ''}({key_code(w, base, key)})"
    value = base.ty.args[1]
    missing = '.ok_or_else(|| "KeyError".to_string())?' if w.can_fail else '.expect("KeyError")'
    if base.form == "value":
        return Ex(f"{found}.cloned(){missing}", value)
    return Ex(f"(*{found}{missing})", value, "place")


def key_code(w: Writer, base: Ex, key: Ex) -> str:
    """Return the code of a key that is looked up."""
    key = coerce(w, key, base.ty.args[0])
    if key.ty == STR:
        return text(key)
    return key.code if key.form == "ref" else f"&{key.code}"


def position(w: Writer, base: Ex, at: Ex) -> str:
    """Return the code of an index into ``base``; negative ones count from the end."""
    if not at.ty.is_int and at.ty.name != "?":
        raise Unsupported(f"an index of type {at.ty.name}")
    plain = at.code.removesuffix(at.ty.name)
    if plain.isdigit():
        return plain
    if at.ty.name.startswith("u"):
        return f"{own(w, at)} as usize"
    return f"{w.need('python_index')}({own(w, at)} as i64, {base.code}.len())"


def element(w: Writer, base: Ex, at: Ex, *, checked: bool = False, changing: bool = False) -> Ex:
    """Return a list's element as a place; ``changing``: one that can be changed."""
    where = position(w, base, at)
    if checked:
        missing = '.ok_or_else(|| "IndexError: list index out of range".to_string())?'
        if base.form == "value":
            return Ex(f"{base.code}.get({where}).cloned(){missing}", base.ty.args[0])
        found = f"{{ let at = {where}; {base.code}.get_mut(at) }}" if changing else f"{base.code}.get({where})"
        return Ex(f"(*{found}{missing})", base.ty.args[0], "place")
    if base.form == "value":
        return Ex(f"{{ let items = {base.code}; items[{where.replace(base.code, 'items')}].clone() }}", base.ty.args[0])
    return Ex(f"{base.code}[{where}]", base.ty.args[0], "place")


def _slice(w: Writer, base: Ex, part: ast.Slice) -> Ex:
    def bound(node: ast.expr | None) -> str:
        if node is None:
            return "None"
        given = ex(w, node)
        if given.ty.name == "option":
            raise Unsupported("a slice's bound that may be None")
        return f"Some({own(w, coerce(w, given, Ty('i64')))})"

    step = "None" if part.step is None else bound(part.step)
    bounds = f"{bound(part.lower)}, {bound(part.upper)}, {step}"
    if base.ty == STR:
        return Ex(f"{w.need('python_slice_text')}({text(base)}, {bounds})", STR)
    if base.ty.name == "list":
        return Ex(f"{w.need('python_slice')}({borrow(base)}, {bounds})", base.ty)
    if base.ty.name == "?":
        return Ex("?", OPEN)
    raise Unsupported(f"a slice of {base.ty.name}")


def iterated(w: Writer, holder: Ex) -> tuple[str, Ty]:
    """Return code that iterates over owned items, and their type; the container may change meanwhile."""
    kind = holder.ty.name
    if kind == "?":
        return "Vec::new()", OPEN
    if kind == "option":
        return iterated(w, unwrapped(w, holder))
    if kind == "str":
        return f"{text(holder)}.chars().map(|sign| sign.to_string()).collect::<Vec<String>>()", STR
    if kind == "range":
        return holder.code, holder.ty.args[0]
    if kind == "dict":
        return f"{holder.code}.keys().cloned().collect::<Vec<_>>()", holder.ty.args[0]
    if kind in ("list", "set"):
        return (holder.code if holder.form == "value" else f"{holder.code}.clone()"), holder.ty.args[0]
    if kind == "tuple" and holder.ty.args and len(set(holder.ty.args)) == 1:
        if holder.code.startswith("(") and holder.form == "value":
            return f"[{holder.code[1:-1]}]", holder.ty.args[0]
        parts = ", ".join(f"{holder.code}.{at}.clone()" for at in range(len(holder.ty.args)))
        return f"[{parts}]", holder.ty.args[0]
    raise Unsupported(f"iterating over {kind}")


def as_list(w: Writer, holder: Ex) -> Ex:
    """Return the items in a list of their own."""
    code, item = iterated(w, holder)
    if holder.ty.name == "list":
        return Ex(own(w, holder), holder.ty)
    if code.endswith(("collect::<Vec<String>>()", "collect::<Vec<_>>()")):
        return Ex(code, list_of(item))
    if holder.ty == DYN:
        raise Unsupported("a list of a dynamic value")
    return Ex(f"{code}.into_iter().collect::<Vec<{w.rust(item)}>>()", list_of(item))
