"""What Python prints of a value: ``str``, ``repr``, f-strings and their format specifications."""

from __future__ import annotations

import ast
import re

from models.repair.translate.types import BOOL, FLOAT, STR, Ty, Unsupported
from models.repair.translate.values import coerce, own, text
from models.repair.translate.writer import Ex, Writer, ex, expression

_SPEC = re.compile(
    r"(?:(?P<fill>.)?(?P<align>[<>^]))?(?P<sign>[+ ]?)(?P<alt>#?)(?P<zero>0?)(?P<width>\d*)(?P<group>[,_]?)"
    r"(?:\.(?P<precision>\d+))?(?P<type>[sdfxXbo%eF]?)\Z"
)


def shown(w: Writer, one: Ex) -> str:
    """Return code that Rust's ``{}`` writes as Python's ``str`` would."""
    name = one.ty.name
    if one.ty == STR or one.ty.is_int or name in {"?", "dyn"}:
        return one.code
    if name == "none":
        return '"None"'
    if name == "bool":
        return f"{w.need('python_bool')}({own(w, one)})"
    if name == "float":
        return f"{w.need('python_float')}({own(w, one)})"
    info = w.program.infos.get(name)
    if info is not None and ("__str__" in info.methods or info.kind == "enum"):
        return one.code if info.kind != "enum" else f"{one.code}.python_str()"
    return represented(w, one)


def represented(w: Writer, one: Ex) -> str:
    """Return code that Rust's ``{}`` writes as Python's ``repr`` would."""
    name = one.ty.name
    if one.ty == STR:
        return f"{w.need('python_repr')}({text(one)})"
    if name == "option":
        inner = Ex("item", one.ty.args[0], "ref")
        return f'{one.code}.as_ref().map_or("None".to_string(), |item| {represented(w, inner)}.to_string())'
    if name in ("list", "set"):
        item = Ex("item", one.ty.args[0], "ref")
        items = f'{one.code}.iter().map(|item| {represented(w, item)}.to_string()).collect::<Vec<String>>().join(", ")'
        return f'format!("{"[{}]" if name == "list" else "{{{}}}"}", {items})'
    if name == "dict":
        key, value = (
            represented(w, Ex(each, ty, "ref")) for each, ty in zip(("key", "value"), one.ty.args, strict=True)
        )
        pairs = f'{one.code}.iter().map(|(key, value)| format!("{{}}: {{}}", {key}, {value})).collect::<Vec<String>>()'
        return f'format!("{{{{{{}}}}}}", {pairs}.join(", "))'
    if name == "tuple":
        places = ", ".join("{}" for _ in one.ty.args) + ("," if len(one.ty.args) == 1 else "")
        parts = (represented(w, Ex(f"{one.code}.{at}", ty, "place")) for at, ty in enumerate(one.ty.args))
        return f'format!("({places})", {", ".join(parts)})'
    if name in w.program.infos:
        return _object(w, one)
    return shown(w, one)


def _object(w: Writer, one: Ex) -> str:
    info = w.program.infos[one.ty.name]
    if "__repr__" in info.methods:
        return f"{one.code}.python_repr()"
    if info.kind != "struct" or not info.dataclass:
        raise Unsupported(f"the text of a {one.ty.name}")
    names = ", ".join(f"{name}={{}}" for name in info.fields)
    values = (represented(w, Ex(f"{one.code}.{w.rust_name(name)}", ty, "place")) for name, ty in info.fields.items())
    return f'format!("{one.ty.name}({names})", {", ".join(values)})'


@expression(ast.JoinedStr)
def joined(w: Writer, node: ast.JoinedStr, _want: Ty) -> Ex:
    """Translate an f-string."""
    template, values = [], []
    for part in node.values:
        if isinstance(part, ast.Constant):
            from models.repair.translate.expressions import literal

            template.append(
                literal(str(part.value))[1:-1].replace("\\u{", "\\u\0").replace("{", "{{").replace("}", "}}")
            )
            template[-1] = re.sub(r"\\u\0([0-9a-f]+)\}\}", r"\\u{\1}", template[-1])
        elif isinstance(part, ast.FormattedValue):
            place, value = formatted(w, part)
            template.append(place)
            values.append(value)
    return Ex(f'format!("{"".join(template)}"{"".join(f", {one}" for one in values)})', STR)


def formatted(w: Writer, part: ast.FormattedValue) -> tuple[str, str]:
    """Return the placeholder and the value of a replacement field."""
    value = ex(w, part.value)
    if part.conversion == ord("r"):
        return "{}", represented(w, value)
    if part.conversion not in (-1, ord("s")):
        raise Unsupported("a conversion in an f-string")
    if part.format_spec is None:
        return "{}", shown(w, value)
    spec = part.format_spec
    if not (isinstance(spec, ast.JoinedStr) and all(isinstance(one, ast.Constant) for one in spec.values)):
        raise Unsupported("a computed format")
    return with_spec(w, value, "".join(str(one.value) for one in spec.values if isinstance(one, ast.Constant)))


def with_spec(w: Writer, value: Ex, spec: str) -> tuple[str, str]:
    """Return the placeholder and the value for a format specification."""
    found = _SPEC.match(spec)
    kind = value.ty
    if (
        found is None
        or (kind.name not in ("float", "str", "bool", "?") and not kind.is_int)
        or found["sign"] == " "
        or found["alt"]
    ):
        raise Unsupported(f"format {spec!r} of {kind.name}")
    align = f"{found['fill'] or ''}{found['align'] or ''}"
    width = f"{'0' if found['zero'] and not align else ''}{found['width']}"
    type_ = found["type"]
    if kind == BOOL or (kind.is_int and type_ in ("s",)):
        raise Unsupported(f"format {spec!r} of {kind.name}")
    digits = f".{found['precision']}" if found["precision"] else ".6" if type_ in ("f", "F", "%") else ""
    if (
        type_ == "e"
        or (kind == FLOAT and not digits and (type_ or found["group"]))
        or (kind.is_int and digits and type_ not in ("f", "F", "%"))
    ):
        raise Unsupported(f"format {spec!r} of {kind.name}")
    code = value.code
    if type_ in ("f", "F", "%"):
        code = own(w, coerce(w, value, FLOAT))
    if type_ == "%":
        return f"{{:{align}{width}}}", f'format!("{{:{digits}}}%", {code} * 100.0)'
    if kind == FLOAT and not digits:
        return f"{{:{align or '>'}{width}}}", shown(w, value)
    base = type_ if type_ in ("x", "X", "b", "o") else ""
    if found["group"]:
        plain = f'format!("{{:{found["sign"]}{digits}}}", {code})'
        return f"{{:{align or '>'}{width}}}", f"{w.need('python_grouped')}(&{plain}, '{found['group']}')"
    return f"{{:{align}{found['sign']}{width}{digits}{base}}}", code
