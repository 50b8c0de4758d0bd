"""Types as the translation sees them: from Python annotations, from Rust signatures, and back to Rust."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

INTEGERS = ("i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize")
_NAMES = {"list": "Vec", "dict": "std::collections::HashMap", "set": "std::collections::HashSet", "option": "Option"}
_ANNOTATED = {
    "List": "list", "Sequence": "list", "Iterable": "list", "MutableSequence": "list", "Dict": "dict",
    "Mapping": "dict", "MutableMapping": "dict", "defaultdict": "dict", "OrderedDict": "dict", "Set": "set",
    "FrozenSet": "set", "frozenset": "set", "Tuple": "tuple", "Iterator": "list", "Collection": "list",
    "Deque": "list", "deque": "list", "AbstractSet": "set", "Counter": "dict",
}  # fmt: skip
_RUST_WORD = re.compile(r"'\w+|[\w:]+|->|[<>(),&\[\];]")


class Unsupported(Exception):  # noqa: N818 - a refusal, not an error
    """Python that is not translated; the message says what and where."""


@dataclass(frozen=True)
class Ty:
    """A type by name and arguments.

    ``name``: an integer type of Rust, ``float``, ``bool``, ``str``, ``none``, ``list``, ``dict``, ``set``, ``tuple``,
    ``option``, ``dyn`` (depyler's value), ``fn`` (arguments, then answer), ``?`` (not known yet), or a class.
    """

    name: str
    args: tuple[Ty, ...] = ()

    @property
    def is_int(self) -> bool:
        """Return whether it is an integer."""
        return self.name in INTEGERS

    @property
    def is_number(self) -> bool:
        """Return whether it is an integer or a float."""
        return self.is_int or self.name == "float"

    @property
    def known(self) -> bool:
        """Return whether nothing in it is open."""
        return self.name != "?" and all(one.known for one in self.args)

    def walk(self) -> list[Ty]:
        """Return the type and everything inside it."""
        return [self, *(inner for one in self.args for inner in one.walk())]


OPEN, FLOAT, BOOL, STR, NONE, DYN = (Ty(name) for name in ("?", "float", "bool", "str", "none", "dyn"))

MUTABLE = ("list", "dict", "set")


def list_of(item: Ty) -> Ty:
    """Return the type of a list."""
    return Ty("list", (item,))


def option_of(inner: Ty) -> Ty:
    """Return the type of what may be ``None``; of an option, itself."""
    return inner if inner.name in ("option", "none") else Ty("option", (inner,))


@dataclass
class Classes:
    """The classes of a program that are types, the names that stand for types, and the width of an ``int``."""

    names: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)  # classes without owned parts: enumerations
    aliases: dict[str, ast.expr] = field(default_factory=dict)
    width: str = "i32"
    dynamic: bool = False

    def is_copy(self, ty: Ty) -> bool:
        """Return whether Rust copies the type rather than moving it."""
        if ty.name in ("tuple", "option"):
            return all(self.is_copy(one) for one in ty.args)
        return ty.is_number or ty.name in ("bool", "none") or ty.name in self.copies

    def annotation(self, node: ast.expr | None) -> Ty:
        """Return an annotation's type; open where there is none, raises ``Unsupported`` for what is not known."""
        if node is None:
            return OPEN
        if isinstance(node, ast.Constant):
            if node.value is None:
                return NONE
            if isinstance(node.value, str):
                return self.annotation(_parsed(node.value))
        if isinstance(node, ast.Name | ast.Attribute):
            return self._named(node.id if isinstance(node, ast.Name) else node.attr)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([self.annotation(node.left), self.annotation(node.right)])
        if isinstance(node, ast.Subscript):
            return self._generic(node)
        raise Unsupported(f"annotation {ast.unparse(node)}")

    def _named(self, name: str) -> Ty:
        simple = {"int": Ty(self.width), "float": FLOAT, "bool": BOOL, "str": STR, "None": NONE,
                  "bytes": list_of(Ty("u8")),
                  "bytearray": list_of(Ty("u8"))}  # fmt: skip
        if name in simple:
            return simple[name]
        if name in self.names:
            return Ty(name)
        if name in self.aliases:
            return self.annotation(self.aliases[name])
        name = _ANNOTATED.get(name, name)
        if name in ("list", "set"):
            return Ty(name, (OPEN,))
        if name == "dict":
            return Ty(name, (OPEN, OPEN))
        if name in ("tuple", "Self"):
            return OPEN
        if name in ("Any", "object", "any") and self.dynamic:
            return DYN
        raise Unsupported(f"type {name}")

    def _generic(self, node: ast.Subscript) -> Ty:
        head = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if head == "Callable" and len(parts) == 2 and isinstance(parts[0], ast.List):
            return Ty("fn", (*(self.annotation(one) for one in parts[0].elts), self.annotation(parts[1])))
        if head in ("Final", "ClassVar", "Annotated"):
            return self.annotation(parts[0])
        head = _ANNOTATED.get(head, head)
        if head == "tuple" and len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...:
            return list_of(self.annotation(parts[0]))
        inner = [self.annotation(one) for one in parts]
        if head == "Optional":
            return option_of(inner[0])
        if head == "Union":
            return self._union(inner)
        if head in ("list", "set", "tuple"):
            return Ty(head, tuple(inner))
        if head == "dict":
            return Ty(head, (inner[0], inner[1] if len(inner) > 1 else Ty(self.width)))
        raise Unsupported(f"type {ast.unparse(node)}")

    def _union(self, parts: list[Ty]) -> Ty:
        rest = list(dict.fromkeys(one for one in parts if one != NONE))
        if len(rest) == 2 and all(one.is_number for one in rest):
            rest = [FLOAT]
        if len(rest) > 1 and not self.dynamic:
            raise Unsupported("a union of several types")
        inner = rest[0] if len(rest) == 1 else DYN
        return option_of(inner) if NONE in parts and inner != DYN else inner

    def rust(self, ty: Ty) -> str:
        """Return the type in Rust, owned; raises ``Unsupported`` for one that is open."""
        plain = {"float": "f64", "str": "String", "none": "()", "dyn": "DepylerValue"}
        if ty.name == "?":
            raise Unsupported("a type that cannot be told")
        if ty.name == "tuple":
            return f"({', '.join(map(self.rust, ty.args))}{',' if len(ty.args) == 1 else ''})"
        if ty.name == "fn":
            answer = "" if ty.args[-1] == NONE else f" -> {self.rust(ty.args[-1])}"
            return f"fn({', '.join(map(self.rust, ty.args[:-1]))}){answer}"
        name = _NAMES.get(ty.name) or plain.get(ty.name, ty.name)
        return f"{name}<{', '.join(map(self.rust, ty.args))}>" if ty.args else name


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise Unsupported(f"annotation {text!r}") from None


def join(one: Ty, other: Ty) -> Ty:
    """Return the type that holds values of both; raises ``Unsupported`` where none does."""
    if one == other or (not other.known and other.name == "?"):
        return one
    if one.name == "?":
        return other
    if NONE in (one, other):
        return option_of(other if one == NONE else one)
    if "option" in (one.name, other.name):
        inner = [each.args[0] if each.name == "option" else each for each in (one, other)]
        return option_of(join(*inner))
    if one.is_number and other.is_number:
        return FLOAT if FLOAT in (one, other) else wider(one, other)
    if DYN in (one, other):
        return DYN
    if one.name == other.name and len(one.args) == len(other.args):
        return Ty(one.name, tuple(join(*pair) for pair in zip(one.args, other.args, strict=True)))
    raise Unsupported(f"{one.name} beside {other.name}")


def wider(one: Ty, other: Ty) -> Ty:
    """Return the integer type in which two integers are computed: the signed one, then the larger."""
    rank = {
        name: at
        for at, name in enumerate(("u8", "u16", "u32", "usize", "u64", "i8", "i16", "i32", "isize", "i64", "i128"))
    }
    return max(one, other, key=lambda each: rank.get(each.name, 99))


@dataclass(frozen=True)
class Passed:
    """A Rust type as a parameter takes it; ``mode``: ``value``, ``ref`` or ``mut``."""

    ty: Ty
    mode: str


def read_rust_type(text: str, classes: Classes) -> Passed:
    """Return the type that ``text`` writes in Rust; raises ``Unsupported`` for what is not known."""
    words = [word for word in _RUST_WORD.findall(text) if not word.startswith("'")]
    if "".join(words) != re.sub(r"'\w+|\s", "", text):
        raise Unsupported(f"the Rust type {text}")
    mode = "value"
    if words[:1] == ["&"]:
        words = words[1:]
        mode = "ref"
        if words[:1] == ["mut"]:
            words, mode = words[1:], "mut"
    if words and words[0].startswith("mut") and words[0] != "mut" and mode == "ref" and words[0][3:] in _HEADS:
        words, mode = [words[0][3:], *words[1:]], "mut"
    ty, rest = _rust(words, classes)
    if rest:
        raise Unsupported(f"the Rust type {text}")
    return Passed(ty, mode)


_HEADS = {"Vec": "list", "HashMap": "dict", "HashSet": "set", "Option": "option", "Box": "box"}


def _rust(words: list[str], classes: Classes) -> tuple[Ty, list[str]]:
    if not words:
        raise Unsupported("an empty Rust type")
    head, rest = words[0], words[1:]
    if head == "(":
        parts: list[Ty] = []
        while rest[:1] != [")"]:
            part, rest = _rust(rest, classes)
            parts.append(part)
            rest = rest[1:] if rest[:1] == [","] else rest
            if not rest:
                raise Unsupported("a Rust tuple without end")
        return (Ty("tuple", tuple(parts)) if parts else NONE), rest[1:]
    name = head.rpartition("::")[2]
    plain = {"f64": FLOAT, "bool": BOOL, "str": STR, "String": STR, "DepylerValue": DYN}
    if name in plain:
        return plain[name], rest
    if name in INTEGERS or name in classes.names:
        return Ty(name), rest
    if name in _HEADS and rest[:1] == ["<"]:
        args: list[Ty] = []
        rest = rest[1:]
        while rest[:1] != [">"]:
            part, rest = _rust(rest, classes)
            args.append(part)
            rest = rest[1:] if rest[:1] == [","] else rest
            if not rest:
                raise Unsupported("a Rust type without end")
        return (args[0] if name == "Box" else Ty(_HEADS[name], tuple(args))), rest[1:]
    raise Unsupported(f"the Rust type {head}")
