"""Labelling functions that test the marked line of code: what Python, or Rust, wrote where the compiler stopped.

Each is a function of its own, registered with the label it votes for and the share of its votes that is expected to be
right: by ``_mark`` where it looks at the marked part and the character before it, by ``_line`` where it looks at the
whole line, with the words of which the line must have one. Most lines are new and most marks are not, so that a line
costs a look-up and a search for those words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from models.labels.functions import LINE, LabellingFunction


class Marked(NamedTuple):
    """The line of code that a diagnostic marks: all of it, the marked part, what stands before that.

    Spaces at the ends of the last two are left out. A test of marks is given the last character ``before`` and no line.
    """

    line: str
    marked: str
    before: str


LineTest = Callable[[Marked], object]
_MARK_TESTS: list[tuple[LabellingFunction, LineTest]] = []
_LINE_TESTS: list[tuple[LabellingFunction, LineTest, tuple[str, ...]]] = []


def _function(test: LineTest, label: str, prior: float) -> LabellingFunction:
    return LabellingFunction(test.__name__, LINE, (label,), prior, (test.__doc__ or "").strip())


def _mark(label: str, prior: float) -> Callable[[LineTest], LineTest]:
    """Register a test of the marked part: where it holds, it votes for ``label``."""

    def register(test: LineTest) -> LineTest:
        _MARK_TESTS.append((_function(test, label, prior), test))
        return test

    return register


def _line(label: str, prior: float, *words: str) -> Callable[[LineTest], LineTest]:
    """Register a test of lines that have one of ``words``: where it holds, it votes for ``label``."""

    def register(test: LineTest) -> LineTest:
        _LINE_TESTS.append((_function(test, label, prior), test, words))
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
_IMPL = ("impl ", "impl<", "unsafe impl")
_LIFETIME = re.compile(r"'[a-z_]\w*\b(?!')")
_OPERATOR = re.compile(r"[=!<>+*/%&|^-]{1,3}$")
_LITERAL = re.compile(r"\d|\"|b\"|None\b|Some\b|Ok\b|true\b|false\b|vec!")
_PLACE = re.compile(r"&mut\b|&\w|\*\w|\w+(?:\.\w+)+$|\w+\[")
_FORMAT = re.compile(r"\b(?:print|println|eprintln|format|write|writeln|panic)!\s*\(")
_CHAIN = re.compile(r"\.(?:iter|into_iter|iter_mut|chars)\(\).*\.(?:map|filter|flat_map|filter_map|collect|fold)\b")
_NAME = re.compile(r"[a-z_]\w*$")
_TYPE_NAME = re.compile(r"[A-Z]\w*$")


@_mark("MethodNotFound", 0.6)
def member_after_dot(code: Marked) -> object:
    """A lower-case name after a dot is marked."""
    return code.before.endswith(".") and _NAME.match(code.marked)


@_mark("MethodNotFound", 0.7)
def python_method(code: Marked) -> object:
    """The marked name after a dot is a method of Python's strings, lists, dictionaries, files or dates."""
    return code.before.endswith(".") and code.marked in _PYTHON_METHODS


@_mark("UndefinedVariable", 0.6)
def python_name(code: Marked) -> object:
    """A built-in name or module of Python survived the translation and is marked."""
    return code.marked in _PYTHON_NAMES and not code.before.endswith(".")


@_mark("ImportErrors", 0.5)
def type_assigned(code: Marked) -> object:
    """A type's name is marked where a value or a path begins."""
    return code.before.endswith(("=", ":", "(")) and _TYPE_NAME.match(code.marked)


@_line("ImportErrors", 0.5, "use ", "extern crate ", "mod ")
def use_declaration(code: Marked) -> object:
    """The line imports something."""
    return code.line.lstrip().startswith(_USE)


@_line("IntegrationFailures", 0.4, "extern crate ", "asm!", 'extern "', "no_mangle")
def foreign_code(_: Marked) -> object:
    """The line names another crate, assembly or a foreign function."""
    return True


@_mark("ConfigurationErrors", 0.6)
def attribute_marked(code: Marked) -> object:
    """An attribute is marked."""
    return code.marked.startswith(("#[", "#!["))


@_line("TraitBounds", 0.4, "impl")
def implementation_head(code: Marked) -> object:
    """The line begins an implementation."""
    return code.line.lstrip().startswith(_IMPL)


@_mark("LifetimeErrors", 0.5)
def lifetime_marked(code: Marked) -> object:
    """What is marked names a lifetime."""
    return "'" in code.marked and _LIFETIME.search(code.marked)


@_mark("OwnershipBorrow", 0.4)
def place_marked(code: Marked) -> object:
    """A reference, a field or an element is marked: things that are borrowed or moved out of."""
    return _PLACE.match(code.marked)


@_mark("OperatorPrecedence", 0.4)
def operator_marked(code: Marked) -> object:
    """Nothing but an operator is marked."""
    return _OPERATOR.match(code.marked)


@_mark("TraitBounds", 0.6)
def question_mark(code: Marked) -> object:
    """The question mark operator is marked."""
    return code.marked == "?"


@_mark("TypeErrors", 0.5)
def literal_marked(code: Marked) -> object:
    """A literal, ``None`` or a wrapped value is marked: often not of the type that stands in its place."""
    return _LITERAL.match(code.marked)


@_mark("TypeErrors", 0.5)
def cast_marked(code: Marked) -> object:
    """What is marked has a cast in it."""
    return " as " in code.marked


@_line("TraitBounds", 0.3, "!")
def format_argument(code: Marked) -> object:
    """The mark stands in a macro that formats, as Python's ``print`` is translated: the value may lack Display."""
    return _FORMAT.search(code.before)


@_line("IteratorChain", 0.1, ".iter", ".into_iter", ".chars()")
def comprehension_chain(code: Marked) -> object:
    """The line has a chain of iterators, as a comprehension of Python is translated."""
    return _CHAIN.search(code.line)


@_mark("ASTTransform", 0.5)
def punctuation_marked(code: Marked) -> object:
    """Brackets, commas or a keyword are marked: places where the parser stops."""
    return code.marked in ("{", "}", "(", ")", "[", "]", ";", ",", ".", "=>", "let", "mut", "self", "fn", "if", "else")


@_line("MemorySafety", 0.3, "unsafe ", "*const ", "*mut ", "transmute", "from_raw")
def unsafe_line(_: Marked) -> object:
    """The line has unsafe code or raw pointers."""
    return True


@_line("ConcurrencyBugs", 0.2, "async ", ".await", "spawn(", "Mutex", "Arc<", "Arc::", "Atomic")
def threads_line(_: Marked) -> object:
    """The line has futures, threads, locks or atomics."""
    return True


def mark_tests() -> tuple[tuple[LabellingFunction, LineTest], ...]:
    """Return the functions that test the marked part."""
    return tuple(_MARK_TESTS)


def line_tests() -> tuple[tuple[LabellingFunction, LineTest, tuple[str, ...]], ...]:
    """Return the functions that test the whole line, with the words of which it must have one."""
    return tuple(_LINE_TESTS)
