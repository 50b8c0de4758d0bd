"""Methods of lists, dictionaries and sets."""

from __future__ import annotations

import ast

from models.repair.translate.containers import iterated, key_code, position
from models.repair.translate.methods import call_name, given, method
from models.repair.translate.types import BOOL, NONE, STR, Ty, Unsupported, join, list_of, option_of
from models.repair.translate.values import borrow, coerce, own, text
from models.repair.translate.writer import Ex, Writer, ex


@method("list", "append", "add")
def appended(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``append``."""
    one = ex(w, given(node, 1, 1)[0], base.ty.args[0])
    refine(w, node, Ty("list", (one.ty,)))
    return Ex(f"{base.code}.push({own(w, coerce(w, one, base.ty.args[0]))})", NONE)


def refine(w: Writer, node: ast.Call, ty: Ty) -> None:
    """Learn the items' type of a variable from what is put into it."""
    target = node.func.value if isinstance(node.func, ast.Attribute) else None
    if (
        isinstance(target, ast.Name)
        and target.id in w.vars
        and w.vars[target.id].name == ty.name
        and not w.vars[target.id].known
    ):
        w.learn(target.id, ty)


@method("list", "extend")
def extended(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``extend``."""
    more = ex(w, given(node, 1, 1)[0], base.ty)
    code, item = iterated(w, more)
    refine(w, node, Ty("list", (item,)))
    return Ex(f"{base.code}.extend({code})", NONE)


@method("list", "insert")
def inserted(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``insert`` at the front or at a place within."""
    at, one = given(node, 2, 2)
    item = ex(w, one, base.ty.args[0])
    refine(w, node, Ty("list", (item.ty,)))
    value = own(w, coerce(w, item, base.ty.args[0]))
    where = position(w, base, ex(w, at))
    place = where if where == "0" else f"({where}).min({base.code}.len())"
    return Ex(f"{{ let (at, item) = ({place}, {value}); {base.code}.insert(at, item); }}", NONE)


@method("list", "pop")
def popped(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``pop``."""
    arguments = given(node, 0, 1)
    item = base.ty.args[0]
    if not arguments:
        said = "IndexError: pop from empty list"
        missing = f'.ok_or_else(|| "{said}".to_string())?' if w.can_fail else f'.expect("{said}")'
        return Ex(f"{base.code}.pop(){missing}", item)
    holder = base.code if base.form == "ref" else f"&mut {base.code}"
    call = f"{w.need('python_pop')}({holder}, {own(w, ex(w, arguments[0]))} as i64)"
    return Ex(f"{call}{'?' if w.can_fail else '.unwrap()'}", item)


@method("list", "remove", "index", "count")
def searched(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``remove``, ``index`` and ``count``."""
    one, name = ex(w, given(node, 1, 1)[0], base.ty.args[0]), call_name(node)
    one = coerce(w, one, base.ty.args[0])
    value = text(one) if one.ty == STR else own(w, one) if w.is_copy(one.ty) else one.code
    test = f"|item| *item == {value}"
    if name == "count":
        return Ex(f"({base.code}.iter().filter(|item| **item == {value}).count() as {w.int.name})", w.int)
    said = f"ValueError: {'list.remove(x): x not in list' if name == 'remove' else 'not in list'}"
    missing = f'.ok_or_else(|| "{said}".to_string())?' if w.can_fail else f'.expect("{said}")'
    at = f"{base.code}.iter().position({test}){missing}"
    if name == "remove":
        return Ex(f"{{ let at = {at}; {base.code}.remove(at); }}", NONE)
    return Ex(f"({at} as {w.int.name})", w.int)


@method("list", "clear", "reverse")
def simple(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate methods that are called the same."""
    given(node, 0, 0)
    return Ex(f"{base.code}.{call_name(node)}()", NONE)


@method("list", "copy")
@method("dict", "copy")
@method("set", "copy")
def copied(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``copy``."""
    given(node, 0, 0)
    return Ex(f"{base.code}.clone()", base.ty)


@method("dict", "get", "pop")
def got(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``get`` and ``pop``, with a default or without."""
    arguments, name = given(node, 1, 2), call_name(node)
    key = key_code(w, base, ex(w, arguments[0], base.ty.args[0]))
    value = base.ty.args[1]
    entry = f"{base.code}.get({key}).cloned()" if name == "get" else f"{base.code}.remove({key})"
    if len(arguments) == 1:
        if name == "get":
            return Ex(entry, option_of(value))
        return Ex(f'{entry}.expect("KeyError")', value)
    default = ex(w, arguments[1], value)
    if default.ty == NONE:
        return Ex(entry, option_of(value))
    refined = join(value, default.ty)
    if value.name == "?":
        value = refined
    return Ex(f"{entry}.unwrap_or_else(|| {own(w, coerce(w, default, value))})", value)


@method("dict", "keys", "values", "items")
def viewed(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate the views of a dictionary, as lists."""
    given(node, 0, 0)
    name = call_name(node)
    if name == "items":
        pairs = f"{base.code}.iter().map(|(key, value)| (key.clone(), value.clone()))"
        return Ex(f"{pairs}.collect::<Vec<_>>()", list_of(Ty("tuple", base.ty.args)))
    return Ex(f"{base.code}.{name}().cloned().collect::<Vec<_>>()", list_of(base.ty.args[name == "values"]))


@method("dict", "setdefault")
def defaulted(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``setdefault``."""
    key, default = (ex(w, one, hint) for one, hint in zip(given(node, 2, 2), base.ty.args, strict=True))
    key, default = coerce(w, key, base.ty.args[0]), coerce(w, default, base.ty.args[1])
    return Ex(f"(*{base.code}.entry({own(w, key)}).or_insert({own(w, default)}))", base.ty.args[1], "place")


@method("dict", "update")
def updated(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``update`` with another dictionary."""
    more = ex(w, given(node, 1, 1)[0], base.ty)
    if more.ty.name != "dict":
        raise Unsupported("update with no dictionary")
    return Ex(f"{base.code}.extend({own(w, coerce(w, more, base.ty))})", NONE)


@method("dict", "clear")
@method("set", "clear")
def emptied(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``clear``."""
    given(node, 0, 0)
    return Ex(f"{base.code}.clear()", NONE)


@method("set", "add", "discard", "remove")
def changed(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``add``, ``discard`` and ``remove``."""
    one, name = ex(w, given(node, 1, 1)[0], base.ty.args[0]), call_name(node)
    refine(w, node, Ty("set", (one.ty,)))
    one = coerce(w, one, base.ty.args[0])
    if name == "add":
        return Ex(f"{base.code}.insert({own(w, one)})", BOOL)
    code = f"{base.code}.remove({borrow(one)})"
    return Ex(
        code if name == "discard" else f'{{ if !{code} {{ panic!("KeyError"); }} }}',
        BOOL if name == "discard" else NONE,
    )


@method("set", "union", "intersection", "difference", "symmetric_difference")
def combined(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate the operations between two sets."""
    other = ex(w, given(node, 1, 1)[0], base.ty)
    code = (
        borrow(other)
        if other.ty.name == "set"
        else f"&{iterated(w, other)[0]}.into_iter().collect::<{w.rust(base.ty)}>()"
    )
    return Ex(f"{base.code}.{call_name(node)}({code}).cloned().collect::<{w.rust(base.ty)}>()", base.ty)


@method("set", "issubset", "issuperset", "isdisjoint")
def related(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate the comparisons of sets."""
    other = ex(w, given(node, 1, 1)[0], base.ty)
    if other.ty.name != "set":
        raise Unsupported("a comparison with no set")
    name = {"issubset": "is_subset", "issuperset": "is_superset", "isdisjoint": "is_disjoint"}[call_name(node)]
    return Ex(f"{base.code}.{name}({borrow(other)})", BOOL)
