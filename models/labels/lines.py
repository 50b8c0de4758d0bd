"""Labelling functions that test the marked line of code: what Python, or Rust, wrote where the compiler stopped.

Each is a function of its own, registered by ``_line`` with the label it votes for and the share of its votes that is
expected to be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from models.labels.functions import LINE, LabellingFunction


class Marked(NamedTuple):
    """The line of code that a diagnostic marks: all of it, the marked part, what stands before that."""

    line: str
    marked: str
    before: str


LineTest = Callable[[Marked], object]
_LINE_TESTS: list[tuple[LabellingFunction, LineTest]] = []


def _line(label: str, prior: float) -> Callable[[LineTest], LineTest]:
    """Register a test of the marked line: where it holds, it votes for ``label``."""

    def register(test: LineTest) -> LineTest:
        relies_on = (test.__doc__ or "").strip()
        _LINE_TESTS.append((LabellingFunction(test.__name__, LINE, (label,), prior, relies_on), test))
        return test

    return register


_PYTHON_METHODS = frozenset(
    word
    for line in (
        "append strip lstrip rstrip items startswith endswith upper lower values keys get format join splitlines",
        "update extend pop index count setdefault isoformat isdigit isalpha isalnum encode decode add_argument",
        "parse_args popitem title capitalize zfill partition rfind casefold difference union intersection write",
        "read readlines strftime strptime total_seconds exists mkdir read_text write_text iterdir groups most_common",
    )
    for word in line.split()
)
_PYTHON_NAMES = frozenset(
    word
    for line in (
        "len range isinstance print str list dict set tuple sum min max sorted zip enumerate open sys os json datetime",
        "argparse int float bool object super type map filter any all abs round repr hasattr getattr setattr callable",
        "collections itertools functools logging math random re subprocess time typing pathlib Path Exception",
        "ValueError TypeError KeyError IndexError RuntimeError True False args kwargs self cls",
    )
    for word in line.split()
)
_USE = ("use ", "pub use ", "pub(crate) use ", "extern crate ", "mod ", "pub mod ")
_FOREIGN = ("extern crate ", "asm!", 'extern "', "no_mangle")
_IMPL = ("impl ", "impl<", "unsafe impl")
_LIFETIME = re.compile(r"'[a-z_]\w*\b(?!')")
_OPERATOR = re.compile(r"[=!<>+*/%&|^-]{1,3}$")
_LITERAL = re.compile(r"\d|\"|b\"|None\b|Some\b|Ok\b|true\b|false\b|vec!")
_PLACE = re.compile(r"&mut\b|&\w|\*\w|\w+(?:\.\w+)+$|\w+\[")
_FORMAT = re.compile(r"\b(?:print|println|eprintln|format|write|writeln|panic)!\s*\(")
_ITERATORS = (".iter", ".into_iter", ".chars()")
_CHAIN = re.compile(r"\.(?:iter|into_iter|iter_mut|chars)\(\).*\.(?:map|filter|flat_map|filter_map|collect|fold)\b")
_UNSAFE = ("unsafe ", "*const ", "*mut ", "transmute", "from_raw")
_THREADS = ("async ", ".await", "spawn(", "Mutex", "Arc<", "Arc::", "Atomic")
_NAME = re.compile(r"[a-z_]\w*$")
_TYPE_NAME = re.compile(r"[A-Z]\w*$")


def _has(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # any() with a generator takes twice as long, a regular expression more
        if word in text:
            break
    else:
        return False
    return True


@_line("MethodNotFound", 0.6)
def member_after_dot(code: Marked) -> object:
    """A lower-case name after a dot is marked."""
    return code.before.endswith(".") and _NAME.match(code.marked)


@_line("MethodNotFound", 0.7)
def python_method(code: Marked) -> object:
    """The marked name after a dot is a method of Python's strings, lists, dictionaries, files or dates."""
    return code.before.endswith(".") and code.marked in _PYTHON_METHODS


@_line("UndefinedVariable", 0.6)
def python_name(code: Marked) -> object:
    """A built-in name or module of Python survived the translation and is marked."""
    return code.marked in _PYTHON_NAMES and not code.before.endswith(".")


@_line("ImportErrors", 0.5)
def type_assigned(code: Marked) -> object:
    """A type's name is marked where a value or a path begins."""
    return code.before.endswith(("=", ":", "(")) and _TYPE_NAME.match(code.marked)


@_line("ImportErrors", 0.5)
def use_declaration(code: Marked) -> object:
    """The line imports something."""
    return code.line.lstrip().startswith(_USE)


@_line("IntegrationFailures", 0.4)
def foreign_code(code: Marked) -> object:
    """The line names another crate, assembly or a foreign function."""
    return _has(code.line, _FOREIGN)


@_line("ConfigurationErrors", 0.6)
def attribute_marked(code: Marked) -> object:
    """An attribute is marked."""
    return code.marked.startswith(("#[", "#!["))


@_line("TraitBounds", 0.4)
def implementation_head(code: Marked) -> object:
    """The line begins an implementation."""
    return code.line.lstrip().startswith(_IMPL)


@_line("LifetimeErrors", 0.5)
def lifetime_marked(code: Marked) -> object:
    """What is marked names a lifetime."""
    return "'" in code.marked and _LIFETIME.search(code.marked)


@_line("OwnershipBorrow", 0.4)
def place_marked(code: Marked) -> object:
    """A reference, a field or an element is marked: things that are borrowed or moved out of."""
    return _PLACE.match(code.marked)


@_line("OperatorPrecedence", 0.4)
def operator_marked(code: Marked) -> object:
    """Nothing but an operator is marked."""
    return _OPERATOR.match(code.marked)


@_line("TraitBounds", 0.6)
def question_mark(code: Marked) -> object:
    """The question mark operator is marked."""
    return code.marked == "?"


@_line("TypeErrors", 0.5)
def literal_marked(code: Marked) -> object:
    """A literal, ``None`` or a wrapped value is marked: often not of the type that stands in its place."""
    return _LITERAL.match(code.marked)


@_line("TypeErrors", 0.5)
def cast_marked(code: Marked) -> object:
    """What is marked has a cast in it."""
    return " as " in code.marked


@_line("TraitBounds", 0.3)
def format_argument(code: Marked) -> object:
    """The mark stands in a macro that formats, as Python's ``print`` is translated: the value may lack Display."""
    return "!" in code.before and _FORMAT.search(code.before)


@_line("IteratorChain", 0.1)
def comprehension_chain(code: Marked) -> object:
    """The line has a chain of iterators, as a comprehension of Python is translated."""
    return _has(code.line, _ITERATORS) and _CHAIN.search(code.line)


@_line("ASTTransform", 0.5)
def punctuation_marked(code: Marked) -> object:
    """Brackets, commas or a keyword are marked: places where the parser stops."""
    return code.marked in ("{", "}", "(", ")", "[", "]", ";", ",", ".", "=>", "let", "mut", "self", "fn", "if", "else")


@_line("MemorySafety", 0.3)
def unsafe_line(code: Marked) -> object:
    """The line has unsafe code or raw pointers."""
    return _has(code.line, _UNSAFE)


@_line("ConcurrencyBugs", 0.2)
def threads_line(code: Marked) -> object:
    """The line has futures, threads, locks or atomics."""
    return _has(code.line, _THREADS)


def line_tests() -> tuple[tuple[LabellingFunction, LineTest], ...]:
    """Return the functions that test the marked line."""
    return tuple(_LINE_TESTS)
