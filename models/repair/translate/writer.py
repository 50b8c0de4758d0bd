"""What a function's translation knows and writes: variables with their types, lines of Rust, helpers it needs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models.repair.translate.types import BOOL, DYN, FLOAT, NONE, OPEN, STR, Classes, Ty, Unsupported, join

RUST_WORDS = frozenset(
    [
        "as",
        "async",
        "await",
        "box",
        "break",
        "const",
        "continue",
        "crate",
        "dyn",
        "else",
        "enum",
        "extern",
        "false",
        "fn",
        "for",
        "gen",
        "if",
        "impl",
        "in",
        "let",
        "loop",
        "match",
        "mod",
        "move",
        "mut",
        "pub",
        "ref",
        "return",
        "self",
        "static",
        "struct",
        "super",
        "trait",
        "true",
        "try",
        "type",
        "typeof",
        "unsafe",
        "use",
        "where",
        "while",
        "yield",
        "abstract",
        "become",
        "do",
        "final",
        "macro",
        "override",
        "priv",
        "unsized",
        "virtual",
    ]
)
MAX_DEPTH = 60  # of nested expressions


@dataclass(frozen=True)
class Ex:
    """A Rust expression: ``form`` is ``value`` (owned, used once), ``place`` (owned by a variable), or ``ref``."""

    code: str
    ty: Ty
    form: str = "value"


@dataclass
class Parameter:
    """A parameter: its type, how it is passed (``value``, ``ref``, ``mut``), and Python's default."""

    name: str
    ty: Ty
    mode: str
    default: ast.expr | None = None
    rust: str = ""


@dataclass
class Signature:
    """How a function is called; ``fails``: it returns ``Result<ty, Box<dyn Error>>``; ``text``: its head in Rust."""

    name: str
    parameters: list[Parameter]
    answer: Ty
    fails: bool = False
    receiver: str = ""  # of a method: &self, &mut self
    text: str = ""
    spread: str = ""  # the Python parameter whose attributes the emitted parameters are


@dataclass
class ClassInfo:
    """A class: its fields in order, its methods, what kind it is: ``struct``, ``enum`` or ``error``."""

    name: str
    kind: str
    fields: dict[str, Ty] = field(default_factory=dict)
    defaults: dict[str, ast.expr] = field(default_factory=dict)
    methods: dict[str, Signature] = field(default_factory=dict)
    properties: set[str] = field(default_factory=set)
    statics: set[str] = field(default_factory=set)
    members: dict[str, ast.expr] = field(default_factory=dict)
    init: list[Parameter] | None = None
    dataclass: bool = False


@dataclass
class Program:
    """What functions may refer to: other functions, classes, constants; and the modules that are imported."""

    classes: Classes
    functions: dict[str, Signature] = field(default_factory=dict)
    infos: dict[str, ClassInfo] = field(default_factory=dict)
    constants: dict[str, Ex] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)  # local name to what is imported
    helpers: set[str] = field(default_factory=set)
    command_line: Any = None  # a ``CommandLine`` where the program has one that is understood


@dataclass
class Writer:
    """One function being translated. The body is written several times: until its variables' types stand still."""

    program: Program
    answer: Ty
    fails: bool = False
    vars: dict[str, Ty] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)  # place, ref, mutref; of variables
    rust_names: dict[str, str] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    final: bool = False
    changed: bool = False
    answers: list[Ty] = field(default_factory=list)
    closures: int = 0  # depth: where ? and return would leave the closure only
    flow: str = ""  # how a return leaves: "" plainly, or the name of the enclosing try
    owner: ClassInfo | None = None
    spread: str = ""
    loops: int = 0  # depth, inside the innermost try
    caught: bool = False  # in a handler
    mutated: set[str] = field(default_factory=set)  # variables whose objects are changed in place
    assigned: set[str] = field(default_factory=set)  # variables that are assigned more than once
    names: int = 0
    depth: int = 0

    def put(self, line: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.indent + line)

    def fresh(self, stem: str) -> str:
        """Return a name that nothing else has."""
        self.names += 1
        return f"{stem}_{self.names}"

    def need(self, helper: str) -> str:
        """Return the name of a helper function, which the program then gets."""
        self.program.helpers.add(helper)
        return helper

    def rust_name(self, name: str) -> str:
        """Return the Rust name of a variable or field."""
        if name in self.rust_names:
            return self.rust_names[name]
        return f"{name}_" if name in ("self", "crate", "super", "_") else f"r#{name}" if name in RUST_WORDS else name

    @property
    def int(self) -> Ty:
        """Return the type of an ``int``."""
        return Ty(self.program.classes.width)

    def is_copy(self, ty: Ty) -> bool:
        """Return whether the type is copied."""
        return self.program.classes.is_copy(ty)

    def learn(self, name: str, ty: Ty) -> Ty:
        """Take in that variable ``name`` holds a ``ty``; return its type by all that is known."""
        known = self.vars.get(name, OPEN)
        joined = join(known, ty)
        if joined != known:
            self.vars[name] = joined
            self.changed = True
        return joined

    def rust(self, ty: Ty) -> str:
        """Return a type in Rust; while types are still being found, whatever is open is ``_``."""
        return self.program.classes.rust(ty) if self.final or ty.known else "_"

    @property
    def can_fail(self) -> bool:
        """Return whether ``?`` works here."""
        return self.fails and not self.closures

    @contextmanager
    def capture(self) -> Iterator[list[str]]:
        """Let what is written go into a list of its own."""
        kept, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = kept


Handler = Callable[[Writer, Any, Ty], Ex]
EXPRESSIONS: dict[type[ast.expr], Handler] = {}
STATEMENTS: dict[type[ast.stmt], Callable[[Writer, Any], None]] = {}


def expression(*kinds: type[ast.expr]) -> Callable[[Handler], Handler]:
    """Register the translation of expressions of these kinds."""

    def register(handler: Handler) -> Handler:
        EXPRESSIONS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def statement(*kinds: type[ast.stmt]) -> Callable[[Callable[[Writer, Any], None]], Callable[[Writer, Any], None]]:
    """Register the translation of statements of these kinds."""

    def register(handler: Callable[[Writer, Any], None]) -> Callable[[Writer, Any], None]:
        STATEMENTS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def ex(w: Writer, node: ast.expr, want: Ty = OPEN) -> Ex:
    """Return the translation of ``node``; ``want`` is a hint for what has no type of its own."""
    handler = EXPRESSIONS.get(type(node))
    w.depth += 1
    if handler is None or w.depth > MAX_DEPTH:
        raise Unsupported(f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:80]}")
    try:
        return handler(w, node, want)
    finally:
        w.depth -= 1


def block(w: Writer, body: list[ast.stmt]) -> None:
    """Write statements, one deeper."""
    w.indent += 1
    for node in body:
        handler = STATEMENTS.get(type(node))
        if handler is None:
            raise Unsupported(f"line {node.lineno}: {type(node).__name__}")
        handler(w, node)
    w.indent -= 1


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
            f"{own(w, one)}.into_iter().map(|(key, value)| ({own(w, key)}, {own(w, value)})).collect::<{w.rust(want)}>()",
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
