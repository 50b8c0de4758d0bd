"""Types in Rust source: read from a signature, written as the owned type that holds an input, and passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"->|::|'\w+|r#\w+|\w+|[^\s\w]")

INT_RANGES = {
    **{f"i{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64, 128)},
    "isize": (-(1 << 63), (1 << 63) - 1),
    "usize": (0, (1 << 64) - 1),
}
SEQUENCES = ("Vec", "VecDeque", "slice", "array")
SETS = ("HashSet", "BTreeSet")
MAPS = ("HashMap", "BTreeMap")
HOLDERS = {"Option": 1, "Box": 1, "Rc": 1, "Arc": 1, **dict.fromkeys(("Vec", "VecDeque", *SETS), 1), "Cow": 1}
PLAIN = (*INT_RANGES, "f32", "f64", "bool", "char", "String", "str", "()")
TEXTUAL = ("impl Into", "impl AsRef", "impl ToString")  # they take a String


class UnsupportedError(ValueError):
    """A type that no input can be made for; the message is the type, or what it is part of."""


@dataclass(frozen=True)
class RustType:
    """A type: the last name of its path, its arguments, and how it is borrowed (``""``, ``&`` or ``&mut``).

    A tuple is named ``tuple`` (``()`` where empty), ``[T]`` is ``slice``, ``[T; 3]`` is ``array``, and ``impl``/``dyn``
    types carry that word before their name.
    """

    name: str
    args: tuple[RustType, ...] = ()
    borrow: str = ""
    text: str = ""

    def __str__(self) -> str:
        return self.text


def tokens(source: str) -> list[str]:
    """Return the tokens of a piece of Rust; strings and comments are not told apart from code."""
    return _TOKEN.findall(source)


def parse_type(source: str) -> RustType:
    """Return the type in ``source``; raises ``UnsupportedError`` where it is none that is known here."""
    words = [word for word in tokens(source) if not re.fullmatch(r"'\w+", word)]
    kind, rest = _type(words)
    if rest:
        raise UnsupportedError(source.strip())
    return kind


def split(words: list[str], by: str = ",") -> list[list[str]]:
    """Return ``words`` cut at each ``by`` that stands in no brackets; empty parts are left out."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word in "([{<") - (word in ")]}>")
        if word == by and not depth:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def enclosed(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands inside the bracket that ``words`` begin with, and what comes after it."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word in "([{<") - (word in ")]}>")
        if not depth:
            return words[1:at], words[at + 1 :]
    raise UnsupportedError(" ".join(words[:10]))


def owned(kind: RustType) -> str:
    """Return the type, in Rust, of a variable that can hold an input for ``kind``.

    Raises ``UnsupportedError`` where there is none: functions, iterators, type parameters.
    """
    if kind.name in ("str", "Cow", *TEXTUAL):
        return "::std::string::String"
    if kind.name in PLAIN or (not kind.args and kind.name.isidentifier()):
        return kind.text.lstrip("& ").removeprefix("mut ") if kind.borrow else kind.text
    inner = [owned(arg) for arg in kind.args]
    if kind.name == "slice":
        return f"::std::vec::Vec<{inner[0]}>"
    if kind.name == "tuple":
        return f"({', '.join(inner)},)"
    if kind.name == "array":
        return re.sub(r"^[&\s]*(?:mut )?", "", kind.text)
    if kind.name in (*HOLDERS, *MAPS):
        where = {"Option": "option", "Vec": "vec", "Box": "boxed", "Rc": "rc", "Arc": "sync"}.get(
            kind.name, "collections"
        )
        return f"::std::{where}::{kind.name}<{', '.join(inner)}>"
    raise UnsupportedError(kind.text)


def passed(kind: RustType, variable: str) -> str:
    """Return the expression, in Rust, that passes ``variable`` (of the ``owned`` type) for a parameter of ``kind``."""
    if kind.name in ("Cow", *TEXTUAL):
        return f"{variable}.clone().into()" if kind.name == "Cow" else f"{variable}.clone()"
    if kind.borrow:
        whole = f"&mut {variable}" if kind.borrow == "&mut" else f"&{variable}"
        if _borrows_inside(kind):
            if kind.borrow == "&mut":
                raise UnsupportedError(kind.text)
            return f"&{_borrowed(kind, f'(&{variable})')}"
        return f"{whole}[..]" if kind.name == "slice" else f"{whole}"
    if _borrows_inside(kind):
        return _borrowed(kind, f"(&{variable})")
    return variable


def _borrowed(kind: RustType, reference: str) -> str:
    """Return an expression for ``kind``, which borrows somewhere inside, from a reference to its owned form."""
    if not _borrows_inside(kind):
        return f"{reference}.as_str()" if kind.name == "str" else reference if kind.borrow else f"{reference}.clone()"
    if kind.name == "Option":
        return f"{reference}.as_ref().map(|item| {_borrowed(kind.args[0], '(item)')})"
    if kind.name in (*SEQUENCES[:3], *SETS):
        built = f"{reference}.iter().map(|item| {_borrowed(kind.args[0], '(item)')}).collect::<"
        return f"{built}{'Vec' if kind.name == 'slice' else kind.name}<_>>()"
    if kind.name in MAPS:
        key, value = (_borrowed(arg, f"({name})") for arg, name in zip(kind.args, ("key", "item"), strict=True))
        return (
            f"{reference}.iter().map(|(key, item)| ({key}, {value})).collect::<::std::collections::{kind.name}<_, _>>()"
        )
    if kind.name == "tuple":
        return f"({', '.join(_borrowed(arg, f'(&{reference}.{at})') for at, arg in enumerate(kind.args))},)"
    raise UnsupportedError(kind.text)


def _borrows_inside(kind: RustType) -> bool:
    return any(arg.borrow or _borrows_inside(arg) for arg in kind.args)


def _type(words: list[str]) -> tuple[RustType, list[str]]:
    if not words:
        raise UnsupportedError("nothing")
    if words[0] == "&":
        borrow = "&mut" if words[1:2] == ["mut"] else "&"
        kind, rest = _type(words[2 if borrow == "&mut" else 1 :])
        return RustType(
            kind.name, kind.args, borrow, f"{borrow} {kind.text}" if borrow == "&mut" else f"&{kind.text}"
        ), rest
    if words[0] == "(":
        inner, rest = enclosed(words)
        args = tuple(_whole(part) for part in split(inner))
        return RustType("tuple" if args else "()", args, "", f"({', '.join(map(str, args))}{',' * bool(args)})"), rest
    if words[0] == "[":
        inner, rest = enclosed(words)
        item, *size = split(inner, ";")
        kind = _whole(item)
        text = f"[{kind}; {''.join(size[0])}]" if size else f"[{kind}]"
        return RustType("array" if size else "slice", (kind,), "", text), rest
    if words[0] in ("impl", "dyn"):
        kind, rest = _type(words[1:])
        return RustType(f"{words[0]} {kind.name}", kind.args, "", f"{words[0]} {kind.text}"), rest
    return _path(words)


def _path(words: list[str]) -> tuple[RustType, list[str]]:
    path: list[str] = []
    at = 0
    while at < len(words) and (words[at] == "::" or words[at].removeprefix("r#").isidentifier()):
        path.append(words[at])
        at += 1
    if not path:
        raise UnsupportedError(" ".join(words))
    args: tuple[RustType, ...] = ()
    text, rest = "".join(path), words[at:]
    if rest[:1] == ["<"]:
        inner, rest = enclosed(rest)
        args = tuple(_argument(part) for part in split(inner))
        text += f"<{', '.join(map(str, args))}>"
    elif rest[:1] == ["("]:  # Fn(i32) -> i32
        raise UnsupportedError(" ".join(words))
    return RustType(path[-1], args, "", text), rest


def _argument(words: list[str]) -> RustType:
    return _whole(words[2:] if words[1:2] == ["="] else words)  # Iterator<Item = i32>


def _whole(words: list[str]) -> RustType:
    kind, rest = _type(words)
    if rest and rest[0] != "+":  # dyn Error + Send
        raise UnsupportedError(" ".join(words))
    return kind


def walk(kind: RustType) -> Iterator[RustType]:
    """Yield a type and everything inside it."""
    yield kind
    for arg in kind.args:
        yield from walk(arg)
