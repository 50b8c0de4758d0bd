"""What a function's translation knows and writes: variables with their types, lines of Rust, helpers it needs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models.repair.translate.types import OPEN, Classes, Ty, Unsupported, join

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
    changing: bool = False  # the place that is being written will be changed
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


def to_change(w: Writer, node: ast.expr) -> Ex:
    """Return the translation of a place that is then changed: its elements are lent so that they can be."""
    kept, w.changing = w.changing, True
    try:
        return ex(w, node)
    finally:
        w.changing = kept


def block(w: Writer, body: list[ast.stmt]) -> None:
    """Write statements, one deeper."""
    w.indent += 1
    for node in body:
        handler = STATEMENTS.get(type(node))
        if handler is None:
            raise Unsupported(f"line {node.lineno}: {type(node).__name__}")
        handler(w, node)
    w.indent -= 1
