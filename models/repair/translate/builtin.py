"""Python's built-in functions, and those of ``math``."""

from __future__ import annotations

import ast
from collections.abc import Callable

from models.repair.translate.comprehensions import bind, quantified, scope, summed
from models.repair.translate.containers import as_list, iterated
from models.repair.translate.methods import given
from models.repair.translate.shown import represented, shown
from models.repair.translate.types import BOOL, FLOAT, NONE, OPEN, STR, Ty, Unsupported, join, list_of
from models.repair.translate.writer import Ex, Writer, coerce, ex, expression, own, text, truth, unwrapped

Builtin = Callable[[Writer, ast.Call, Ty], Ex]
BUILTINS: dict[str, Builtin] = {}
_FLOAT_MATH = {
    "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "atan2", "hypot", "log2", "log10",
    "fabs", "degrees", "radians",
}  # fmt: skip
_RENAMED = {"fabs": "abs", "degrees": "to_degrees", "radians": "to_radians"}
_DOMAIN = {
    "sqrt": "{0} < 0.0",
    "log2": "{0} <= 0.0",
    "log10": "{0} <= 0.0",
    "log": "{0} <= 0.0",
    "asin": "!(-1.0..=1.0).contains(&{0})",
    "acos": "!(-1.0..=1.0).contains(&{0})",
}
CONSTANTS = {
    "pi": "std::f64::consts::PI",
    "e": "std::f64::consts::E",
    "tau": "std::f64::consts::TAU",
    "inf": "f64::INFINITY",
    "nan": "f64::NAN",
}


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    """Register the translation of a built-in function."""

    def register(function: Builtin) -> Builtin:
        BUILTINS.update(dict.fromkeys(names, function))
        return function

    return register


def failing(w: Writer, call: str) -> str:
    """Return a call of a helper that returns a ``Result``."""
    return f"{call}?" if w.can_fail else f"{call}.unwrap()"


def argument(w: Writer, node: ast.expr, want: Ty = OPEN) -> Ex:
    """Return an argument, taken out of an option."""
    one = ex(w, node, want)
    return unwrapped(w, one) if one.ty.name == "option" else one


