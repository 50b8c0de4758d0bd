"""``min``, ``max``, ``sorted``, ``reversed``, and the keys that they order by."""

from __future__ import annotations

import ast

from models.repair.translate.builtin import argument, builtin
from models.repair.translate.comprehensions import bind, scope
from models.repair.translate.containers import as_list, iterated
from models.repair.translate.methods import given
from models.repair.translate.types import OPEN, STR, Ty, Unsupported, join
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer, ex


@builtin("min", "max")
def extreme(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``min`` and ``max``: of several values, or of the items of one; the first of equal ones."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    known = {one.arg: one.value for one in node.keywords}
    sign = "<" if name == "min" else ">"
    if set(known) - {"key", "default"} or any(isinstance(one, ast.Starred) for one in node.args) or not node.args:
        raise Unsupported(f"line {node.lineno}: arguments of {name}")
    if len(node.args) > 1:
        items = [argument(w, one) for one in node.args]
        ty = OPEN
        for one in items:
            ty = join(ty, one.ty)
        code = f"[{', '.join(own(w, coerce(w, one, ty)) for one in items)}]"
    else:
        code, ty = iterated(w, argument(w, node.args[0]))
    test = f"other {sign} first"
    if "key" in known:
        given_key = ordered_by(w, known["key"], ty)
        found = (
            f"{{ let key = {given_key}; {code}.into_iter().reduce(|first, other| "
            f"if key(&other) {sign} key(&first) {{ other }} else {{ first }}) }}"
        )
    else:
        found = f"{code}.into_iter().reduce(|first, other| if {test} {{ other }} else {{ first }})"
    if "default" in known:
        return Ex(f"{found}.unwrap_or({own(w, coerce(w, ex(w, known['default'], ty), ty))})", ty)
    said = f"ValueError: {name}() arg is an empty sequence"
    return Ex(f'{found}.ok_or_else(|| "{said}".to_string())?' if w.can_fail else f'{found}.expect("{said}")', ty)


def ordered_by(w: Writer, node: ast.expr, item: Ty) -> str:
    """Return a closure from a reference to an item to its key."""
    if isinstance(node, ast.Lambda) and len(node.args.args) == 1:
        name = node.args.args[0].arg
        w.closures += 1
        with scope(w, {name}):
            pattern = bind(w, ast.Name(id=name), item)
            w.forms[name] = "ref" if not w.is_copy(item) else "place"
            body = own(w, ex(w, node.body))
        w.closures -= 1
        copied = f"let {pattern} = *{pattern}; " if w.is_copy(item) else ""
        return f"|{pattern}: &{w.rust(item)}| {{ {copied}{body} }}"
    if isinstance(node, ast.Name) and node.id == "len":
        size = "chars().count()" if item == STR else "len()"
        return f"|item: &{w.rust(item)}| item.{size}"
    if ast.unparse(node) == "str.lower":
        return "|item: &String| item.to_lowercase()"
    raise Unsupported(f"the key {ast.unparse(node)}")


@builtin("sorted")
def sorted_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``sorted``: stable, by a key, reversed."""
    if len(node.args) != 1:
        raise Unsupported("arguments of sorted")
    items = as_list(w, argument(w, node.args[0]))
    return Ex(f"{{ let mut items = {items.code}; {sort_code(w, 'items', node, items.ty.args[0])}; items }}", items.ty)


def sort_code(w: Writer, holder: str, node: ast.Call, item: Ty) -> str:
    """Return the code that sorts ``holder`` as the keywords of ``node`` ask."""
    known = {one.arg: one.value for one in node.keywords}
    if set(known) - {"key", "reverse"}:
        raise Unsupported("arguments of sort")
    one, other = "one", "other"
    reverse = known.get("reverse")
    if isinstance(reverse, ast.Constant):
        one, other = (other, one) if reverse.value else (one, other)
    elif reverse is not None:
        raise Unsupported("a computed reverse")
    if "key" in known and not (isinstance(known["key"], ast.Constant) and known["key"].value is None):
        key = ordered_by(w, known["key"], item)
        compare = f'key({one}).partial_cmp(&key({other})).expect("an order")'
        return f"{{ let key = {key}; {holder}.sort_by(|one, other| {compare}); }}"
    if item.name in w.program.infos:
        raise Unsupported("objects in order")
    return f'{holder}.sort_by(|one, other| {one}.partial_cmp({other}).expect("an order"))'


@builtin("reversed")
def reversed_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``reversed``."""
    one = argument(w, given(node, 1, 1)[0])
    if one.ty.name == "range":
        return Ex(f"{one.code}.rev()", one.ty)
    code, item = iterated(w, one)
    return Ex(f"{code}.into_iter().rev()", Ty("range", (item,)))
