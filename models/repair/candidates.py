"""What may be tried: a candidate is the edits of one pattern for one error, or for several at once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.items import Places


@dataclass(frozen=True)
class Candidate:
    """Edits that may remove ``errors``; ``pattern`` says where they come from, ``why`` says so to people."""

    pattern: str
    why: str
    edits: tuple[Edit, ...]
    errors: tuple[RustError, ...]

    @property
    def template(self) -> str:
        """Return the kind of error that it is for."""
        return self.errors[0].template if self.errors else ""


@dataclass
class Subject:
    """A program under repair: its Rust, what rustc says of it, and the Python it came from where there is one."""

    text: str
    errors: tuple[RustError, ...]
    python: str | None = None
    cargo_toml: str = ""
    wrong: frozenset[str] = field(default_factory=frozenset)  # functions that the oracle found to do something else

    @cached_property
    def places(self) -> Places:
        """Return the items of the Rust."""
        return Places(self.text)

    @cached_property
    def module(self) -> ast.Module | None:
        """Return the Python's syntax tree, or nothing where there is none."""
        if self.python is None:
            return None
        try:
            return ast.parse(self.python)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def marked(self, error: RustError) -> str:
        """Return the text that an error marks."""
        start, end = error.place
        return self.text[start:end]


Pattern = Callable[[Subject, RustError], Iterable[Candidate]]
PATTERNS: dict[str, tuple[Pattern, frozenset[str]]] = {}


def pattern(*codes: str) -> Callable[[Pattern], Pattern]:
    """Register a function as the pattern of its name for errors of ``codes`` (``""``: without a code)."""

    def register(function: Pattern) -> Pattern:
        PATTERNS[function.__name__.replace("_", "-")] = (function, frozenset(codes))
        return function

    return register


def one(name: str, why: str, error: RustError, *edits: Edit) -> Candidate:
    """Return a candidate for one error."""
    return Candidate(name, why, edits, (error,))


def from_patterns(subject: Subject) -> Iterator[Candidate]:
    """Yield what the registered patterns propose for the errors of ``subject``."""
    for error in subject.errors:
        for function, codes in PATTERNS.values():
            if error.code in codes:
                yield from function(subject, error)
