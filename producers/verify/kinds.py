"""What to put into a parameter: its kind, from the Python annotation and the Rust type together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from producers.verify.python_source import PythonType
from producers.verify.rust_types import HOLDERS, INT_RANGES, MAPS, PLAIN, SEQUENCES, SETS, TEXTUAL, RustType

MAX_DEPTH = 6
WIDE = (-(1 << 63), (1 << 63) - 1)
EXACT = (-(1 << 53), 1 << 53)  # integers that a float holds

_SCALARS = {"int": "int", "float": "float", "str": "str", "bool": "bool", "bytes": "bytes", "None": "none"}
_ONE = dict.fromkeys(("list", "List", "Sequence", "Iterable", "Collection", "MutableSequence", "Iterator"), "list")
_ONE |= dict.fromkeys(("set", "Set", "frozenset", "FrozenSet", "AbstractSet"), "set")
_TWO = dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"), "dict")
_ANY = ("Any", "object", "...", "")


class NoInputsError(ValueError):
    """No input can be made; the message says for what."""


@dataclass(frozen=True)
class Kind:
    """A kind of value; ``args`` are the kinds inside.

    One of ``int`` (within ``low`` to ``high``), ``float``, ``str``, ``char``, ``bool``, ``bytes``, ``none``, ``list``,
    ``set``, ``dict``, ``tuple``, ``union`` and ``any``.
    """

    name: str
    args: tuple[Kind, ...] = ()
    low: int = WIDE[0]
    high: int = WIDE[1]
    size: int | None = None  # of a list that Rust holds in an array


ANY = Kind("any")


def kind_of(python: PythonType | None, rust: RustType, depth: int = 0) -> Kind:
    """Return the kind of values for a parameter that Python annotates so (or not) and Rust types so.

    The annotation decides, within what the Rust type holds; without one the Rust type does. Raises ``NoInputsError``.
    """
    if depth > MAX_DEPTH:
        raise NoInputsError("its types are nested too deeply")
    if python is None or python.name in _ANY:
        return _from_rust(rust, depth)
    if python.name in _SCALARS:
        return _scalar(_SCALARS[python.name], rust)
    if python.name == "union":
        return Kind("union", tuple(kind_of(one, _member(one, rust), depth + 1) for one in python.args))
    return _container(python, rust, depth)


def _container(python: PythonType, rust: RustType, depth: int) -> Kind:
    inner = _inside(rust)
    if python.name in _ONE:
        arg = kind_of(python.args[0] if python.args else None, _at(inner, 0), depth + 1)
        return Kind(_ONE[python.name], (arg,), size=_size(rust))
    if python.name in _TWO:
        args = python.args if len(python.args) == 2 else (None, None)
        return Kind("dict", tuple(kind_of(one, _at(inner, at), depth + 1) for at, one in enumerate(args)))
    if python.name in ("tuple", "Tuple"):
        return _tuple(python, inner, rust, depth)
    raise NoInputsError(f"no inputs are made for {python.name}")


def _tuple(python: PythonType, inner: tuple[RustType, ...], rust: RustType, depth: int) -> Kind:
    if len(python.args) == 2 and python.args[1].name == "...":
        return Kind("list", (kind_of(python.args[0], _at(inner, 0), depth + 1),))
    if not python.args:
        return _from_rust(rust, depth)
    return Kind("tuple", tuple(kind_of(one, _at(inner, at), depth + 1) for at, one in enumerate(python.args)))


def _scalar(name: str, rust: RustType) -> Kind:
    kind = Kind(name)
    if name == "int":
        low, high = INT_RANGES.get(rust.name, EXACT if rust.name in ("f64", "f32") else WIDE)
        kind = replace(kind, low=max(low, WIDE[0]), high=min(high, WIDE[1]))
    if name == "str" and rust.name == "char":
        kind = Kind("char")
    return kind


def _from_rust(rust: RustType, depth: int) -> Kind:
    if rust.name in INT_RANGES:
        return _scalar("int", rust)
    if rust.name in _RUST_SCALARS:
        return Kind(_RUST_SCALARS[rust.name])
    args = tuple(_from_rust(arg, depth + 1) for arg in rust.args) if rust.name in _NESTED else ()
    if rust.name in _RUST_CONTAINERS:
        return Kind(_RUST_CONTAINERS[rust.name], args, size=_size(rust))
    if rust.name == "Option":
        return Kind("union", (*args, Kind("none")))
    if rust.name in HOLDERS and args:
        return args[0]
    raise NoInputsError(f"no inputs are made for {rust.text}")


def _inside(rust: RustType) -> tuple[RustType, ...]:
    """Return the arguments of the container, behind an Option or a Box around it."""
    while rust.name in ("Option", "Box", "Rc", "Arc") and rust.args:
        rust = rust.args[0]
    return rust.args


def _member(member: PythonType, rust: RustType) -> RustType:
    return rust if member.name == "None" or rust.name != "Option" or not rust.args else rust.args[0]


def _at(args: tuple[RustType, ...], at: int) -> RustType:
    """Return the argument, or a type that leaves the choice to the annotation."""
    return args[at] if at < len(args) else RustType("DepylerValue", text="DepylerValue")


def _size(rust: RustType) -> int | None:
    digits = rust.text.rpartition(";")[2].strip(" ]")
    return int(digits) if rust.name == "array" and digits.isdecimal() else None


_RUST_SCALARS = {
    "f32": "float",
    "f64": "float",
    "bool": "bool",
    "char": "char",
    "()": "none",
    "DepylerValue": "any",
    **dict.fromkeys(("str", "String", "Cow", *TEXTUAL), "str"),
}
_RUST_CONTAINERS = {
    "tuple": "tuple",
    **dict.fromkeys(SEQUENCES, "list"),
    **dict.fromkeys(SETS, "set"),
    **dict.fromkeys(MAPS, "dict"),
}
_NESTED = {*SEQUENCES, *SETS, *MAPS, *HOLDERS, "tuple"} - {"Cow"}
DECODABLE = {*PLAIN, *SEQUENCES, *SETS, *MAPS, *HOLDERS, "tuple", *TEXTUAL}
