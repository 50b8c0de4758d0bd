"""Values as Rust wants them: owned, lent, converted, taken out of options, or only true or false."""

from __future__ import annotations

from models.repair.translate.types import BOOL, DYN, FLOAT, NONE, STR, Ty, Unsupported
from models.repair.translate.writer import Ex, Writer


def own(w: Writer, one: Ex) -> str:
    """Return code that gives the value away."""
    if one.form == "value" or (w.is_copy(one.ty) and one.form == "place"):
        return one.code
    if one.form == "ref" and w.is_copy(one.ty):
        return f"(*{one.code})"
    if one.form == "ref" and one.ty == STR:
        return f"{one.code}.to_string()"
    return f"{one.code}.clone()"


def text(one: Ex) -> str:
    """Return code of a ``&str``."""
    if one.form == "ref":
        return one.code
    literal = one.code.removesuffix(".to_string()") if one.code.endswith('".to_string()') else ""
    if literal.startswith('"') and literal.count('"') - literal.count('\\"') == 2:
        return literal
    return f"{one.code}.as_str()"


def borrow(one: Ex) -> str:
    """Return code of a reference to the value."""
    if one.ty == STR:
        return text(one)
    return one.code if one.form == "ref" else f"&{one.code}"


def coerce(w: Writer, one: Ex, want: Ty) -> Ex:
    """Return ``one`` as a ``want``; raises ``Unsupported`` where that is no conversion Python would make or need."""
    if want.name == "?" or one.ty == want or one.ty.name == "?":
        return one
    if want.name == "float" and one.ty.is_int:
        return Ex(f"({one.code} as f64)", FLOAT)
    if want.is_number and one.ty == BOOL:
        return Ex(f"({one.code} as i32 as {w.rust(want)})", want)
    if want.is_int and one.ty.is_int:
        return Ex(f"({one.code} as {want.name})", want)
    if want.name == "option":
        if one.ty == NONE:
            return Ex("None", want)
        if one.ty.name != "option":
            return Ex(f"Some({own(w, coerce(w, one, want.args[0]))})", want)
    if one.ty.name == "option" and want.name not in ("option", "none", "dyn"):
        return coerce(w, unwrapped(w, one), want)
    if want == DYN:
        return Ex(_dynamic(w, one), DYN)
    if want.name == one.ty.name and len(want.args) == len(one.ty.args):
        return _inside(w, one, want)
    raise Unsupported(f"{one.ty.name} where {want.name} is needed")


def unwrapped(w: Writer, one: Ex) -> Ex:
    """Return the value inside an option; ``None`` fails, as using it does in Python."""
    inner = one.ty.args[0]
    said = '.expect("TypeError: None")'
    if one.form == "value" or w.is_copy(one.ty):
        return Ex(f"{one.code}{said}", inner)
    return (
        Ex(f"{one.code}.as_ref(){said}", inner, "ref")
        if inner != STR
        else Ex(f"{one.code}.as_deref(){said}", inner, "ref")
    )


def _inside(w: Writer, one: Ex, want: Ty) -> Ex:
    """Return a container whose items are converted."""
    pairs = list(zip(one.ty.args, want.args, strict=True))
    if all(have == need or have.name == "?" or need.name == "?" for have, need in pairs):
        return one
    if want.name in ("list", "set", "option"):
        item = coerce(w, Ex("item", pairs[0][0]), pairs[0][1])
        how = (
            f"into_iter().map(|item| {own(w, item)}).collect::<{w.rust(want)}>()"
            if want.name != "option"
            else f"map(|item| {own(w, item)})"
        )
        return Ex(f"{own(w, one)}.{how}", want)
    if want.name == "dict":
        key, value = (
            coerce(w, Ex(name, have), need) for name, (have, need) in zip(("key", "value"), pairs, strict=True)
        )
        return Ex(
            f"{own(w, one)}.into_iter().map(|(key, value)| ({own(w, key)}, "
            f"{own(w, value)})).collect::<{w.rust(want)}>()",
            want,
        )
    if want.name == "tuple":
        parts = [own(w, coerce(w, Ex(f"item.{at}", have), need)) for at, (have, need) in enumerate(pairs)]
        return Ex(f"{{ let item = {own(w, one)}; ({', '.join(parts)},) }}", want)
    raise Unsupported(f"{one.ty.name} of other parts")


def _dynamic(w: Writer, one: Ex) -> str:
    """Return code of depyler's dynamic value."""
    kinds = {"float": "Float", "bool": "Bool", "str": "Str"}
    if one.ty == NONE:
        return "DepylerValue::None"
    if one.ty.is_int:
        return f"DepylerValue::Int({one.code} as i64)"
    if one.ty.name in kinds:
        return f"DepylerValue::{kinds[one.ty.name]}({own(w, one)})"
    if one.ty.name == "list":
        item = _dynamic(w, Ex("item", one.ty.args[0]))
        return f"DepylerValue::List({own(w, one)}.into_iter().map(|item| {item}).collect())"
    if one.ty.name == "dict":
        key, value = (_dynamic(w, Ex(name, ty)) for name, ty in zip(("key", "value"), one.ty.args, strict=True))
        return f"DepylerValue::Dict({own(w, one)}.into_iter().map(|(key, value)| ({key}, {value})).collect())"
    if one.ty == DYN:
        return own(w, one)
    if one.ty.name == "option":
        inner = _dynamic(w, Ex("item", one.ty.args[0]))
        return f"{own(w, one)}.map_or(DepylerValue::None, |item| {inner})"
    if one.ty.name == "tuple":
        parts = ", ".join(_dynamic(w, Ex(f"item.{at}", ty)) for at, ty in enumerate(one.ty.args))
        return f"{{ let item = {own(w, one)}; DepylerValue::Tuple(vec![{parts}]) }}"
    raise Unsupported(f"{one.ty.name} as a dynamic value")


def truth(w: Writer, one: Ex) -> str:
    """Return the condition that a value is true in Python."""
    name = one.ty.name
    if name == "bool":
        return own(w, one)
    if one.ty.is_int:
        return f"({one.code} != 0)"
    if name == "float":
        return f"({one.code} != 0.0)"
    if name in ("str", "list", "dict", "set"):
        return f"(!{one.code}.is_empty())"
    if name == "option":
        if one.ty.args[0].name in ("str", "list", "dict", "set"):
            return f"{one.code}.as_ref().is_some_and(|item| !item.is_empty())"
        inner = one.ty.args[0]
        return (
            f"{one.code}.is_some()"
            if not inner.is_number and inner != BOOL
            else f"{one.code}.is_some_and(|item| {truth(w, Ex('item', inner))})"
        )
    if name == "none":
        return "false"
    if (
        name in w.program.infos
        and "__len__" not in w.program.infos[name].methods
        and "__bool__" not in w.program.infos[name].methods
    ):
        return "true"
    if name == "?":
        return "true" if not w.final else _refuse("truth of an unknown type")
    raise Unsupported(f"truth of {name}")


def _refuse(why: str) -> str:
    raise Unsupported(why)
