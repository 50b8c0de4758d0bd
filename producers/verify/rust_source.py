"""What a piece of Rust offers: its functions with their parameters, its structs with their fields.

Read from the text: what stands at the top level, outside every brace. No macro is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from producers.verify.rust_types import RustType, UnsupportedError, enclosed, parse_type, split, tokens

# What may hide braces, and what is looked for at the top level.
_PIECE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(\#*)".*?"\1|"(?:\\.|[^"\\])*"|'(?:\\[^']+|[^\\'])'"""
    r"""|(?P<brace>[{}])|\b(?P<what>fn|struct|enum)\s+(?P<name>\w+)""",
    re.DOTALL | re.VERBOSE,
)
_HIDING = re.compile(r"""//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_ATTRIBUTE = re.compile(r"#!?\[[^\]]*\]")
VALUE_VARIANTS = {"Int", "Float", "Str", "Bool", "None", "List", "Dict", "Tuple"}


@dataclass(frozen=True)
class RustFunction:
    """A function: the types of its parameters and of its answer, or why they cannot be told."""

    name: str
    parameters: tuple[RustType, ...]
    answer: RustType
    problem: str = ""


@dataclass(frozen=True)
class RustProgram:
    """The functions and plain structs of a program, by name; ``dynamic``: it has depyler's ``DepylerValue``."""

    functions: dict[str, RustFunction]
    structs: dict[str, dict[str, RustType]]
    dynamic: bool


@dataclass(frozen=True)
class _Item:
    what: str  # fn, struct, enum
    name: str
    before: str  # what stands between the item before it and its keyword: attributes, pub, async
    head: str  # from its name to the brace
    body: str


def read_rust(source: str) -> RustProgram:
    """Return what ``source`` offers; what cannot be read is a function with a ``problem``, or missing."""
    functions: dict[str, RustFunction] = {}
    structs: dict[str, dict[str, RustType]] = {}
    variants: set[str] = set()
    for item in _items(source):
        if item.what == "fn":
            functions[item.name] = _function(item)
        elif item.what == "struct" and not item.head.strip() and (fields := _fields(item.body)) is not None:
            structs[item.name] = fields
        elif item.name == "DepylerValue":
            variants = {part[0] for part in split(tokens(_plain(item.body)))}
    return RustProgram(functions, structs, variants == VALUE_VARIANTS)


def body_of(source: str, name: str) -> str | None:
    """Return the text of a function's body, or nothing where there is no such function at the top level."""
    return next((item.body for item in _items(source) if item.what == "fn" and item.name == name), None)


def _items(source: str) -> Iterator[_Item]:
    """Yield the functions, structs and enums at the top level that have a body in braces."""
    depth, end = 0, 0
    found: re.Match[str] | None = None
    begin = 0
    for piece in _PIECE.finditer(source):
        if piece["what"] and not depth:
            found = piece
        elif piece["brace"] == "{":
            depth += 1
            begin = piece.end() if depth == 1 else begin
        elif piece["brace"] == "}":
            depth = max(depth - 1, 0)
            if not depth:
                if found is not None and found.end() <= begin:
                    head, before = source[found.end() : begin - 1], source[end : found.start()]
                    yield _Item(found["what"], found["name"], before, head, source[begin : piece.start()])
                found, end = None, piece.end()


def _plain(text: str) -> str:
    """Return the text without comments, strings and attributes."""
    return _ATTRIBUTE.sub("", _HIDING.sub('""', text))


def _function(item: _Item) -> RustFunction:
    nothing = RustType("()", text="()")
    try:
        words = tokens(_plain(item.head))
        generic, rest = enclosed(words) if words[0] == "<" else ([], words)
        inner, rest = enclosed(rest)
        parameters = tuple(parse_type(_after_colon(part)) for part in split(inner))
        answer = parse_type(" ".join(_until_where(rest[1:]))) if rest[:1] == ["->"] else nothing
    except (UnsupportedError, IndexError) as error:
        return RustFunction(item.name, (), nothing, f"its signature in Rust has {error}")
    named = [part[0] for part in split(generic) if not part[0].startswith("'")]
    problem = f"it is generic in {', '.join(named)} in Rust" if named else ""
    qualifiers = set(tokens(_plain(item.before.rpartition("\n")[2]))) & {"async", "unsafe"}
    if qualifiers:
        problem = f"it is {min(qualifiers)} in Rust"
    return RustFunction(item.name, parameters, answer, problem)


def _after_colon(words: list[str]) -> str:
    if ":" not in words:
        raise UnsupportedError(" ".join(words))
    return " ".join(words[words.index(":") + 1 :])


def _until_where(words: list[str]) -> list[str]:
    return words[: words.index("where")] if "where" in words else words


def _fields(body: str) -> dict[str, RustType] | None:
    try:
        parts = [part for part in split(tokens(_plain(body))) if ":" in part]
        return {part[part.index(":") - 1]: parse_type(_after_colon(part)) for part in parts}
    except UnsupportedError:
        return None
