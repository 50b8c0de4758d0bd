"""Functions and constants of ``math``: what lies outside their domain fails, as in Python."""

from __future__ import annotations

import ast

from models.repair.translate.builtin import argument
from models.repair.translate.methods import given
from models.repair.translate.types import BOOL, FLOAT, Ty, Unsupported
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer

_FLOAT_MATH = {
    "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "atan2", "hypot",
    "log2", "log10",
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
            f"({{ let (mut a, mut b): (i64, i64) = ({a}, {b}); while b != "
            f"0 {{ (a, b) = (b, a % b); }} a.abs() }} as {w.int.name})",
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
