"""Python program → named features and constructs, without running it: what the program alone says of its fate.

Types that meet, sketches of expressions, signatures, imports and calls, counts of everything. Never a feature: file
names and paths, comments, texts of strings, identifiers of the program's own: they would name the project, and say
nothing of the next one.

Programs come from outside: what cannot be parsed, is too deep or too large is described by its tokens, and no program
costs more than ``MAX_NODES`` allow.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple

from models.caching import BoundedCache
from models.hashing import NAME_BYTES, Named, named
from models.programs.constructs import of_node
from models.programs.scopes import bind, scope_of, signature
from models.programs.shapes import shapes
from models.programs.types import BUILTINS, Scope, Types, annotation, element
from models.programs.uses import uses

MAX_SOURCE = 200_000  # characters; a longer program is cut where a statement of its top level begins
MAX_NODES = 40_000  # of the syntax tree; programs people write have some thousand
MAX_NAMES = 4_000  # of each kind of feature
MAX_NAME = 80  # characters
MAX_TOKENS = 4_000  # of a program that cannot be parsed
UNPARSABLE = "unparsable"
GROUPS = ("construct", "size", "signature", "type", "shape", "order")

_TOKEN = re.compile(r"[A-Za-z_]\w{0,40}|\d|[^\s\w]")


class Program(NamedTuple):
    """What a program shows: its constructs in words, and its features by where they come from."""

    constructs: tuple[str, ...]
    parts: tuple[Named, ...]


_PROGRAMS: BoundedCache[str, Program] = BoundedCache(32 << 20)


def program_parts(source: str) -> list[Named]:
    """Return the features of a program by where they come from, with their hashes; no name stands in two parts."""
    return list(read(source).parts)


def constructs(source: str) -> tuple[str, ...]:
    """Return the constructs that a program uses, in words and in alphabetical order.

    >>> constructs("total = sum(x * x for x in range(9))")
    ('generator expression',)
    """
    return read(source).constructs


def read(source: str) -> Program:
    """Return both for one program, which is parsed once."""
    known = _PROGRAMS.get(source)
    if known is not None:
        return known
    found = _read(source)
    names = sum(len(part.names) for part in found.parts)
    return _PROGRAMS.keep(source, found, 4 * len(source) + names * (MAX_NAME // 2 + NAME_BYTES))


def _read(source: str) -> Program:
    tree = parse(source)
    if tree is None:
        words = _TOKEN.findall(source[:MAX_SOURCE])[:MAX_TOKENS]
        known = [word if word in BUILTINS or not word[0].isalpha() else "v" for word in words]
        names = (f"construct:{UNPARSABLE}", *(f"token:{a} {b}" for a, b in pairwise(known)))
        return Program((UNPARSABLE,), (named(names),))
    nodes = _Reader(tree)
    return Program(tuple(sorted(nodes.groups["construct"])), tuple(nodes.parts()))


def parse(source: str) -> ast.Module | None:
    """Return the syntax tree of a program, of its beginning where it is very long; nothing for what is no program.

    CPython's parser bounds its own depth; in a thread with less than 1 MB of stack that bound comes too late.
    """
    if len(source) > MAX_SOURCE:
        source = source[: max(source.rfind("\ndef ", 0, MAX_SOURCE), source.rfind("\nclass ", 0, MAX_SOURCE), 0)]
        if not source:
            return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are deprecated: not this program's to report
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Bind(NamedTuple):
    """Waits behind the nodes of an assignment: from there on its target has a type."""

    target: ast.expr
    type: str


_Waiting = list[tuple["ast.AST | _Bind", str, Scope]]  # nodes with the step (``If.test``) to them and their function
_FILLING = {"Load", "Store", "Del", "Module", "arguments", "arg", "alias", "keyword", "Expr"}
_EVERYWHERE = {
    "Name",
    "Constant",
    "Attribute",
    "Call",
    "Assign",
    "AnnAssign",
    "Import",
    "ImportFrom",
    "Return",
} | _FILLING
_SKIPPED = frozenset({"annotation", "returns", "decorator_list", "ctx", "type_comment"})


class _Reader:
    """Reads a syntax tree once, in the order of the source, and collects names by group; no recursion."""

    def __init__(self, tree: ast.Module) -> None:
        nodes = list(islice(ast.walk(tree), MAX_NODES))
        self.types = Types(nodes)
        self.groups: dict[str, dict[str, None]] = {name: {} for name in GROUPS}
        self._sizes(Counter(type(node).__name__ for node in nodes))
        self._read(tree)

    def parts(self) -> Iterator[Named]:
        """Yield the features of each group that has some."""
        for group, names in self.groups.items():
            if names:
                yield named(f"{group}:{name}"[:MAX_NAME] for name in names)

    def _add(self, group: str, name: str) -> None:
        names = self.groups[group]
        if len(names) < MAX_NAMES:
            names[name] = None

    def _sizes(self, counts: Counter[str]) -> None:
        """Note for each kind of node that there are at least 1, 2, 4, … of it.

        Kinds that every program has in masses, and the length itself, tell corpora apart and not what fails in them.
        """
        for kind, count in counts.items():
            for power in range(count.bit_length() if kind not in _EVERYWHERE else 0):
                self._add("size", f"{kind} {1 << power}")

    def _read(self, tree: ast.Module) -> None:
        waiting: _Waiting = [(tree, "", self.types.top)]
        for _ in range(2 * MAX_NODES):
            if not waiting:
                return
            node, step, scope = waiting.pop()
            if isinstance(node, _Bind):
                bind(node.target, node.type, scope)
            elif not _is_text(node):
                waiting.extend(reversed(self._visit(node, step, scope)))

    def _visit(self, node: ast.AST, step: str, scope: Scope) -> _Waiting:
        """Take in one node; return what comes next."""
        for construct in of_node(node):
            self._add("construct", construct)
        for use in uses(node, scope, self.types):
            self._add("type", use)
        for shape in shapes(node, step):
            self._add("shape", shape)
        for name in signature(node):
            self._add("signature", name)
        self._order(node, step)
        inner = scope_of(node, scope)
        found: _Waiting = [(child, f"{type(node).__name__}.{field}", inner) for field, child in _children(node)]
        return found + [(_Bind(target, type_), "", inner) for target, type_ in self._bound(node, scope)]

    def _order(self, node: ast.AST, step: str) -> None:
        """Note which statements follow each other, and what a block ends with."""
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kinds = ["^", *(_kind(one) for one in body if not _is_text(one)), "$"]
            for first, second in pairwise(kinds):
                self._add("order", f"{first} {second}")
            self._add("order", f"{type(node).__name__} in {step} ends with {kinds[-2]}")

    def _bound(self, node: ast.AST, scope: Scope) -> list[tuple[ast.expr, str]]:
        match node:
            case ast.Assign(targets=targets, value=value):
                return [(target, self.types.of(value, scope)) for target in targets]
            case ast.AnnAssign(target=target, annotation=said):
                return [(target, annotation(said))]
            case ast.For(target=target, iter=of) | ast.comprehension(target=target, iter=of):
                bind(target, element(self.types.of(of, scope)), scope)  # known in the body, which comes before the end
        return []


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED:
            continue
        if isinstance(value, list):
            yield from ((field, one) for one in value if isinstance(one, ast.AST))
        elif isinstance(value, ast.AST):
            yield field, value


def _kind(node: ast.AST) -> str:
    return type(node.value).__name__ if isinstance(node, ast.Expr) else type(node).__name__


def _is_text(node: ast.AST) -> bool:
    """Return whether a statement is a text alone, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
