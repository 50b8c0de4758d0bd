"""What a piece of Rust offers: its functions with their parameters, its structs with their fields.

Read from the text, at the beginning of a line, as rustfmt and depyler write them; no macro is expanded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from producers.verify.rust_types import RustType, UnsupportedError, enclosed, parse_type, split, tokens

MAX_SIGNATURE = 4_000  # characters

_FUNCTION = re.compile(r"^(?:pub(?:\([a-z]+\))? )?((?:const |async |unsafe )*)fn (\w+)", re.MULTILINE)
_STRUCT = re.compile(r"^(?:pub(?:\([a-z]+\))? )?struct (\w+) \{$(.*?)^\}", re.MULTILINE | re.DOTALL)
_ENUM = re.compile(r"^pub enum DepylerValue \{$(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^    (?:pub(?:\([a-z]+\))? )?(\w+): (.*),$", re.MULTILINE)
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


def read_rust(source: str) -> RustProgram:
    """Return what ``source`` offers; what cannot be read is a function with a ``problem``, or missing."""
    functions = {}
    for match in _FUNCTION.finditer(source):
        text = source[match.end() : match.end() + MAX_SIGNATURE]
        functions[match[2]] = _function(match[2], match[1], text)
    structs = {match[1]: fields for match in _STRUCT.finditer(source) if (fields := _fields(match[2])) is not None}
    enum = _ENUM.search(source)
    variants = set(re.findall(r"^    (\w+)", enum[1], re.MULTILINE)) if enum else set()
    return RustProgram(functions, structs, variants == VALUE_VARIANTS)


def _function(name: str, qualifiers: str, text: str) -> RustFunction:
    nothing = RustType("()", text="()")
    try:
        words = tokens(_head(text))
        generic, rest = enclosed(words) if words[0] == "<" else ([], words)
        inner, rest = enclosed(rest)
        parameters = tuple(parse_type(_after_colon(part)) for part in split(inner))
        answer = parse_type(" ".join(_until_where(rest[1:]))) if rest[:1] == ["->"] else nothing
    except (UnsupportedError, IndexError) as error:
        return RustFunction(name, (), nothing, f"its signature in Rust has {error}")
    named = [part[0] for part in split(generic) if not part[0].startswith("'")]
    problem = f"it is generic in {', '.join(named)} in Rust" if named else ""
    if qualifiers.strip() in ("async", "unsafe"):
        problem = f"it is {qualifiers.strip()} in Rust"
    return RustFunction(name, parameters, answer, problem)


def _head(text: str) -> str:
    """Return the text up to the body's brace; a type has none but in a constant, which nobody writes here."""
    return re.sub(r"//[^\n]*", "", text.partition("{")[0])


def _after_colon(words: list[str]) -> str:
    if ":" not in words:
        raise UnsupportedError(" ".join(words))
    return " ".join(words[words.index(":") + 1 :])


def _until_where(words: list[str]) -> list[str]:
    return words[: words.index("where")] if "where" in words else words


def _fields(body: str) -> dict[str, RustType] | None:
    try:
        return {name: parse_type(kind) for name, kind in _FIELD.findall(body)}
    except UnsupportedError:
        return None


def body_of(source: str, name: str) -> str | None:
    """Return the text of a function's body at the beginning of a line, or nothing where there is no such function."""
    found = re.search(
        rf"^(?:pub(?:\([a-z]+\))? )?fn {re.escape(name)}\b.*?\{{$(.*?)^\}}", source, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else None
