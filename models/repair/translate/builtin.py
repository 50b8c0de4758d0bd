"""Python's built-in functions, and those of ``math``."""

from __future__ import annotations

import ast
from collections.abc import Callable

from models.repair.translate.comprehensions import bind, quantified, scope, summed
from models.repair.translate.methods import given
from models.repair.translate.shown import represented, shown
from models.repair.translate.types import BOOL, FLOAT, NONE, OPEN, STR, Ty, Unsupported, list_of
from models.repair.translate.values import coerce, own, text, truth, unwrapped
from models.repair.translate.writer import Ex, Writer, ex, expression

Builtin = Callable[[Writer, ast.Call, Ty], Ex]
BUILTINS: dict[str, Builtin] = {}


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


@builtin("print")
def print_(w: Writer, node: ast.Call, _want: Ty) -> Ex:
    """Translate ``print`` to either stream."""
    known = {one.arg: one.value for one in node.keywords}
    if set(known) - {"sep", "end", "file", "flush"} or any(isinstance(one, ast.Starred) for one in node.args):
        raise Unsupported(f"line {node.lineno}: arguments of print")
    to_errors = "file" in known
    if to_errors and ast.unparse(known["file"]) not in ("sys.stderr", "stderr"):
        raise Unsupported("print into a file")
    constants = {name: one for name, one in known.items() if isinstance(one, ast.Constant)}
    plain: dict[str, object] = {name: constants[name].value for name in ("sep", "end") if name in constants}
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
        f'{{ let number: i64 = {code}; format!("{{}}0{sign}{{:{sign}}}", '
        'if number < 0 { "-" } else { "" }, number.unsigned_abs()) }',
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
