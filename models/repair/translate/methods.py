"""Methods of Python's built-in types."""

from __future__ import annotations

import ast
from collections.abc import Callable

from models.repair.translate.containers import as_list, iterated, key_code, position
from models.repair.translate.types import BOOL, NONE, OPEN, STR, Ty, Unsupported, join, list_of, option_of
from models.repair.translate.writer import Ex, Writer, borrow, coerce, ex, own, text

Method = Callable[[Writer, Ex, ast.Call], Ex]
METHODS: dict[tuple[str, str], Method] = {}

_TESTS = {
    "isdigit": "|sign| sign.is_ascii_digit()", "isalpha": "char::is_alphabetic", "isalnum": "char::is_alphanumeric",
    "isspace": "char::is_whitespace", "isnumeric": "char::is_numeric", "isdecimal": "|sign| sign.is_ascii_digit()",
}  # fmt: skip
_PLAIN = {"upper": "to_uppercase", "lower": "to_lowercase", "casefold": "to_lowercase"}
_TRIMS = {"strip": "trim", "lstrip": "trim_start", "rstrip": "trim_end"}
_AFFIXES = {"startswith": "starts_with", "endswith": "ends_with"}


def method(kind: str, *names: str) -> Callable[[Method], Method]:
    """Register the translation of methods of a type."""

    def register(function: Method) -> Method:
        METHODS.update({(kind, name): function for name in names})
        return function

    return register


def call_name(node: ast.Call) -> str:
    """Return the name of the called method."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def given(node: ast.Call, least: int, most: int) -> list[ast.expr]:
    """Return the arguments; raises ``Unsupported`` for another number of them, or for keywords."""
    if node.keywords or not least <= len(node.args) <= most or any(isinstance(one, ast.Starred) for one in node.args):
        raise Unsupported(f"line {node.lineno}: arguments of {ast.unparse(node.func)}")
    return node.args


@method("str", *_PLAIN)
def cased(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``upper`` and the like."""
    given(node, 0, 0)
    return Ex(f"{base.code}.{_PLAIN[call_name(node)]}()", STR)


