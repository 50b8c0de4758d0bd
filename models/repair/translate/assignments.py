"""Assignments: to names, fields, items, and to several at once."""

from __future__ import annotations

import ast

from models.repair.translate.containers import iterated, key_code, position
from models.repair.translate.statements import leaving, of_parser
from models.repair.translate.types import MUTABLE, NONE, OPEN, STR, Ty, Unsupported
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer, ex, statement, to_change


@statement(ast.Assign)
def assign(w: Writer, node: ast.Assign) -> None:
    """Write an assignment, to several targets one by one."""
    first = node.targets[0]
    if of_parser(w, node.value):
        return
    if len(node.targets) > 1:
        for target in node.targets:
            assigned(w, target, ex(w, node.value, hint(w, target)), node.value)
        return
    if isinstance(first, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(first.elts) == len(node.value.elts):
        values = [ex(w, one, hint(w, target)) for one, target in zip(node.value.elts, first.elts, strict=True)]
        names = [w.fresh("value") for _ in values]
        w.put(f"let ({', '.join(names)}) = ({', '.join(own(w, one) for one in values)});")
        for name, target, one in zip(names, first.elts, values, strict=True):
            assigned(w, target, Ex(name, one.ty), None)
        return
    assigned(w, first, ex(w, node.value, hint(w, first)), node.value)


def hint(w: Writer, target: ast.expr) -> Ty:
    """Return what a target holds by all that is known."""
    if isinstance(target, ast.Name):
        return w.vars.get(target.id, OPEN)
    if isinstance(target, ast.Attribute | ast.Subscript) and not isinstance(getattr(target, "slice", None), ast.Slice):
        try:
            holder = ex(w, target.value)
            if isinstance(target, ast.Attribute):
                return ex(w, target).ty
        except Unsupported:
            return OPEN
        return holder.ty.args[-1] if holder.ty.name in ("list", "dict") else OPEN
    return OPEN


@statement(ast.AnnAssign)
def annotated(w: Writer, node: ast.AnnAssign) -> None:
    """Write an assignment with a type."""
    ty = w.program.classes.annotation(node.annotation)
    if isinstance(node.target, ast.Name):
        ty = w.learn(node.target.id, ty)
    if node.value is None and isinstance(node.target, ast.Name):
        if node.target.id not in w.declared:
            w.put(f"let mut {w.rust_name(node.target.id)}: {w.rust(ty)};")
        w.declared.add(node.target.id)
        w.forms[node.target.id] = "place"
    if node.value is not None:
        assigned(w, node.target, coerce(w, ex(w, node.value, ty), ty), node.value)


def assigned(w: Writer, target: ast.expr, one: Ex, source: ast.expr | None) -> None:
    """Write that ``target`` gets ``one``."""
    if isinstance(target, ast.Name):
        _to_name(w, target, one, source)
    elif isinstance(target, ast.Attribute):
        place = to_change(w, target)
        _aliased(w, target.attr, one, source)
        w.put(f"{place.code} = {own(w, coerce(w, one, place.ty))};")
    elif isinstance(target, ast.Subscript):
        _to_item(w, target, one)
    elif isinstance(target, ast.Tuple | ast.List):
        _taken_apart(w, target, one)
    else:
        raise Unsupported(f"line {target.lineno}: target")


def _to_name(w: Writer, target: ast.Name, one: Ex, source: ast.expr | None) -> None:
    ty = w.learn(target.id, one.ty)
    _aliased(w, target.id, one, source)
    if target.id == "_":
        w.put(f"let _ = {one.code};")
        return
    value, name = own(w, coerce(w, one, ty)), w.rust_name(target.id)
    if target.id in w.declared:
        w.put(f"{name} = {value};")
    else:
        typed = f": {w.rust(ty)}" if ty.known and "fn" not in {each.name for each in ty.walk()} else ""
        w.put(f"let mut {name}{typed} = {value};")
        w.declared.add(target.id)
    w.forms[target.id] = "place"


def _aliased(w: Writer, name: str, one: Ex, source: ast.expr | None) -> None:
    """Refuse a second name for an object that is changed by either: a copy would not be."""
    if one.form == "value" or source is None or w.is_copy(one.ty) or one.ty == STR or not w.final:
        return
    mutable = any(each.name in MUTABLE or each.name in w.program.infos for each in one.ty.walk())
    root = root_of(source)
    if mutable and (name in w.mutated or root in w.mutated):
        raise Unsupported(f"line {source.lineno}: {name} is another name for what {root} holds, and it is changed")


def root_of(node: ast.expr) -> str:
    """Return the variable at the root of a place."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _to_item(w: Writer, target: ast.Subscript, one: Ex) -> None:
    holder = to_change(w, target.value)
    if holder.ty.name == "option":
        holder = Ex(f'{holder.code}.as_mut().expect("TypeError: None")', holder.ty.args[0], "place")
    if isinstance(target.slice, ast.Slice):
        raise Unsupported(f"line {target.lineno}: a slice assigned")
    if holder.ty.name == "?":
        return
    at = ex(w, target.slice, holder.ty.args[0] if holder.ty.name == "dict" else OPEN)
    if isinstance(target.value, ast.Name) and not w.vars.get(target.value.id, NONE).known:
        refined = Ty("list", (one.ty,)) if holder.ty.name == "list" else Ty("dict", (at.ty, one.ty))
        holder = Ex(holder.code, w.learn(target.value.id, refined), holder.form)
    if holder.ty.name == "dict":
        key, value = (own(w, coerce(w, each, ty)) for each, ty in zip((at, one), holder.ty.args, strict=True))
        if w.is_copy(one.ty) or one.form != "value":
            w.put(f"{{ let (key, value) = ({key}, {value}); {holder.code}.insert(key, value); }}")
        else:
            w.put(f"{{ let (value, key) = ({value}, {key}); {holder.code}.insert(key, value); }}")
        return
    if holder.ty.name != "list":
        raise Unsupported(f"line {target.lineno}: an item of {holder.ty.name} assigned")
    value = own(w, coerce(w, one, holder.ty.args[0]))
    w.put(f"{{ let value = {value}; let at = {position(w, holder, at)}; {holder.code}[at] = value; }}")


def _taken_apart(w: Writer, target: ast.Tuple | ast.List, one: Ex) -> None:
    name = w.fresh("parts")
    w.put(f"let {name} = {own(w, one)};")
    if one.ty.name == "tuple" and len(one.ty.args) == len(target.elts):
        parts = [Ex(f"{name}.{at}", ty, "place") for at, ty in enumerate(one.ty.args)]
    elif one.ty.name in ("list", "?") and not any(isinstance(each, ast.Starred) for each in target.elts):
        item = one.ty.args[0] if one.ty.args else OPEN
        said = '"ValueError: not the number of values to unpack"'
        w.put(f"if {name}.len() != {len(target.elts)} {{ {leaving(w, said)} }}")
        parts = [Ex(f"{name}[{at}]", item, "place") for at in range(len(target.elts))]
    else:
        raise Unsupported(f"line {target.lineno}: {one.ty.name} taken apart")
    for each, part in zip(target.elts, parts, strict=True):
        assigned(w, each, part, None)


@statement(ast.AugAssign)
def augmented(w: Writer, node: ast.AugAssign) -> None:
    """Write ``a op= b``."""
    target = node.target
    place = to_change(w, target)
    right = ex(w, node.value, place.ty)
    if (
        place.ty == STR
        and isinstance(node.op, ast.Add)
        and isinstance(target, ast.Name)
        and w.forms.get(target.id) == "place"
    ):
        w.put(
            f"{place.code}.push_str(&{right.code});"
            if right.form == "value"
            else f"{place.code}.push_str({_str(right)});"
        )
        return
    if place.ty.name == "list" and isinstance(node.op, ast.Add):
        code, item = iterated(w, right)
        if isinstance(target, ast.Name):
            w.learn(target.id, Ty("list", (item,)))
        w.put(f"{place.code}.extend({code});")
        return
    load: ast.expr = ast.copy_location(ast.parse(ast.unparse(target), mode="eval").body, target)
    for inner in ast.walk(load):
        ast.copy_location(inner, target)
    value = ex(w, ast.copy_location(ast.BinOp(left=load, op=node.op, right=node.value), node), place.ty)
    if isinstance(target, ast.Name):
        value = coerce(w, value, w.learn(target.id, value.ty))
        w.put(f"{place.code} = {own(w, value)};")
    else:
        assigned(w, target, value, None)


def _str(one: Ex) -> str:
    from models.repair.translate.values import text

    return text(one)


@statement(ast.Delete)
def delete(w: Writer, node: ast.Delete) -> None:
    """Write the removal of an item."""
    for target in node.targets:
        if not isinstance(target, ast.Subscript):
            raise Unsupported(f"line {node.lineno}: del")
        holder = ex(w, target.value)
        if holder.ty.name == "dict":
            w.put(
                f"{holder.code}.remove({key_code(w, holder, ex(w, target.slice, holder.ty.args[0]))})"
                '.expect("KeyError");'
            )
        elif holder.ty.name == "list" and not isinstance(target.slice, ast.Slice):
            at = own(w, ex(w, target.slice))
            reference = holder.code if holder.form == "ref" else f"&mut {holder.code}"
            w.put(f"{w.need('python_pop')}({reference}, {at} as i64){'?' if w.can_fail else '.unwrap()'};")
        else:
            raise Unsupported(f"line {node.lineno}: del of {holder.ty.name}")