@builtin("len")
def length(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``len``."""
    one = argument(w, given(node, 1, 1)[0])
    if one.ty == STR:
        return Ex(f"({one.code}.chars().count() as {w.int.name})", w.int)
    if one.ty.name in ("list", "dict", "set", "?"):
        return Ex(f"({one.code}.len() as {w.int.name})", w.int)
    if one.ty.name == "tuple":
        return Ex(f"{len(one.ty.args)}{w.int.name}", w.int)
    info = w.program.infos.get(one.ty.name)
    if info and "__len__" in info.methods:
        return Ex(f"{one.code}.len()", info.methods["__len__"].answer)
    raise Unsupported(f"len of {one.ty.name}")


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


@builtin("print")
def print_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``print`` to either stream."""
    known = {one.arg: one.value for one in node.keywords}
    if set(known) - {"sep", "end", "file", "flush"} or any(isinstance(one, ast.Starred) for one in node.args):
        raise Unsupported(f"line {node.lineno}: arguments of print")
    to_errors = "file" in known
    if to_errors and ast.unparse(known["file"]) not in ("sys.stderr", "stderr"):
        raise Unsupported("print into a file")
    plain = {name: known[name].value for name in ("sep", "end") if isinstance(known.get(name), ast.Constant)}
    if len(plain) != len(set(known) & {"sep", "end"}):
        raise Unsupported("a computed sep or end")
    from models.repair.translate.expressions import literal

    sep, end = (str(plain.get(name, default)) for name, default in (("sep", " "), ("end", "\n")))
    fields = literal(sep.join("\0" for _ in node.args) + (end if end != "\n" else ""))
    template = fields.replace("{", "{{").replace("}", "}}").replace("\\0", "{}")
    values = "".join(f", {shown(w, ex(w, one))}" for one in node.args)
    macro = f"{'e' if to_errors else ''}print{'ln' if end == chr(10) else ''}!"
    return Ex(f"{macro}({template}{values})" if node.args or end != "\n" else f"{macro}()", NONE)


@builtin("str", "repr")
def str_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``str`` and ``repr``."""
    one = ex(w, given(node, 1, 1)[0])
    code = represented(w, one) if isinstance(node.func, ast.Name) and node.func.id == "repr" else shown(w, one)
    if code.startswith("format!("):
        return Ex(code, STR)
    return Ex(f"{code}.to_string()", STR)


@builtin("int")
def int_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``int``: cut towards zero, or read from text."""
    parts = [argument(w, one) for one in given(node, 0, 2)]
    if not parts:
        return Ex(f"0{w.int.name}", w.int)
    one = parts[0]
    if one.ty == STR:
        call = (
            f"{w.need('python_int')}({text(one)})"
            if len(parts) == 1
            else f"{w.need('python_radix')}({text(one)}, {own(w, parts[1])} as u32)"
        )
        return Ex(f"({failing(w, call)} as {w.int.name})", w.int)
    if one.ty.name not in ("float", "bool", "?") and not one.ty.is_int:
        raise Unsupported(f"int of {one.ty.name}")
    return Ex(f"({own(w, one)} as {w.int.name})", w.int)


@builtin("float")
def float_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``float``."""
    one = argument(w, given(node, 1, 1)[0])
    if isinstance(node.args[0], ast.Constant) and node.args[0].value in ("inf", "-inf", "nan"):
        return Ex(
            {"inf": "f64::INFINITY", "-inf": "f64::NEG_INFINITY", "nan": "f64::NAN"}[str(node.args[0].value)], FLOAT
        )
    if one.ty == STR:
        return Ex(failing(w, f"{w.need('python_to_float')}({text(one)})"), FLOAT)
    return Ex(own(w, coerce(w, one, FLOAT)), FLOAT)


@builtin("bool")
def bool_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``bool``."""
    return Ex(truth(w, ex(w, given(node, 1, 1)[0])), BOOL)


@builtin("abs")
def abs_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``abs``."""
    one = argument(w, given(node, 1, 1)[0])
    if not one.ty.is_number and one.ty.name != "?":
        raise Unsupported(f"abs of {one.ty.name}")
    return Ex(f"({own(w, one)}).abs()", one.ty)


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
        found = f"{{ let key = {given_key}; {code}.into_iter().reduce(|first, other| if key(&other) {sign} key(&first) {{ other }} else {{ first }}) }}"
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


@builtin("sum")
def sum_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``sum``."""
    parts = given(node, 1, 2)
    return summed(w, parts[0], ex(w, parts[1]) if len(parts) > 1 else None)


@builtin("any", "all")
def quantified_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``any`` and ``all``."""
    every = isinstance(node.func, ast.Name) and node.func.id == "all"
    return quantified(w, given(node, 1, 1)[0], every=every)


@builtin("round")
def round_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``round``: half to even."""
    parts = [argument(w, one) for one in given(node, 1, 2)]
    if parts[0].ty.is_int:
        return parts[0] if len(parts) == 1 else Ex(own(w, parts[0]), parts[0].ty)
    value = own(w, coerce(w, parts[0], FLOAT))
    if len(parts) == 1:
        return Ex(f"(({value}).round_ties_even() as {w.int.name})", w.int)
    return Ex(f"{w.need('python_round')}({value}, {own(w, parts[1])} as i32)", FLOAT)


@builtin("ord", "chr")
def coded(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``ord`` and ``chr``."""
    one = argument(w, given(node, 1, 1)[0])
    if isinstance(node.func, ast.Name) and node.func.id == "ord":
        helper = w.need("python_ord")
        return Ex(f"({failing(w, f'{helper}({text(one)})')} as {w.int.name})", w.int)
    return Ex(failing(w, f"{w.need('python_chr')}({own(w, one)} as i64)"), STR)


@builtin("hex", "bin", "oct")
def radix(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``hex``, ``bin`` and ``oct``."""
    one = argument(w, given(node, 1, 1)[0])
    sign = {"hex": "x", "bin": "b", "oct": "o"}[node.func.id if isinstance(node.func, ast.Name) else ""]
    code = own(w, coerce(w, one, Ty("i64")))
    return Ex(
        f'{{ let number: i64 = {code}; format!("{{}}0{sign}{{:{sign}}}", if number < 0 {{ "-" }} else {{ "" }}, number.unsigned_abs()) }}',
        STR,
    )


@builtin("divmod")
def divmod_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``divmod``."""
    left, right = given(node, 2, 2)
    parts = [
        ex(w, ast.copy_location(ast.BinOp(left=left, op=op, right=right), node)) for op in (ast.FloorDiv(), ast.Mod())
    ]
    return Ex(f"({', '.join(own(w, one) for one in parts)})", Ty("tuple", tuple(one.ty for one in parts)))


@builtin("isinstance")
def isinstance_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``isinstance`` where the type decides."""
    one, kinds = given(node, 2, 2)
    value = ex(w, one)
    names = [ast.unparse(each) for each in (kinds.elts if isinstance(kinds, ast.Tuple) else [kinds])]
    own_name = w.int.name
    mine = {
        "float": "float",
        "bool": "bool",
        "str": "str",
        "list": "list",
        "dict": "dict",
        "set": "set",
        own_name: "int",
    }
    if value.ty.name not in mine and value.ty.name not in w.program.infos:
        raise Unsupported(f"isinstance of {value.ty.name}")
    name = mine.get(value.ty.name, value.ty.name)
    return Ex("true" if name in names or (name == "bool" and "int" in names) else "false", BOOL)


def math_call(w: Writer, name: str, node: ast.Call) -> Ex:
    """Return the code of a function of ``math``; what lies outside its domain fails, as in Python."""
    if name in ("floor", "ceil", "trunc"):
        one = argument(w, given(node, 1, 1)[0])
        return one if one.ty.is_int else Ex(f"({own(w, one)}.{name}() as {w.int.name})", w.int)
    parts = [own(w, coerce(w, argument(w, one), FLOAT)) for one in given(node, 1, 2)]
    if name in ("isnan", "isinf", "isfinite"):
        return Ex(f"{parts[0]}.{ {'isnan': 'is_nan', 'isinf': 'is_infinite', 'isfinite': 'is_finite'}[name] }()", BOOL)
    if name == "pow":
        return Ex(f"{parts[0]}.powf({parts[1]})", FLOAT)
    if name == "log":
        call = "value.ln()" if len(parts) == 1 else f"(value.ln() / ({parts[1]}).ln())"
        return _in_domain(w, name, parts[0], call)
    if name in _FLOAT_MATH:
        call = f"value.{_RENAMED.get(name, name)}({', '.join(parts[1:])})"
        return _in_domain(w, name, parts[0], call)
    if name == "gcd":
        a, b = (own(w, coerce(w, argument(w, one), Ty("i64"))) for one in given(node, 2, 2))
        return Ex(
            f"({{ let (mut a, mut b): (i64, i64) = ({a}, {b}); while b != 0 {{ (a, b) = (b, a % b); }} a.abs() }} as {w.int.name})",
            w.int,
        )
    raise Unsupported(f"math.{name}")


def _in_domain(w: Writer, name: str, value: str, call: str) -> Ex:
    outside = _DOMAIN.get(name)
    if outside is None:
        return Ex(f"{{ let value: f64 = {value}; {call} }}", FLOAT)
    said = '"ValueError: math domain error"'
    leave = f"return Err({said}.into())" if w.can_fail else f"panic!({said})"
    return Ex(f"{{ let value: f64 = {value}; if {outside.format('value')} {{ {leave}; }} {call} }}", FLOAT)


@expression(ast.Lambda)
def lambda_(w: Writer, node: ast.Lambda, want: Ty) -> Ex:
    """Translate a lambda where the types of its arguments are known."""
    names = [one.arg for one in node.args.args]
    if want.name != "fn" or len(want.args) != len(names) + 1:
        raise Unsupported(f"line {node.lineno}: a lambda of unknown type")
    w.closures += 1
    with scope(w, set(names)):
        patterns = [
            f"{bind(w, ast.Name(id=name), ty)}: {w.rust(ty)}" for name, ty in zip(names, want.args, strict=False)
        ]
        body = own(w, coerce(w, ex(w, node.body, want.args[-1]), want.args[-1]))
    w.closures -= 1
    return Ex(f"(|{', '.join(patterns)}| {body})", want)


def as_list_of(item: Ty) -> Ty:
    """Return the list type of an item."""
    return list_of(item)