@method("str", "title", "capitalize")
def titled(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``title`` and ``capitalize``."""
    given(node, 0, 0)
    return Ex(f"{w.need(f'python_{call_name(node)}')}({text(base)})", STR)


@method("str", *_TRIMS)
def trimmed(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``strip`` and its sides, of blanks or of given characters."""
    name, arguments = _TRIMS[call_name(node)], given(node, 0, 1)
    if not arguments:
        return Ex(f"{base.code}.{name}().to_string()", STR)
    signs = text(ex(w, arguments[0]))
    side = {"trim": "trim_matches", "trim_start": "trim_start_matches", "trim_end": "trim_end_matches"}[name]
    return Ex(f"{base.code}.{side}(|sign: char| {signs}.contains(sign)).to_string()", STR)


@method("str", *_TESTS)
def tested(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``isdigit`` and the like: false of an empty text."""
    given(node, 0, 0)
    return Ex(f"{w.need('python_all')}({text(base)}, {_TESTS[call_name(node)]})", BOOL)


@method("str", "isupper", "islower")
def case_tested(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``isupper`` and ``islower``."""
    given(node, 0, 0)
    return Ex(f"{w.need('python_cased')}({text(base)}, char::is_{call_name(node)[2:]}case)", BOOL)


@method("str", *_AFFIXES)
def affixed(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``startswith`` and ``endswith``, of one text or several."""
    (part,), name = given(node, 1, 1), _AFFIXES[call_name(node)]
    parts = part.elts if isinstance(part, ast.Tuple) else [part]
    tests = [f"{base.code}.{name}({text(_text(w, one))})" for one in parts]
    return Ex(tests[0] if len(tests) == 1 else f"({' || '.join(tests)})", BOOL)


def _text(w: Writer, node: ast.expr) -> Ex:
    return coerce(w, ex(w, node, STR), STR)


@method("str", "split", "rsplit")
def split(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``split``: at blanks, at a separator, at most so often."""
    arguments, name = given(node, 0, 2), call_name(node)
    if not arguments or (isinstance(arguments[0], ast.Constant) and arguments[0].value is None and len(arguments) == 1):
        return Ex(f"{base.code}.split_whitespace().map(str::to_string).collect::<Vec<String>>()", list_of(STR))
    separator = text(_text(w, arguments[0]))
    if len(arguments) == 1:
        return Ex(f"{base.code}.split({separator}).map(str::to_string).collect::<Vec<String>>()", list_of(STR))
    count = f"{own(w, ex(w, arguments[1]))} as usize + 1"
    if name == "split":
        return Ex(
            f"{base.code}.splitn({count}, {separator}).map(str::to_string).collect::<Vec<String>>()", list_of(STR)
        )
    parts = f"{base.code}.rsplitn({count}, {separator}).map(str::to_string).collect::<Vec<String>>()"
    return Ex(f"{{ let mut parts = {parts}; parts.reverse(); parts }}", list_of(STR))


@method("str", "splitlines")
def lines(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``splitlines``."""
    given(node, 0, 0)
    return Ex(f"{base.code}.lines().map(str::to_string).collect::<Vec<String>>()", list_of(STR))


@method("str", "partition", "rpartition")
def partitioned(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``partition``."""
    separator = text(_text(w, given(node, 1, 1)[0]))
    last = call_name(node) == "rpartition"
    name, nothing = (
        ("rsplit_once", "(String::new(), String::new(), whole)")
        if last
        else ("split_once", "(whole, String::new(), String::new())")
    )
    code = (
        f"{{ let whole = {own(w, base)}; match whole.{name}({separator}) {{ "
        f"Some((before, after)) => (before.to_string(), {separator}.to_string(), after.to_string()), None => {nothing} }} }}"
    )
    return Ex(code, Ty("tuple", (STR, STR, STR)))


@method("str", "replace")
def replaced(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``replace``."""
    arguments = given(node, 2, 3)
    had, has = (text(_text(w, one)) for one in arguments[:2])
    if len(arguments) == 3:
        return Ex(f"{base.code}.replacen({had}, {has}, {own(w, ex(w, arguments[2]))} as usize)", STR)
    return Ex(f"{base.code}.replace({had}, {has})", STR)


@method("str", "join")
def joined(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``join``."""
    (part,) = given(node, 1, 1)
    items = ex(w, part)
    if items.ty == STR or items.ty.name in ("set", "range", "dict"):
        items = as_list(w, items)
    if items.ty.name not in ("list", "?") or (items.ty.args and items.ty.args[0] not in (STR, OPEN)):
        raise Unsupported(f"line {node.lineno}: join of {items.ty.name}")
    return Ex(f"{items.code}.join({text(base)})", STR)


@method("str", "find", "rfind", "index", "count")
def found(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``find``, ``rfind``, ``index`` and ``count``."""
    (part,), name = given(node, 1, 1), call_name(node)
    wanted = text(_text(w, part))
    if name == "count":
        return Ex(f"({base.code}.matches({wanted}).count() as {w.int.name})", w.int)
    if name == "index":
        missing = (
            '.ok_or_else(|| "ValueError: substring not found".to_string())?'
            if w.can_fail
            else '.expect("ValueError: substring not found")'
        )
        return Ex(
            f"({base.code}.find({wanted}).map(|at| {base.code}[..at].chars().count()){missing} as {w.int.name})", w.int
        )
    return Ex(f"({w.need(f'python_{name}')}({text(base)}, {wanted}) as {w.int.name})", w.int)


@method("str", "ljust", "rjust", "center", "zfill")
def padded(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate padding."""
    arguments, name = given(node, 1, 2), call_name(node)
    width = f"{own(w, ex(w, arguments[0]))} as i64"
    if name == "zfill":
        return Ex(f"{w.need('python_zfill')}({text(base)}, {width})", STR)
    fill = text(_text(w, arguments[1])) if len(arguments) > 1 else '" "'
    side = {"ljust": "<", "rjust": ">", "center": "^"}[name]
    return Ex(f"{w.need('python_pad')}({text(base)}, {width}, {fill}, '{side}')", STR)


@method("str", "removeprefix", "removesuffix")
def without_affix(w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``removeprefix`` and ``removesuffix``."""
    part = text(_text(w, given(node, 1, 1)[0]))
    name = "strip_prefix" if call_name(node) == "removeprefix" else "strip_suffix"
    return Ex(f"{base.code}.{name}({part}).unwrap_or({text(base)}).to_string()", STR)


@method("str", "encode")
def encoded(_w: Writer, base: Ex, node: ast.Call) -> Ex:
    """Translate ``encode`` to UTF-8."""
    if any(not isinstance(one, ast.Constant) or one.value not in ("utf-8", "utf8", "ascii") for one in node.args):
        raise Unsupported("an encoding")
    return Ex(f"{base.code}.as_bytes().to_vec()", list_of(Ty("u8")))


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
