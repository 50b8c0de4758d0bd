"""Methods of Python's built-in types."""

from __future__ import annotations

import ast
from collections.abc import Callable

from models.repair.translate.containers import as_list
from models.repair.translate.types import BOOL, OPEN, STR, Ty, Unsupported, list_of
from models.repair.translate.values import coerce, own, text
from models.repair.translate.writer import Ex, Writer, ex

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
        f"Some((before, after)) => (before.to_string(), "
        f"{separator}.to_string(), after.to_string()), None => {nothing} }} }}"
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
